"""A mutated kernel leaves nothing behind in the process: the next is as if it had not been."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster import fast_core
from cluster.mutations.changed import code_of, wrong_mutations
from cluster.mutations.install import install
from cluster.mutations.source import paths
from cluster.race.run import Control, Scenario, run_once
from cluster.race.scenario import load_scenario
from kernel.errors import BadMutation

FOLDER = Path(__file__).resolve().parents[3] / "configs" / "races"

pytestmark = pytest.mark.skipif(
    fast_core.core() == "compiled", reason="code is changed in the pure core only"
)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(FOLDER / "wait_against_exit.yaml").changed(mutations=[]).scenario


def digest(scenario: Scenario, *mutations: str) -> tuple[str, str]:
    """Return what a run shows in which paths go on as long as they can, and its digest."""
    mutated = replace(scenario, spec=replace(scenario.spec, mutations=mutations))
    run = run_once(mutated, Control(mutated, None), watch=None)
    return run.verdict.kind, run.digest


def test_a_mutated_run_is_another_and_the_next_one_is_not(scenario: Scenario) -> None:
    before = digest(scenario)
    moved = digest(scenario, "move:do_wait.tasklist_unlock:before:do_wait.tasklist_lock")
    assert moved[0] == "invariant" and moved != before
    assert digest(scenario) == before


_NAMES = sorted(paths().points)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_whatever_a_mutation_does_the_next_run_without_it_is_as_ever(
    scenario: Scenario, data: st.DataObject
) -> None:
    before = _BEFORE.setdefault("digest", digest(scenario))
    name = data.draw(st.sampled_from(_NAMES))
    near = [one.name for one in paths().points.values() if one.key == paths().points[name].key]
    other = data.draw(st.sampled_from(near))
    side = data.draw(st.sampled_from(["before", "after"]))
    action = data.draw(
        st.sampled_from(
            [
                f"drop:{name}",
                f"weaken:{name}",
                f"move:{name}:{side}:{other}",
                f"swap:{name}:{other}",
            ]
        )
    )
    if not list(wrong_mutations([action])):
        digest(scenario, action)
    assert digest(scenario) == before


_BEFORE: dict[str, tuple[str, str]] = {}


def test_the_code_made_of_the_source_does_what_the_kernel_of_this_process_does(
    scenario: Scenario,
) -> None:
    before = digest(scenario)
    kept = {}
    try:
        for key, node in paths().functions.items():
            function = getattr(import_module(key[0]), key[1])
            if function.__closure__ is None:
                kept[function] = function.__code__
                function.__code__ = code_of(str(paths().file(key)), node)
        assert digest(scenario) == before
    finally:
        for function, code in kept.items():
            function.__code__ = code
    assert len(kept) > 500


def test_what_makes_no_sense_is_refused_and_nothing_is_changed() -> None:
    install([])
    with pytest.raises(BadMutation, match="changes nothing"):
        install(["move:copy_process.siglock_done:before:copy_process.tasklist_unlock"])
    point = paths().points["copy_process.siglock"]
    function = getattr(import_module(point.key[0]), point.key[1])
    own = function.__code__
    install(["swap:copy_process.tasklist_lock:copy_process.siglock"])
    assert function.__code__ is not own
    install([])
    assert function.__code__ is own
