"""``smplab export``: what it says, and what is there when something goes wrong."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.exit_codes import OK, TRY_AGAIN, USAGE
from cluster.export import FORMATS

ROOT = Path(__file__).resolve().parents[3]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    """Return exit code and lines on standard error."""
    capsys.readouterr()
    code = run_command(["export", *words])
    return code, capsys.readouterr().err.splitlines()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_named_after_the_run_if_nobody_says_how(run: Path, here: Path) -> None:
    assert run_command(["export", str(run)]) == OK
    assert [path.name for path in here.iterdir()] == [f"{run.name}.pftrace"]


@pytest.mark.parametrize(
    ("name", "begins"), [("x.jsonl", b'{"time_ns"'), ("x.dat", b"\x17\x08Dtr")]
)
def test_the_ending_of_the_file_says_which_format(
    name: str, begins: bytes, run: Path, here: Path
) -> None:
    assert run_command(["export", str(run), "-o", name]) == OK
    assert (here / name).read_bytes().startswith(begins)


def test_a_trace_file_will_do_for_a_run(run: Path, here: Path) -> None:
    assert run_command(["export", str(run / "trace.smpt"), "-f", "jsonl"]) == OK
    assert [path.name for path in here.iterdir()] == ["trace.jsonl"]


def test_equal_runs_give_equal_files(run: Path, here: Path) -> None:
    for name in FORMATS:
        for out in ("a", "b"):
            assert run_command(["export", str(run), "-f", name, "-o", out]) == OK
        assert (here / "a").read_bytes() == (here / "b").read_bytes(), name


def test_a_file_that_is_there_is_replaced(run: Path, here: Path) -> None:
    (here / "x").write_text("old")
    assert run_command(["export", str(run), "-o", "x"]) == OK
    assert (here / "x").stat().st_size > 1000
    assert [path.name for path in here.iterdir()] == ["x"]


def test_an_unknown_format_is_refused_with_those_there_are(
    run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, (line,) = told(capsys, str(run), "-f", "vcd")
    assert code == USAGE
    assert line == (f"smplab: usage: --format: no format 'vcd'; there are {', '.join(FORMATS)}")


def test_what_is_no_run_is_refused_in_a_line(
    run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "empty").mkdir()
    (here / "text").write_text("hello")
    (here / "untraced").mkdir()
    shutil.copy(run / "manifest.json", here / "untraced")
    expected = {
        "nowhere": "smplab: no trace: nowhere does not exist",
        "empty": "smplab: bad run directory: empty is no run directory: it has no manifest.json",
        "text": "smplab: bad trace: text is not a trace file",
        "untraced": "smplab: no trace: untraced has no trace.smpt (was the run traced?)",
    }
    for name, line in expected.items():
        assert told(capsys, name, "-o", "out") == (USAGE, [line])
    assert not (here / "out").exists()


def test_a_damaged_trace_leaves_nothing_behind(
    run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray((run / "trace.smpt").read_bytes())
    data[len(data) // 2] ^= 0x10
    (here / "trace.smpt").write_bytes(data)
    for name in FORMATS:
        code, (line,) = told(capsys, "trace.smpt", "-f", name, "-o", "out")
        assert code == USAGE
        assert line.startswith("smplab: bad trace: trace.smpt: frame at byte ")
        assert [path.name for path in here.iterdir()] == ["trace.smpt"]


def test_a_cut_trace_is_exported_as_far_as_it_goes_and_that_is_said(
    run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = (run / "trace.smpt").read_bytes()
    (here / "trace.smpt").write_bytes(data[: len(data) - 100])
    for name in FORMATS:
        code, lines = told(capsys, "trace.smpt", "-f", name, "-o", f"out.{name}")
        assert (code, lines) == (
            OK,
            ["smplab: note: this trace has no end: its run was stopped, or it was cut"],
        )
        assert (here / f"out.{name}").is_file()


@pytest.mark.parametrize("name", FORMATS)
def test_a_disk_that_is_full_in_the_middle_leaves_what_was_there(
    name: str, run: Path, here: Path, exported: object
) -> None:
    whole = exported(name).stat().st_size  # type: ignore[operator]
    (here / "out").write_text("old")
    done = subprocess.run(
        [sys.executable, "-m", "cluster.entry", "export", str(run), "-f", name, "-o", "out"],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (whole // 2, whole // 2)),
    )
    assert done.returncode == TRY_AGAIN
    assert done.stderr == "smplab: cannot write: out: File too large\n"
    assert [path.name for path in here.iterdir()] == ["out"]
    assert (here / "out").read_text() == "old"


def test_a_device_without_room_is_written_to_and_stays_one(
    run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("this host has no /dev/full")
    line = "smplab: cannot write: /dev/full: No space left on device"
    assert told(capsys, str(run), "-f", "jsonl", "-o", "/dev/full") == (TRY_AGAIN, [line])
    assert Path("/dev/full").is_char_device()


def test_a_place_that_cannot_be_written_is_said_in_a_line(
    run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, str(run), "-o", "no/out") == (
        USAGE,
        ["smplab: cannot write: no/out: No such file or directory"],
    )
    (here / "folder").mkdir()
    assert told(capsys, str(run), "-o", "folder") == (
        USAGE,
        ["smplab: cannot write: folder: Is a directory"],
    )


def test_the_trace_itself_is_not_overwritten(
    run: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(run / "trace.smpt", here / "trace.smpt")
    assert told(capsys, "trace.smpt", "-o", "./trace.smpt") == (
        USAGE,
        ["smplab: cannot export: trace.smpt is the trace that is read"],
    )


def test_standard_output_gets_the_file_and_nothing_else(
    run: Path, exported: object, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    whole = exported("jsonl").read_bytes()  # type: ignore[operator]
    capfdbinary.readouterr()
    assert run_command(["export", str(run), "-f", "jsonl", "-o", "-"]) == OK
    assert capfdbinary.readouterr() == (whole, b"")
