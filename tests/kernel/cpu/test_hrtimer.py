"""High-resolution timers of a CPU: by themselves, and as the CPU's next event."""

from unittest.mock import patch

import pytest

from kernel import messages as m
from kernel.cpu.cpu import Cpu
from kernel.cpu.hrtimer import HrTimers
from kernel.machine import MachineSpec
from kernel.sched import classes
from kernel.sched.sched_class import DEADLINE_RANK, SchedClass
from kernel.uapi import syscalls as nr

FAR = 10**12
RESCHED = 1  # key of a timer that takes the CPU from its task
AGAIN = 2  # … that arms itself again, as often as its data say


class Alarm(SchedClass):
    """A class without tasks that writes down when its timers come."""

    def __init__(self):
        super().__init__("alarm", DEADLINE_RANK, ())
        self.cpu = None
        self.fired = []

    def queued(self, rq):
        return []

    def pick_next_task(self, rq):
        return None

    def timer(self, rq, at_ns, key, data):
        self.fired.append((at_ns, key, data, self.cpu.now_ns, rq.clock_ns, rq.curr.pid))
        if key == RESCHED:
            rq.need_resched = True
        elif key == AGAIN and data[0]:
            rq.timers.arm(at_ns + 10, self.rank, AGAIN, (data[0] - 1,))


@pytest.fixture
def alarm():
    with patch.dict(classes._registered):
        cls = Alarm()
        classes.register(cls)
        yield cls


def make_cpu(alarm):
    alarm.cpu = Cpu(1, MachineSpec(cpus=2, classes=("alarm",)), Loader())
    return alarm.cpu


def fire_all(timers, until_ns=FAR):
    fired = []
    while timers.next_ns <= until_ns:
        fired.append(timers.take())
    return fired


def test_timers_fire_in_order_of_time_and_equal_ones_in_the_order_they_were_armed():
    timers = HrTimers()
    for at_ns, key in ((30, 4), (10, 9), (20, 7), (20, 3)):
        timers.arm(at_ns, DEADLINE_RANK, key, (key, 1))
    assert fire_all(timers) == [
        (at_ns, DEADLINE_RANK, key, (key, 1)) for at_ns, key in ((10, 9), (20, 7), (20, 3), (30, 4))
    ]
    assert timers.next_ns == m.NEVER


def test_a_cancelled_timer_neither_fires_nor_is_waited_for():
    timers = HrTimers()
    first = timers.arm(10, DEADLINE_RANK)
    timers.arm(20, DEADLINE_RANK)
    assert timers.cancel(first)
    assert not timers.cancel(first)
    assert timers.next_ns == 20
    assert fire_all(timers) == [(20, DEADLINE_RANK, 0, ())]
    assert not timers.cancel(first)


def test_timers_that_arm_each_other_for_the_same_time_do_not_go_on_for_ever():
    timers = HrTimers()
    with pytest.raises(AssertionError, match="100,000 timers of one CPU have fired at 10 ns"):
        while True:
            timers.arm(10, DEADLINE_RANK)
            timers.take()


def test_cancelled_timers_do_not_pile_up_behind_one_that_stays():
    timers = HrTimers()
    timers.arm(10, DEADLINE_RANK)
    kept = 0
    for number in range(1000):
        timer = timers.arm(FAR - number, DEADLINE_RANK)
        if number % 100:
            assert timers.cancel(timer)
        else:
            kept += 1
        assert len(timers._heap) <= kept + 1 + max(kept + 1, 16)
    fired = [timer[0] for timer in fire_all(timers)]
    assert fired == [10, *sorted(FAR - 100 * number for number in range(kept))]
    assert timers._heap == []


def test_a_timer_behind_the_first_can_be_cancelled():
    timers = HrTimers()
    timers.arm(10, DEADLINE_RANK)
    assert timers.cancel(timers.arm(20, DEADLINE_RANK))
    assert [timer[0] for timer in fire_all(timers)] == [10]
    assert timers.next_ns == m.NEVER


def test_packed_timers_keep_their_order_and_their_numbers():
    timers = HrTimers()
    numbers = [timers.arm(at_ns, DEADLINE_RANK, at_ns, (at_ns,)) for at_ns in (30, 10, 20, 20)]
    timers.cancel(numbers[1])
    again = HrTimers()
    again.unpack(timers.pack())
    assert again.next_ns == 20
    assert again.cancel(numbers[2])
    assert not again.cancel(numbers[1])
    assert again.arm(20, 2) not in numbers
    assert fire_all(again) == [(20, 1, 20, (20,)), (20, 2, 0, ()), (30, 1, 30, (30,))]


class Computes:
    """A context that computes for ever, a millisecond at a time."""

    steps = 1

    def resume(self, value, error):
        return (nr.NR_COMPUTE, 1_000_000)


class Loader:
    def start(self, image, argv, env, start=0):
        return Computes()


def test_an_idle_cpu_stops_for_a_timer_and_sleeps_on(alarm):
    cpu = make_cpu(alarm)
    cpu.timers.arm(5_000, DEADLINE_RANK, 3, (8, 9))
    assert cpu.step(4_999, ()) == 5_000
    assert alarm.fired == []
    assert cpu.step(FAR, ()) == m.NEVER
    assert alarm.fired == [(5_000, 3, (8, 9), 5_000, 5_000, 0)]
    assert cpu.stats.idle_ns == 5_000


def test_a_timer_interrupts_user_time_to_the_nanosecond(alarm):
    cpu = make_cpu(alarm)
    at_ns = 2_345_678
    cpu.timers.arm(at_ns, DEADLINE_RANK)
    cpu.step(3_000_000, [(0, m.EFF_SPAWN, 10, 10, "prog", 0, "prog", ("prog",), (), 0)])
    assert alarm.fired == [(at_ns, 0, (), at_ns, at_ns, 10)]


def test_a_task_that_runs_needs_no_step_before_the_timer(alarm):
    cpu = make_cpu(alarm)
    cpu.timers.arm(900_000, DEADLINE_RANK)
    upcoming = cpu.step(500_000, [(0, m.EFF_SPAWN, 10, 10, "prog", 0, "prog", ("prog",), (), 0)])
    assert upcoming == 900_000


def test_a_timer_can_take_the_cpu_from_its_task(alarm):
    cpu = make_cpu(alarm)
    spawns = [(0, m.EFF_SPAWN, pid, pid, "prog", 0, "prog", ("prog",), (), 0) for pid in (10, 11)]

    cpu.timers.arm(1_000_001, DEADLINE_RANK, RESCHED)
    cpu.step(1_000_000, spawns)
    first = cpu.rq.curr.pid
    cpu.step(1_100_000, ())
    assert cpu.rq.curr.pid != first


def test_a_timer_that_arms_itself_again_is_periodic(alarm):
    cpu = make_cpu(alarm)
    cpu.timers.arm(10, DEADLINE_RANK, AGAIN, (4,))
    assert cpu.step(FAR, ()) == m.NEVER
    assert [timer[0] for timer in alarm.fired] == [10, 20, 30, 40, 50]
