"""High-resolution timers of a CPU: by themselves, and as the CPU's next event."""

from kernel import messages as m
from kernel.cpu.cpu import Cpu
from kernel.cpu.hrtimer import HrTimers
from kernel.machine import MachineSpec
from kernel.uapi import syscalls as nr

FAR = 10**12


def fire_all(timers, until_ns=FAR):
    while timers.next_ns <= until_ns:
        timers.fire()


def test_timers_fire_in_order_of_time_and_equal_ones_in_the_order_they_were_armed():
    timers = HrTimers()
    fired = []
    for at_ns, name in ((30, "c"), (10, "a"), (20, "b1"), (20, "b2")):
        timers.arm(at_ns, lambda now_ns, name=name: fired.append((now_ns, name)))
    fire_all(timers)
    assert fired == [(10, "a"), (20, "b1"), (20, "b2"), (30, "c")]
    assert timers.next_ns == m.NEVER


def test_a_cancelled_timer_neither_fires_nor_is_waited_for():
    timers = HrTimers()
    fired = []
    first = timers.arm(10, fired.append)
    timers.arm(20, fired.append)
    assert timers.cancel(first)
    assert not timers.cancel(first)
    assert timers.next_ns == 20
    fire_all(timers)
    assert fired == [20]
    assert not timers.cancel(first)


def test_cancelled_timers_do_not_pile_up_behind_one_that_stays():
    timers = HrTimers()
    fired = []
    timers.arm(10, fired.append)
    kept = 0
    for number in range(1000):
        timer = timers.arm(FAR - number, fired.append)
        if number % 100:
            assert timers.cancel(timer)
        else:
            kept += 1
        assert len(timers._heap) <= kept + 1 + max(kept + 1, 16)
    fire_all(timers)
    assert fired == [10, *sorted(FAR - 100 * number for number in range(kept))]
    assert timers._heap == []


def test_a_timer_behind_the_first_can_be_cancelled():
    timers = HrTimers()
    fired = []
    timers.arm(10, fired.append)
    assert timers.cancel(timers.arm(20, fired.append))
    fire_all(timers)
    assert fired == [10] and timers.next_ns == m.NEVER


def test_a_timer_that_arms_itself_again_is_periodic():
    timers = HrTimers()
    fired = []

    def again(now_ns):
        fired.append(now_ns)
        if now_ns < 50:
            timers.arm(now_ns + 10, again)

    timers.arm(10, again)
    fire_all(timers)
    assert fired == [10, 20, 30, 40, 50]


class Computes:
    """A context that computes for ever, a millisecond at a time."""

    steps = 1

    def resume(self, value, error):
        return (nr.NR_COMPUTE, 1_000_000)


class Loader:
    def start(self, image, argv, env, start=0):
        return Computes()


def test_an_idle_cpu_stops_for_a_timer_and_sleeps_on():
    cpu = Cpu(1, MachineSpec(cpus=2), Loader())
    fired = []
    cpu.timers.arm(5_000, lambda _: fired.append((cpu.now_ns, cpu.rq.clock_ns)))
    assert cpu.step(4_999, ()) == 5_000
    assert fired == []
    assert cpu.step(FAR, ()) == m.NEVER
    assert fired == [(5_000, 5_000)]
    assert cpu.stats.idle_ns == 5_000


def test_a_timer_interrupts_user_time_to_the_nanosecond():
    cpu = Cpu(1, MachineSpec(cpus=2), Loader())
    seen = []
    at_ns = 2_345_678
    cpu.timers.arm(at_ns, lambda _: seen.append((cpu.now_ns, cpu.rq.curr.pid)))
    cpu.step(3_000_000, [(0, m.EFF_SPAWN, 10, 10, "prog", 0, "prog", ("prog",), (), 0)])
    assert seen == [(at_ns, 10)]


def test_a_task_that_runs_needs_no_step_before_the_timer():
    cpu = Cpu(1, MachineSpec(cpus=2), Loader())
    cpu.timers.arm(900_000, lambda _: None)
    upcoming = cpu.step(500_000, [(0, m.EFF_SPAWN, 10, 10, "prog", 0, "prog", ("prog",), (), 0)])
    assert upcoming == 900_000


def test_a_timer_can_take_the_cpu_from_its_task():
    cpu = Cpu(1, MachineSpec(cpus=2), Loader())
    spawns = [(0, m.EFF_SPAWN, pid, pid, "prog", 0, "prog", ("prog",), (), 0) for pid in (10, 11)]

    def resched(_now_ns):
        cpu.rq.need_resched = True

    cpu.timers.arm(1_000_001, resched)
    cpu.step(1_000_000, spawns)
    first = cpu.rq.curr.pid
    cpu.step(1_100_000, ())
    assert cpu.rq.curr.pid != first
