"""Scenario files: what they mean, and what is refused with its place."""

import json
from pathlib import Path

import pytest

from cluster.config.errors import ConfigError
from cluster.race.run import config_hash, scenario_hash
from cluster.race.scenario import load_scenario

PROGRAM = "print('hello')\n"
SCENARIO = """title: says hello
program: hello.py
cpus: 3
mutations: [do_wait.tasklist_lock]
expect: {status: 0, stdout: "hello\\n"}
budget: {runs: 7, time: 2s}
"""


def written(folder: Path, text: str = SCENARIO, program: str = PROGRAM) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hello.py").write_text(program)
    (folder / "hello.yaml").write_text(text)
    return folder / "hello.yaml"


def test_a_scenario_file_says_what_is_run_and_how_it_ends(tmp_path):
    found = load_scenario(written(tmp_path))
    spec = found.scenario.spec
    assert (spec.cpus, spec.mutations, spec.granularity) == (3, ("do_wait.tasklist_lock",), "step")
    assert found.scenario.expected.statuses == (("hello", 0),)
    assert found.scenario.expected.outputs == (("hello.stdout", b"hello\n"),)
    assert (found.runs, found.time_ns) == (7, 2_000_000_000)


def test_a_scenario_is_the_same_in_any_folder_whatever_lies_beside_it(tmp_path):
    one, two = written(tmp_path / "one"), written(tmp_path / "two" / "deeper")
    (two.parent / "another.py").write_text("print(2)\n")
    first, second = load_scenario(one).scenario, load_scenario(two).scenario
    assert scenario_hash(first) == scenario_hash(second)
    assert config_hash(first) == config_hash(second)
    assert first.spec == second.spec


def test_a_guest_program_alone_is_a_scenario_with_two_cpus_that_must_exit_0(tmp_path):
    found = load_scenario(written(tmp_path).with_name("hello.py"))
    assert found.scenario.spec.cpus == 2 and not found.scenario.spec.mutations
    assert found.scenario.expected.statuses == (("hello", 0),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("cpus: 3", "cpus: 0"), "hello.yaml:3:7: cpus: must be at least 1 (got 0)"),
        (("cpus:", "cpu:"), "hello.yaml:3:1: cpu: unknown key (did you mean cpus?)"),
        (
            ("tasklist_lock]", "tasklst_lock]"),
            "hello.yaml:4:13: mutations.0: there is no point do_wait.tasklst_lock "
            "(got 'do_wait.tasklst_lock'); "
            "did you mean do_wait.tasklist_lock?",
        ),
        (("hello.py", "gone.py"), "gone.py: No such file or directory"),
        (("program: hello.py\n", ""), "program: is required"),
        (("runs: 7", "runs: many"), "hello.yaml:6:16: budget.runs: must be an integer"),
        (
            ("program: hello.py", "program: ../hello.py"),
            "hello.yaml:2:10: program: must be the name of a file beside this one, NAME.py "
            "(got '../hello.py')",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(change, message, tmp_path):
    path = written(tmp_path, SCENARIO.replace(*change))
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)
    assert message in str(caught.value)


def test_flags_change_the_machine_and_are_named_in_what_is_wrong(tmp_path):
    found = load_scenario(written(tmp_path))
    assert found.changed(mutations=[]).scenario.spec.mutations == ()
    assert found.changed(cpus=2, model="tso").scenario.spec.memory_model == "tso"
    with pytest.raises(ConfigError) as caught:
        found.changed(cpus=0, model="tsoo", mutations=["nothing"])
    flags = sorted(problem.file for problem in caught.value.problems)
    assert flags == ["--cpus", "--model", "--mutate"]


def test_a_program_that_is_none_is_told_with_its_line(tmp_path, capsys):
    from cluster.cli.main import run_command

    path = written(tmp_path, program="import nothing_there\n")
    assert run_command(["race", "run", str(path)]) == 2
    assert "hello.py:1:" in capsys.readouterr().err


def test_json_of_a_clean_run_has_no_bug(tmp_path, capsys):
    from cluster.cli.main import run_command

    path = written(tmp_path)
    assert run_command(["race", "run", str(path), "--unmutated", "--runs", "3", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["runs"], data["failed"], data["bug"], data["finished"]) == (3, 0, None, True)
