"""smplab sched wasted: which idle CPUs are a fault, and which are none."""

from cluster.report.sched.wasted import Wasted, wasted_lines
from tests.cluster.report.sched.made import IDLE, Made, R

CONFIRM_US = 100


def read(made: Made, cpus: int = 2, end_us: int = 0) -> Wasted:
    found = Wasted(cpus, CONFIRM_US * 1000)
    found.read(made.records, end_us * 1000)
    return found


def spans(found: Wasted) -> list[tuple[int, int, int]]:
    return [(each.cpu, each.from_ns // 1000, each.to_ns // 1000) for each in found.findings]


def two_on_one() -> Made:
    """Tasks 7 and 8 are on CPU 0 from 10 us on; CPU 1 idles."""
    made = Made()
    made.wake(0, 7)
    made.switch(0, IDLE, 7)
    made.wake(10, 8)
    return made


def test_a_cpu_that_idles_longer_than_the_interval_while_a_task_waits_is_told() -> None:
    assert spans(read(two_on_one(), end_us=110)) == []
    assert spans(read(two_on_one(), end_us=111)) == [(1, 10, 111)]


def test_it_is_told_once_with_the_task_that_waited() -> None:
    made = two_on_one()
    made.switch(60, 7, 8, R)
    made.switch(150, 8, 7, R)
    made.move(200, 8, 0, 1)
    made.switch(201, IDLE, 8, cpu=1)
    found = read(made, end_us=400)
    assert spans(found) == [(1, 10, 200)]
    (each,) = found.findings
    assert (each.pid, each.waited_on, each.waited_ns) == (7, 0, 90_000)
    assert found.plain()["wasted_ns"] == 190_000


def test_a_moment_in_which_nobody_waits_begins_the_interval_anew() -> None:
    made = two_on_one()
    made.switch(90, 7, 8, 1)  # 7 sleeps
    made.wake(95, 7)
    assert spans(read(made, end_us=195)) == []
    assert spans(read(made, end_us=196)) == [(1, 95, 196)]


def test_a_task_that_waits_for_the_switch_of_an_idle_cpu_does_not_wait() -> None:
    made = Made()
    made.wake(0, 7)
    assert spans(read(made, end_us=1000)) == []


def test_a_task_that_may_not_run_there_does_not_count() -> None:
    made = two_on_one()
    made.change(20, 8, "cpus", "1")
    assert spans(read(made, end_us=1000)) == []
    made.change(300, 8, "cpus", "3")
    assert spans(read(made, end_us=1000)) == [(1, 300, 1000)]


def test_a_child_has_the_cpus_of_its_parent() -> None:
    made = Made()
    made.wake(0, 7)
    made.switch(0, IDLE, 7)
    made.change(1, 7, "cpus", "1")
    made.fork(2, 7, 8)
    made.wake(10, 8)
    assert spans(read(made, end_us=1000)) == []


def test_the_lines_say_how_many_and_which() -> None:
    lines = list(wasted_lines(read(two_on_one(), end_us=500), 5))
    assert lines == [
        "1 of 2 CPUs idled for more than 100.0 us while tasks that may run there waited: "
        "490.0 us in all",
        "  CPU 1: 490.0 us from 10.00 us; t8:8 had waited on CPU 0 for 490.0 us when that was sure",
    ]
    assert "no CPU was idle" in next(wasted_lines(read(Made()), 5))


def test_a_task_whose_group_is_throttled_does_not_wait() -> None:
    made = two_on_one()
    made.change(20, 8, "throttled", 1)
    assert spans(read(made, end_us=500)) == []
    made.change(600, 8, "throttled", 0)
    assert spans(read(made, end_us=800)) == [(1, 600, 800)]


def test_a_throttled_task_that_runs_again_is_throttled_no_more() -> None:
    made = two_on_one()
    made.change(20, 8, "throttled", 1)
    made.switch(300, 7, 8, R)
    made.switch(400, 8, 7, R)
    assert spans(read(made, end_us=600)) == [(1, 300, 600)]
