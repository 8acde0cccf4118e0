"""Outcomes of free runs: counted, kept, replayed, and held against those of exact."""

import json
from pathlib import Path

import pytest

from cluster.catalogue import CONFIGS, configs_in_folders
from cluster.cli.main import run_command
from cluster.engine_api import DEADLOCK, DONE, RunRequest, RunResult
from cluster.exit_codes import BROKEN, FAILED, OK, USAGE
from cluster.outcomes import Outcomes, exact_runs, free_runs, outcome_of

FAMILY = sorted(path.stem for path in (CONFIGS / "races" / "parallel").glob("*.yaml"))


def results(*texts: str) -> "list[RunResult]":
    return [RunResult(DONE, outputs={"p.stdout": text.encode()}) for text in texts]


# -- what is counted -------------------------------------------------------------------------------


def test_an_outcome_is_what_was_written_and_how_it_ended() -> None:
    [one, same] = results("a\nb\n", "a\nb\n")
    assert outcome_of(one) == outcome_of(same) == "a / b"
    ended = RunResult(DONE, statuses=[("p", 3, 256)], outputs={"p.stdout": b"a\n"})
    assert outcome_of(ended) == "a; p: status 256"
    stuck = RunResult(DEADLOCK, "nothing can run", statuses=[("p", 3, None)])
    assert outcome_of(stuck) == "deadlock: nothing can run; p: never ended"
    assert outcome_of(RunResult(DONE)) == "nothing is written"


def test_an_outcome_that_exact_does_not_reach_is_outside_after_the_most_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Outcomes()
    free = results("one", "two", "one")
    assert list(free_runs(found, lambda seed: (free[seed], None), range(3))) == [
        (1, True), (2, True), (3, False),
    ]  # fmt: skip
    shown = iter(results(*["one"] * 9, "two"))
    monkeypatch.setattr("cluster.outcomes.run_local", lambda request: next(shown))

    def make(seed: int) -> RunRequest:
        return RunRequest(spec=None)  # type: ignore[arg-type]

    assert list(exact_runs(found, make, 0, 2, 5)) == [1, 2, 3, 4, 5]
    assert found.outside() == ["two"]
    assert list(exact_runs(found, make, 0, 2, 100)) == [6, 7, 8, 9, 10]  # until it is there
    assert found.outside() == []


# -- the command -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILY)
def test_a_shipped_race_has_several_outcomes_and_exact_reaches_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert f"races/parallel/{name}" in configs_in_folders()
    options = ["--runs", "40", "--out", str(tmp_path), "--json"]
    assert run_command(["outcomes", f"races/parallel/{name}", *options]) == OK
    told = json.loads(capsys.readouterr().out)
    free = [row for row in told["outcomes"] if row["free"]]
    assert len(free) >= 2
    assert sum(row["free"] for row in free) == told["free_runs"] == 40
    assert all(row["exact"] for row in free)
    assert sorted(row["run"] for row in free) == sorted(str(path) for path in tmp_path.iterdir())
    for row in free:
        assert run_command(["replay", row["run"]]) == OK


def test_an_outcome_outside_fails_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    [only] = results("another")
    monkeypatch.setattr("cluster.outcomes.run_local", lambda request: only)
    real = RunResult(DONE, outputs={"p.stdout": b"first: child\n"})
    monkeypatch.setattr("cluster.engine.run_machine", lambda request: real)
    options = ["--runs", "3", "--reference", "2", "--most", "4", "--out", str(tmp_path)]
    assert run_command(["outcomes", "races/parallel/fork_order", *options]) == FAILED
    out, err = capsys.readouterr()
    assert "3 free runs, 4 of exact: 1 outcomes are outside what exact reaches" in out
    assert err == "smplab: outside: not reached by 4 runs of exact: first: child\n"


def test_a_run_that_breaks_says_nothing_of_races(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = RunResult("broken", "an actor died")
    monkeypatch.setattr("cluster.engine.run_machine", lambda request: broken)
    command = ["outcomes", "races/parallel/fork_order", "--out", str(tmp_path)]
    assert run_command(command) == BROKEN
    assert "smplab: run broke: an actor died (run directory " in capsys.readouterr().err


def test_what_is_wrong_with_the_reference_is_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--set", "machine.pid_max=5", "--out", str(tmp_path / "none")]
    assert run_command(["outcomes", "races/parallel/fork_order", *options]) == USAGE
    assert not (tmp_path / "none").exists()
    assert "pid_max" in capsys.readouterr().err


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_outcomes_of_runs_on_ray_are_those_of_exact_and_replay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--engine", "ray", "--runs", "5", "--out", str(tmp_path), "--json"]
    keys = ["--set", "ray.cpus_per_actor=1"]
    assert run_command(["outcomes", "races/parallel/kill_against_exec", *options, *keys]) == OK
    told = json.loads(capsys.readouterr().out)
    for row in told["outcomes"]:
        if row["free"]:
            assert run_command(["replay", row["run"]]) == OK
