"""Many runs of a scenario, each with a seed of its own, until one fails or the budget ends.

Run ``i`` has the seed ``first + i`` and the strategy that the portfolio has for ``i``. What
strategies know of the scenario (``Learned``) comes from runs of ``random`` before all others, made
once, from the first seed. So a run depends on the scenario, the strategy, the first seed and its
number alone; workers take ranges of numbers, and their results are put together in the order of the
numbers: the result is the same for any number of workers, and on Ray.

How many traces are *distinct*: two runs are one trace if each step of either comes after the same
steps that it conflicts with. A step's fingerprint is made of who takes it, its number and name, and
the fingerprints of the steps it conflicts with; that of a run is their sum.
"""

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from zlib import crc32

from cluster.race.run import CLEAN, Run, Scenario, explore_once
from cluster.race.strategies import STRATEGIES, Learned, strategy_of
from cluster.race.watch import WRITE, StepSeen
from cluster.race.workers import Here, WorkerLost, Workers
from kernel.bits import MASK_64, mix64
from kernel.points import ACQUIRE, READ

WARM_UPS: Final = 3
_CHUNK: Final = 10  # runs that a worker makes before it tells of them
_Z: Final = 1.959963984540054  # of the normal distribution, for 95 %


@dataclass(frozen=True, slots=True)
class Plan:
    """What is explored, and how.

    Attributes:
        strategy: the name of one, or ``portfolio``.
        seed: of the first run.
        runs: how many.
        time_s: after so much of the host's time no further runs begin; None: no limit. Runs before
            the first, and the start of workers, do not count: some runs are always made.
        stop: at the first run that fails.
        audit: each so-manieth run leaves a sample for ``cluster.race.audit``; 0: none does.
    """

    scenario: Scenario
    strategy: str = "portfolio"
    seed: int = 1
    runs: int = 2000
    time_s: float | None = None
    stop: bool = True
    audit: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """All by which a run can be told from another."""

    number: int
    actors: tuple[int, ...]
    names: int  # crc32 of all
    digest: str
    trace: int


@dataclass(slots=True)
class Outcome:
    """What one run showed, as a worker tells it; ``run``: all of it, if it is the first to fail."""

    number: int
    kind: str
    signature: str
    trace: int
    steps: int
    run: Run | None = None
    sample: Sample | None = None


@dataclass(slots=True)
class Found:
    """What an exploration has found.

    Attributes:
        runs: how many were made and count.
        first: the number of the first run that failed, from 0; None: none did.
        bug: that run.
        kinds: how often which verdict, by ``(kind, signature)``.
        finished: the runs that were planned were made, or a bug ended them; time did not.
        interrupted: Ctrl-C ended them.
        lost: why workers could not go on; "" if they could.
        samples: of runs that are to be made again: ``Plan.audit``.
        learned: what strategies knew.
        complete: no order of steps is left; None: nobody knows, as runs were drawn by chance.
    """

    runs: int = 0
    steps: int = 0
    failed: int = 0
    first: int | None = None
    bug: Run | None = None
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    traces: set[int] = field(default_factory=set)
    finished: bool = False
    interrupted: bool = False
    lost: str = ""
    samples: list[Sample] = field(default_factory=list)
    learned: Learned = field(default_factory=Learned)
    complete: bool | None = None

    def add(self, outcome: Outcome) -> None:
        """Count a run; they come in order."""
        self.runs += 1
        self.steps += outcome.steps
        self.traces.add(outcome.trace)
        if outcome.sample is not None:
            self.samples.append(outcome.sample)
        if outcome.kind == CLEAN:
            return
        self.failed += 1
        self.kinds[outcome.kind, outcome.signature] += 1
        if self.first is None:
            self.first, self.bug = outcome.number, outcome.run


def learn(scenario: Scenario, seed: int) -> Learned:
    """Return what a few random runs show of a scenario; inside ``following()``."""
    learned = Learned()
    for number in range(WARM_UPS):
        _run, watch = explore_once(
            scenario, STRATEGIES["random"], "random", Learned(), seed + number, keep=True
        )
        assert watch is not None
        _note(learned, watch.steps)
    return learned


def _note(learned: Learned, steps: list[StepSeen]) -> None:
    by: dict[tuple[int, str], dict[Any, int]] = {}
    for step in steps:
        for key, mode in step.footprint.items():
            users = by.setdefault(key, {})
            users[step.task] = users.get(step.task, 0) | mode
    shared = {
        key
        for key, users in by.items()
        if len(users) > 1 and any(mode & WRITE for mode in users.values())
    }
    events: Counter[tuple[int, str]] = Counter()
    for step in steps:
        if step.kind in (ACQUIRE, READ) or any(key in shared for key in step.footprint):
            learned.shared.add(step.name)
            events[step.actor, step.name] += 1
    learned.steps = max(learned.steps, events.total())
    learned.actors = max(learned.actors, len({step.actor for step in steps}))
    for key, count in events.items():
        learned.events[key] = max(learned.events.get(key, 0), count)


