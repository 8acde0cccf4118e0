"""Race scenarios: many random schedules, all invariants, and the one outcome the host gives too.

Every program in tests/guest/race prints what must hold whoever wins; the host gives the same (see
tests/cluster/test_guest_programs.py). Some seeds run always; ``-m slow`` runs 24 schedules of
each, or as many as SMPLAB_SCHEDULES says (``make soak``: 200; 1,000 for a release), and prints how
many a second of CPU time did.
"""

import os
from pathlib import Path
from time import process_time

import pytest

from cluster.engine_api import DONE
from tests.soak import one_in

SCENARIOS = sorted(
    path.stem for path in (Path(__file__).resolve().parents[2] / "guest" / "race").glob("*.py")
)
CPUS = (2, 3, 4, 8)


def check(outcomes, name, schedules, first=0):
    """All schedules of a scenario give one outcome: it ends, with status 0 and one output."""
    found = {}
    for index, cpus in enumerate(CPUS):
        seeds = range(first + index, first + schedules, len(CPUS))
        for outcome, where in outcomes(f"race/{name}.py", seeds, cpus=cpus).items():
            found.setdefault(outcome, []).extend((cpus, seed) for seed in where)
    stories = [f"{outcome}\n  (cpus, seed): {where[:5]}" for outcome, where in found.items()]
    assert len(found) == 1, "\n".join(stories)
    kind, message, status, _, _ = next(iter(found))
    assert (kind, message, status) == (DONE, "", 0), stories[0]


def test_there_are_at_least_twenty_scenarios():
    assert len(SCENARIOS) >= 20


@pytest.mark.parametrize("name", SCENARIOS[::3])
def test_outcome_is_the_hosts_and_invariants_hold_on_some_schedules(outcomes, name):
    check(outcomes, name, 8)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", one_in(3, SCENARIOS, 1))
def test_outcome_is_the_hosts_and_invariants_hold_on_many_schedules(outcomes, name, capsys):
    schedules = int(os.environ.get("SMPLAB_SCHEDULES", "24"))
    started = process_time()
    check(outcomes, name, schedules, first=1000)
    rate = schedules / (process_time() - started)
    with capsys.disabled():
        print(f"\n{name}: {schedules} schedules, {rate:.0f} per CPU second")
