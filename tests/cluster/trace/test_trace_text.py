import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cluster.cli.trace import register, trace_lines
from cluster.digest import RunDigest, digest_of_files, lp_names
from cluster.exit_codes import CliError
from cluster.report.summary import make_summary
from cluster.rundir import RunDir
from cluster.trace import TraceReader, TraceWriter, encode_chunk
from cluster.trace.text import printable, state_letters
from kernel import task
from kernel.events import SCHED_PROCESS_FORK, SCHED_SWITCH, SCHED_WAKEUP, TASK_RENAME
from kernel.machine import MachineSpec
from kernel.stats import KernelStats

app = typer.Typer()
register(app)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    with TraceWriter(path / "trace.smpt", ["cpu0", "cpu1", "kernel"]) as writer:
        writer.append(
            0,
            encode_chunk(
                [
                    (1_000, SCHED_SWITCH, "swapper/0", 0, 120, 0, "init", 1, 120),
                    (9_000, SCHED_SWITCH, "storm", 1, 120, 1, "sh", 5, 120),
                ]
            ),
        )
        writer.append(
            2,
            encode_chunk(
                [
                    (500, SCHED_WAKEUP, -1, "init", 1, 120, 0),
                    (2_000, TASK_RENAME, 0, 1, "init", "storm", 0),
                    (3_000, SCHED_PROCESS_FORK, 0, "storm", 1, "storm", 5),
                    (1_002_003_004, SCHED_WAKEUP, 1, "e\x1b[1m", 7, 120, 1),
                ]
            ),
        )
    return path


LINES = [
    "                 <...>-? [---]     0.000000500: sched_wakeup: "
    "comm=init pid=1 prio=120 target_cpu=0",
    "             swapper/0-0 [000]     0.000001000: sched_switch: prev_comm=swapper/0 prev_pid=0 "
    "prev_prio=120 prev_state=R ==> next_comm=init next_pid=1 next_prio=120",
    "                  init-1 [000]     0.000002000: task_rename: "
    "pid=1 oldcomm=init newcomm=storm oom_score_adj=0",
    "                 storm-1 [000]     0.000003000: sched_process_fork: "
    "parent_comm=storm parent_pid=1 child_comm=storm child_pid=5",
    "                 storm-1 [000]     0.000009000: sched_switch: prev_comm=storm prev_pid=1 "
    "prev_prio=120 prev_state=S ==> next_comm=sh next_pid=5 next_prio=120",
    "             swapper/1-0 [001]     1.002003004: sched_wakeup: "
    "comm=e\\x1b[1m pid=7 prio=120 target_cpu=1",
]


def test_lines_are_those_of_ftrace_with_the_running_task(run: Path) -> None:
    with TraceReader(run / "trace.smpt") as reader:
        assert list(trace_lines(reader)) == LINES


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"pid": 5}, [3, 4]),
        ({"pid": 1}, [0, 1, 2, 3, 4]),
        ({"cpu": 1}, [5]),
        ({"events": ("sched_switch", "task_rename")}, [1, 2, 4]),
        ({"from_ns": 3_000, "to_ns": 10_000}, [3, 4]),
    ],
)
def test_conditions_choose_lines_and_do_not_change_them(
    run: Path, condition: dict[str, Any], expected: list[int]
) -> None:
    with TraceReader(run / "trace.smpt") as reader:
        lines = list(trace_lines(reader, **condition))
    chosen = [LINES[number] for number in expected]
    if "from_ns" in condition:  # the rename before it is not looked for
        chosen = [line.replace("storm-1 [", " init-1 [", 1) for line in chosen[:1]] + chosen[1:]
    assert lines == chosen


def test_the_command_prints_the_lines(run: Path) -> None:
    result = CliRunner().invoke(app, ["trace", str(run), "--from", "1us", "--to", "3us"])
    assert result.exit_code == 0
    assert result.output.splitlines() == LINES[1:3]
    result = CliRunner().invoke(app, ["trace", str(run / "trace.smpt"), "--limit", "1"])
    assert result.output.splitlines() == LINES[:1]


