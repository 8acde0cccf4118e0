"""The machines of sc, tso, pso and arm show exactly what their axioms allow."""

import pytest

from tests.workloads.litmus.axioms import states_of
from workloads.litmus.machines.explore import explore
from workloads.litmus.oracle import outcomes
from workloads.litmus.parser import parse_litmus
from workloads.litmus.shapes import make_shape, variant_names


@pytest.mark.parametrize("model", ["sc", "tso", "pso", "arm"])
@pytest.mark.parametrize("name", variant_names())
def test_a_machine_leaves_each_shape_in_the_states_that_axioms_allow(name: str, model: str) -> None:
    found = explore(parse_litmus(make_shape(name)), model)
    assert set(found.states) == states_of(name, model, found.places)


@pytest.mark.parametrize("name", variant_names())
def test_what_a_machine_shows_the_kernels_model_allows(name: str) -> None:
    test = parse_litmus(make_shape(name))
    allowed = set(outcomes(test).states)
    for model in ("sc", "tso", "pso", "arm", "weak"):
        assert set(explore(test, model).states) <= allowed, model


def test_the_machine_of_views_shows_all_that_the_kernels_model_allows() -> None:
    missing = []
    for name in variant_names():
        test = parse_litmus(make_shape(name))
        if set(explore(test, "weak").states) != set(outcomes(test).states):
            missing.append(name)
    assert missing == []
