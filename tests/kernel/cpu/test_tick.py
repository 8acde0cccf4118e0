"""The tick of one CPU: who takes it, what it costs, and many at once."""

import random

import pytest

from kernel import messages as m
from kernel.cpu.cpu import Cpu
from kernel.machine import MachineSpec
from kernel.sched.sched_class import FAIR_RANK, STOP_RANK, SchedClass
from kernel.uapi import syscalls as nr
from tests.kernel.cpu.test_cpu import BLOCK, FAR, SWITCH, Scripts, spawn

HZ = 250
TICK = 1_000_000_000 // HZ
COST = MachineSpec().costs.tick
SECOND = 1_000_000_000


def make_cpu(ops=((nr.NR_COMPUTE, SECOND), (nr.NR_GETPPID,)), cpu=1, **spec):
    spec = {"cpus": 2, "hz": HZ, **spec}
    return Cpu(cpu, MachineSpec(**spec), Scripts(prog=list(ops)))


def ticks_in(ns):
    return ns // TICK


def test_a_lone_task_takes_no_tick_on_an_ideal_machine():
    cpu = make_cpu()
    cpu.step(FAR, [spawn(10, "prog")])
    assert cpu.stats.ticks == 0
    assert cpu.out[0][m.R_TIME] == SWITCH + 2 * BLOCK + SECOND


@pytest.mark.parametrize("nohz", ["off", "idle"])
def test_a_lone_task_that_takes_ticks_ends_later_by_their_cost_only(nohz):
    cpu = make_cpu(nohz=nohz)
    cpu.step(FAR, [spawn(10, "prog")])
    [request] = cpu.out
    assert request[m.R_TIME] == SWITCH + 2 * BLOCK + SECOND + cpu.stats.ticks * COST
    assert cpu.stats.ticks == ticks_in(request[m.R_TIME])
    assert request[m.R_UTIME] == SECOND + 2 * BLOCK
    assert cpu.stats.system_ns == SWITCH + cpu.stats.ticks * COST


def test_of_a_machine_with_nohz_full_the_listed_cpus_only_are_without_ticks():
    ticks = []
    for number in (1, 2):
        cpu = make_cpu(cpu=number, cpus=3, nohz="full", nohz_full=(1,))
        cpu.step(FAR, [spawn(10, "prog")])
        ticks.append(cpu.stats.ticks)
    assert ticks[0] == 0 and ticks[1] > 200


