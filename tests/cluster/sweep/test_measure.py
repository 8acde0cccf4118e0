"""What is measured of a point."""

import pytest

from cluster.config.measures import LOCK_NUMBERS, LOCKS, SUMMARY, is_time, summary_places
from cluster.engine import run_machine
from cluster.sweep.measure import number_at, of_summary


def places(data, before=""):
    """Yield the place of every number of a summary."""
    for name, value in data.items():
        if isinstance(value, dict):
            yield from places(value, f"{before}{name}.")
        elif isinstance(value, int):
            yield before + name


def test_every_number_of_a_summary_is_listed_and_every_listed_one_is_there(make_request):
    summary = run_machine(make_request("thread_group_exit", scheme="exact")).summary
    no_results = {"format", "machine", "per_cpu", "wall"}
    found = {place for place in places(summary) if place.split(".")[0] not in no_results}
    assert found == {f"{group}.{name}" for group, names in SUMMARY.items() for name in names}
    assert {lock["name"] for lock in summary["locks"]} <= set(LOCKS)
    assert {name for lock in summary["locks"] for name in lock} == {"name", *LOCK_NUMBERS}
    assert all(
        number_at(summary, place) is not None for place in found if place in summary_places()
    )


def test_a_number_is_found_by_its_place_and_a_lock_by_its_name():
    summary = {"memory": {"cow_copied": 7}, "locks": [{"name": "sem_ids.rwsem", "wait_ns": 5}]}
    assert number_at(summary, "memory.cow_copied") == 7
    assert number_at(summary, "locks.sem_ids.rwsem.wait_ns") == 5
    assert number_at(summary, "locks.tasklist_lock.wait_ns") is None
    assert number_at(summary, "memory.segfaults") is None


def test_what_was_not_late_has_no_lateness(make_request):
    summary = run_machine(make_request("storm", scheme="exact")).summary
    found = of_summary(summary)
    assert (found["violations"], found["late_p99"], found["late_max"]) == (0, None, None)
    assert found["lock_wait"] == sum(lock["wait_ns"] for lock in summary["locks"])


@pytest.mark.parametrize(
    ("measure", "time"),
    [
        ("virtual", True),
        ("jain", False),
        ("summary.locks.siglock.wait_ns", True),
        ("summary.locks.siglock.acquisitions", False),
        ("summary.latency_ns.runqueue_wait.p99", True),
        ("summary.latency_ns.runqueue_wait.count", False),
        ("said.done", False),
    ],
)
def test_times_are_told_from_counts(measure, time):
    assert is_time(measure) is time
