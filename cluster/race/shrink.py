"""Makes a failing run short and easy to read: the same bug with few context switches.

A run is written as *turns*: ``(actor, upto)``, so-and-so goes until it has taken that many steps
in all. Whoever cannot go loses the rest of its turn; once no turn is left, whoever went last goes
on as long as it can, then the one with the lowest number. What a turn says depends on nothing but
its own actor, so turns can be left out, joined and exchanged, and each list of them is a run.

Delta debugging (Zeller and Hildebrandt, TSE 2002) leaves out turns while the verdict has the same
signature. Then single turns are left out, joined with an earlier one of the same actor, lengthened
to where the actor cannot go on, and exchanged with their neighbours, as long as the run gets
smaller by ``_Found.size``: turns, preemptions, segments, steps, and at last the order of actors, so
that segments whose order does not matter stand in one order. CPUs are taken away, and numbers in
the arguments of programs are made smaller, as long as the bug is still there.

Nothing depends on a clock: the same run is shrunk to the same run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from cluster.race.run import (
    CLEAN,
    ENDLESS,
    OUTCOME,
    Control,
    Run,
    Scenario,
    Verdict,
    run_once,
)
from cluster.race.schedule import segments_of
from cluster.race.strategies import Learned, Pos, actor_of
from cluster.race.watch import Watch
from kernel.drive.chooser import Choice

Turn = tuple[int, int]  # actor, how many steps it has taken in all at the end of it
Turns = tuple[Turn, ...]

MOST_RUNS: Final = 600
_MOST_STEPS: Final = 3_000_000  # of all runs together
_TRIES: Final = 8  # random runs of a smaller scenario, if the turns do not fail there


@dataclass(slots=True)
class Shrunk:
    """What shrinking came to.

    Attributes:
        scenario: the one that was given, or one with fewer CPUs or smaller arguments.
        run: the smallest run that was found; its verdict has the signature of the first.
        turns: what it takes to make it, see the module header: the rest goes by itself.
        runs, steps: how many it took to find it.
        segments_before, segments: stretches of one actor; ``preemptions_before``, ``preemptions``:
            how many of the switches between them left somebody who could have gone on.
        changes: how the scenario differs, such as ``cpus 4 -> 2``.
    """

    scenario: Scenario
    run: Run
    turns: Turns
    runs: int
    steps: int
    segments_before: int
    segments: int
    preemptions_before: int
    preemptions: int
    changes: tuple[str, ...] = ()

    @property
    def forced(self) -> int:
        """How many turns it takes."""
        return len(self.turns)


class Turned(Control):
    """The chooser of a run that is made of turns.

    Attributes:
        preemptions: switches so far that left somebody who could have gone on.
    """

    def __init__(self, scenario: Scenario, turns: Sequence[Turn] | None) -> None:
        super().__init__(scenario, None)
        self.preemptions = 0
        self._turns = () if turns is None else turns
        self._turn = 0
        self._since = -1  # the last turn in which somebody has gone
        self._used: list[Turn] = []
        self._steps: dict[int, int] = {}

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        actors = [actor_of(entry) for entry in enabled]
        place = self._next(enabled, actors)
        actor = actors[place]
        self._steps[actor] = self._steps.get(actor, 0) + 1
        self.preemptions += _preempts(self.actors, actors, actor)
        return self._took(enabled, place)

    def used(self) -> Turns:
        """Return the turns in which anybody has gone, as far as it has."""
        return tuple(self._used)

    def _next(self, enabled: Sequence[Choice], actors: Sequence[int]) -> int:
        turns = self._turns
        while self._turn < len(turns):
            actor, upto = turns[self._turn]
            steps = self._steps.get(actor, 0)
            if actor in actors and steps < upto:
                if self._since != self._turn:
                    self._since = self._turn
                    self._used.append((actor, 0))
                self._used[-1] = (actor, steps + 1)
                return actors.index(actor)
            self._turn += 1
        if len(self.actors) >= self._fair_after:
            return self._fair(enabled)
        return self._last(enabled)


class _Counted(Control):
    """Goes by a list of actors, and counts preemptions."""

    def __init__(self, scenario: Scenario, prefix: Sequence[int]) -> None:
        super().__init__(scenario, None, prefix)
        self.preemptions = 0

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        before = len(self.actors)
        place = super().choose(enabled)
        actors = [actor_of(entry) for entry in enabled]
        self.preemptions += _preempts(self.actors[:before], actors, actors[place])
        return place


def _preempts(went: Sequence[int], could: Sequence[int], goes: int) -> bool:
    return bool(went) and goes != went[-1] and went[-1] in could


def turns_of(actors: Sequence[int]) -> Turns:
    """Return the turns of a run."""
    steps: dict[int, int] = {}
    turns = []
    for actor, count in segments_of(actors):
        steps[actor] = steps.get(actor, 0) + count
        turns.append((actor, steps[actor]))
    return tuple(turns)


def shrink(scenario: Scenario, run: Run, *, most_runs: int = MOST_RUNS) -> Shrunk:
    """Return the smallest run with the same bug that is found; inside ``watch.following()``.

    Args:
        run: one of ``scenario`` with a verdict other than clean.
        most_runs: give up looking after so many, and take what there is.

    Raises:
        ValueError: the run is clean.
        Diverged: it is none of this scenario.
    """
    if run.verdict.kind == CLEAN:
        raise ValueError("a clean run has nothing to shrink to")
    counted = _Counted(scenario, run.actors)
    run_once(scenario, counted, watch=Watch())
    search = _Search(scenario, run.verdict, most_runs)
    best = search.best_of(turns_of(run.actors))
    if best is None:  # turns leave out what nobody could have done: the run itself fails so, too
        raise ValueError("the run does not fail again")
    best = search.reduce(best)
    changes: list[str] = []
    for smaller in (_fewer_cpus, _smaller_numbers):
        change = _smaller(search, smaller, best)
        while change is not None:
            best = search.reduce(change[0])
            changes.append(change[1])
            change = _smaller(search, smaller, best)
    last = run_once(search.scenario, Turned(search.scenario, best.turns), watch=Watch())
    last = replace(last, seed=run.seed, strategy=run.strategy)
    return Shrunk(
        search.scenario,
        last,
        best.turns,
        search.runs + 2,
        search.steps,
        len(segments_of(run.actors)),
        len(segments_of(last.actors)),
        counted.preemptions,
        best.preemptions,
        tuple(changes),
    )


def _smaller(
    search: "_Search", others: Callable[[Scenario], Iterator[tuple[Scenario, str]]], best: "_Found"
) -> "tuple[_Found, str] | None":
    """Return a run of the first of the smaller scenarios that fails, and what is smaller."""
    for other, change in others(search.scenario):
        found = search.try_other(other, best)
        if found is not None:
            return found, change
    return None


@dataclass(frozen=True, slots=True)
class _Found:
    """A run that fails with the signature: what made it, and its size."""

    turns: Turns
    actors: tuple[int, ...]
    preemptions: int

    @property
    def size(self) -> tuple[int, int, int, int, tuple[int, ...]]:
        """What is to be small; see the module header."""
        segments = segments_of(self.actors)
        order = tuple(actor for actor, _steps in segments)
        return len(self.turns), self.preemptions, len(segments), len(self.actors), order


class _Search:
    """Runs lists of turns, and keeps what fails as the first run did."""

    def __init__(self, scenario: Scenario, verdict: Verdict, most_runs: int) -> None:
        self.scenario = scenario
        self.runs = 0
        self.steps = 0
        self._verdict = verdict
        self._exact = False  # smaller arguments: an outcome must be the very same
        self._most_runs = most_runs
        self._tried: dict[Turns, _Found | None] = {}

    def best_of(self, turns: Turns) -> _Found | None:
        """Run turns; return the run if it fails."""
        known = self._tried.get(turns, self)
        if known is not self:
            return known  # type: ignore[return-value]
        if self.runs >= self._most_runs or self.steps >= _MOST_STEPS:
            return None
        found = self._run(Turned(self.scenario, turns))
        self._tried[turns] = found
        return found

    def _run(self, control: Turned) -> _Found | None:
        self.runs += 1
        run = run_once(self.scenario, control, watch=Watch())
        self.steps += len(run.actors)
        if not self._same(run.verdict):
            return None
        turns = turns_of(run.actors) if isinstance(control, _Random) else control.used()
        return _Found(turns, tuple(run.actors), control.preemptions)

    def _same(self, verdict: Verdict) -> bool:
        wanted = self._verdict
        if verdict.signature != wanted.signature or verdict.kind != wanted.kind:
            return False
        return not self._exact or wanted.kind != OUTCOME or verdict.text == wanted.text

    def try_other(self, scenario: Scenario, best: _Found) -> _Found | None:
        """Go over to a smaller scenario if it fails, too; return a run of it that does."""
        before, tried = self.scenario, self._tried
        self.scenario, self._tried = scenario, {}
        exact, self._exact = self._exact, True
        found = None
        try:
            found = self.best_of(best.turns) or self.best_of(())
            for seed in range(_TRIES):
                if found is not None or self.runs >= self._most_runs:
                    break
                found = self._run(_Random(scenario, seed))
        except ValueError:  # no such machine: a topology, a mask or a program wants its CPUs
            found = None
        finally:
            if found is None:
                self.scenario, self._tried, self._exact = before, tried, exact
        return found

    def reduce(self, best: _Found) -> _Found:
        """Return what no change of a kind of the module header makes smaller."""
        best = self._limited(best)
        best = self._delta(best)
        going = True
        while going:
            going = False
            for turns in _changes(best.turns):
                found = self.best_of(turns)
                if found is not None and found.size < best.size:
                    best = found
                    going = True
                    break
        return best

    def _limited(self, best: _Found) -> _Found:
        """A run that takes far longer than the one that fails is none like it: cut it off."""
        if self._verdict.kind != ENDLESS:
            most = min(self.scenario.most_steps, 4 * len(best.actors) + 400)
            self.scenario = replace(self.scenario, most_steps=most)
        return best

    def _delta(self, best: _Found) -> _Found:
        """Leave out halves of the turns, then quarters and so on, while the bug stays."""
        found = self.best_of(())
        if found is not None:
            return found
        parts = 2
        while len(best.turns) >= 2:
            turns = best.turns
            length = -(-len(turns) // parts)
            for start in range(0, len(turns), length):
                found = self.best_of(turns[:start] + turns[start + length :])
                if found is not None and found.size < best.size:
                    best = found
                    parts = max(parts - 1, 2)
                    break
            else:
                if length == 1:
                    break
                parts = min(2 * parts, len(turns))
        return best


class _Random(Turned):
    """A random run, as the strategy ``pos`` makes them."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        super().__init__(scenario, None)
        self._pos = Pos(Random(seed), Learned())

    def _next(self, enabled: Sequence[Choice], actors: Sequence[int]) -> int:
        if len(self.actors) >= self._fair_after:
            return self._fair(enabled)
        return self._pos.pick(enabled) if len(enabled) > 1 else 0


