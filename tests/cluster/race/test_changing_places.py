"""What ``prove`` stands on: two steps without a conflict may change places, and nothing is another.

A dependence of two steps that their footprints do not tell of is a hole in every certificate. Here
random runs are made again with two neighbours exchanged that do not conflict: each later step must
touch what it touched, and the run must end as it did.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cluster.race.dpor import Diverged, Step, Touched, Walk, clash
from cluster.race.keeping import following_all
from cluster.race.kernel_system import KernelSystem
from cluster.race.run import Run, Scenario
from cluster.race.scenario import load_scenario
from cluster.race.shipped import scenario_path

from .test_prove import _PROGRAMS, _SLOW, _scenario

# of those in which CPUs have a task each: where they queue, balancing comes when the clock says
_SHIPPED = (
    "atomic_set", "exit_against_reparent", "half_made_child", "init_of_a_namespace",
    "lost_wakeup", "two_waiters",
)  # fmt: skip


def _made(
    system: KernelSystem, pick: Callable[[Walk, Sequence[int]], int]
) -> tuple[list[Step], Run]:
    walk = Walk([], lambda awake, _last: pick(walk, awake))
    run = system(walk)
    return walk.steps, run


def _by_actor(steps: Sequence[Step]) -> dict[tuple[int, int], Touched]:
    counts: Counter[int] = Counter()
    found = {}
    for step in steps:
        counts[step.actor] += 1
        found[step.actor, counts[step.actor]] = step.touched
    return found


def _exchanged(steps: Sequence[Step]) -> Iterator[tuple[int, list[int]]]:
    """Yield the places of neighbours that do not conflict, and the order with them exchanged."""
    order = [step.actor for step in steps]
    for place in range(len(steps) - 1):
        one, two = steps[place], steps[place + 1]
        if one.actor == two.actor or place in two.needs or clash(one.touched, two.touched):
            continue
        other = list(order)
        other[place], other[place + 1] = other[place + 1], other[place]
        yield place, other


def _differences(scenario: Scenario, seeds: int) -> list[str]:
    system = KernelSystem(scenario)
    wrong = []
    for seed in range(seeds):
        random = Random(seed)
        steps, run = _made(system, lambda _walk, awake: random.choice(awake))  # noqa: B023
        assert system.watch is not None
        names = [step.name for step in system.watch.steps]
        before = _by_actor(steps)
        for place, order in _exchanged(steps):

            def follow(walk: Walk, awake: Sequence[int], order: list[int] = order) -> int:
                actor = order[len(walk.steps)]
                if actor not in awake:
                    raise Diverged(f"{actor} cannot go at step {len(walk.steps) + 1}")
                return actor

            what = f"seed {seed}, {names[place]} and {names[place + 1]} at step {place + 1}: "
            try:
                found, other = _made(system, follow)
            except Diverged as error:
                wrong.append(what + str(error))
                continue
            after = _by_actor(found)
            if after != before:
                actor = next(key for key in before if after.get(key) != before[key])
                wrong.append(what + f"step {actor[1]} of actor {actor[0]} touches something else")
            elif other.verdict.kind != run.verdict.kind:
                wrong.append(what + f"{other.verdict.kind} instead of {run.verdict.kind}")
    return wrong


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == "exit" else pytest.mark.slow)
        for name in (*_PROGRAMS, *_SLOW)
        if name != "spawn"  # its child needs longer to its first call than a step takes
    ],
)
def test_steps_without_conflict_may_change_places(tmp_path: Path, name: str) -> None:
    with following_all():
        assert _differences(_scenario(tmp_path, name), 3) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", _SHIPPED)
def test_steps_of_shipped_scenarios_may_change_places(name: str) -> None:
    scenario = load_scenario(scenario_path(Path(name))).scenario
    plain = replace(scenario, spec=replace(scenario.spec, mutations=(), memory_model="sc"))
    with following_all():
        assert _differences(plain, 1) == []
