"""Which run a command line means, and which part of its trace."""

import os
from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.rundir import RunDir, RunDirError, run_path

PROGRAM = "print('hello')\n"


def make(base: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (base / name).mkdir(parents=True)
        (base / name / "manifest.json").write_text("{}")
        os.utime(base / name, ns=(number, number))


def test_latest_is_the_run_that_began_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "runs", "20261128-100000-b", "20261128-090000-z", "20261128-100000-a")
    (tmp_path / "runs" / "20271128-100000-no-manifest").mkdir()
    assert run_path(Path("latest")) == Path("runs/20261128-100000-a")
    assert run_path(tmp_path / "runs" / "latest").name == "20261128-100000-a"
    make(tmp_path, "latest")
    assert run_path(Path("latest")) == Path("latest")


def test_without_a_run_there_is_no_latest(tmp_path: Path) -> None:
    for base in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RunDirError, match="there is no latest run"):
            run_path(base / "latest")


def test_a_run_that_never_began_leaves_no_directory(tmp_path: Path) -> None:
    directory = RunDir.create(tmp_path, "run")
    assert directory.discard_unstarted()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--from", "10ms", "--to", "5ms"], "usage: --from 10ms is not before --to 5ms"),
        (["--pid", "77"], "no process: --pid 77: no record names such a task"),
        (["--cpu", "2"], "no cpu: --cpu 2: the machine had CPUs 0 to 1"),
    ],
)
def test_a_part_of_a_trace_that_cannot_be_is_an_error(
    options: list[str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("prog.py").write_text(PROGRAM)
    Path("c.yaml").write_text("machine: {cpus: 2}\nworkloads: [{program: ./prog.py}]\n")
    assert run_command(["run", "-q", "c.yaml"]) == 0
    capsys.readouterr()
    assert run_command(["trace", "latest", *options]) == 2
    assert capsys.readouterr().err == f"smplab: {line}\n"
    assert run_command(["trace", "latest", "--from", "1ms", "--to", "1001us", "--pid", "3"]) == 0
