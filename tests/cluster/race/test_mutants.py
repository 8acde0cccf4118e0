"""``smplab race mutants``: the list of all mutations, and the table of the shipped scenarios."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.main import run_command as main
from cluster.exit_codes import INTERRUPTED
from cluster.point_names import point_kinds
from cluster.race.explore import Found, Plan, hit_rate
from cluster.race.mutants import (
    BEGINS,
    ENDS,
    Budget,
    Case,
    Row,
    cases,
    mutables,
    plain_row,
    put_table,
    row_of,
    table,
    told,
)
from cluster.race.shipped import scenario_names
from cluster.race.watch import following
from cluster.race.workers import Here
from kernel.points import KIND_NAMES

_MODELS = ("sc", "tso", "pso", "arm", "weak")

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "races.md"


def case(name: str, model: str = "sc") -> Case:
    return next(one for one in cases() if (one.name, one.model) == (name, model))


def test_the_list_has_every_point_with_its_kind_and_its_place() -> None:
    listed = mutables()
    assert {point.name: point.kind for point in listed} == {
        name: KIND_NAMES[kind] for name, kind in point_kinds().items()
    }
    lock = next(point for point in listed if point.name == "do_wait.tasklist_lock")
    assert lock.place.startswith("kernel/process/wait.py:") and lock.function == "wait_scan"
    assert lock.admits == ("drop", "weaken:plain", "move", "swap")
    assert lock.beside == ("do_wait.tasklist_unlock",)


def test_every_point_admits_something_and_every_lock_can_be_dropped() -> None:
    for point in mutables():
        assert point.admits
        assert point.kind not in ("acquire", "read", "barrier") or "drop" in point.admits


def test_a_row_tells_the_first_bug_how_often_runs_fail_and_that_the_kernel_is_clean() -> None:
    with following():
        row = row_of(case("wake_against_sleep"), Budget(more=20), Here())
    assert row.as_expected and row.finished
    assert (row.found, row.first, row.unmutated, row.broken) == ("found", row.runs, 20, "")
    assert row.more == 20 and 0 < row.failed <= 20
    assert row.strategy and row.kind
    rate, low, high = hit_rate(row.failed, row.more)
    assert 0 < low < rate <= high
    assert told(row).startswith("wake_against_sleep (sc), wake_up.lock: found: ")
    assert plain_row(row)["first"] == row.first
    line = table([row])[-1]
    assert line.startswith("| `wake_against_sleep` | `wake_up.lock` | sc | found | found: ")
    assert line.endswith("| 0 of 20 |")


def test_a_mutation_that_shows_under_another_model_only_is_clean_under_this_one() -> None:
    with following():
        row = row_of(case("lost_wakeup"), Budget(more=10), Here())
    assert (row.case.expected, row.found, row.first, row.runs) == ("clean", "clean", 0, 10)
    assert row.as_expected and "clean in 10 runs" in told(row)


def test_the_table_takes_the_place_of_the_one_between_the_marks() -> None:
    text = f"before\n{BEGINS}\nold\n{ENDS}\nafter\n"
    lines = put_table(text, []).splitlines()
    assert (lines[0], lines[1], lines[-2], lines[-1]) == ("before", BEGINS, ENDS, "after")
    assert "old" not in lines and lines[2].startswith("| scenario | mutation |")
    with pytest.raises(ValueError, match="has no lines"):
        put_table("nothing", [])


def shown() -> dict[tuple[str, str], tuple[str, str]]:
    """Return what the document's table says: mutation and verdict by scenario and model."""
    text = DOCUMENT.read_text("utf-8")
    lines = text[text.index(BEGINS) : text.index(ENDS)].splitlines()[3:]
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    return {(row[0], row[2]): (row[1].replace("`", ""), row[3]) for row in cells}


def test_what_the_document_says_of_scenarios_is_what_their_files_say() -> None:
    now = {(one.name, one.model): (one.mutations, one.expected) for one in cases()}
    assert {key: now.get(key) for key in shown()} == shown()


@pytest.mark.slow
def test_the_table_of_the_document_has_every_scenario() -> None:
    assert {name for name, _ in shown()} == set(scenario_names())


def test_the_command_lists_and_explores_what_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["race", "mutants", "--list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(point_kinds())
    assert main(["race", "mutants", "--only", "wake_up.lock", "--more", "5", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    of_model = {row["model"]: (row["scenario"], row["found"]) for row in rows}
    assert of_model == dict.fromkeys(_MODELS, ("wake_against_sleep", "found"))
    assert [row["hit_rate"]["of"] for row in rows] == [5] * len(_MODELS)
    only = ["--only", "wake_nobody", "--own-model", "--more", "5"]
    assert main(["race", "mutants", *only, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["model"], row["found"]) == ("tso", "found")


def test_what_is_no_scenario_is_refused_with_the_nearest_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["race", "mutants", "--only", "wake_against_slep"]) == 2
    assert "did you mean wake_against_sleep?" in capsys.readouterr().err


def test_a_verdict_that_is_not_the_expected_one_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = case("wake_against_sleep")
    wrong = Case(other.name, other.model, "clean", other.loaded)
    monkeypatch.setattr("cluster.race.mutants.cases", lambda: [wrong])
    assert main(["race", "mutants", "--more", "5"]) == 1
    assert "EXPECTED clean" in capsys.readouterr().out


def test_rows_are_kept_and_ctrl_c_ends_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    names = ("wake_against_sleep", "forks_at_once")
    chosen = [case(name) for name in names]
    keep = tmp_path / "rows"
    command = ["race", "mutants", "--more", "5", "--keep", str(keep)]
    monkeypatch.setattr("cluster.race.mutants.cases", lambda: chosen)
    made: list[str] = []

    def one_row(one: Case, *args: Any) -> Row:
        made.append(one.name)
        if len(made) == 2:
            raise KeyboardInterrupt
        return row_of(one, *args)

    monkeypatch.setattr("cluster.race.mutants.row_of", one_row)
    assert main([*command, "--json"]) == INTERRUPTED
    (first,) = json.loads(capsys.readouterr().out)
    with keep.open("a") as file:
        file.write('["cut')  # as a kill may leave it
    assert main([*command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["scenario"] for row in rows] == list(names)
    assert rows[0] == first
    assert made == [names[0], names[1], names[1]]
    assert main([*command, "--json"]) == 0 and len(made) == 3
    assert json.loads(capsys.readouterr().out) == rows
    capsys.readouterr()
    assert main(["race", "mutants", "--more", "6", "--keep", str(keep)]) == 0
    assert len(made) == 5  # another budget


def test_a_file_that_keeps_no_rows_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    keep = tmp_path / "rows"
    keep.write_text("nothing\n")
    assert main(["race", "mutants", "--keep", str(keep)]) == 2
    assert "--keep" in capsys.readouterr().err
    assert keep.read_text() == "nothing\n"


def test_an_exploration_that_is_cut_is_not_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def cut(plan: Plan, *_args: object) -> Found:
        made.append(plan)
        return Found(runs=3, interrupted=True)

    monkeypatch.setattr("cluster.race.mutants.explore", cut)
    row = row_of(case("wake_against_sleep"), Budget(more=5), Here())
    assert row.cut is not None and row.cut.interrupted
    assert len(made) == 1