@cache
def _crc(name: str) -> int:
    return crc32(name.encode())


def trace_of(steps: Iterable[StepSeen]) -> int:
    """Return the fingerprint of the trace that a run is one order of: see the module header."""
    total = 0
    numbers: dict[int, int] = {}
    last: dict[int, int] = {}
    writers: dict[tuple[int, str], int] = {}
    readers: dict[tuple[int, str], int] = {}  # the sum of who has read it since
    for step in steps:
        actor = step.actor
        number = numbers[actor] = numbers.get(actor, 0) + 1
        print_ = mix64((_crc(step.name) << 32 ^ (actor & 0xFFFF) << 16 ^ number) & MASK_64)
        before = last.get(actor, 0)
        touched = step.footprint
        if step.kind in (ACQUIRE, READ) and not step.skipped:
            touched = {**touched, (id(step.obj), "lock"): WRITE if step.kind == ACQUIRE else 1}
        for key, mode in touched.items():
            if key in writers:
                before += writers[key]
            if mode & WRITE and key in readers:
                before += readers[key]
        print_ = mix64((print_ + before) & MASK_64)
        for key, mode in touched.items():
            if mode & WRITE:
                writers[key] = print_
                readers.pop(key, None)
            elif key in readers:
                readers[key] += print_
            else:
                readers[key] = print_
        last[actor] = print_
        total += print_
    return total & MASK_64


def make_runs(plan: Plan, learned: Learned, numbers: range) -> list[Outcome]:
    """Make the runs with these numbers; inside ``following()``. The first that fails comes whole.

    If the plan stops there, so does this.
    """
    outcomes: list[Outcome] = []
    whole = True
    for number in numbers:
        name = strategy_of(plan.strategy, number, plan.scenario.spec.memory_model)
        sampled = plan.audit > 0 and not number % plan.audit
        run, watch = explore_once(
            plan.scenario,
            STRATEGIES[name],
            name,
            learned,
            plan.seed + number,
            keep=True,
            digest=sampled,
        )
        assert watch is not None
        verdict = run.verdict
        trace = trace_of(watch.steps)
        outcome = Outcome(number, verdict.kind, verdict.signature, trace, len(run.actors))
        if sampled:
            names = crc32("\n".join(run.names).encode())
            outcome.sample = Sample(number, tuple(run.actors), names, run.digest, trace)
        outcomes.append(outcome)
        if verdict.kind == CLEAN:
            continue
        if whole:
            run.races = []  # they hold on to the whole machine; the verdict has what they say
            outcome.run = run
            whole = False
        if plan.stop:
            break
    return outcomes


def explore(
    plan: Plan, workers: Workers | None = None, told: Callable[[Found], None] | None = None
) -> Found:
    """Explore a scenario; inside ``following()``.

    Args:
        plan: what and how.
        workers: who makes the runs; by default this process.
        told: is called with what has been found so far, each time there is more.

    Returns:
        the same for any workers, but for when ``time_s`` ends it.
    """
    found = Found()
    try:
        found.learned = learn(plan.scenario, plan.seed)
    except KeyboardInterrupt:
        found.interrupted = True
        return found

    def ranges() -> Iterator[range]:
        # asked for when the workers are there: the runs have the time for themselves
        ends = math.inf if plan.time_s is None else time.monotonic() + plan.time_s
        for start in range(0, plan.runs, _CHUNK):
            if time.monotonic() >= ends:
                return
            yield range(start, min(start + _CHUNK, plan.runs))

    results = (workers or Here()).results(make_runs, (plan, found.learned), ranges())
    with contextlib.closing(results) as every:
        try:
            for outcomes in every:
                for outcome in outcomes:
                    found.add(outcome)
                if told is not None:
                    told(found)
                if found.first is not None and plan.stop:
                    break
        except KeyboardInterrupt:
            found.interrupted = True
        except WorkerLost as error:
            found.lost = str(error)
    found.finished = found.runs == plan.runs or (plan.stop and found.first is not None)
    return found


def hit_rate(failed: int, runs: int) -> tuple[float, float, float]:
    """Return the rate of runs that failed, and the bounds of its 95 % interval.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference (JASA
    1927). If none failed, the upper bound is 3/runs (the rule of three).
    """
    if not runs:
        return 0.0, 0.0, 1.0
    rate = failed / runs
    if not failed:
        return 0.0, 0.0, min(1.0, 3 / runs)
    z2 = _Z * _Z
    middle = (rate + z2 / (2 * runs)) / (1 + z2 / runs)
    half = _Z * math.sqrt(rate * (1 - rate) / runs + z2 / (4 * runs * runs)) / (1 + z2 / runs)
    return rate, max(0.0, middle - half), min(1.0, middle + half)
