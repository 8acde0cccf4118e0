"""smplab scheduler check: the table, and what it says of names that are none."""

from pathlib import Path

import pytest

from cluster import scheduler_check
from cluster.cli.main import run_command
from cluster.exit_codes import FAILED, OK, USAGE

SHIPPED = Path(__file__).parents[3] / "configs" / "schedulers"
FIFO = f"{SHIPPED / 'fifo.py'}:Fifo"


def test_a_property_that_holds_and_one_that_does_not(monkeypatch, capsys):
    tried = {"one": lambda trial: iter(("", "")), "other": lambda trial: iter(("", "so and so"))}
    monkeypatch.setattr(scheduler_check, "PROPERTIES", tried)
    assert run_command(["scheduler", "check", FIFO]) == FAILED
    printed = capsys.readouterr()
    lines = [line.split(None, 2) for line in printed.out.splitlines()]
    assert lines[1:] == [["one", "2", "pass"], ["other", "2", "FAIL: so and so"]]
    assert printed.err == f"smplab: scheduler: {FIFO}: 1 of the properties do not hold\n"


def test_all_that_hold_are_no_failure(monkeypatch):
    monkeypatch.setattr(scheduler_check, "PROPERTIES", {"one": lambda trial: iter(("",))})
    assert run_command(["scheduler", "check", FIFO]) == OK


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["check", "gone.py:Fifo"], "smplab: usage: gone.py: No such file or directory\n"),
        (
            ["chekc", FIFO],
            "smplab: usage: scheduler: 'chekc' is no action (there is: check)\n",
        ),
    ],
)
def test_what_is_not_there_is_a_usage_error(words, expected, capsys):
    assert run_command(["scheduler", *words]) == USAGE
    assert capsys.readouterr().err == expected
