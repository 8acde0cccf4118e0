"""``smplab output``: what the guest programs of a run wrote."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.cli.output import in_order
from cluster.outputs import OUTPUTS, OutputWriter
from cluster.rundir import RunDir

CONFIG = """\
name: talk
machine: {cpus: 2}
workloads:
  - program: ./talk.py
    instances: 11
"""
TALK = """\
import os

print("hello", flush=True)
os.write(2, b"oops")
os._exit(0)
"""

ENDLESS = """\
import os

while True:
    os.write(1, b"hello\\n")
"""


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = RunDir.create(tmp_path, "talk")
    run.start(name="talk", config={}, seed=1, command=[])
    writer = OutputWriter(run.path / OUTPUTS)
    for name, data in (
        ("a.stdout", b"one\ntw"),
        ("b.10.stderr", b"\xff"),
        ("b.9.stdout", b"nine\n"),
        ("a.stdout", b"o\n"),
        ("a.stderr", b"oops\n"),
    ):
        writer.append(name, data)
    writer.close()
    return run


def test_without_a_label_it_lists_who_wrote_how_much(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["output", str(run.path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "LABEL     STDOUT     STDERR",
        "a              8          5",
        "b.9            5          0",
        "b.10           0          1",
    ]


def test_with_a_label_it_prints_the_bytes_to_the_two_streams(
    run: RunDir, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run_command(["output", str(run.path), "a"]) == 0
    assert capfdbinary.readouterr() == (b"one\ntwo\n", b"oops\n")
    assert run_command(["output", str(run.path), "b.10"]) == 0
    assert capfdbinary.readouterr() == (b"", b"\xff")


def test_with_several_each_line_says_whose_it_is(
    run: RunDir, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run_command(["output", str(run.path), "a", "b.*"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b"a: one\nb.9: nine\na: two\n"
    assert err == b"a: oops\nb.10: \xff\n"


def test_a_label_that_wrote_nothing_is_an_error_that_names_those_that_did(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["output", str(run.path), "c"]) == 2
    assert f"nothing by c in {run.path}; there is: a, b.9, b.10\n" in capsys.readouterr().err


def test_what_is_no_run_directory_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["output", str(tmp_path)]) == 2
    assert "smplab: no run: " in capsys.readouterr().err


def test_labels_are_sorted_as_people_count() -> None:
    assert sorted(["s.10", "s.9", "s", "a.2", "10"], key=in_order) == [
        "10",
        "a.2",
        "s",
        "s.9",
        "s.10",
    ]


def test_a_run_writes_one_file_for_all_its_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.py").write_text(TALK)
    (tmp_path / "talk.yaml").write_text(CONFIG)
    assert run_command(["run", "talk.yaml", "--quiet"]) == 0
    [path] = (tmp_path / "runs").iterdir()
    assert sorted(one.name for one in path.iterdir()) == [
        *("manifest.json", "outputs.smpo", "summary.json", "trace.smpt")
    ]
    assert RunDir.open(path).summary()["wall"]["output_ns"] > 0
    capfdbinary.readouterr()
    assert run_command(["output", str(path), "talk-10"]) == 0
    assert capfdbinary.readouterr() == (b"hello\n", b"oops")


@pytest.mark.slow
def test_a_killed_run_keeps_what_its_programs_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.py").write_text(ENDLESS)
    (tmp_path / "talk.yaml").write_text(CONFIG.replace("11", "1"))
    command = [sys.executable, "-m", "cluster.entry", "run", "talk.yaml", "--quiet"]
    with subprocess.Popen(command) as run:
        while not any(path.stat().st_size for path in tmp_path.glob("runs/*/outputs.smpo")):
            assert run.poll() is None
            time.sleep(0.05)
        run.kill()
    [path] = (tmp_path / "runs").iterdir()
    assert RunDir.open(path).manifest()["complete"] is False
    assert run_command(["output", str(path), "talk"]) == 0
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"hello\n")
    assert err == b"smplab: note: the run was cut; this is what had been written\n"