def test_two_tasks_take_every_tick_whatever_nohz_says():
    counts = []
    for nohz in ("ideal", "off", "idle", "full"):
        cpu = make_cpu(nohz=nohz, nohz_full=(1,) if nohz == "full" else ())
        cpu.step(FAR // 10**3, [spawn(10, "prog"), spawn(11, "prog")])
        counts.append((cpu.stats.ticks, cpu.now_ns))
    assert len(set(counts)) == 1 and counts[0][0] >= 249


def test_ticks_of_an_idle_cpu_are_counted_and_hold_nothing_up():
    ends = []
    for nohz in ("idle", "off"):
        cpu = make_cpu(nohz=nohz)
        cpu.step(FAR, [spawn(10, "prog", at_ns=SECOND + 1)])
        ends.append(cpu.out[0][m.R_TIME])
        stats = cpu.stats
        spent = stats.idle_ns + stats.user_ns + stats.system_ns
        assert spent == cpu.now_ns
        assert stats.idle_ns == SECOND + 1 - (250 * COST if nohz == "off" else 0)
    assert ends[0] == ends[1]


def test_every_tick_of_a_long_system_call_costs_its_time():
    cpu = make_cpu([(nr.NR_GETPPID,)] * 2, nohz="idle")
    cpu.step(FAR, [spawn(10, "prog")])
    asked_ns = cpu.out.pop()[m.R_TIME]
    cpu.step(FAR, [(asked_ns + 10 * TICK, m.EFF_RETURN, 10, 1)])
    assert cpu.stats.ticks == 10
    assert cpu.out[0][m.R_TIME] == asked_ns + 10 * TICK + 10 * COST + BLOCK


def test_a_word_that_nohz_has_not_is_refused():
    with pytest.raises(ValueError, match="nohz is 'on', and must be one of ideal, off, idle, full"):
        make_cpu(nohz="on")


@pytest.mark.parametrize("places", [(), ((0, 0, 0, 0, 0, 1024), (0, 0, 0, 0, 1, 600))])
@pytest.mark.parametrize("fair", ["cfs", "eevdf", "o1"])
@pytest.mark.parametrize("seed", range(4))
def test_many_ticks_at_once_leave_everything_as_one_after_the_other(
    fair, seed, places, monkeypatch
):
    draw = random.Random(seed)
    hz = draw.choice((100, 250, 300, 1000))
    nice = draw.choice((-20, -7, 0, 3, 19))
    slice_ns = draw.choice((700_000, 9_000_000, 50_000_000))
    tunables = {"sched_tunables": {"eevdf": {"base_slice_ns": slice_ns}}}
    computes = [draw.randrange(1, 3 * SECOND) for _ in range(4)]
    ops = [(nr.NR_COMPUTE, ns) for ns in computes] + [(nr.NR_GETPPID,)]
    stops = sorted(draw.randrange(12 * SECOND) for _ in range(draw.randrange(6)))
    signals = sorted(draw.randrange(6 * SECOND) for _ in range(3))

    def run(at_once):
        cpu = make_cpu(ops, hz=hz, nohz="idle", fair=fair, places=places, **tunables)
        monkeypatch.setattr(cpu.rq.by_rank[FAIR_RANK], "skips_ticks", at_once)
        effects = [spawn(10, "prog"), (5_000, m.EFF_RENICE, 10, nice)]
        effects += [(ns, m.EFF_RENICE, 10, nice) for ns in signals]
        for stop in [*stops, FAR]:
            next_ns = cpu.step(stop, effects)
            effects = []
            assert cpu.out or next_ns > stop
        return cpu.out, cpu.now_ns, cpu.packed_clocks(), cpu.stats.to_plain(), state_of(cpu)

    at_once = run(fair != "o1")
    assert at_once[0], "it has asked the kernel"
    assert at_once == run(False)


def state_of(cpu):
    """Return all that the scheduler keeps of the one task and its queues."""
    task = cpu.tasks[10]
    task.ctx = None  # a script cannot be packed
    rq = cpu.rq
    averages = None if rq.pelt is None else rq.pelt.pack()
    return task.pack(), [rq.of[cls.rank].pack() for cls in rq.classes], rq.clock_ns, averages


class Counter(SchedClass):
    """A class without tasks that counts the ticks it sees."""

    seen = 0

    def pick_next_task(self, rq):
        return None

    def queued(self, rq):
        return []

    def rq_tick(self, rq):
        self.seen += 1


@pytest.mark.parametrize("fair", ["cfs", "eevdf"])
def test_ticks_of_a_long_computation_are_no_events(fair):
    cpu = make_cpu([(nr.NR_COMPUTE, 1000 * SECOND), (nr.NR_GETPPID,)], nohz="idle", fair=fair)
    counter = Counter("counter", rank=STOP_RANK)
    cpu.rq.classes = (counter, *cpu.rq.classes)
    cpu.step(10 * FAR, [spawn(10, "prog")])
    assert cpu.stats.ticks > 250_000
    assert counter.seen < 5


def test_a_step_says_when_a_computation_with_its_ticks_will_have_ended():
    cpu = make_cpu(nohz="idle")
    end_ns = cpu.step(2 * TICK + 5, [spawn(10, "prog")])
    assert not cpu.out
    cpu.step(end_ns - 1, ())
    assert not cpu.out
    cpu.step(end_ns, ())
    assert cpu.now_ns == end_ns