def test_a_cut_trace_is_printed_with_a_note(run: Path) -> None:
    path = run / "trace.smpt"
    path.write_bytes(path.read_bytes()[:-1])
    result = CliRunner().invoke(app, ["trace", str(run)])
    assert result.exit_code == 0
    assert "note: this trace has no end" in result.stderr
    assert result.stdout.splitlines() == LINES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing"], "does not exist"),
        (["."], "has no trace.smpt"),
        (["run", "--event", "fork"], "no event 'fork'"),
        (["run", "--from", "soon"], "--from: no time: 'soon'"),
    ],
)
def test_wrong_usage_is_told_without_a_traceback(
    run: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(run.parent)
    result = CliRunner().invoke(app, ["trace", *arguments])
    assert isinstance(result.exception, CliError)
    assert result.exception.code == 2
    assert message in result.exception.message


def test_a_reader_that_goes_away_ends_the_command_quietly(run: Path) -> None:
    script = (
        "import typer; from cluster.cli.trace import register\n"
        "app = typer.Typer(); register(app); app()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, "trace", str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


def test_summary_of_a_run_without_one_is_an_error(tmp_path: Path) -> None:
    directory = RunDir.create(tmp_path, "x")
    directory.start(name="x", config={}, seed=1)
    result = CliRunner().invoke(app, ["summary", str(directory.path)])
    assert isinstance(result.exception, CliError)
    assert "the run did not get that far" in result.exception.message


def finished_run(base: Path) -> RunDir:
    directory = RunDir.create(base, "x")
    directory.start(name="x", config={}, seed=1)
    lps, chunk = lp_names(2), encode_chunk([(5, SCHED_WAKEUP, 0, "a", 1, 120, 0)])
    digest = RunDigest(lps)
    with TraceWriter(directory.trace_path, lps) as writer:
        for lp in (2, 0, 2):
            writer.append(lp, chunk)
            digest.update(lp, chunk)
    summary = make_summary(
        MachineSpec(cpus=2),
        KernelStats().to_plain(),
        [],
        [],
        {"virtual_ns": 9, "verdict": "done"},
        {"total_ns": 7},
    )
    directory.write_summary(summary, digest.finish(summary))
    directory.finish(exit_kind="done", exit_code=0)
    return directory


def test_summary_prints_the_table_again_and_can_prove_the_digest(tmp_path: Path) -> None:
    directory = finished_run(tmp_path)
    digest = directory.summary()["digest"]
    for arguments in ([], ["--verify"]):
        result = CliRunner().invoke(app, ["summary", str(directory.path), *arguments])
        assert result.exit_code == 0
        assert "ended: done" in result.output
        assert result.output.splitlines()[-1] == f"digest {digest}"
        assert "not complete" not in result.output


def test_a_summary_that_was_changed_fails_the_proof(tmp_path: Path) -> None:
    directory = finished_run(tmp_path)
    summary = directory.summary()
    summary["run"]["virtual_ns"] = 10
    directory.write_summary(summary, summary["digest"])
    result = CliRunner().invoke(app, ["summary", str(directory.path), "--verify"])
    assert isinstance(result.exception, CliError)
    assert (result.exception.code, result.exception.kind) == (1, "digest differs")


def test_a_run_without_trace_has_a_digest_too(tmp_path: Path) -> None:
    summary = {"machine": {"cpus": 2}}
    assert digest_of_files(None, summary) == RunDigest(lp_names(2)).finish(summary)


@pytest.mark.parametrize(
    ("state", "letters"),
    [
        (0, "R"),
        (0x100, "R+"),
        (task.TASK_KILLABLE, "D"),
        (task.TASK_IDLE, "I"),
        (task.TASK_STOPPED, "T"),
        (task.TASK_TRACED, "t"),
        (task.TASK_DEAD, "X"),
    ],
)
def test_states_are_printed_as_letters(state: int, letters: str) -> None:
    assert state_letters(state) == letters


def test_names_are_printed_in_plain_ascii() -> None:
    assert printable("plain name") == "plain name"
    assert printable("caf\xe9\n\udce9\x1b") == "caf\\xe9\\n\\udce9\\x1b"
