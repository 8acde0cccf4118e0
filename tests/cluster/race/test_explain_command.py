"""``smplab race shrink`` and ``race explain``: what they print, write and refuse."""

import json
from pathlib import Path

import pytest

from cluster.cli.main import run_command

from .conftest import FORK

SCENARIO = """\
title: a parent waits while its child exits
program: fork.py
cpus: 4
mutations: [do_wait.tasklist_lock]
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario, ``s.yaml``, and the record of a bug of it, ``bug.json``."""
    folder = tmp_path_factory.mktemp("found")
    (folder / "fork.py").write_text(FORK)
    (folder / "s.yaml").write_text(SCENARIO)
    command = ["race", "run", str(folder / "s.yaml"), "--save", str(folder / "bug.json")]
    assert run_command(command) == 1
    return folder


def test_shrink_prints_a_string_that_replays(
    found: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario, bug = str(found / "s.yaml"), str(found / "bug.json")
    assert run_command(["race", "shrink", bug, scenario, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["segments"] <= 8
    assert data["changes"] == ["cpus 4 -> 2"]
    assert data["command"].split()[:3] == ["smplab", "race", "replay"]
    assert run_command(data["command"].split()[1:]) == 1
    assert data["signature"].split(":")[0] in capsys.readouterr().out


def test_shrink_tells_what_it_came_to(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = found / "small.json"
    words = ["race", "shrink", str(found / "bug.json"), str(found / "s.yaml"), "--save", str(small)]
    assert run_command(words) == 0
    out = capsys.readouterr().out
    assert "segments" in out and "cpus 4 -> 2" in out and f"{small}" in out
    again = ["race", "explain", str(small), str(found / "s.yaml"), "--cpus", "2"]
    assert run_command(again) == 0
    assert "data race on task:4." in capsys.readouterr().out


def test_explain_writes_a_page_and_a_trace(
    found: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, trace = tmp_path / "e.html", tmp_path / "e.json"
    words = ["race", "explain", str(found / "bug.json"), str(found / "s.yaml"), "--shrink"]
    assert run_command([*words, "--html", str(page), "--perfetto", str(trace)]) == 0
    assert "order:" in capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")
    assert json.loads(trace.read_text())["traceEvents"]


def test_explain_answers_in_json(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["race", "explain", str(found / "bug.json"), str(found / "s.yaml"), "--json"]
    assert run_command(words) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "data race"


@pytest.mark.parametrize("command", ["shrink", "explain"])
def test_strings_of_other_scenarios_are_refused(
    found: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["race", command, str(found / "bug.json"), str(found / "s.yaml"), "--unmutated"]
    assert run_command(words) == 2
    assert "of another program" in capsys.readouterr().err
    assert run_command(["race", command, "smp1.abc", str(found / "s.yaml")]) == 2
    assert "replay string" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_told(
    found: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["race", "explain", str(found / "bug.json"), str(found / "s.yaml")]
    assert run_command([*words, "--html", str(found / "no" / "e.html")]) == 2
    assert "--html" in capsys.readouterr().err
