"""A thread that executes a program becomes its process, and has the number of that from then on."""

import json
from pathlib import Path

import pytest

from cluster.api import run
from cluster.cli.trace import trace_lines
from cluster.export import export
from cluster.export.stream import Records
from cluster.page.history import History
from cluster.top.machine import Machine
from cluster.trace import TraceReader

PROGRAM = """import os, sys, threading, time
def other():
    os.execv("/usr/bin/python3", ["python3", __file__, "again"])
if len(sys.argv) == 1:
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
else:
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exec")
    (folder / "p.py").write_text(PROGRAM)
    config = {"name": "a", "machine": {"cpus": 1}, "workloads": [{"program": str(folder / "p.py")}]}
    return run(config, engine="local", out=folder).path / "trace.smpt"


def test_nobody_is_left_on_a_runqueue(trace: Path) -> None:
    with TraceReader(trace) as reader:
        curve = History(Records(reader)).queues[0]
        machine = Machine(reader.cpu_numbers())
        for batch in reader.batches():
            machine.take(batch)
    assert machine.queue(0) == 0
    means = curve.means()
    assert means[len(means) // 2] == 0, "it sleeps then"


def test_records_after_the_exec_are_made_in_the_process(trace: Path, tmp_path: Path) -> None:
    export(trace, "jsonl", tmp_path / "a")
    lines = [json.loads(line) for line in (tmp_path / "a").read_text().splitlines()]
    at = next(n for n, one in enumerate(lines) if one.get("old_pid", 0) not in (0, one.get("pid")))
    thread, process = lines[at]["old_pid"], lines[at]["pid"]
    assert {one["current"] for one in lines[at:]} >= {process}
    assert thread not in {one["current"] for one in lines[at:]}
    with TraceReader(trace) as reader:
        text = [line for line in trace_lines(reader) if "sched_process_exec" in line]
    assert f"p.py-{process} " in text[-1]
