"""Runs of a litmus test by chance, as litmus7 makes them on hardware."""

import random

from workloads.litmus.machines.explore import MACHINES, count
from workloads.litmus.machines.program import Program
from workloads.litmus.oracle import Outcome, shown_places
from workloads.litmus.test import Litmus


def run_at_random(test: Litmus, model: str, runs: int, seed: int) -> Outcome:
    """Return how often each final state was reached in ``runs`` runs on the machine ``model``.

    Each transition is drawn from those that can happen, all with the same chance. A run that ends
    in a deadlock counts nowhere.
    """
    program = Program(test)
    machine = MACHINES[model](program)
    outcome = Outcome(shown_places(test))
    chance = random.Random(seed)
    first = machine.first()
    for _ in range(runs):
        state = first
        while True:
            following = machine.successors(state)
            if not following:
                break
            state = following[chance.randrange(len(following))]
        end = machine.final(state)
        if end is not None:
            count(outcome, test, program, end)
    return outcome
