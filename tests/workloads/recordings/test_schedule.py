"""Who waits for whom, of what the scheduler did."""

import pytest

from workloads.recordings.model import Recording
from workloads.recordings.schedule import Schedule


def two(woken_by: int, *, certain: bool) -> Recording:
    """Task 1 makes 2, which sleeps until 9 ns and is woken while ``woken_by`` runs."""
    recording = Recording("a")
    schedule = Schedule(recording)
    schedule.at(1)
    schedule.switch(0, "R", 1, "perf-exec", 120)
    schedule.at(3)
    schedule.fork(1, 2, 2)
    schedule.switch(0, "R", 2, "a", 120)
    schedule.at(4)
    schedule.fork(0, 7, 7)  # of nobody's that is carried over
    schedule.at(5)
    schedule.switch(2, "S", 0, "swapper", 120)
    schedule.at(9)
    schedule.wake(2, "a", woken_by, certain=certain)
    schedule.switch(0, "R", 2, "a", 120)
    schedule.at(12)
    schedule.switch(2, "X", 0, "swapper", 120)
    schedule.switch(1, "X", 0, "swapper", 120)
    return schedule.end(threads="", execs="")


def test_who_was_woken_by_a_task_waits_for_it() -> None:
    maker, child = two(1, certain=True).tasks
    assert [step[0] for step in maker.steps] == ["compute", "fork", "compute", "tell", "compute"]
    assert [step[0] for step in child.steps] == ["compute", "told", "compute"]
    assert maker.steps[3][1] == child.steps[1][1]
    assert [step[1] for step in maker.steps if step[0] == "compute"] == [2, 6, 3]


@pytest.mark.parametrize(("woken_by", "certain"), [(1, False), (0, True), (2, True), (7, True)])
def test_who_was_woken_by_anything_else_sleeps_as_long(woken_by: int, certain: bool) -> None:
    maker, child = two(woken_by, certain=certain).tasks
    assert child.steps[1] == ["sleep", 4]
    assert all(step[0] != "tell" for step in maker.steps)


def test_a_child_that_woke_its_parent_last_was_waited_for() -> None:
    recording = Recording("a")
    schedule = Schedule(recording)
    schedule.at(1)
    schedule.switch(0, "R", 1, "perf-exec", 120)
    schedule.fork(1, 2, 2)
    schedule.at(2)
    schedule.switch(1, "S", 2, "a", 120)
    schedule.at(5)
    schedule.wake(1, "a", 2, certain=True)
    schedule.switch(2, "Z", 1, "a", 120)
    schedule.at(6)
    schedule.switch(1, "X", 0, "swapper", 120)
    maker, child = schedule.end(threads="", execs="").tasks
    assert [step[0] for step in maker.steps] == ["fork", "compute", "wait", "compute"]
    assert child.steps == [["compute", 3, 0, 0]]


def test_one_task_that_is_left_out_is_one() -> None:
    assert "1 task that the command did not make was left out" in two(1, certain=True).notes
