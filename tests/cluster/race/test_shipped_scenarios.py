"""The scenarios of configs/races: each mutation is found, and the kernel without it is clean."""

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.race.explore import Plan, explore
from cluster.race.scenario import CLEAN, FOUND, load_scenario
from cluster.race.watch import following

FOLDER = Path(__file__).resolve().parents[3] / "configs" / "races"
SCENARIOS = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_mutation_of_a_scenario_is_found_within_its_budget(path: Path) -> None:
    loaded = load_scenario(path)
    assert loaded.verdicts[loaded.scenario.spec.memory_model] == FOUND
    assert loaded.runs <= 2000
    with following():
        found = explore(Plan(loaded.scenario, runs=loaded.runs))
    assert found.bug is not None


@pytest.mark.slow
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_without_its_mutation_a_scenario_is_clean(path: Path) -> None:
    loaded = load_scenario(path).changed(mutations=[])
    with following():
        found = explore(Plan(loaded.scenario, runs=200))
    assert (found.runs, found.kinds) == (200, {})


@pytest.mark.slow
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_mutation_shows_under_the_models_that_the_file_names_only(path: Path) -> None:
    loaded = load_scenario(path)
    for model, verdict in loaded.verdicts.items():
        if verdict != CLEAN:
            continue
        with following():
            found = explore(Plan(loaded.changed(model=model).scenario, runs=200))
        assert (model, found.kinds) == (model, {})


def test_every_program_of_the_folder_belongs_to_a_scenario_and_every_scenario_names_a_source() -> (
    None
):
    loaded = [load_scenario(path) for path in SCENARIOS]
    programs = {one.scenario.spec.spawns[0].label for one in loaded}
    assert programs == {path.stem for path in FOLDER.glob("*.py")}
    assert all(one.source for one in loaded)


def test_reports_hold_no_addresses() -> None:
    loaded = load_scenario(FOLDER / "forks_at_once.yaml")
    with following():
        found = explore(replace(Plan(loaded.scenario), runs=50))
    assert found.bug is not None and "0x" not in found.bug.verdict.text
