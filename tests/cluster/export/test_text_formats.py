"""The formats that are lines: ftrace's text, and JSON."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.trace import TraceReader
from tests.cluster.export.trace_processor import Processors


def test_each_record_is_a_line_of_json_with_its_fields(
    exported: Callable[[str], Path], run: Path
) -> None:
    with TraceReader(run / "trace.smpt") as reader:
        records = list(reader.select())
    lines = [json.loads(line) for line in exported("jsonl").read_text().splitlines()]
    assert len(lines) == len(records)
    told = sorted(json.dumps(line, sort_keys=True) for line in lines)
    for line in lines:
        del line["current"]
    expected = [
        {"time_ns": one.time_ns, "cpu": one.cpu, "event": one.event, **one.fields}
        for one in records
    ]
    key = json.JSONEncoder(sort_keys=True).encode
    assert sorted(map(key, lines)) == sorted(map(key, expected)) and told


def test_the_running_task_is_the_one_that_was_switched_to(exported: Callable[[str], Path]) -> None:
    running = {0: 0, 1: 0}
    for text in exported("jsonl").read_text().splitlines():
        line = json.loads(text)
        assert line["current"] == running[line["cpu"]]
        if line["event"] == "sched_switch":
            assert line["prev_pid"] == line["current"]
            running[line["cpu"]] = line["next_pid"]


def test_a_call_ends_in_the_task_that_made_it(exported: Callable[[str], Path]) -> None:
    lines = map(json.loads, exported("jsonl").read_text().splitlines())
    ends = [line for line in lines if line["event"] in ("sys_enter", "sys_exit")]
    assert ends and all(line["pid"] == line["current"] for line in ends)


def test_lines_are_those_of_ftrace(exported: Callable[[str], Path]) -> None:
    comments, lines = [], []
    for line in exported("ftrace").read_text().splitlines():
        (comments if line.startswith("#") else lines).append(line)
    assert comments[0] == "# tracer: nop"
    form = re.compile(r" *\S.*-\d+ \[\d{3}\] +\d+\.\d{9}: \w+: ")
    assert [line for line in lines if not form.match(line)] == []


def test_perfetto_reads_the_schedule_in_the_text(
    exported: Callable[[str], Path], processors: Processors, summary: dict[str, Any]
) -> None:
    found = processors.rows(exported("ftrace"), "select count(*) from sched")
    assert found == [(summary["switches"]["total"],)]
