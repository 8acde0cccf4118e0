"""``smplab resume``: after kill -9, on a full disk, beside another driver, of what is no run."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.run_lock import RunLock
from cluster.rundir import RunDir, RunDirError

ROOT = Path(__file__).resolve().parents[3]
CONFIG = """
name: killed
engine: local
machine: {cpus: 4}
sync: {scheme: exact}
checkpoint: {supersteps: 32}
workloads:
  - program: fork_exec_storm
    params: {parents: 5, children: 4, compute: "uniform:10us:50us"}
"""
# smplab, whose process is killed by itself when the engine asks for the k-th time whether to stop
KILLED = """
import os, signal, sys
from cluster import local_engine
left = int(sys.argv.pop(1))
stop = local_engine.LocalRun.stop
def stop_or_die(self):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return stop(self)
local_engine.LocalRun.stop = stop_or_die
from cluster.entry import main
main()
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return the directory of a run that nothing disturbed."""
    return start(tmp_path_factory.mktemp("plain"))


def start(folder: Path, *, stops: int | None = None, **options) -> Path:
    """Run in a folder; return the run directory."""
    (folder / "killed.yaml").write_text(CONFIG, "utf-8")
    done = smplab(folder, "run", "killed.yaml", "-q", stops=stops, **options)
    assert done.returncode == (0 if stops is None else -signal.SIGKILL), done.stderr
    [run] = (folder / "runs").iterdir()
    return run


def smplab(folder: Path, *words: str, stops: int | None = None, **options):
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(10**9 if stops is None else stops), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        **options,
    )


@pytest.mark.parametrize(
    "stops", [0, 7, 37, *(pytest.param(n, marks=pytest.mark.slow) for n in range(3, 36, 4))]
)
def test_a_run_that_was_killed_ends_as_if_it_had_not_been(tmp_path, plain, stops, capsys):
    run = start(tmp_path, stops=stops)
    assert RunDir(run).manifest()["complete"] is False
    assert run_command(["resume", str(run), "-q"]) == 0
    digest = RunDir(plain).summary()["digest"]
    out, err = capsys.readouterr()
    assert out == f"digest {digest}\n"
    assert err.startswith("smplab: note: ") and len(err.split("\n")) == 2
    assert RunDir(run).summary()["digest"] == digest
    assert (run / "trace.smpt").read_bytes() == (plain / "trace.smpt").read_bytes()
    assert RunDir(run).manifest()["complete"] is True
    assert not (run / "checkpoints").exists()
    assert not (run / "lock").exists()


def test_a_run_that_has_ended_is_left_alone(plain, capsys):
    before = {path: path.read_bytes() for path in plain.rglob("*") if path.is_file()}
    assert run_command(["resume", str(plain)]) == 0
    assert RunDir(plain).summary()["digest"] in capsys.readouterr().out
    assert {path: path.read_bytes() for path in plain.rglob("*") if path.is_file()} == before


def test_a_run_that_somebody_writes_is_not_gone_on_with(tmp_path, capsys):
    run = start(tmp_path, stops=20)
    with RunLock(run):
        assert run_command(["resume", str(run)]) == 75
    err = capsys.readouterr().err
    assert err == f"smplab: run in use: {run} is being written by process {os.getpid()}\n"


def test_a_run_that_another_host_may_write_is_not_gone_on_with(tmp_path, capsys):
    run = start(tmp_path, stops=20)
    (run / "lock").write_text(json.dumps({"pid": 1, "boot": "", "host": "elsewhere.example"}))
    assert run_command(["resume", str(run)]) == 75
    assert "process 1 on elsewhere.example: remove" in capsys.readouterr().err


def test_what_cannot_be_gone_on_with_is_told_in_one_line(tmp_path, capsys):
    run = start(tmp_path, stops=20)
    log = run / "checkpoints" / "requests.log"
    log.write_bytes(b"SMPC\r\n\x1a\n\x63" + log.read_bytes()[9:])
    assert run_command(["resume", str(run)]) == 2
    err = capsys.readouterr().err
    assert err == (
        f"smplab: cannot resume: {log} is of version 99; this version of smplab reads 1\n"
    )
    assert run_command(["resume", str(tmp_path)]) == 2
    assert "is no run directory" in capsys.readouterr().err


def test_on_a_full_disk_a_run_ends_with_75_and_goes_on_when_there_is_room(tmp_path, plain, capsys):
    other = tmp_path / "other"
    other.mkdir()
    enough_for_a_while = (start(other, stops=20) / "checkpoints" / "requests.log").stat().st_size

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (enough_for_a_while, enough_for_a_while))

    (tmp_path / "killed.yaml").write_text(CONFIG, "utf-8")
    done = smplab(tmp_path, "run", "killed.yaml", "-q", preexec_fn=little_room)
    [run] = (tmp_path / "runs").iterdir()
    assert done.returncode == 75, done.stderr
    assert done.stderr.startswith(f"smplab: cannot write: runs/{run.name}: ")
    assert done.stderr.endswith(
        f"File too large (smplab resume runs/{run.name} goes on when it can be written)\n"
    )
    assert len(done.stderr.split("\n")) == 2
    with pytest.raises(RunDirError, match=r"did not get that far \(smplab resume .* goes on"):
        RunDir(run).summary()
    assert run_command(["resume", str(run), "-q"]) == 0
    assert RunDir(run).summary()["digest"] == RunDir(plain).summary()["digest"]


def test_a_run_that_could_not_even_begin_does_not_promise_to_go_on(tmp_path):
    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))  # enough for the manifest

    (tmp_path / "killed.yaml").write_text(CONFIG, "utf-8")
    done = smplab(tmp_path, "run", "killed.yaml", "-q", preexec_fn=no_room)
    assert (done.returncode, done.stderr.count("\n")) == (75, 1)
    assert done.stderr.endswith(": File too large\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_was_stopped_goes_on_from_there(tmp_path, plain, capsys, number, code):
    (tmp_path / "killed.yaml").write_text(CONFIG, "utf-8")
    script = KILLED.replace("signal.SIGKILL)", f"{int(number)})").replace("left < 0", "left == 0")
    done = subprocess.run(
        [sys.executable, "-c", script, "20", "run", "killed.yaml", "-q", "--checkpoint", "60min"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    [run] = (tmp_path / "runs").iterdir()
    assert list((run / "checkpoints").glob("*.manifest"))
    assert run_command(["resume", str(run), "-q"]) == 0
    out, err = capsys.readouterr()
    assert out == f"digest {RunDir(plain).summary()['digest']}\n"
    assert "goes on from superstep" in err
    assert (run / "trace.smpt").read_bytes() == (plain / "trace.smpt").read_bytes()


def test_checkpoints_can_be_switched_off(tmp_path, capsys):
    (tmp_path / "killed.yaml").write_text(CONFIG, "utf-8")
    words = ["run", "killed.yaml", "-q", "--checkpoint", "off"]
    done = smplab(tmp_path, *words, stops=20)
    assert done.returncode == -signal.SIGKILL
    [run] = (tmp_path / "runs").iterdir()
    assert run_command(["resume", str(run)]) == 2
    assert "has no checkpoints" in capsys.readouterr().err


def test_an_interval_that_is_none_is_a_config_error(tmp_path, capsys):
    (tmp_path / "killed.yaml").write_text(CONFIG, "utf-8")
    assert run_command(["run", str(tmp_path / "killed.yaml"), "--checkpoint", "often"]) == 2
    assert "--checkpoint often" in capsys.readouterr().err
