"""perf.data as a recording: of a real machine, of an emulated one, and damaged."""

import io
import lzma
import shutil
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.api import run
from cluster.emulated import run_emulated
from cluster.export import export
from cluster.process_tree import Node
from workloads.recordings.load import is_recording, load_recording, read_recording
from workloads.recordings.model import Recording, RecordingError
from workloads.recordings.program import program_text

INPUTS = Path(__file__).resolve().parents[1] / "workloads" / "recordings" / "inputs"
DATA = lzma.decompress((INPUTS / "shell.perf.data.xz").read_bytes())
FORK = """import os
def main():
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            if os.fork() == 0:
                os._exit(0)
            os.wait()
            os.execv("/bin/true", ["true"])
        os.waitpid(pid, 0)
main()
"""


def read(data: bytes) -> Recording:
    return read_recording(io.BytesIO(data), "a.data")


def test_times_are_those_that_perf_tells() -> None:
    recording = read(DATA)
    shell = recording.tasks[0]
    assert [task.comm for task in recording.tasks] == ["sh", "sh", "sh", "sleep", "sh", "sleep"]
    assert [task.how for task in recording.tasks] == ["fork"] * 4 + ["vfork", "fork"]
    assert [each[1] for each in shell.steps if each[0] == "exec"] == ["sh"]
    (sleep,) = (step for step in recording.tasks[3].steps if step[0] == "sleep")
    assert sleep[1] == 10_070_537  # perf sched timehist: 10.089 ms, 0.018 of it delay
    assert recording.computed_ns(recording.tasks[1]) == 101_660


def test_the_parent_waits_for_each_child_that_woke_it_at_its_end() -> None:
    tasks = read(DATA).tasks
    waits = [
        (task.number, step[1].number) for task in tasks for step in task.steps if step[0] == "wait"
    ]
    assert waits == [(0, 2), (0, 3), (0, 4), (4, 5)]


def test_the_text_of_the_same_file_gives_the_same_tasks(tmp_path: Path) -> None:
    if shutil.which("perf") is None:
        pytest.skip("no perf")
    (tmp_path / "a.data").write_bytes(DATA)
    command = ["perf", "script", "-f", "-i", "a.data", "--show-task-events"]
    command += ["-F", "comm,pid,tid,cpu,time,event,trace"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    (tmp_path / "a.txt").write_bytes(told.stdout)
    text, data = load_recording(tmp_path / "a.txt"), read(DATA)
    assert [(task.pid, task.comm, task.how) for task in text.tasks] == [
        (task.pid, task.comm, task.how) for task in data.tasks
    ]
    for ours, theirs in zip(data.tasks, text.tasks, strict=True):
        pieces = len(ours.steps) + 1
        assert abs(data.computed_ns(ours) - text.computed_ns(theirs)) < 2_000 * pieces


def test_a_recording_of_an_emulated_run_runs_as_the_run_did(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text(FORK)
    done = run(
        {"name": "a", "machine": {"cpus": 2}, "workloads": [{"program": str(tmp_path / "p.py")}]},
        engine="local",
        out=tmp_path,
    )
    export(done.path / "trace.smpt", "perf", tmp_path / "a.data")
    recording = load_recording(tmp_path / "a.data")
    (tmp_path / "q.py").write_text(program_text(recording, "a"))
    first = run_emulated(tmp_path / "p.py")
    again = run_emulated(tmp_path / "q.py")
    assert again.problem == ""
    # below the recorder and the recorded init
    below = [Node(node.depth - 2, node.outcome) for node in again.tree if node.depth >= 2]
    assert tuple(below) == first.tree and len(below) == 5


@pytest.mark.parametrize(
    ("at", "put", "what"),
    [
        (8, struct.pack("<Q", 16), "byte 8: perf wrote it into a pipe"),
        (8, struct.pack("<Q", 20), "byte 8: expected a head of 104 bytes, found 20"),
        (16, struct.pack("<Q", 0), "expected attributes of events"),
        (48, struct.pack("<Q", 1 << 40), "is cut"),
        (72, bytes(32), "byte 72: it does not say what its events are"),
    ],
)
def test_a_head_that_is_wrong_is_refused_with_its_place(at: int, put: bytes, what: str) -> None:
    with pytest.raises(RecordingError, match=what):
        read(DATA[:at] + put + DATA[at + len(put) :])


def test_a_compressed_record_is_refused() -> None:
    (begin,) = struct.unpack_from("<Q", DATA, 40)
    with pytest.raises(RecordingError, match=f"byte {begin:,}: is compressed: record without -z"):
        read(DATA[:begin] + struct.pack("<I", 81) + DATA[begin + 4 :])


@pytest.mark.parametrize("size", [12, 60, 300, 1000, 5_000, 60_000, 100_000])
def test_a_file_that_is_cut_is_refused(size: int) -> None:
    assert is_recording(io.BytesIO(DATA[:size]))
    with pytest.raises(RecordingError, match="is cut"):
        read(DATA[:size])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DATA) - 9), st.binary(min_size=1, max_size=8))
def test_no_bytes_give_another_error(at: int, put: bytes) -> None:
    with suppress(RecordingError):
        text = program_text(read(DATA[:at] + put + DATA[at + len(put) :]), "any")
        compile(text, "any.py", "exec")
