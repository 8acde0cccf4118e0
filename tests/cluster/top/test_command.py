"""The command ``smplab top``."""

import shutil
import sys
from pathlib import Path

import pytest
import smplab

from cluster.cli import top as command
from cluster.cli.main import run_command
from cluster.run_lock import RunLock


def _refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_command(["top", *arguments]) == 2
    told = capsys.readouterr()
    assert not told.out
    return told.err


def test_one_frame_is_printed_as_text(
    storm: smplab.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["top", str(storm.path), "--once", "--at", "2ms"]) == 0
    told = capsys.readouterr()
    assert "2.000 ms of" in told.out and "COMMAND" in told.out
    assert "\x1b" not in told.out and not told.err


def test_a_run_without_a_trace_is_refused(
    untraced: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _refused(capsys, str(untraced), "--once")
    assert "no trace" in told and "trace.enabled=true" in told


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no run directory" in _refused(capsys, str(tmp_path), "--once")
    assert "no.run" in _refused(capsys, str(tmp_path / "no.run"), "--once")
    (tmp_path / "text").write_text("hello, world\n")
    assert "not a trace file" in _refused(capsys, str(tmp_path / "text"), "--once")
    assert "--follow" in _refused(capsys)
    assert "--speed" in _refused(capsys, "latest", "--speed", "1ns")


def test_without_a_terminal_it_says_how_to_do_without(
    storm: smplab.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--once" in _refused(capsys, str(storm.path))


def test_without_textual_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, storm: smplab.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    monkeypatch.setitem(sys.modules, "textual", None)
    assert "smplab[tui]" in _refused(capsys, str(storm.path))


def test_to_follow_is_to_watch_the_newest_run_that_goes_on(
    storm: smplab.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("1-ended", "2-goes-on", "3-ended"):
        shutil.copytree(storm.path, tmp_path / name)
    lock = RunLock(tmp_path / "2-goes-on")
    assert command._running(tmp_path) == tmp_path / "2-goes-on"
    lock.close()


def test_who_waits_for_a_run_gets_one_that_was_over_at_once(
    storm: smplab.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        command.time, "sleep", lambda _s: shutil.copytree(storm.path, tmp_path / "1-quick")
    )
    assert command._running(tmp_path) == tmp_path / "1-quick"


def test_a_trace_that_is_damaged_while_it_is_shown_ends_it_with_one_line(
    storm: smplab.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray((storm.path / "trace.smpt").read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / "t").write_bytes(data)
    told = _refused(capsys, str(tmp_path / "t"), "--once")
    assert told.startswith("smplab: bad trace: ") and told.count("\n") == 1
