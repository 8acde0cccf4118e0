"""Replays that stop: where they are told to, with the machine as it stands there."""

import io
from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.exit_codes import INVARIANT, OK, USAGE
from kernel.errors import InvariantError

GUEST = Path(__file__).resolve().parents[1] / "guest"


def recorded(folder: Path, program: str = "pipe/two_writers.py", *options: str) -> Path:
    """Record a run of a guest program; return its directory."""
    keep = ["--set", "record=order", "--out", str(folder)]
    assert run_command(["guest", *keep, *options, str(GUEST / program)]) == OK
    [run] = folder.iterdir()
    return run


def replayed(
    run: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *options: str,
    typed: str = "",
) -> tuple[int, str, str]:
    """Replay with something typed; return exit code, output and errors."""
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    code = run_command(["replay", str(run), *options])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_a_replay_stops_at_a_time_or_after_so_many_requests(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    granularity: str,
) -> None:
    run = recorded(tmp_path / "runs", "pipe/two_writers.py", "--granularity", granularity)
    code, out, _ = replayed(run, capsys, monkeypatch, "--until", "20")
    assert (code, out.startswith("stopped: 20 requests have been served")) == (OK, True)
    code, out, _ = replayed(run, capsys, monkeypatch, "--until", "1ms")
    assert (code, out.startswith("stopped: virtual time has come to 1")) == (OK, True)
    code, out, _ = replayed(run, capsys, monkeypatch, "--until", "60s")
    assert (code, out.startswith("same: digest")) == (OK, True)


def test_at_a_tracepoint_one_sees_tasks_tree_locks_and_queues(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded(tmp_path / "runs")
    typed = "ps\ntree\nlocks\nqueues\nwhat\nstep\nstep 2\nstep x\ncontinue\n"
    code, out, _ = replayed(run, capsys, monkeypatch, "--break", "sched_process_fork", typed=typed)
    assert code == OK
    assert out.startswith("stopped: the tracepoint sched_process_fork at ")
    assert "PID  TGID  PPID  S  CPU  COMMAND" in out
    assert "kthreadd" in out
    assert "init(1) S" in out
    assert "tasklist_lock" in out
    assert "requests wait to be served" in out
    assert "there is no 'what'; there is:" in out
    assert "stopped: so many rounds are over" in out
    assert "step takes a number of steps" in out
    assert "same: digest" in out


def test_at_step_a_point_stops_before_it_is_passed_and_locks_say_who_has_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded(tmp_path / "runs", "exit/codes.py", "--granularity", "step")
    point = "exit_notify.tasklist_unlock"
    typed = "locks\nstep 3\nquit\n"
    code, out, _ = replayed(run, capsys, monkeypatch, "--break", point, typed=typed)
    assert code == OK
    assert out.startswith(f"stopped: before {point} of pid ")
    assert "has tasklist_lock" in out
    assert out.count("stopped: before ") == 2
    assert "stopped: that was enough" in out


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_a_pid_stops_the_replay_whenever_its_process_asks_for_something(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    granularity: str,
) -> None:
    run = recorded(tmp_path / "runs", "exit/codes.py", "--granularity", granularity)
    code, out, _ = replayed(run, capsys, monkeypatch, "--break", "3", typed="c\nc\nc\n")
    assert code == OK
    assert out.count("stopped: ") == 4  # and then nobody says anything more
    assert "pid 3" in out
    assert "same: digest" in out


def test_a_run_of_cpus_that_ran_free_can_be_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--scheme", "lax", "--out", str(tmp_path / "runs")]
    assert run_command(["run", "prefork_server", *options]) == OK
    [run] = (tmp_path / "runs").iterdir()
    code, out, _ = replayed(
        run, capsys, monkeypatch, "--break", "sched_process_exit", "--until", "3000",
        typed="queues\nc\n",
    )  # fmt: skip
    assert code == OK
    assert "on their way: " in out


def test_a_replay_keeps_a_trace_that_the_run_had_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [
        "--set",
        "record=order",
        "--set",
        "trace.enabled=false",
        "--out",
        str(tmp_path / "r"),
    ]
    assert run_command(["run", "cow_touch", *options]) == OK
    [run] = (tmp_path / "r").iterdir()
    kept = tmp_path / "kept"
    code, out, _ = replayed(run, capsys, monkeypatch, "--trace", str(kept))
    assert (code, out.startswith(f"trace: {kept}/trace.smpt\nsame: summary as of the")) == (
        OK,
        True,
    )
    assert run_command(["trace", str(kept / "trace.smpt")]) == OK
    assert "sched_process_fork" in capsys.readouterr().out
    code, _, err = replayed(run, capsys, monkeypatch, "--trace", str(kept))
    assert (code, "--trace: " in err, "File exists" in err) == (USAGE, True, True)


def test_a_replay_checks_what_the_run_did_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded(tmp_path / "runs")
    assert replayed(run, capsys, monkeypatch, "--check")[0] == OK
    calls: list[int] = []

    def fail(kernel: object) -> None:
        calls.append(1)
        raise InvariantError("the books do not balance")

    monkeypatch.setattr("cluster.lps.check_kernel", fail)
    assert replayed(run, capsys, monkeypatch)[0] == OK
    assert not calls
    code, _, err = replayed(run, capsys, monkeypatch, "--check")
    assert (code, "invariant violated: the books do not balance" in err) == (INVARIANT, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--until", "soon"], "--until 'soon': no virtual time (50us, 1.5ms, 2s) and no number of"),
        (["--break", "9" * 5000], "no pid"),
        (["--break", "sched_proces_exit"], "did you mean sched_process_exit?"),
        (["--break", "exit_notify.tasklist_lock"], "is passed at granularity step, and this run"),
        (["--break", "0"], "no pid, no tracepoint and no point"),
    ],
)
def test_a_place_that_is_none_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    told: str,
) -> None:
    run = recorded(tmp_path / "runs", "exit/codes.py")
    code, _, err = replayed(run, capsys, monkeypatch, *options)
    assert (code, told in err, err.count("\n")) == (USAGE, True, 1)
