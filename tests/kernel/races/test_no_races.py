"""The kernel as it is: no program races, under any strategy, and no access is without its reason.

Each program runs with everything that the race laboratory looks at: the detector of data races
(an access that neither a lock nor an order of events keeps apart must have its reason in
``cluster.race.fields``), the order of locks, and the invariants after every step.
"""

from random import Random

import pytest

from cluster import fast_core
from cluster.race.run import CLEAN, Control, Expected, Scenario, run_once
from cluster.race.strategies import STRATEGIES, Learned
from cluster.race.watch import Watch, following
from tests.kernel.races.conftest import GUEST, machine

pytestmark = pytest.mark.skipif(fast_core.core() == "compiled", reason="only the pure core")

PROGRAMS = sorted(path.name for path in (GUEST / "race").glob("*.py"))


def races_of(name: str, cpus: int, seeds: range) -> list[tuple[int, str, int, str]]:
    """Return the reports of a program on some schedules, each with how to see it again."""
    spec = machine(f"race/{name}", cpus)
    scenario = Scenario(name, spec, Expected(statuses=((name, 0),)))
    found = []
    with following():
        for seed in seeds:
            strategy = list(STRATEGIES)[seed % len(STRATEGIES)]
            control = Control(scenario, STRATEGIES[strategy](Random(seed), Learned()))
            verdict = run_once(scenario, control, seed=seed, watch=Watch()).verdict
            if verdict.kind != CLEAN:
                found.append((cpus, strategy, seed, f"{verdict.kind}: {verdict.text}"))
    return found


@pytest.mark.parametrize("name", PROGRAMS[::2])
def test_a_program_shows_no_race_under_one_schedule_of_some_strategies(name: str) -> None:
    assert races_of(name, 4, range(3)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_shows_no_race_under_all_strategies_on_few_and_many_cpus(name: str) -> None:
    for cpus in (2, 3, 4, 6):
        assert races_of(name, cpus, range(3, 17)) == []
