"""The classic shapes under every model, against the verdicts that the literature has."""

from itertools import pairwise

import pytest

from tests.workloads.litmus.verdicts import MODELS, verdicts
from workloads.litmus.machines.explore import explore
from workloads.litmus.oracle import observe, outcomes
from workloads.litmus.parser import parse_litmus
from workloads.litmus.shapes import make_shape, variant_names
from workloads.litmus.test import Litmus

VERDICTS = verdicts()


def shape(name: str) -> Litmus:
    return parse_litmus(make_shape(name))


def test_variants_made_by_name_are_those_with_known_verdicts() -> None:
    assert sorted(variant_names()) == sorted(VERDICTS)
    assert len(variant_names()) == 96


@pytest.mark.parametrize("name", VERDICTS)
def test_each_model_allows_what_the_literature_says_it_allows(name: str) -> None:
    test = shape(name)
    letters = "".join(
        "A" if explore(test, model).positive else "-" for model in MODELS if model != "lkmm"
    )
    letters += "-" if observe(test) == "Never" else "A"
    assert letters == VERDICTS[name]


@pytest.mark.parametrize("name", VERDICTS)
def test_each_machine_shows_no_more_than_the_next_weaker_one(name: str) -> None:
    test = shape(name)
    states = [set(explore(test, model).states) for model in ("sc", "tso", "pso", "arm", "weak")]
    assert all(one <= other for one, other in pairwise(states))
    assert states[-1] == set(outcomes(test).states)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("XX+o+o", "expected a shape"),
        ("MP+o", "expected that many links"),
        ("MP+acq+o", "'acq' cannot stand between P0's accesses, W and W"),
        ("MP+rel+rel", "'rel' cannot stand between P1's accesses, R and R"),
        ("WRC+mb+o+o", "P0 has one access"),
        ("SB+o+dmb", "expected one of o, mb"),
    ],
)
def test_a_name_that_no_shape_has_says_what_is_wrong(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("+", "\\+")):
        make_shape(name)
