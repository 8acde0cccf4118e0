"""``smplab race replay`` stops where one says: after a step, before a point, before the failure."""

import json
from pathlib import Path

import pytest

from cluster.cli.main import run_command as main

NAME = "exit_against_reparent"


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("record") / "bug.json"
    assert main(["race", "run", NAME, "--save", str(path)]) == 1
    return str(path)


def replay(capsys, saved: str, *options: str) -> dict:
    capsys.readouterr()
    assert main(["race", "replay", saved, NAME, "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_stops_after_a_step(saved, capsys):
    told = replay(capsys, saved, "--until", "40")
    assert told["stopped"]
    assert len(told["steps"]) == 40
    assert [one["goes"] for one in told["next"]].count(True) == 1


def test_it_stops_before_the_first_step_at_a_point(saved, capsys):
    told = replay(capsys, saved, "--break", "exit_notify.tasklist_lock")
    assert "exit_notify.tasklist_lock" not in [step["point"] for step in told["steps"]]
    (goes,) = (one for one in told["next"] if one["goes"])
    assert goes["point"] == "exit_notify.tasklist_lock"


@pytest.mark.parametrize("what", ["data race", "race", "real_parent"])
def test_it_stops_before_the_step_that_fails(what, saved, capsys):
    told = replay(capsys, saved, "--break", what)
    assert len(told["steps"]) == len(json.loads(Path(saved).read_text())["steps"]) - 1


def test_locks_that_are_held_where_it_stops_are_told(saved, capsys):
    told = replay(capsys, saved, "--break", "do_wait.tasklist_unlock")
    (goes,) = (one for one in told["next"] if one["goes"])
    assert goes["locks"] == ["tasklist_lock (shared)"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--break", "exit_notify.tasklist_lok"], "did you mean exit_notify.tasklist_lock?"),
        (["--break", "pipe_read.mutex_lock"], "the run has no step at pipe_read.mutex_lock"),
        (["--break", "race", "--until", "3"], "--until and --break exclude each other"),
    ],
)
def test_where_it_cannot_stop_is_told(options, said, saved, capsys):
    assert main(["race", "replay", saved, NAME, *options]) == 2
    assert said in capsys.readouterr().err