_TO_THE_END: Final = 1 << 40  # steps


def _changes(turns: Turns) -> Iterator[Turns]:
    """Yield lists of turns that may be smaller, the most promising first."""
    count = len(turns)
    for place in range(count):  # without one
        yield turns[:place] + turns[place + 1 :]
    for place in range(count):  # one joined with the next of the same actor
        actor = turns[place][0]
        for later in range(place + 2, count):
            if turns[later][0] == actor:
                between = turns[place + 1 : later]
                yield (*turns[:place], turns[later], *between, *turns[later + 1 :])
                yield (*turns[:place], *between, turns[later], *turns[later + 1 :])
                break
    for place in range(count):  # one as long as it can be
        actor = turns[place][0]
        if turns[place][1] < _TO_THE_END:
            yield (*turns[:place], (actor, _TO_THE_END), *turns[place + 1 :])
    for place in range(count - 1):  # two in the other order
        yield (*turns[:place], turns[place + 1], turns[place], *turns[place + 2 :])


def _fewer_cpus(scenario: Scenario) -> Iterator[tuple[Scenario, str]]:
    """Yield the scenario on fewer CPUs, the fewest first."""
    spec = scenario.spec
    if spec.places or spec.smt_share or spec.nohz_full:
        return  # a machine with a shape
    for cpus in range(1, spec.cpus):
        yield replace(scenario, spec=replace(spec, cpus=cpus)), f"cpus {spec.cpus} -> {cpus}"


