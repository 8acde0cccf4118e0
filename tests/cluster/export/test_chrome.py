"""Chrome's JSON: whole, nested, and read by Perfetto without loss."""

import json
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.main import run_command
from tests.cluster.export.trace_processor import Processors

CPUS = 1 << 30


@pytest.fixture(scope="module")
def events(exported: Callable[[str], Path]) -> list[dict[str, Any]]:
    found = json.loads(exported("chrome").read_text(), parse_float=Decimal)
    return found["traceEvents"]  # type: ignore[no-any-return]


def test_slices_of_a_thread_follow_one_another(events: list[dict[str, Any]]) -> None:
    by_thread = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            by_thread[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    assert len(by_thread) > 5
    for spans in by_thread.values():
        assert all(end <= begin for (_, end), (begin, _) in pairwise(sorted(spans)))


def test_stays_on_cpus_are_all_run_time(
    events: list[dict[str, Any]], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_cpus = [event for event in events if event["ph"] == "X" and event["pid"] == CPUS]
    running = [event for event in events if event["ph"] == "X" and event["name"] == "running"]
    capsys.readouterr()
    assert run_command(["sched", "timehist", str(run), "-s", "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["total"]["run_ns"]
    assert sum(event["dur"] for event in on_cpus) * 1000 == total
    assert sum(event["dur"] for event in running) * 1000 == total


def test_no_thread_has_number_0_or_is_in_two_processes(events: list[dict[str, Any]]) -> None:
    processes = defaultdict(set)
    for event in events:
        if "tid" in event and event["pid"] != CPUS:
            processes[event["tid"]].add(event["pid"])
    assert 0 not in processes
    assert all(len(of) == 1 for of in processes.values())
    assert processes[8] == {3}  # the thread


def test_flows_have_a_begin_and_an_end(events: list[dict[str, Any]]) -> None:
    begun = [(one["id"], one["name"], one["cat"]) for one in events if one["ph"] == "s"]
    ended = [(one["id"], one["name"], one["cat"]) for one in events if one["ph"] == "f"]
    assert len(set(begun)) == len(begun) > 20
    assert set(ended) <= set(begun) and len(ended) >= len(begun) - 1


def test_perfetto_reads_all_of_it(
    exported: Callable[[str], Path], processors: Processors, events: list[dict[str, Any]]
) -> None:
    path = exported("chrome")
    wrong = "severity in ('error', 'data_loss') and value > 0"
    assert processors.rows(path, f"select name, value from stats where {wrong}") == []
    slices = sum(event["ph"] in ("X", "i") for event in events)
    assert processors.rows(path, "select count(*) from slice") == [(slices,)]
    flows = sum(event["ph"] == "f" for event in events)
    assert processors.rows(path, "select count(*) from flow") == [(flows,)]
