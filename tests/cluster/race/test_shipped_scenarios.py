"""The scenarios of configs/races: each mutation is found, and the kernel without it is clean.

Each under its own memory model, with few clean runs, and some of them outside of soaks: ``make
soak`` sends all of them through the whole gate, under every model that they speak of
(``tests.oracle.race_scenarios``).
"""

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.race.explore import Found, Plan, explore
from cluster.race.run import OUTCOME, explore_once
from cluster.race.scenario import CLEAN, FOUND, ScenarioFile, load_scenario
from cluster.race.shrink import shrink
from cluster.race.strategies import Learned, Pos
from cluster.race.watch import following
from tests.soak import one_in

FOLDER = Path(__file__).resolve().parents[3] / "configs" / "races"
SCENARIOS = sorted(FOLDER.glob("*.yaml"))
CATALOGUE = {"W1", "W2", "W3", "W6", "F1", "F3", "F4", "F6", "F8", "P2", "X1", "X2", "X4", "M1"}
QUICK = 60  # runs
MOST = 20_000
SEGMENTS = 8
CLEAN_RUNS = 40
OTHERS = 20  # clean runs of another memory model


def quick(path: Path) -> bool:
    return load_scenario(path).runs <= QUICK


def found_by(loaded: ScenarioFile, runs: int) -> Found:
    with following():
        return explore(Plan(loaded.scenario, runs=runs))


@pytest.mark.parametrize("path", [*filter(quick, SCENARIOS)], ids=lambda path: path.stem)
def test_the_mutation_of_a_scenario_is_found_within_its_budget(path: Path) -> None:
    loaded = load_scenario(path)
    assert found_by(loaded, loaded.runs).bug is not None


@pytest.mark.slow
@pytest.mark.parametrize("path", one_in(4, SCENARIOS, 0), ids=lambda path: path.stem)
def test_every_bug_is_found_and_has_few_segments_when_it_is_made_small(path: Path) -> None:
    loaded = load_scenario(path)
    found = found_by(loaded, MOST)
    assert found.bug is not None
    with following():
        small = shrink(loaded.scenario, found.bug)
    assert small.forced <= SEGMENTS
    assert small.segments <= SEGMENTS


@pytest.mark.slow
@pytest.mark.parametrize("path", one_in(4, SCENARIOS, 1), ids=lambda path: path.stem)
def test_without_its_mutation_a_scenario_is_clean(path: Path) -> None:
    found = found_by(load_scenario(path).changed(mutations=[]), CLEAN_RUNS)
    assert (found.runs, found.kinds) == (CLEAN_RUNS, {})


@pytest.mark.slow
@pytest.mark.parametrize("path", one_in(4, SCENARIOS, 2), ids=lambda path: path.stem)
def test_a_mutation_shows_under_the_models_that_the_file_names_only(path: Path) -> None:
    loaded = load_scenario(path)
    for model, verdict in loaded.verdicts.items():
        if verdict == CLEAN:
            found = found_by(loaded.changed(model=model), OTHERS)
            assert (model, found.kinds) == (model, {})


def test_every_scenario_says_that_its_own_model_shows_its_bug() -> None:
    for path in SCENARIOS:
        loaded = load_scenario(path)
        assert loaded.verdicts[loaded.scenario.spec.memory_model] == FOUND, path


def test_every_program_of_the_folder_belongs_to_a_scenario_and_every_scenario_names_a_source() -> (
    None
):
    loaded = [load_scenario(path) for path in SCENARIOS]
    programs = {one.scenario.spec.spawns[0].label for one in loaded}
    assert programs == {path.stem for path in FOLDER.glob("*.py")}
    assert all(one.source for one in loaded)


def test_there_is_a_scenario_for_every_row_of_the_catalogue_and_no_two_have_one_id() -> None:
    ids = [loaded.id for loaded in map(load_scenario, SCENARIOS) if loaded.id]
    assert set(ids) >= CATALOGUE
    assert len(set(ids)) == len(ids)


def test_a_stop_is_lost_that_is_set_without_pi_lock() -> None:
    scenario = load_scenario(FOLDER / "stop_against_wake.yaml").scenario
    for seed in range(1181, 4000):  # the detector would end the run before
        run, _ = explore_once(scenario, Pos, "pos", Learned(), seed, watch=False)
        if run.verdict.kind == OUTCOME:
            break
    assert "b'stopped True S\\n'" in run.verdict.text


def test_reports_hold_no_addresses() -> None:
    loaded = load_scenario(FOLDER / "forks_at_once.yaml")
    with following():
        found = explore(replace(Plan(loaded.scenario), runs=50))
    assert found.bug is not None and "0x" not in found.bug.verdict.text
