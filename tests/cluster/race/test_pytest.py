"""``@race``: a scenario is a test, whose failure says how the run is made again."""

import shlex
import sys
from pathlib import Path

import pytest

from cluster.race.pytest import race

pytest_plugins = ["pytester"]

RACES = Path(__file__).parents[3] / "configs" / "races"


@race(scenario="exit_against_reparent", runs=20, mutations=())
def test_a_shipped_scenario_is_clean_without_its_mutation(tmp_path: Path) -> None:
    assert tmp_path.is_dir()  # fixtures come through


@race(scenario="../../../configs/races/exit_against_reparent.yaml", runs=20, expect="found")
def test_a_scenario_may_be_a_file_and_have_a_bug() -> None:
    pass


def _tests(pytester: pytest.Pytester, text: str) -> pytest.RunResult:
    pytester.makepyfile(f"from cluster.race.pytest import race\n\n{text}")
    return pytester.runpytest_subprocess("-p", "no:cacheprovider")


def test_a_failure_prints_the_string_and_the_command_that_replays_it(
    pytester: pytest.Pytester,
) -> None:
    for name in ("exit_against_reparent.py", "exit_against_reparent.yaml"):
        (pytester.path / name).write_text((RACES / name).read_text())
    result = _tests(
        pytester,
        '@race(scenario="exit_against_reparent.yaml", runs=20)\ndef test_it():\n    assert False\n',
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "exit_against_reparent: data race after * runs, * steps",
            "  data race on TaskStruct.*",
            "replay string: smp1.*",
            "again: smplab race replay smp1.* exit_against_reparent.yaml",
        ]
    )
    # where CI is set, pytest's short summary says the whole message once more
    (again,) = {line for line in result.outlines if line.startswith("again: smplab ")}
    words = shlex.split(again)[2:]
    done = pytester.run(sys.executable, "-c", "from cluster.entry import main; main()", *words)
    assert done.ret == 1
    done.stdout.fnmatch_lines(["the same * steps: data race, digest *"])


def test_what_is_wrong_with_the_scenario_is_the_failure(pytester: pytest.Pytester) -> None:
    result = _tests(pytester, '@race(scenario="ther.yaml")\ndef test_it():\n    pass\n')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["smplab race run ther.yaml", "*ther.yaml: No such file*"])


def test_a_bug_that_was_expected_and_is_not_there_fails(pytester: pytest.Pytester) -> None:
    result = _tests(
        pytester,
        '@race("exit_against_reparent", runs=3, mutations=(), expect="found")\n'
        "def test_it():\n    pass\n",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*: a bug was expected, and 3 runs are clean"])


def test_prove_certifies_or_says_that_it_does_not(pytester: pytest.Pytester) -> None:
    result = _tests(
        pytester,
        '@race("lost_wakeup", mutations=(), model="sc", prove=True)\ndef test_it():\n    pass\n\n\n'
        '@race("exit_against_reparent", mutations=(), prove=True, runs=2)\n'
        "def test_other():\n    pass\n",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*: the budget ended after 2 traces, and nothing is certain"])


def test_what_cannot_be_asked_for_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="prove takes no strategy"):
        race("exit_against_reparent", prove=True, strategy="pos")
    with pytest.raises(ValueError, match="expect: 'clean' or 'found'"):
        race("exit_against_reparent", expect="dirty")
