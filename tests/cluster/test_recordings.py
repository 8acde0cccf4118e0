"""Recordings of real programs, as guest programs: emulated and on the host."""

import io
import lzma
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.emulated import Machine, run_emulated
from cluster.native import run_native
from cluster.process_tree import Node, same_tree
from workloads.recordings.load import load_recording, read_recording
from workloads.recordings.model import Recording, RecordingError, Task
from workloads.recordings.program import program_text

INPUTS = Path(__file__).resolve().parents[1] / "workloads" / "recordings" / "inputs"
STRACE = sorted(path.name for path in INPUTS.glob("*.strace"))
EVERY = [*STRACE, "make.perf.txt", "shell.perf.data.xz"]


def tree_of(recording: Recording) -> tuple[Node, ...]:
    def nodes(task: Task, depth: int) -> list[Node]:
        ended = task.ended or ("?",)
        leaders = [task, *(t for t in recording.tasks if t.leader is task and t is not task)]
        codes = [t.ended[1] for t in leaders if t.ended is not None and t.ended[0] == "exit"]
        how = ended[1] if ended[0] in ("signal", "killed") else f"exit {codes[0]}"
        found = [Node(depth, how)]
        for member in leaders:
            for step in member.steps:
                if step[0] == "fork" and step[1].how != "thread":
                    found += nodes(step[1], depth + 1)
        return found

    return tuple(node for root in recording.roots() for node in nodes(root, 1))


def load(name: str) -> Recording:
    if not name.endswith(".xz"):
        return load_recording(INPUTS / name)
    return read_recording(io.BytesIO(lzma.decompress((INPUTS / name).read_bytes())), name)


def made(name: str, folder: Path) -> tuple[Recording, Path]:
    recording = load(name)
    program = folder / "recorded.py"
    program.write_text(program_text(recording, name))
    return recording, program


@pytest.mark.parametrize("name", EVERY)
def test_the_emulated_tree_of_processes_is_the_recorded_one(name: str, tmp_path: Path) -> None:
    recording, program = made(name, tmp_path)
    run = run_emulated(program)
    assert run.problem == ""
    assert run.stderr == b""
    assert same_tree(run.tree[1:], tree_of(recording))


@pytest.mark.parametrize("cpus", [1, 8])
def test_the_tree_is_the_same_at_other_speeds(cpus: int, tmp_path: Path) -> None:
    recording, program = made("killed.strace", tmp_path)
    run = run_emulated(program, machine=Machine(cpus=cpus))
    assert same_tree(run.tree[1:], tree_of(recording))


@pytest.mark.native
@pytest.mark.parametrize("name", ["killed.strace", "make.perf.txt"])
def test_the_program_does_the_same_on_the_host(name: str, tmp_path: Path) -> None:
    recording, program = made(name, tmp_path)
    run = run_native(program)
    assert run.stderr == b""
    assert same_tree(run.tree[1:], tree_of(recording))


@pytest.mark.parametrize("name", EVERY)
def test_the_program_computes_as_long_as_recorded(name: str) -> None:
    recording = load(name)
    text = program_text(recording, name)
    worked = sum(int(ns) for ns in re.findall(r"^    work\((\d+)\)$", text, re.M))
    assert worked == sum(recording.computed_ns(task) for task in recording.tasks) > 0


def test_arguments_are_refused(tmp_path: Path) -> None:
    _, program = made("killed.strace", tmp_path)
    run = run_emulated(program, ["--pstree"])
    assert (run.stderr, run.tree[0].outcome) == (b"a recording takes no arguments\n", "exit 2")


def read(tmp_path: Path, text: str | bytes) -> Recording:
    path = tmp_path / "a.strace"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_recording(path)


def test_a_child_may_be_seen_before_its_clone_has_returned(tmp_path: Path) -> None:
    recording = read(
        tmp_path,
        "1 1.000000 clone(flags=SIGCHLD <unfinished ...>\n"
        "2 1.000100 exit_group(3) = ?\n"
        "2 1.000200 +++ exited with 3 +++\n"
        "1 1.000300 <... clone resumed>) = 2\n"
        "1 1.000400 +++ exited with 0 +++\n",
    )
    assert [task.parent for task in recording.tasks] == [None, recording.tasks[0]]


def test_a_pid_that_comes_again_is_another_task(tmp_path: Path) -> None:
    twice = (
        "1 1.000000 fork() = 2\n2 1.000100 +++ exited with 3 +++\n"
        "1 1.000200 wait4(2, [], 0, NULL) = 2\n"
    )
    recording = read(tmp_path, twice * 2)
    assert [task.pid for task in recording.tasks] == [1, 2, 2]


def test_a_last_line_that_is_cut_is_left_out_with_a_note(tmp_path: Path) -> None:
    recording = read(tmp_path, "1 1.000000 getpid() = 1\n1 1.0001 exit_gr")
    assert "the last line is cut; it was left out" in recording.notes


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the file is empty"),
        ("PERFILE2....", "it has 12 bytes, and its head ends at byte 16"),
        ("a\0b\n", ":1:2: this is no text"),
        ("hello\n1 1.0 getpid() = 1\nworld\n", ":3:1: expected a line of strace"),
        ("1 12:00:00 getpid() = 1\n", "not that of -ttt"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(RecordingError, match=re.escape(what)):
        read(tmp_path, text)


LINES = [line for name in EVERY[:-1] for line in (INPUTS / name).read_bytes().splitlines(True)[:60]]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(LINES), st.binary(max_size=40)), max_size=12))
def test_no_bytes_give_another_error(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.strace"
    path.write_bytes(b"".join(lines))
    with suppress(RecordingError):
        compile(program_text(load_recording(path), "any"), "any.py", "exec")
