"""Runs of a litmus test by chance, as litmus7 makes them on hardware."""

import random
from collections.abc import Iterator

from workloads.litmus.machines.explore import MACHINES, End, Machine, count
from workloads.litmus.machines.program import Program
from workloads.litmus.oracle import Outcome, shown_places
from workloads.litmus.test import Litmus


def run_at_random(test: Litmus, model: str, runs: int, seed: int) -> Outcome:
    """Return how often each final state was reached in ``runs`` runs on the machine ``model``.

    A run that ends in a deadlock counts nowhere.
    """
    program = Program(test)
    outcome = Outcome(shown_places(test))
    for end in ends_at_random(MACHINES[model](program), runs, seed):
        count(outcome, test, program, end)
    return outcome


def ends_at_random(machine: Machine, runs: int, seed: int) -> Iterator[End]:
    """Yield the end of each of ``runs`` runs, but for those that end in a deadlock.

    Each transition is drawn from those that can happen, all with the same chance.
    """
    chance = random.Random(seed)
    first = machine.first()
    for _ in range(runs):
        state = first
        while following := machine.successors(state):
            state = following[chance.randrange(len(following))]
        end = machine.final(state)
        if end is not None:
            yield end
