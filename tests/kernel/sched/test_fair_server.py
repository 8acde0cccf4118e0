"""The fair server: 50 ms in a second, as late as can be, for fair tasks that wait."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.sched import core
from kernel.sched.rt_rq import RtRq, RtTunables
from kernel.sched.sched_class import RT_RANK
from kernel.uapi.policy import SCHED_DEADLINE
from tests.kernel.sched.rt_share import MS, Machine


def test_a_spinner_that_waits_behind_a_real_time_one_has_the_cpu_after_950_ms_for_50():
    # as on a host with Linux 6.18: 0.1 to 950.0, to 1000.2, 1950.2, 2004.2, 2954.2, 3008.2
    machine = Machine()
    machine.add("fair")
    machine.run(8 * MS)
    machine.add("fifo", 10)
    machine.run(3_400 * MS)
    assert machine.stretches("fair") == [(0, 8), (958, 1008), (1958, 2008), (2958, 3008)]


def test_its_time_ends_at_a_tick_and_the_next_second_begins_then():
    machine = Machine()
    machine.run(1 * MS)
    machine.add("fair")
    machine.add("fifo", 10)
    machine.run(3_400 * MS)
    assert machine.stretches("fair") == [(951, 1004), (1954, 2004), (2954, 3004)]


def test_what_fair_tasks_get_without_it_counts():
    machine = Machine()
    machine.add("fair")
    fifo = machine.add("fifo", 10)
    machine.run(500 * MS)
    machine.sleep(fifo)
    machine.run(530 * MS)
    machine.wake(fifo)
    machine.run(1_100 * MS)
    # 20 of its 50 ms are left, and due by the end of the first second
    assert machine.stretches("fair") == [(500, 530), (980, 1000)]


def test_who_had_enough_meanwhile_waits_anew():
    machine = Machine()
    machine.add("fair")
    fifo = machine.add("fifo", 10)
    machine.run(500 * MS)
    machine.sleep(fifo)
    machine.run(560 * MS)
    machine.wake(fifo)
    machine.run(1_600 * MS)
    # a period began when it had had 50 ms, at 550: 40 of its 50 ms are left, up to a tick
    assert machine.stretches("fair") == [(500, 560), (1510, 1552)]


def test_nobody_waits_for_it_while_there_is_no_fair_task():
    machine = Machine()
    machine.add("fifo", 10)
    machine.run(2_000 * MS)
    assert machine.share("fifo") == 1
    fair = machine.add("fair")
    machine.run(2_960 * MS)
    assert machine.stretches("fair") == [(2950, 2960)]
    machine.sleep(fair)
    assert machine.rqs[0].curr.comm == "fifo"
    machine.wake(fair)
    machine.run(4_000 * MS)
    assert machine.stretches("fair") == [(2950, 2960), (3910, 3960)]


def test_a_real_time_task_that_wakes_does_not_take_the_time_of_the_server():
    machine = Machine()
    machine.add("fair")
    machine.add("fifo", 10)
    machine.run(960 * MS)
    assert machine.rqs[0].curr.comm == "fair"
    machine.add("higher", 50)
    assert machine.rqs[0].curr.comm == "fair"
    machine.run(1_001 * MS)
    assert machine.rqs[0].curr.comm == "higher"


def test_it_costs_nothing_while_no_real_time_task_runs():
    machine = Machine(fair="cfs")
    machine.add("one")
    machine.add("other")
    machine.run(50 * MS)
    rt = machine.rqs[0].of[RT_RANK]
    assert rt.server.pack() == [0, 0, -1, False, 0]
    assert machine.rqs[0].timers.pack() == [0, []]


def test_time_of_deadline_tasks_is_not_the_fair_ones():
    machine = Machine()
    machine.add("fair")
    machine.add("fifo", 10)
    rq = machine.rqs[0]
    task = machine.add("deadline", 1)
    core.sched_setscheduler(rq, task, SCHED_DEADLINE, 0, 0, False, (80 * MS, 100 * MS, 100 * MS, 0))
    machine.settle(rq)
    machine.run(5_000 * MS)
    assert machine.share("fair") == pytest.approx(0.05, abs=0.012)
    assert machine.share("deadline") == pytest.approx(0.8, abs=0.001)


def test_a_queue_is_set_down_with_its_server():
    machine = Machine()
    machine.add("fair")
    fifo = machine.add("fifo", 10)
    machine.run(960 * MS)
    rt = machine.rqs[0].of[RT_RANK]
    assert rt.server.serving
    copy = RtRq(RtTunables(), machine.spec)
    copy.unpack(rt.pack(), {fifo.pid: fifo})
    assert copy.pack() == rt.pack()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 120)), min_size=1, max_size=8))
def test_whatever_the_real_time_task_does_a_waiting_one_has_50_ms_of_each_second(turns):
    machine = Machine()
    machine.add("fair")
    fifo = machine.add("fifo", 10)
    at_ns = 0
    for runs, sleeps in turns * 4:
        at_ns += runs * MS
        machine.run(at_ns)
        machine.sleep(fifo)
        at_ns += sleeps * MS
        machine.run(at_ns)
        machine.wake(fifo)
    machine.run(at_ns + 3_000 * MS)
    ran = [(a, b) for who, a, b in machine.ran[0] if who == "fair"]
    for begin in range(0, machine.now_ns - 2_000 * MS, 100 * MS):
        end = begin + 2_000 * MS
        got = sum(max(0, min(b, end) - max(a, begin)) for a, b in ran)
        assert got >= 50 * MS, (begin // MS, turns)
