"""Whether a run depends on nothing but its scenario and seed: some are made again elsewhere.

Of a sample (``Plan.audit``) the run is made again, all of it, in a process with other hashes of
strings (PYTHONHASHSEED), and its schedule is followed on the compiled core in one with yet others.
Steps, points, trace and digest must be the same. What could make a difference: the order of a set,
an address, the host's clock, numbers that are random without the seed.
"""

import os
from typing import Final

from cluster import fast_core
from cluster.mutations.changed import needs_pure_core
from cluster.race.again import Record, replay_unwatched
from cluster.race.explore import Plan, Sample, make_runs
from cluster.race.run import Diverged, Scenario
from cluster.race.schedule import Schedule, segments_of
from cluster.race.strategies import Learned
from cluster.race.workers import Processes, Told, ignore

_HASH_SEED: Final = "PYTHONHASHSEED"


def audit(
    plan: Plan, learned: Learned, samples: list[Sample], told: Told = ignore
) -> tuple[list[str], bool]:
    """Make the runs of samples again.

    Args:
        told: see ``Processes``.

    Returns:
        A line for each difference; and whether there was a compiled core to compare with, which
        cannot have mutations of code.
    """
    seeds = [seed for seed in ("1", "2", "3") if seed != os.environ.get(_HASH_SEED)]
    pure = {_HASH_SEED: seeds[0], fast_core.VARIABLE: "pure"}
    given = (Plan(plan.scenario, plan.strategy, plan.seed, plan.runs, audit=1), learned)
    numbers = [sample.number for sample in samples]
    found = []
    for sample, other in zip(
        samples, Processes(1, told, environment=pure).results(_made, given, numbers), strict=True
    ):
        if other != sample:
            what = ", ".join(
                name
                for name in ("actors", "names", "trace", "digest")
                if getattr(other, name) != getattr(sample, name)
            )
            found.append(f"run {sample.number + 1}: under other hashes of strings, other {what}")
    if fast_core.find() is None or any(map(needs_pure_core, plan.scenario.spec.mutations)):
        return found, False
    compiled = {_HASH_SEED: seeds[1], fast_core.VARIABLE: "compiled"}
    workers = Processes(1, told, environment=compiled, follow=False)
    for sample, digest in zip(
        samples, workers.results(_followed, (plan.scenario,), samples), strict=True
    ):
        if digest != sample.digest:
            found.append(f"run {sample.number + 1}: on the compiled core, {digest}")
    return found, True


def _made(plan: Plan, learned: Learned, number: int) -> Sample:
    sample = make_runs(plan, learned, range(number, number + 1))[0].sample
    assert sample is not None
    return sample


def _followed(scenario: Scenario, sample: Sample) -> str:
    """Return the digest that a run has without a watch, or where it goes another way."""
    nothing = bytes(4)
    schedule = Schedule(nothing, nothing, nothing, 0, segments_of(sample.actors))
    try:
        run, _control = replay_unwatched(scenario, Record("", schedule, digest=sample.digest))
    except Diverged as error:
        return f"diverged: {error}"
    return run.digest
