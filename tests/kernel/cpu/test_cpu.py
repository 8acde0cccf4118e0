"""One CPU on its own: messages in, requests and messages for other CPUs out."""

import pytest

from kernel import messages as m
from kernel.cpu.cpu import Cpu
from kernel.errors import InvariantError, describe
from kernel.machine import MachineSpec
from kernel.messages import MIGRATE_TASK
from kernel.task import TASK_INTERRUPTIBLE
from kernel.uapi import syscalls as nr

FAR = 10**12
BLOCK = MachineSpec().costs.guest_block
SWITCH = MachineSpec().costs.context_switch


class Script:
    """A user context that asks for a fixed list of ops and remembers the answers."""

    def __init__(self, ops):
        self.ops = list(ops)
        self.answers = []
        self.steps = 1

    def resume(self, value, error):
        self.answers.append(error or value)
        return self.ops[len(self.answers) - 1]

    def fork(self):
        copy = Script(self.ops)
        copy.answers = list(self.answers)
        return copy


class Scripts:
    """A loader whose programs are scripts, by name."""

    def __init__(self, **programs):
        self.programs = programs
        self.started = []

    def start(self, image, argv, env, start=0):
        script = Script(self.programs[image])
        self.started.append(script)
        return script


def spawn(pid, image, at_ns=0):
    return (at_ns, m.EFF_SPAWN, pid, pid, image, 0, image, (image,), (), 0)


def make_cpu(cpu=1, cpus=2, fair="auto", **programs):
    loader = Scripts(**programs)
    return Cpu(cpu, MachineSpec(cpus=cpus, fair=fair), loader), loader


def test_an_idle_cpu_has_no_next_event_and_asks_for_nothing():
    cpu, _ = make_cpu()
    assert cpu.step(FAR, ()) == m.NEVER
    assert cpu.out == [] and cpu.now_ns == 0


def test_a_system_call_is_asked_for_when_the_blocks_before_it_are_paid():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 5_000), (nr.NR_GETPPID,)])
    assert cpu.step(FAR, [spawn(10, "prog", at_ns=1_000)]) == m.NEVER
    [request] = cpu.out
    at_ns = 1_000 + SWITCH + BLOCK + 5_000 + BLOCK
    times = (5_000 + 2 * BLOCK, 0, 0, SWITCH)
    assert request == (at_ns, 1, 1, m.REQ_SYSCALL, 10, *times, (nr.NR_GETPPID,), None)


def test_the_answer_reaches_the_program_and_kernel_time_is_charged_to_the_task():
    cpu, loader = make_cpu(prog=[(nr.NR_GETPPID,), (nr.NR_EXIT_GROUP, 0)])
    cpu.step(FAR, [spawn(10, "prog")])
    asked_ns = cpu.out[0][m.R_TIME]
    cpu.step(FAR, [(asked_ns + 700, m.EFF_RETURN, 10, 42)])
    assert loader.started[0].answers == [None, 42]
    assert cpu.out[1][m.R_STIME] == 700
    assert cpu.stats.system_ns == SWITCH + 700


def test_a_cpu_stops_at_the_horizon_in_the_middle_of_a_computation():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 1_000_000), (nr.NR_GETPPID,)])
    end_ns = SWITCH + BLOCK + 1_000_000  # before it, nothing of its own can happen
    assert cpu.step(300_000, [spawn(10, "prog")]) == end_ns
    assert cpu.now_ns == 300_000
    assert cpu.out == []
    cpu.step(FAR, ())
    assert cpu.out[0][m.R_TIME] == end_ns + BLOCK


def test_getpid_and_the_clock_need_no_kernel():
    cpu, loader = make_cpu(prog=[(nr.NR_GETPID,), (nr.NR_CLOCK_GETTIME, 1), (nr.NR_EXIT_GROUP, 0)])
    cpu.step(FAR, [spawn(10, "prog")])
    assert loader.started[0].answers == [None, 10, SWITCH + 2 * BLOCK]
    assert len(cpu.out) == 1


def test_a_forked_child_for_another_cpu_travels_and_one_for_here_is_queued():
    cpu, _ = make_cpu(prog=[(nr.NR_FORK,), (nr.NR_FORK,), (nr.NR_GETPPID,)])
    cpu.step(FAR, [spawn(10, "prog")])
    at_ns = cpu.now_ns + 100
    fork = (at_ns, m.EFF_FORK, 10, 11, 11, "prog", 0, 0, False, None, False)
    cpu.step(FAR, [fork, (at_ns, m.EFF_RETURN, 10, 11)])
    [(dest, message)] = cpu.forwards
    assert dest == 0
    assert message[:3] == (at_ns, m.ARRIVE, 11)
    child = message[3]
    assert child.ctx.answers == [None] and child.value == 0
    here = (cpu.now_ns, m.EFF_FORK, 10, 12, 12, "prog", 0, 1, False, None, False)
    cpu.step(FAR, [here, (cpu.now_ns, m.EFF_RETURN, 10, 12)])
    assert 12 in cpu.tasks and cpu.rq.nr_running == 2


