"""CPUs that are slower than others, share a core, have cold caches or are interrupted."""

from fractions import Fraction

import pytest

from kernel import messages as m
from kernel.costs import Costs, scaled
from kernel.cpu.cpu import Cpu
from kernel.cpu.rated import RatedCpu, make_cpu
from kernel.machine import MachineSpec, NoiseSpec
from kernel.task import TASK_INTERRUPTIBLE
from kernel.uapi import syscalls as nr
from tests.kernel.cpu.test_cpu import FAR, Scripts, spawn

ASK = (nr.NR_GETPPID,)
SWITCH = Costs().context_switch
BLOCK = Costs().guest_block


def spec_of(places=(), costs=None, **given):
    return MachineSpec(cpus=len(places) or 1, places=tuple(places), costs=costs or Costs(), **given)


def core(capacity=1024, threads=2):
    """Threads of one core."""
    return [(0, 0, 0, 0, 0, capacity)] * threads


def make(spec, cpu=0, ops=()):
    return make_cpu(cpu, spec, Scripts(prog=[*ops, ASK, ASK]))


def compute(*lengths):
    return [(nr.NR_COMPUTE, length) for length in lengths]


# -- which CPUs are rated ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec",
    [
        MachineSpec(cpus=2),
        spec_of(core()),  # siblings that do not slow each other down
        spec_of(core(), smt_share=(1000, 1000)),
        spec_of([(0, 0, 0, 0, n, 1024) for n in range(2)], smt_share=(1000, 600)),
        MachineSpec(cpus=2, noise=(NoiseSpec("irq", 1000, 10, cpus=(1,)),)),
    ],
)
def test_a_cpu_that_is_always_fast_is_a_plain_one(spec):
    assert type(make(spec)) is Cpu


@pytest.mark.parametrize(
    "spec",
    [
        spec_of(core(512, 1)),
        spec_of(core(), smt_share=(1000, 600)),
        spec_of(costs=Costs(migration=1)),
        spec_of(costs=Costs(refill_absence=1)),
        spec_of(noise=(NoiseSpec("irq", 1000, 10),)),
    ],
)
def test_any_other_is_rated(spec):
    assert type(make(spec)) is RatedCpu


# -- capacity ------------------------------------------------------------------------------------


