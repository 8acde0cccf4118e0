"""Native against emulated: the comparison, and the tree read from a trace."""

from pathlib import Path

from cluster.diff import DiffReport, EmulatedRun, compare, tree_of_trace
from cluster.native import NativeRun
from cluster.process_tree import Node
from cluster.trace import TraceWriter, encode_chunk
from kernel import events
from kernel.uapi.clone import CLONE_THREAD

TREE = (Node(0, "exit 0"), Node(1, "exit 3"))
NATIVE = NativeRun(b"one\ntwo\n", b"", 0, TREE, "pid namespace")


def emulated(**changes: object) -> EmulatedRun:
    fields: dict[str, object] = {
        "stdout": b"one\ntwo\n",
        "stderr": b"",
        "status": 0,
        "tree": TREE,
        "problem": "",
        "digest": "",
    }
    return EmulatedRun(**{**fields, **changes})  # type: ignore[arg-type]


def test_equal_runs_have_no_difference() -> None:
    report = DiffReport("p.py", NATIVE, emulated(), tuple(compare(NATIVE, emulated())))
    assert report.same
    assert report.render() == (
        "p.py: same (8 bytes of output, exit 0, 2 processes; host run: pid namespace)"
    )


def test_standard_error_alone_is_no_difference() -> None:
    assert compare(NATIVE, emulated(stderr=b"Traceback")) == []


def test_output_differs_line_by_line() -> None:
    lines = compare(NATIVE, emulated(stdout=b"one\nTWO\n", stderr=b"why\n"))
    assert lines[0] == "standard output (- host, + emulated):"
    assert "  -two" in lines and "  +TWO" in lines
    assert lines[-2:] == ["standard error, emulated:", "  why"]


def test_output_that_prints_alike_shows_its_bytes() -> None:
    lines = compare(NATIVE, emulated(stdout=b"one\ntwo"))
    assert lines[1:] == ["  - b'one\\ntwo\\n'", "  + b'one\\ntwo'"]


def test_exit_status_and_unfinished_runs_are_differences() -> None:
    assert compare(NATIVE, emulated(status=9)) == ["exit status: host exit 0, emulated SIGKILL"]
    lines = compare(NATIVE, emulated(status=None, problem="deadlock: 2 tasks sleep"))
    assert lines == [
        "the emulated run did not come to its end: deadlock: 2 tasks sleep",
        "exit status: host exit 0, emulated never ended",
    ]


def test_tree_is_a_difference() -> None:
    lines = compare(NATIVE, emulated(tree=TREE[:1]))
    assert lines[:2] == [
        "process tree (host | emulated):",
        "  2 processes against 1; they part at process 2:",
    ]


def test_tree_of_a_trace_counts_threads_to_their_process(tmp_path: Path) -> None:
    path = tmp_path / "trace.smpt"
    fork, new, end = (
        events.SCHED_PROCESS_FORK,
        events.TASK_NEWTASK,
        events.SCHED_PROCESS_EXIT,
    )
    rows = [
        (10, new, 1, 5, "prog", 0, 0),
        (10, fork, 1, "init", 1, "prog", 5),
        (20, new, 1, 6, "prog", CLONE_THREAD, 0),
        (20, fork, 1, "prog", 5, "prog", 6),
        (30, new, 1, 7, "prog", 0, 0),
        (30, fork, 1, "prog", 6, "prog", 7),  # a thread forks: the process's child
        (40, end, 1, "prog", 7, 120, True, 3 << 8),
        (50, end, 1, "prog", 5, 120, False, 0),
        (60, end, 1, "prog", 6, 120, True, 9),  # the last thread has the process's status
    ]
    with TraceWriter(path, ["cpu0", "cpu1", "kernel"]) as writer:
        writer.append(2, encode_chunk(rows))
    assert tree_of_trace(path, 5) == (Node(0, "SIGKILL"), Node(1, "exit 3"))