def test_a_sleeper_is_parked_and_continues_in_the_kernel_when_woken():
    cpu, _ = make_cpu(prog=[(nr.NR_WAIT4, -1, 0)])
    cpu.step(FAR, [spawn(10, "prog")])
    slept_ns = cpu.now_ns + 50
    assert cpu.step(FAR, [(slept_ns, m.EFF_SLEEP, 10, TASK_INTERRUPTIBLE)]) == m.NEVER
    assert cpu.rq.nr_running == 0 and cpu.rq.curr is cpu.rq.idle
    cpu.step(FAR, [(slept_ns + 10_000, m.EFF_WAKE, 10, 1)])
    assert cpu.out[-1][m.R_CODE] == m.REQ_CONTINUE
    assert cpu.stats.rq_wait.maximum >= SWITCH


def test_a_sleeper_woken_elsewhere_takes_its_context_along():
    cpu, loader = make_cpu(prog=[(nr.NR_WAIT4, -1, 0)])
    cpu.step(FAR, [spawn(10, "prog")])
    cpu.step(FAR, [(cpu.now_ns, m.EFF_SLEEP, 10, TASK_INTERRUPTIBLE)])
    cpu.step(FAR, [(cpu.now_ns + 5, m.EFF_WAKE, 10, 0)])
    [(dest, message)] = cpu.forwards
    assert dest == 0 and message[3].ctx is loader.started[0] and message[4] == m.BY_WAKE
    assert 10 not in cpu.tasks


def test_an_idle_cpu_is_given_the_task_that_waits_and_not_the_running_one():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(100_000, [spawn(10, "prog"), spawn(11, "prog")])
    running = cpu.rq.curr.pid
    cpu.step(200_000, [(150_000, m.EFF_PULL, 0, 0)])
    [(dest, message)] = cpu.forwards
    assert dest == 0 and message[2] == 21 - running
    assert cpu.out[-1][m.R_CODE] == m.REQ_MIGRATED


def test_an_effect_for_a_task_that_was_given_away_is_passed_on_until_the_kernel_knows():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(100_000, [spawn(10, "prog"), spawn(11, "prog"), (90_000, m.EFF_PULL, 0, 0)])
    gone = cpu.forwards[0][1][2]
    cpu.forwards = []
    signal = (100_000, m.EFF_SIGNAL, gone)
    cpu.step(100_500, [signal])
    assert cpu.forwards == [(0, signal)]


def test_an_effect_that_comes_before_its_task_waits_for_it():
    source, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    source.step(100_000, [spawn(10, "prog"), spawn(11, "prog"), (90_000, m.EFF_PULL, 0, 0)])
    arrive = source.forwards[0][1]
    pid = arrive[2]
    dest, _ = make_cpu(cpu=0)
    dest.step(100_000, [(95_000, m.EFF_SIGNAL, pid)])
    dest.step(200_000, [arrive])
    assert dest.out[0][m.R_CODE] == m.REQ_USER_WORK and dest.out[0][m.R_PID] == pid


def test_a_pull_from_a_cpu_with_nothing_to_give_is_refused():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(100_000, [spawn(10, "prog")])
    cpu.step(200_000, [(150_000, m.EFF_PULL, 0, 0)])
    assert cpu.out[-1][m.R_CODE] == m.REQ_PULL_FAILED and cpu.out[-1][m.R_ARGS] == 0


def test_a_late_effect_is_applied_at_once_and_counted_with_its_lateness():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(1_000_000, [spawn(10, "prog")])
    cpu.step(1_000_000, [spawn(11, "prog", at_ns=400_000)])
    assert cpu.stats.violations == 1
    assert cpu.stats.lateness.maximum == 600_000


def test_two_hogs_share_the_cpu_by_ticks():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(200_000_000, [spawn(10, "prog"), spawn(11, "prog")])
    times = [cpu.tasks[pid].utime_ns for pid in (10, 11)]
    assert cpu.stats.ticks >= 49
    assert abs(times[0] - times[1]) <= 2 * 12_000_000
    assert cpu.stats.nr_involuntary >= 10


@pytest.mark.parametrize("code", sorted(m.EFFECTS))
def test_every_effect_has_a_description(code):
    _, names, meaning = m.EFFECTS[code]
    message = (5, code, 7, *range(len(names)))
    text = describe(message, request=False)
    assert text.startswith("5 pid 7 ") and all(f"{name}=" in text for name in names)
    assert meaning


def test_under_exact_a_cpu_that_asks_waits_for_the_answer_and_not_for_what_is_due_later():
    cpu, _ = make_cpu(prog=[(nr.NR_GETPPID,), (nr.NR_GETPPID,)])
    cpu.eager = True
    cpu.step(FAR, [spawn(10, "prog"), (500_000, m.EFF_SIGNAL, 10)])
    asked_ns = cpu.out[0][m.R_TIME]
    assert cpu.now_ns == asked_ns < 500_000
    cpu.out = []
    assert cpu.step(-1, [(asked_ns + 100, m.EFF_RETURN, 10, 1)]) == asked_ns + 100


