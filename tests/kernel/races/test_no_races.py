"""The kernel as it is: no program races, under any strategy, and no access is without its reason.

Each program runs with everything that the race laboratory looks at: the detector of data races
(an access that neither a lock nor an order of events keeps apart must have its reason in
``cluster.race.fields``), the order of locks, and the invariants after every step. ``make soak``
makes many more such runs.
"""

import pytest

from cluster import fast_core
from cluster.race.watch import following
from tests.oracle.race_soak import MODELS, NAMES, STRATEGIES, Case, case_of, report_of
from tests.soak import one_in

pytestmark = pytest.mark.skipif(fast_core.core() == "compiled", reason="only the pure core")


def reports(cases: list[Case]) -> list[tuple[Case, str, str]]:
    """Return what some runs show."""
    with following():
        made = [(case, *report_of(case)) for case in cases]
    return [report for report in made if report[1]]


@pytest.mark.parametrize("name", NAMES)
def test_a_program_shows_no_race_under_one_schedule(name: str) -> None:
    strategies = tuple(STRATEGIES)
    number = NAMES.index(name)
    assert reports([Case(number, name, 4, "sc", strategies[number % len(strategies)])]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", one_in(3, NAMES))
def test_a_program_shows_no_race_under_all_strategies_and_memory_models(name: str) -> None:
    first = NAMES.index(name)  # all pairs of both: in the soak
    models = (MODELS * 3)[first % len(MODELS) :]
    cases = [
        Case(number, name, 2 + number % 2 * 2, model, how)
        for number, (how, model) in enumerate(zip(STRATEGIES, models, strict=False), 100 + first)
    ]
    assert reports(cases) == []


def test_what_a_soak_runs_follows_from_the_number_alone_and_leaves_no_scenario_out() -> None:
    cases = [case_of(number) for number in range(21 * len(NAMES))]
    assert {case.name for case in cases} == set(NAMES)
    for name in (NAMES[0], NAMES[-1]):
        mine = [case for case in cases if case.name == name]
        assert {case.model for case in mine} == set(MODELS)
        assert {case.strategy for case in mine} == set(STRATEGIES)
    assert case_of(12345) == case_of(12345)
