"""Throttling in profile 2.6.34: 950 ms of every second, borrowed from CPUs that have some left."""

import pytest

from kernel.sched.rt_rq import RtRq, RtTunables
from kernel.sched.sched_class import RT_RANK
from tests.kernel.sched.rt_share import MS, Machine


def machine_of(cpus=1, **rt):
    return Machine(cpus, linux="2.6.34", fair="cfs", sched_tunables={"rt": rt})


def test_a_real_time_spinner_has_950_ms_of_each_second_and_the_fair_one_the_rest():
    machine = machine_of()
    machine.add("fair")
    machine.add("fifo", 10)
    machine.run(3_000 * MS)
    # over the bound at the tick after 950 ms; what was too much counts in the next second
    assert machine.stretches("fair") == [(952, 1000), (1952, 2000), (2948, 3000)]
    assert machine.share("fair") == pytest.approx(0.05, abs=0.002)


def test_periods_are_those_of_the_machine_whenever_the_task_comes():
    machine = machine_of()
    machine.run(300 * MS)
    machine.add("fair")
    machine.add("fifo", 10)
    machine.run(2_000 * MS)
    # 700 of 950 ms were had by the end of the first second: nothing of them counts in the next
    assert machine.stretches("fair") == [(1952, 2000)]


def test_a_throttled_task_waits_though_the_cpu_idles():
    machine = machine_of()
    machine.add("fifo", 10)
    machine.run(2_000 * MS)
    assert machine.stretches("fifo") == [(0, 952), (1000, 1952)]
    machine.add("higher", 50)
    assert machine.rqs[0].curr.comm == "higher"


def test_whoever_wakes_meanwhile_waits_too():
    machine = machine_of()
    machine.add("fifo", 10)
    machine.run(960 * MS)
    machine.add("higher", 50)
    assert machine.rqs[0].curr is machine.rqs[0].idle
    machine.run(1_001 * MS)
    assert machine.rqs[0].curr.comm == "higher"


def test_what_is_slept_is_not_counted():
    machine = machine_of()
    fifo = machine.add("fifo", 10)
    for second in range(3):
        machine.run((1000 * second + 500) * MS)
        machine.sleep(fifo)
        machine.run((1000 * second + 600) * MS)
        machine.wake(fifo)
    machine.run(3_000 * MS)
    assert machine.share("fifo") == 0.9


def test_a_spinner_borrows_from_a_cpu_that_does_not_need_its_share():
    machine = machine_of(2)
    machine.add("fair")
    machine.add("fifo", 10)
    machine.run(3_000 * MS)
    assert machine.stretches("fair") == []
    bands = [rq.of[RT_RANK].bandwidth for rq in machine.rqs]
    assert [band.runtime_ns // MS for band in bands] == [1000, 900]


def test_with_real_time_spinners_on_all_cpus_all_are_throttled():
    machine = machine_of(2)
    for cpu in range(2):
        machine.add("fair" + "." * cpu, 0, cpu)
        machine.add("fifo" + "-" * cpu, 10, cpu)
    machine.run(5_000 * MS)
    bands = [rq.of[RT_RANK].bandwidth for rq in machine.rqs]
    assert sum(band.runtime_ns for band in bands) == 1_900 * MS
    shares = [machine.share("fair" + "." * cpu, cpu) for cpu in range(2)]
    assert sum(shares) == pytest.approx(0.1, abs=0.01)


def test_bandwidth_is_neither_made_nor_lost_by_lending():
    machine = machine_of(4)
    machine.add("a", 10, 1)
    machine.add("bb", 10, 2)
    machine.run(4_000 * MS)
    bands = [rq.of[RT_RANK].bandwidth for rq in machine.rqs]
    assert sum(band.runtime_ns for band in bands) == 4 * 950 * MS
    assert all(0 <= band.runtime_ns <= 1_000 * MS for band in bands)
    assert all(band.asking < 0 for band in bands)


def test_off_is_no_bound():
    machine = machine_of(runtime_ns=-1)
    machine.add("fair")
    machine.add("fifo", 10)
    machine.run(3_000 * MS)
    assert machine.share("fifo") == 1


def test_bound_and_period_can_be_configured():
    machine = machine_of(runtime_ns=40 * MS, period_ns=100 * MS)
    machine.add("fair")
    machine.add("fifo", 10)
    machine.run(3_000 * MS)
    assert machine.share("fifo") == pytest.approx(0.4, abs=0.02)


def test_6_12_throttles_nobody():
    machine = Machine()
    machine.add("fifo", 10)
    machine.run(3_000 * MS)
    assert machine.share("fifo") == 1


def test_a_throttled_queue_is_set_down_and_taken_up():
    machine = machine_of(2)
    tasks = [machine.add("fifo", 10), machine.add("other!", 20, 1)]
    machine.run(1_990 * MS)
    rts = [rq.of[RT_RANK] for rq in machine.rqs]
    assert [rt.bandwidth.throttled for rt in rts] == [True, True]
    for rt in rts:
        copy = RtRq(RtTunables(), machine.spec)
        copy.unpack(rt.pack(), {task.pid: task for task in tasks})
        assert copy.pack() == rt.pack()
