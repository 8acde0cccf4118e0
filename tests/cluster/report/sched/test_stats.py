"""smplab sched stats: use of CPUs, kinds of waits, the longest of them."""

from cluster.report.sched.stats import SchedStats, Wait
from cluster.report.sched.stats_text import stats_lines
from tests.cluster.report.sched.made import DEAD, IDLE, Made, R


def read(made: Made, longest: int = 3) -> SchedStats:
    stats = SchedStats(2, 1_000_000, longest)
    stats.read(made.records)
    return stats


def moved() -> Made:
    made = Made()
    made.wake(0, 7)
    made.switch(0, IDLE, 7)
    made.wake(10, 8)
    made.move(40, 8, 0, 1)
    made.switch(41, IDLE, 8, cpu=1)
    made.switch(60, 8, 9, R, cpu=1, prio=50)
    made.switch(90, 9, 8, DEAD, cpu=1, prev_prio=50)
    made.switch(100, 8, IDLE, DEAD, cpu=1)
    return made


def test_a_wait_is_divided_where_its_kind_changes() -> None:
    first, second = read(moved()).longest()[:2]
    assert list(first.spans()) == [("queue", 0, 10_000, 40_000), ("migrated", 1, 40_000, 41_000)]
    assert list(second.spans()) == [("preempted", 1, 60_000, 90_000)]


def test_time_of_a_cpu_goes_to_the_class_of_the_task_it_runs() -> None:
    cpus = read(moved()).plain()["cpus"]
    assert [cpus[1][f"{name}_ns"] for name in ("rt", "fair", "idle")] == [30_000, 29_000, 41_000]
    assert cpus[0]["fair_ns"] == 100_000
    assert (cpus[0]["migrations_out"], cpus[1]["migrations_in"]) == (1, 1)


def test_a_sleeper_that_is_woken_on_another_cpu_did_not_move_while_it_waited() -> None:
    made = Made()
    made.move(5, 8, 0, 1)
    made.wake(6, 8, cpu=1)
    made.switch(9, IDLE, 8, cpu=1)
    stats = read(made)
    assert [wait.parts for wait in stats.longest()] == [[("queue", 1, 6_000)]]
    assert stats.waits.count == 1


def test_a_task_that_still_waits_at_the_end_is_among_the_longest_and_not_counted() -> None:
    made = Made()
    made.wake(0, 7)
    made.switch(0, IDLE, 7)
    made.wake(10, 8)
    made.wake(500, 9, cpu=1)
    stats = read(made)
    assert stats.waits.count == 1
    longest = stats.longest()[0]
    assert (longest.pid, longest.over, longest.end_ns) == (8, False, 500_000)
    assert "t8:8 waited 490.0 us from 10.00 us, and still waits" in list(stats_lines(stats.plain()))


def test_no_more_waits_are_kept_than_wanted() -> None:
    assert read(moved(), longest=0).longest() == []
    assert [type(wait) for wait in read(moved(), longest=1).longest()] == [Wait]


def test_text_leaves_out_classes_that_nobody_was_in() -> None:
    heads = next(stats_lines(read(moved()).plain())).split()
    assert heads[:4] == ["CPU", "rt", "fair", "idle"]
