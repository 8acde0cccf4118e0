"""Recordings of strace and perf as workloads of a configuration."""

import re
from pathlib import Path

import pytest

from cluster.build import resolve
from cluster.cli.main import run_command
from cluster.config import load_config
from cluster.imports.format import ImportProblems
from cluster.imports.registry import program_of
from cluster.local_engine import LocalRun
from cluster.request import request_of
from workloads.recordings.load import load_recording
from workloads.recordings.program import program_text

INPUTS = Path(__file__).resolve().parents[2] / "workloads" / "recordings" / "inputs"


@pytest.mark.parametrize("name", ["killed.strace", "make.perf.txt"])
def test_a_recording_is_recognised_by_its_lines(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "recorded"
    copy.write_bytes((INPUTS / name).read_bytes())
    assert program_of(copy) == program_text(load_recording(copy), f"The recording {copy}.")


def test_a_configuration_runs_a_recording(tmp_path: Path) -> None:
    (tmp_path / "a.strace").write_bytes((INPUTS / "killed.strace").read_bytes())
    (tmp_path / "c.yaml").write_text("machine: {cpus: 2}\nworkloads:\n  - import: a.strace\n")
    loaded = load_config(tmp_path / "c.yaml")
    run = LocalRun(request_of(loaded, resolve(loaded)))
    assert run.run().exit_kind == "done"


def test_what_is_wrong_in_a_recording_is_told_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.strace"
    path.write_text("7 1.000001 getpid() = 7\nsome words\n7 1.000002 exit_group(0) = ?\n")
    with pytest.raises(ImportProblems) as caught:
        program_of(path)
    first = caught.value.problems[0]
    assert (first.file, first.line, first.column) == (str(path), 2, 1)
    assert first.what.startswith("expected a line of strace -f -ttt")


def test_perf_data_that_is_damaged_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "perf.data"
    path.write_bytes(b"PERFILE2" + bytes(100))
    with pytest.raises(ImportProblems, match=r"perf\.data: byte 8: expected a head of 104 bytes"):
        program_of(path)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "hello\n", "\0\1\2"])
def test_other_text_is_no_recording(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(ImportProblems, match="no known kind of file"):
        program_of(path)


def test_the_import_command_lists_what_is_not_as_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made.py"
    assert run_command(["import", str(INPUTS / "make.perf.txt"), "-o", str(out)]) == 0
    told = capsys.readouterr()
    assert "smplab: note: exit codes are not recorded: they are 0\n" in told.err
    assert re.fullmatch(
        rf"{re.escape(str(out))}: \d+ tasks, .* ms of CPU time in .* ms\n", told.out
    )
    compile(out.read_text(), "made.py", "exec")