def test_under_exact_a_late_effect_is_a_bug_of_the_engine():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.eager = True
    cpu.step(1_000_000, [spawn(10, "prog")])
    with pytest.raises(InvariantError, match="cpu 1 is at 1000000 ns and gets an effect of 900000"):
        cpu.step(1_000_000, [(900_000, m.EFF_SIGNAL, 10)])


def test_what_comes_in_a_tick_waits_for_the_switch_right_after_it_and_is_in_time():
    cpu, _ = make_cpu(prog=[(nr.NR_GETPPID,)])
    cpu.eager = True
    cpu.step(FAR, [spawn(10, "prog"), spawn(11, "prog")])
    cpu.out = []
    tick_ns = 1_000_000_000 // MachineSpec().hz
    cpu.step(FAR, [(tick_ns + 100, m.EFF_SLEEP, 10, 1), (tick_ns + 300, m.EFF_SIGNAL, 11)])
    assert cpu.stats.ticks == 1 and cpu.rq.curr.pid == 11
    assert cpu.stats.violations == 0


def test_an_effect_due_after_the_move_still_finds_the_task_that_was_given_away():
    # the kernel sent it before it knew; its acknowledgement comes after it, not before
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(100_000, [spawn(10, "prog"), spawn(11, "prog"), (90_000, m.EFF_PULL, 0, 0)])
    gone = cpu.forwards[0][1][2]
    cpu.forwards = []
    signal = (100_500, m.EFF_SIGNAL, gone)
    cpu.step(200_000, [signal, (100_500, m.EFF_MOVED_ACK, gone)])
    assert cpu.forwards == [(0, signal)]
    assert not cpu.early


def test_a_task_that_has_been_back_and_left_again_is_known_to_have_left():
    # CFS lets a task that comes back wait; EEVDF runs it at once, and the other one would leave
    cpu, _ = make_cpu(fair="cfs", prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(100_000, [spawn(10, "prog"), spawn(11, "prog"), (90_000, m.EFF_PULL, 0, 0)])
    [(_, arrive)] = cpu.forwards
    gone = arrive[2]
    back = (110_000, m.ARRIVE, gone, arrive[3], m.BY_PULL)
    cpu.step(130_000, [back, (120_000, m.EFF_PULL, 0, 0)])
    cpu.forwards = []
    left = 21 - cpu.rq.curr.pid
    assert left == gone
    signal = (140_000, m.EFF_SIGNAL, gone)
    cpu.step(150_000, [(135_000, m.EFF_MOVED_ACK, gone), signal])
    assert cpu.forwards == [(0, signal)]


def balance(at_ns, imbalance, failed=0, active=False):
    return m.eff_balance(at_ns, 0, 1, MIGRATE_TASK, imbalance, failed, active, 1)


def test_a_cpu_that_is_too_busy_sends_what_it_is_asked_for_and_says_how_many():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(100_000, [spawn(pid, "prog") for pid in (10, 11, 12, 13)])
    running = cpu.rq.curr.pid
    cpu.step(9_000_000, [balance(2_000_000, 2)])
    assert [dest for dest, _ in cpu.forwards] == [0, 0]
    gone = [message[2] for _, message in cpu.forwards]
    assert running not in gone
    assert all(message[0] == 2_000_000 for _, message in cpu.forwards)
    codes = [(request[m.R_CODE], request[m.R_PID]) for request in cpu.out]
    assert codes == [*((m.REQ_PUSHED, pid) for pid in gone), (m.REQ_BALANCED, 0)]
    assert cpu.out[-1][m.R_ARGS :] == (0, 2, False, False)


def test_active_balance_sends_the_running_task_where_those_that_wait_are_bound():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(100_000, [spawn(10, "prog"), spawn(11, "prog")])
    running = cpu.rq.curr.pid
    waiting = 21 - running
    bound = (200_000, m.EFF_TUNE, waiting, m.TUNE_AFFINITY, (1,))
    cpu.step(300_000, [bound, balance(250_000, 1, failed=3)])
    assert cpu.forwards == [] and cpu.out[-1][m.R_ARGS :] == (0, 0, m.PINNED_SOME, False)
    cpu.step(500_000, [balance(400_000, 1, failed=3, active=True)])
    assert cpu.out[-2][m.R_ARGS :] == (0, 0, m.PINNED_SOME, True)
    assert cpu.out[-1][m.R_CODE] == m.REQ_PUSHED
    [(dest, message)] = cpu.forwards
    assert (dest, message[2]) == (0, running)
    assert cpu.rq.curr.pid == waiting


def test_active_balance_leaves_a_running_task_that_is_bound_here():
    cpu, _ = make_cpu(prog=[(nr.NR_COMPUTE, 10**9)])
    cpu.step(100_000, [spawn(10, "prog"), spawn(11, "prog")])
    bound = [(200_000, m.EFF_TUNE, pid, m.TUNE_AFFINITY, (1,)) for pid in (10, 11)]
    cpu.step(500_000, [*bound, balance(400_000, 1, failed=3, active=True)])
    assert cpu.forwards == [] and cpu.out[-1][m.R_ARGS :] == (0, 0, True, False)
