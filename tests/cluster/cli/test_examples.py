"""The examples that --help ends with: every command has some, and each can be typed."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from cluster.cli.app import CLICK_ERROR, commands_of, make_app
from cluster.cli.examples import EXAMPLES, lines

#: Files that the examples name.
FILES = ("storm.yaml", "experiment.yaml", "hello.py", "bug.run", "MP.litmus", "costs.yaml")
COMMAND_LINE: Any = typer.main.get_command(make_app())
COMMANDS = dict(commands_of(COMMAND_LINE))


def test_every_command_has_examples_and_no_other_has() -> None:
    assert sorted(EXAMPLES) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_an_example_is_taken_by_the_commands_options(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in FILES:
        Path(file).touch()
    for line, _ in lines(name):
        words = shlex.split(line)[1 + len(name.split()) :]
        try:
            COMMANDS[name].make_context(name, words)
        except CLICK_ERROR as error:
            pytest.fail(f"{line}: {error.format_message()}")


@pytest.mark.parametrize("name", ["sched", "race"])
def test_help_of_a_group_has_one_example_of_each_of_its_commands(name: str) -> None:
    group = COMMAND_LINE.commands[name]
    help_text = group.get_help(group.make_context(name, [], resilient_parsing=True))
    shown = [line.split()[2] for line in help_text.splitlines() if line.startswith("    smplab ")]
    assert sorted(shown) == sorted(group.commands)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_ends_with_the_examples(name: str) -> None:
    command = COMMANDS[name]
    help_text = command.get_help(command.make_context(name, [], resilient_parsing=True))
    shown = [line.strip() for line in help_text.partition("Examples:\n")[2].splitlines()]
    assert shown == [part for example in lines(name) for part in example]
