"""The benchmark of context switches counts what the machine counts, and gives all it promises."""

import pytest

from tests.benchmarks.switches import FAIR, SCHEMES, Cell, growth, measure, measure_queue

MS = 1_000_000


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("fair", FAIR)
def test_a_small_machine_has_the_switches_of_its_summary(fair: str, scheme: str) -> None:
    figures, result = measure(Cell(12, 2, fair, scheme, 6_000 * MS))
    assert figures.all_switches == result.summary["switches"]["total"]
    assert 0 < figures.switches < figures.all_switches


def test_tasks_that_compute_tell_the_kernel_nothing_about_their_switches() -> None:
    figures, _ = measure(Cell(12, 2, "cfs", "barrier", 2_000 * MS))
    # what is left are the answers to a few passes of balancing
    assert figures.requests < 10 < figures.switches


@pytest.mark.parametrize("fair", FAIR)
def test_every_task_of_a_lone_queue_gets_its_turn(fair: str) -> None:
    figures = measure_queue(Cell(20, 1, fair, virtual_ns=1_000, queue=True))
    assert 20 <= figures.switches <= 1_000


def test_growth_compares_the_fewest_tasks_with_the_most() -> None:
    row = {"core": "pure", "fair": "cfs", "scheme": "exact", "queue": False, "cpus": 10}
    rows = [
        {**row, "tasks": tasks, "instructions": cost}
        for tasks, cost in ((1_000, 300), (100, 200), (500, 900))
    ]
    assert growth(rows) == [
        {
            "core": "pure",
            "fair": "cfs",
            "scheme": "exact",
            "queue": False,
            "tasks": [100, 1_000],
            "ratio": 1.5,
            "log_ratio": 2.0,
        }
    ]
