"""What a page is drawn from: stays, queues and waits are those of the records."""

from itertools import pairwise
from pathlib import Path

import pytest
import smplab
from hypothesis import given
from hypothesis import strategies as st

from cluster.export.stream import Records
from cluster.page.history import BINS, RUNNABLE, ZOMBIE, Curve, Histogram, History, bucket_of, least
from cluster.trace import TraceReader


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> smplab.Run:
    return smplab.run(
        {
            "name": "page",
            "machine": {"cpus": 3},
            "trace": {"enabled": True},
            "workloads": [
                {"program": "fork_exec_storm", "params": {"parents": 5, "children": 4}},
                {"program": "thread_group_exit", "params": {"groups": 2, "threads": 3}},
            ],
        },
        out=tmp_path_factory.mktemp("runs"),
    )


@pytest.fixture(scope="module")
def history(run: smplab.Run) -> History:
    with TraceReader(run.path / "trace.smpt") as reader:
        return History(Records(reader))


def test_stays_are_what_lies_between_the_switches(run: smplab.Run, history: History) -> None:
    wanted = []
    since: dict[int, int] = {}
    for row in run.events("sched_switch").to_pylist():
        cpu = row["cpu"]
        if row["prev_pid"]:
            wanted.append((cpu, since[cpu], row["time_ns"], row["prev_pid"], row["prev_comm"]))
        since[cpu] = row["time_ns"]
    names = list(history.names)
    found = [
        (cpu, start, start + length, history.tasks[task].pid, names[name])
        for cpu, stays in enumerate(history.stays)
        for start, length, task, name in zip(stays.start, stays.length, stays.task, stays.name)
    ]
    assert sorted(found) == sorted(wanted)


def test_the_last_stay_of_a_process_leaves_a_zombie_and_no_other_does(history: History) -> None:
    last: dict[int, list[tuple[float, int]]] = {}
    for stays in history.stays:
        for start, task, state in zip(stays.start, stays.task, stays.state):
            last.setdefault(task, []).append((start, state))
    for place, task in enumerate(history.tasks):
        states = [state for _, state in sorted(last.get(place, []))]
        assert ZOMBIE not in states[:-1]
        if task.comm == "true":
            assert states[-1] == ZOMBIE


def test_every_turn_ends_one_wait(run: smplab.Run, history: History) -> None:
    turns = [pid for pid in run.events("sched_switch")["next_pid"].to_pylist() if pid]
    assert history.waits.number + history.first_runs.number == len(turns)
    assert history.first_runs.number == len(set(turns))


def test_on_an_idle_machine_queues_are_as_long_as_cpus_are_busy(tmp_path: Path) -> None:
    alone = smplab.run(
        "fork_exec_storm",
        settings={
            "engine": "local",
            "machine.cpus": 8,
            "workloads.0.params.parents": 1,
            "workloads.0.params.children": 5,
            "trace.enabled": True,
        },
        out=tmp_path,
    )
    with TraceReader(alone.path / "trace.smpt") as reader:
        history = History(Records(reader))
    assert RUNNABLE not in {state for stays in history.stays for state in stays.state}
    for stays, queue in zip(history.stays, history.queues):
        # but for the moments between a wake-up and the switch to who was woken
        assert sum(stays.length) <= sum(queue.sums) <= 1.05 * sum(stays.length) + 50_000


@given(st.lists(st.tuples(st.integers(0, 1 << 22), st.integers(0, 9)), max_size=40))
def test_a_curve_keeps_the_area_below_it_however_wide_its_bins_get(
    changes: list[tuple[int, int]],
) -> None:
    curve, now, value, area = Curve(), 0, 0, 0
    for gap, then in changes:
        area += value * gap
        now, value = now + gap, then
        curve.set(now, value)
    curve.end(now)
    assert sum(curve.sums) == area
    assert len(curve.sums) <= BINS


@given(st.integers(0, 1 << 50))
def test_a_time_lies_in_its_bucket(value: int) -> None:
    bucket = bucket_of(value)
    assert least(bucket) <= value < least(bucket + 1)
    assert bucket_of(least(bucket)) == bucket


def test_a_histogram_has_a_row_for_each_bucket_between_the_first_and_the_last() -> None:
    histogram = Histogram()
    for value in (1, 1, 40):
        histogram.add(value)
    rows = histogram.rows()
    assert rows[0] == (1, 2, 2)
    assert rows[-1][2] == 1
    assert all(high == low for (_, high, _), (low, _, _) in pairwise(rows))
    assert Histogram().rows() == []