@pytest.mark.parametrize("capacity", [1, 160, 459, 512, 1000, 1023])
def test_a_smaller_cpu_takes_longer_for_the_same_work_to_the_ns(capacity):
    lengths = [1_000_003, 7, 1, 999_999, 12_345]
    cpu = make(spec_of(core(capacity, 1)), ops=compute(*lengths))
    cpu.step(FAR, [spawn(1, "prog")])
    work = sum(lengths) + BLOCK * (len(lengths) + 1)
    took = cpu.stats.user_ns
    assert took == -(-work * 1024 // capacity)  # rounded up once, not once for each
    assert cpu.out[-1][m.R_UTIME] == took
    switch = scaled(Costs(), capacity, 1024).context_switch
    assert cpu.out[-1][m.R_TIME] == took + switch and switch == -(-SWITCH * 1024 // capacity)


@pytest.mark.parametrize("capacity", [160, 1000])
def test_how_often_a_burn_is_cut_does_not_change_what_it_takes(capacity):
    spec = spec_of(core(capacity, 1))
    whole, cut = (make(spec, ops=compute(1_000_003)) for _ in range(2))
    whole.step(FAR, [spawn(1, "prog")])
    cut.step(0, [spawn(1, "prog")])
    at_ns = 0
    while not cut.out:
        at_ns += 997
        cut.step(at_ns, ())
    assert cut.out == whole.out


def test_what_a_step_says_comes_next_is_when_the_work_will_be_done():
    cpu = make(spec_of(core(512, 1)), ops=compute(1_000))
    assert cpu.step(3_000, [spawn(1, "prog")]) == 2 * SWITCH + 2 * (1_000 + BLOCK)
    assert cpu.now_ns == 3_000


# -- siblings ------------------------------------------------------------------------------------


def smt(cpu=0, ops=(), threads=2, share=(1000, 600), capacity=1024):
    return make(spec_of(core(capacity, threads), smt_share=share), cpu, ops)


def test_a_cpu_tells_its_siblings_when_it_begins_and_ends_to_idle_and_nothing_else():
    cpu = smt(cpu=1, ops=compute(1_000), threads=3, share=(1000, 600, 400))
    cpu.step(FAR, [spawn(1, "prog"), spawn(2, "prog")])
    assert cpu.forwards == [(mate, m.eff_sibling(SWITCH, 1, True)) for mate in (0, 2)]
    cpu.forwards = []
    for pid in (1, 2):  # each sleeps in its first call; the other one runs then
        cpu.step(FAR, [m.eff_sleep(cpu.now_ns, pid, TASK_INTERRUPTIBLE)])
    assert cpu.rq.curr is cpu.rq.idle
    assert cpu.forwards == [(mate, m.eff_sibling(cpu.now_ns, 1, False)) for mate in (0, 2)]


def test_a_busy_sibling_slows_the_rest_of_a_computation_from_that_time_on():
    cpu = smt(ops=compute(10_000_000))
    begun = SWITCH
    busy, idle = begun + 4_000_000, begun + 9_000_000
    cpu.step(FAR, [spawn(1, "prog"), m.eff_sibling(busy, 1, True), m.eff_sibling(idle, 1, False)])
    done = 4_000_000 + 5_000_000 * 600 // 1000
    # the last block is not slowed down either
    assert cpu.stats.user_ns == 9_000_000 + (10_000_000 + 2 * BLOCK - done)
    assert cpu.stats.to_plain()["shared_ns"] == 5_000_000


def test_work_is_exact_however_often_the_sibling_changes_its_mind():
    cpu = smt(ops=compute(3_000_000), share=(1000, 613), capacity=801)
    changes = [m.eff_sibling(5_000 + 1_237 * n, 1, n % 2 == 0) for n in range(1_001)]
    cpu.step(FAR, [spawn(1, "prog"), *changes])
    work, at_ns, speed = Fraction(0), scaled(Costs(), 801, 1024).context_switch, Fraction(801, 1024)
    slow = speed * Fraction(613, 1000)
    for effect in changes:
        work += (effect[0] - at_ns) * (speed if effect[4] else slow)
        at_ns = effect[0]
    left = 3_000_000 + 2 * BLOCK - work
    assert cpu.out[-1][m.R_TIME] == at_ns + -(-left // slow)


def test_more_siblings_slow_more_and_one_that_says_so_twice_counts_once():
    cpu = smt(ops=compute(10_000_000), threads=3, share=(1000, 600, 400))
    told = [m.eff_sibling(SWITCH, mate, True) for mate in (1, 2, 2)]
    cpu.step(FAR, [spawn(1, "prog"), *told])
    assert cpu.stats.user_ns == (10_000_000 + 2 * BLOCK) * 10 // 4


# -- caches --------------------------------------------------------------------------------------

CACHES = Costs(
    migration=1_000,
    refill_llc=20_000,
    refill_socket=300_000,
    refill_node=4_000_000,
    refill_absence=50_000,
    cold_after=1_000_000,
)
# two threads of a core; another core; another cache; another node
FAR_APART = [
    (0, 0, 0, 0, 0, 1024),
    (0, 0, 0, 0, 0, 1024),
    (0, 0, 0, 0, 1, 1024),
    (0, 0, 1, 1, 2, 1024),
    (1, 1, 2, 2, 3, 1024),
]


def moved(to, costs=CACHES, places=FAR_APART):
    """Let a task run on CPU 0, go to another while it computes, and end there."""
    spec = spec_of(places, costs)
    old, new = (make(spec, cpu, compute(1_000_000)) for cpu in (0, to))
    old.step(500_000, [spawn(1, "prog")])
    old.step(FAR, [m.eff_tune_affinity(500_000, 1, (to,))])
    [(dest, arrive)] = old.forwards
    assert dest == to
    new.step(FAR, [arrive])
    return old, new


@pytest.mark.parametrize(("to", "refill"), [(1, 1_000), (2, 21_000), (3, 301_000), (4, 4_001_000)])
def test_a_task_that_moves_pays_by_how_far_it_goes_as_user_time(to, refill):
    old, new = moved(to)
    assert old.stats.user_ns + new.stats.user_ns == 1_000_000 + 2 * BLOCK + refill
    assert new.stats.to_plain()["refill_ns"] == refill
    assert new.stats.to_plain()["refills"] == 1
    assert new.out[-1][m.R_UTIME] == old.stats.user_ns + new.stats.user_ns


def test_on_a_machine_without_a_topology_all_share_a_cache():
    spec = MachineSpec(cpus=2, costs=CACHES)
    old, new = (make(spec, cpu, compute(1_000_000)) for cpu in (0, 1))
    old.step(500_000, [spawn(1, "prog")])
    old.step(FAR, [m.eff_tune_affinity(500_000, 1, (1,))])
    new.step(FAR, [old.forwards[0][1]])
    assert new.stats.to_plain()["refill_ns"] == 21_000


@pytest.mark.parametrize(("away_ns", "refill"), [(900_000, 0), (1_000_000, 50_000)])
def test_a_task_that_was_away_for_long_finds_its_cache_cold(away_ns, refill):
    cpu = make(spec_of(costs=CACHES), ops=[ASK])
    cpu.step(FAR, [spawn(1, "prog")])
    cpu.step(FAR, [m.eff_sleep(cpu.now_ns, 1, TASK_INTERRUPTIBLE)])
    user_ns = cpu.stats.user_ns
    # it begins to run when the switch to it is over
    cpu.step(FAR, [m.eff_wake(cpu.now_ns + away_ns - SWITCH, 1, 0, False)])
    cpu.step(FAR, [m.eff_return(cpu.now_ns, 1, 0)])
    assert cpu.stats.user_ns - user_ns == BLOCK + refill


def test_a_new_task_and_a_new_program_have_nothing_to_refill():
    cpu = make(spec_of(costs=CACHES))
    cpu.step(FAR, [spawn(1, "prog")])
    at_ns = cpu.now_ns
    cpu.step(FAR, [m.eff_exec(at_ns, 1, "prog", (), (), "prog", 0, 0)])
    assert cpu.stats.to_plain()["refills"] == 0


# -- noise ---------------------------------------------------------------------------------------


def noisy(*noise, ops=(), **given):
    return make(spec_of(noise=noise, **given), ops=ops)


def test_noise_takes_its_time_from_the_cpu_and_none_is_charged_to_the_task():
    cpu = noisy(NoiseSpec("irq", 1_000_000, 10_000), ops=compute(100_000_000))
    cpu.step(FAR, [spawn(1, "prog")])
    while not any(request[m.R_CODE] == m.REQ_SYSCALL for request in cpu.out):
        cpu.step(FAR, ())
    stats = cpu.stats.to_plain()
    work = 100_000_000 + 2 * BLOCK
    assert stats["user_ns"] == work
    assert stats["irq_ns"] in (1_010_000, 1_020_000)  # 101 or 102 have struck
    assert cpu.rq.curr.sum_exec_ns <= work
    assert cpu.now_ns == SWITCH + work + stats["irq_ns"]
    assert stats["violations"] == 0


def test_the_kernel_is_told_now_and_then_what_was_taken():
    cpu = noisy(
        NoiseSpec("steal", 5_000_000, 500_000),
        NoiseSpec("irq", 1_000_000, 1_000),
        ops=compute(100_000_000),
    )
    cpu.step(FAR, [spawn(1, "prog")])
    told = [request for request in cpu.out if request[m.R_CODE] == m.REQ_NOISE]
    assert 8 <= len(told) <= 12
    assert [request[m.R_SEQ] for request in cpu.out] == list(range(1, len(cpu.out) + 1))
    irq, softirq, steal = told[-1][m.R_ARGS :]
    assert softirq == 0 and irq % 1_000 == 0 and steal % 500_000 == 0
    stats = cpu.stats.to_plain()
    assert 0 <= stats["irq_ns"] - irq <= 12_000 and 0 <= stats["steal_ns"] - steal <= 1_500_000


def test_an_idle_cpu_counts_interrupts_when_it_wakes_but_nothing_is_stolen_from_it():
    cpu = noisy(NoiseSpec("irq", 1_000_000, 10_000), NoiseSpec("steal", 1_000_000, 20_000))
    assert cpu.step(FAR, ()) == m.NEVER
    assert cpu.now_ns == 0  # it does not wake for them
    cpu.step(FAR, [spawn(1, "prog", 50_000_000)])
    stats = cpu.stats.to_plain()
    assert 500_000 <= stats["irq_ns"] <= 510_000
    assert stats["steal_ns"] <= 20_000
    taken = stats["irq_ns"] + stats["steal_ns"]
    assert cpu.now_ns == taken + stats["idle_ns"] + stats["user_ns"] + stats["system_ns"]


def test_what_arrives_while_the_cpu_is_taken_waits_and_is_not_late():
    cpu = noisy(NoiseSpec("steal", 10_000_000, 5_000_000))
    cpu.eager = True  # under exact anything late is refused
    begin = cpu._noises.next_ns
    cpu.step(FAR, [spawn(1, "prog", begin + 1_000)])
    assert cpu.now_ns == begin + 5_000_000 + SWITCH + BLOCK
    assert cpu.stats.to_plain()["steal_ns"] == 5_000_000 - 1_000


def test_each_cpu_and_each_seed_has_noise_of_its_own_and_always_the_same():
    spec = MachineSpec(cpus=2, noise=(NoiseSpec("irq", 1_000_000, 1_000, True, True),))
    drawn = {}
    for seed in (1, 2):
        for cpu in (0, 1):
            noises = [
                make(MachineSpec(cpus=2, seed=seed, noise=spec.noise), cpu)._noises
                for _ in range(2)
            ]
            series = [[(each.next_ns, *each.take()) for _ in range(50)] for each in noises]
            assert series[0] == series[1]
            drawn[seed, cpu] = series[0]
    assert len({str(series) for series in drawn.values()}) == 4
    mean = sum(length for series in drawn.values() for _, _, length in series) / 200
    assert 700 < mean < 1_300
    last = sum(series[-1][0] for series in drawn.values()) / 4
    assert 35_000_000 < last < 65_000_000


def test_two_tasks_share_what_noise_leaves_of_a_cpu_as_without_it():
    def run(*noise):
        cpu = noisy(*noise, ops=compute(10_000_000_000))
        cpu.step(2_000_000_000, [spawn(1, "prog"), spawn(2, "prog")])
        return [cpu.tasks[pid].utime_ns for pid in (1, 2)]

    quiet = run()
    loud = run(NoiseSpec("steal", 7_000_000, 1_500_000), NoiseSpec("irq", 900_000, 30_000))
    for times in (quiet, loud):
        assert abs(times[0] - times[1]) < 10_000_000
    assert sum(loud) < 0.76 * sum(quiet)
