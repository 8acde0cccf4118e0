"""Who wakes whom, in the trace of a run that records it."""

from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.trace import TraceReader, TraceRecord

PROGRAM = """import os
import time

ready, tell = os.pipe()
if os.fork() == 0:
    os.read(ready, 1)
    os._exit(0)
time.sleep(0.002)
os.write(tell, b"x")
os.wait()
"""


def records(folder: Path, text: str, event: str) -> list[TraceRecord]:
    (folder / "wakes.py").write_text(PROGRAM, "utf-8")
    config = folder / "c.yaml"
    config.write_text(f"{text}\nworkloads: [{{program: ./wakes.py}}]\n", "utf-8")
    out = folder / "runs"
    assert run_command(["run", str(config), "--out", str(out), "--quiet"]) == 0
    newest = max(each for each in out.iterdir() if each.is_dir() and not each.is_symlink())
    with TraceReader(newest / "trace.smpt") as trace:
        return list(trace.select(event=event))


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_every_wake_up_has_its_waking_with_the_cpu_of_the_waker(
    tmp_path: Path, scheme: str
) -> None:
    text = f"trace: {{waking: true}}\nmachine: {{cpus: 2}}\nsync: {{scheme: {scheme}}}"
    wakings = records(tmp_path, text, "sched_waking")
    wakes = records(tmp_path, text, "sched_wakeup")
    assert len(wakings) == len(wakes) > 2
    assert [each.fields["pid"] for each in wakings] == [each.fields["pid"] for each in wakes]
    for waking, wake in zip(wakings, wakes):
        assert waking.time_ns <= wake.time_ns
        assert waking.fields["prio"] == wake.fields["prio"] == 120
        assert waking.cpu in (0, 1) and waking.fields["target_cpu"] in (0, 1)


def test_without_it_the_trace_has_no_waking(tmp_path: Path) -> None:
    assert records(tmp_path, "machine: {cpus: 2}", "sched_waking") == []


def test_it_needs_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.yaml"
    text = "trace: {enabled: false, waking: true}\nworkloads: [{program: cow_touch}]\n"
    config.write_text(text, "utf-8")
    assert run_command(["validate", str(config)]) == 2
    assert "trace.waking: is for trace.enabled: true" in capsys.readouterr().err