def _smaller_numbers(scenario: Scenario) -> Iterator[tuple[Scenario, str]]:
    """Yield the scenario with one number in it smaller: of processes, of a program's argument."""
    spec = scenario.spec
    for place, spawn in enumerate(spec.spawns):
        for count in _below(spawn.count):
            spawns = (*spec.spawns[:place], replace(spawn, count=count), *spec.spawns[place + 1 :])
            label = spawn.label or spawn.path
            yield _with(scenario, spawns), f"processes of {label} {spawn.count} -> {count}"
        for number, argument in enumerate(spawn.argv[1:], 1):
            if not argument.isascii() or not argument.isdecimal() or len(argument) > 6:
                continue
            for value in _below(int(argument)):
                argv = (*spawn.argv[:number], str(value), *spawn.argv[number + 1 :])
                spawns = (
                    *spec.spawns[:place],
                    replace(spawn, argv=argv),
                    *spec.spawns[place + 1 :],
                )
                yield _with(scenario, spawns), f"argument {number} {argument} -> {value}"


def _with(scenario: Scenario, spawns: tuple[object, ...]) -> Scenario:
    return replace(scenario, spec=replace(scenario.spec, spawns=spawns))  # type: ignore[arg-type]


def _below(number: int) -> list[int]:
    """Return what to try in place of a number, the smallest first."""
    return sorted({value for value in (1, number // 2, number - 1) if 1 <= value < number})
