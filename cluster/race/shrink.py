"""Makes a failing run short and easy to read: the same bug with few context switches.

A run goes by itself: whoever went last goes on as long as it can, then the one with the lowest
number. What differs from that are its *switches*, ``(actor, steps, to)``: when this actor has gone
last and has taken so many steps in all, ``to`` goes next. A switch whose ``to`` cannot go is left
out. What a switch says depends on nothing but its own actor, so any of them can be left out, and
each set of them is a run.

Most bugs need one switch that does not come by itself. So if the run has more, runs with one are
tried first: wherever the run that goes by itself could have gone another way, and in a few of
``_SPREAD`` places if it is long (iterative context bounding: Musuvathi and Qadeer, PLDI 2007).
Delta debugging (Zeller and Hildebrandt, TSE 2002) leaves out switches while the verdict is of the
same class: the same signature; of a data race, one on the same field by the same functions. Then
single ones are left out and made a little earlier or later, as long as the run gets smaller by
``_Found.size``: switches, preemptions, segments, steps, and at last the order of actors, so that
segments whose order does not matter stand in one order. CPUs are taken away, and numbers in the
arguments of programs are made smaller, as long as the bug is still there. At last two stretches of
one actor become one where what lies between them can as well come before or after both: that takes
switches which do not come by themselves, but no preemption.

Nothing depends on a clock: the same run is shrunk to the same run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from cluster.race.actors import PIDS, actor_of
from cluster.race.run import (
    CLEAN,
    ENDLESS,
    OUTCOME,
    RACE,
    Control,
    Run,
    Scenario,
    Verdict,
    run_once,
)
from cluster.race.schedule import segments_of
from cluster.race.strategies import Learned, Pos
from cluster.race.watch import Watch
from kernel.drive.chooser import Choice

Switch = tuple[int, int, int]  # who went last, how many steps it has taken in all, who goes next
Switches = tuple[Switch, ...]

MOST_RUNS: Final = 600
_MOST_STEPS: Final = 3_000_000  # of all runs together
_MOVES: Final = (-8, -4, -2, -1, 1, 2, 4, 8)  # steps by which a switch is made at another time
_NEAR: Final = (*range(1, 9), *range(-1, -9, -1))
_HARD: Final = 8  # segments: if a run has more, more is tried
_FEW: Final = 2  # switches
_SPREAD: Final = 120  # runs with one switch
_LONG: Final = 5  # segments: of fewer none are made one
_MOST_SWITCHES: Final = 8  # for that, unless there were more before
_TRIES: Final = 8  # random runs of a smaller scenario, if the switches do not fail there


@dataclass(slots=True)
class Shrunk:
    """What shrinking came to.

    Attributes:
        scenario: the one that was given, or one with fewer CPUs or smaller arguments.
        run: the smallest run that was found; its verdict has the signature of the first.
        switches: what it takes to make it, see the module header: the rest goes by itself.
        runs, steps: how many it took to find it.
        segments_before, segments: stretches of one actor; ``preemptions_before``, ``preemptions``:
            how many of the switches between them left somebody who could have gone on.
        changes: how the scenario differs, such as ``cpus 4 -> 2``.
    """

    scenario: Scenario
    run: Run
    switches: Switches
    runs: int
    steps: int
    segments_before: int
    segments: int
    preemptions_before: int
    preemptions: int
    changes: tuple[str, ...] = ()

    @property
    def forced(self) -> int:
        """How many switches do not come by themselves."""
        return len(self.switches)


class Switched(Control):
    """The chooser of a run that is made of switches, or of a list of actors: see the module header.

    Attributes:
        made: the switches that this run has had.
        preemptions: changes of actors so far that left somebody who could have gone on.
    """

    def __init__(
        self, scenario: Scenario, switches: Sequence[Switch] = (), prefix: Sequence[int] = ()
    ) -> None:
        super().__init__(scenario, None, prefix)
        self.made: list[Switch] = []
        self.others: list[Switch] | None = None  # those that it could have had, if they are kept
        self.preemptions = 0
        self.preempted: list[int] = []  # by the places of segments
        self._segments = 0
        self._switches = {(actor, steps): to for actor, steps, to in switches}
        self._steps: dict[int, int] = {}

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        actors = [actor_of(entry) for entry in enabled]
        fair = len(self.actors) >= self._fair_after
        usual = self._fair(enabled) if fair else self._unspun(enabled, self._last(enabled))
        place = self._pick(enabled, actors, usual)
        actor = actors[place]
        last = self.actors[-1] if self.actors else 0
        if actor != actors[usual]:
            self.made.append((last, self._steps.get(last, 0), actor))
        if self.others is not None:
            at = (last, self._steps.get(last, 0))
            self.others += [(*at, other) for other in actors if other != actor]
        if self.actors and actor != last:
            if last in actors:
                self.preemptions += 1
                self.preempted.append(self._segments)
            self._segments += 1
        self._steps[actor] = self._steps.get(actor, 0) + 1
        return self._took(enabled, place)

    def _pick(self, enabled: Sequence[Choice], actors: Sequence[int], usual: int) -> int:
        if self._place < len(self._prefix):
            return self._follow(enabled)
        last = self.actors[-1] if self.actors else 0
        to = self._switches.get((last, self._steps.get(last, 0)))
        return actors.index(to) if to is not None and to in actors else usual


class _Listed(Switched):
    """A run that is made of stretches ``(actor, steps)``: who goes, until how many steps in all.

    0 steps: as long as it can go. A stretch whose actor cannot go is left out.
    """

    def __init__(self, scenario: Scenario, stretches: Sequence[tuple[int, int]]) -> None:
        super().__init__(scenario)
        self._stretches = [*reversed(stretches)]

    def _pick(self, enabled: Sequence[Choice], actors: Sequence[int], usual: int) -> int:
        stretches = self._stretches
        while stretches:
            actor, most = stretches[-1]
            if actor in actors and (not most or self._steps.get(actor, 0) < most):
                return actors.index(actor)
            stretches.pop()
        return usual


class _Random(Switched):
    """A random run, as the strategy ``pos`` makes them."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        super().__init__(scenario)
        self._pos = Pos(Random(seed), Learned())

    def _pick(self, enabled: Sequence[Choice], actors: Sequence[int], usual: int) -> int:
        if len(self.actors) >= self._fair_after or len(enabled) < 2:
            return usual
        return self._pos.pick(enabled)


def shrink(
    scenario: Scenario, run: Run, *, most_runs: int = MOST_RUNS, arguments: bool = True
) -> Shrunk:
    """Return the smallest run with the same bug that is found; inside ``watch.following()``.

    Args:
        run: one of ``scenario`` with a verdict other than clean.
        most_runs: give up looking after so many, and take what there is.
        arguments: numbers of processes and in the arguments of programs may become smaller.

    Raises:
        ValueError: the run is clean.
        Diverged: it is none of this scenario.
    """
    if run.verdict.kind == CLEAN:
        raise ValueError("a clean run has nothing to shrink to")
    counted = Switched(scenario, (), run.actors)
    run_once(scenario, counted, watch=Watch())
    search = _Search(scenario, run.verdict, most_runs)
    best = search.best_of(tuple(counted.made))
    if best is None:
        raise ValueError("the run does not fail again")
    best = search.reduce(best)
    changes: list[str] = []
    for smaller in (_fewer_cpus, _smaller_numbers) if arguments else (_fewer_cpus,):
        change = _smaller(search, smaller, best)
        while change is not None:
            best = search.reduce(change[0])
            changes.append(change[1])
            change = _smaller(search, smaller, best)
    best = search.merge(best)
    control = Switched(search.scenario, best.switches)
    last = run_once(search.scenario, control, watch=Watch())
    last = replace(last, seed=run.seed, strategy=run.strategy)
    return Shrunk(
        search.scenario,
        last,
        best.switches,
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

    switches: Switches
    actors: tuple[int, ...]
    preemptions: int
    preempted: tuple[int, ...] = ()  # the places of segments after which one was

    @property
    def size(self) -> tuple[int, int, int, int, tuple[int, ...]]:
        """What is to be small; see the module header."""
        segments = segments_of(self.actors)
        order = tuple(actor for actor, _steps in segments)
        return len(self.switches), self.preemptions, len(segments), len(self.actors), order


class _Search:
    """Runs sets of switches, and keeps what fails as the first run did."""

    def __init__(self, scenario: Scenario, verdict: Verdict, most_runs: int) -> None:
        self.scenario = scenario
        self.runs = 0
        self.steps = 0
        self._verdict = verdict
        self._exact = False  # smaller arguments: an outcome must be the very same
        self._most_runs = most_runs
        self._tried: dict[Switches, _Found | None] = {}

    def best_of(self, switches: Switches) -> _Found | None:
        """Run switches; return the run, with those that it has had, if it fails."""
        if switches in self._tried:
            return self._tried[switches]
        if self.runs >= self._most_runs or self.steps >= _MOST_STEPS:
            return None
        found = self._run(Switched(self.scenario, switches))
        self._tried[switches] = found
        return found

    def _run(self, control: Switched) -> _Found | None:
        self.runs += 1
        run = run_once(self.scenario, control, watch=Watch())
        self.steps += len(run.actors)
        if not self._same(run.verdict):
            return None
        actors = tuple(run.actors)
        return _Found(tuple(control.made), actors, control.preemptions, tuple(control.preempted))

    def _same(self, verdict: Verdict) -> bool:
        wanted = self._verdict
        if verdict.kind != wanted.kind or _class_of(verdict) != _class_of(wanted):
            return False
        return not self._exact or wanted.kind != OUTCOME or verdict.text == wanted.text

    def try_other(self, scenario: Scenario, best: _Found) -> _Found | None:
        """Go over to a smaller scenario if it fails, too; return a run of it that does."""
        before, tried = self.scenario, self._tried
        self.scenario, self._tried = scenario, {}
        exact, self._exact = self._exact, True
        found = None
        try:
            found = self.best_of(best.switches) or self.best_of(())
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
        best = self._one_switch(best)
        best = self._delta(best)
        going = True
        while going:
            going = False
            hard = len(segments_of(best.actors)) > _HARD
            for switches in _changes(best.switches, hard):
                found = self.best_of(switches)
                if found is not None and found.size < best.size:
                    best = found
                    going = True
                    break
        return best

    def merge(self, best: _Found) -> _Found:
        """Return a run with fewer segments and no more preemptions, if there is one."""
        going = True
        while going and len(segments_of(best.actors)) > _LONG:
            going = False
            for stretches in _merged(best):
                if self.runs >= self._most_runs or self.steps >= _MOST_STEPS:
                    break
                found = self._run(_Listed(self.scenario, stretches))
                if found is not None and self._better(found, best):
                    best = found
                    going = True
                    break
        return best

    def _better(self, found: _Found, best: _Found) -> bool:
        """Tell whether a run has fewer segments at no cost."""
        if found.preemptions > best.preemptions:
            return False
        if len(found.switches) > max(_MOST_SWITCHES, len(best.switches)):
            return False
        return len(segments_of(found.actors)) < len(segments_of(best.actors))

    def _limited(self, best: _Found) -> _Found:
        """A run that takes far longer than the one that fails is none like it: cut it off."""
        if self._verdict.kind != ENDLESS:
            most = min(self.scenario.most_steps, 4 * len(best.actors) + 400)
            self.scenario = replace(self.scenario, most_steps=most)
        return best

    def _one_switch(self, best: _Found) -> _Found:
        """Return a run with one switch that fails, if the one at hand has more of them."""
        if len(best.switches) <= _FEW:
            return best
        control = Switched(self.scenario, ())
        control.others = []
        run_once(self.scenario, control, watch=Watch())
        self.runs += 1
        self.steps += len(control.actors)
        others = control.others
        for place in _spread(len(others), _SPREAD):
            found = self.best_of((others[place],))
            if found is not None and found.size < best.size:
                return found
        tasks = sorted({actor for actor in control.actors if 0 < actor < PIDS})
        late = [other for other in others if not 0 < other[2] < PIDS]  # what memory does by itself
        for place in _spread(len(late), _SPREAD // len(tasks)):
            for task in tasks:  # goes just after it
                found = self.best_of((late[place], (late[place][2], 1, task)))
                if found is not None and found.size < best.size:
                    return found
        return best

    def _delta(self, best: _Found) -> _Found:
        """Leave out halves of the switches, then quarters and so on, while the bug stays."""
        found = self.best_of(())
        if found is not None:
            return found
        parts = 2
        while len(best.switches) >= 2:
            switches = best.switches
            length = -(-len(switches) // parts)
            for start in range(0, len(switches), length):
                found = self.best_of(switches[:start] + switches[start + length :])
                if found is not None and found.size < best.size:
                    best = found
                    parts = max(parts - 1, 2)
                    break
            else:
                if length == 1:
                    break
                parts = min(2 * parts, len(switches))
        return best


def _class_of(verdict: Verdict) -> object:
    """Return what is the same for the same bug, in whichever order it is met."""
    if verdict.kind != RACE:
        return verdict.signature
    name, _, both = verdict.signature.partition(": ")
    return name, sorted(side.partition(" in ")[2] for side in both.split(", "))


def _spread(count: int, most: int) -> list[int]:
    """Return numbers below ``count``: all, or ``most`` of them far apart."""
    if count <= most:
        return list(range(count))
    return [number * count // most for number in range(most)]


def _changes(switches: Switches, hard: bool) -> Iterator[Switches]:
    """Yield sets of switches that may be smaller, the most promising first; ``hard``: many."""
    count = len(switches)
    for place in range(count):
        yield switches[:place] + switches[place + 1 :]
    for one in range(count):  # two of them, between which all goes as usual
        for two in range(one + 1, count):
            yield switches[:one] + switches[one + 1 : two] + switches[two + 1 :]
    for place, (actor, steps, to) in enumerate(switches):
        for by in _MOVES:
            if steps + by >= 0:
                yield (*switches[:place], (actor, steps + by, to), *switches[place + 1 :])
    for left_out in range(
        count if hard else 0
    ):  # one is not needed if another comes at another time
        others = switches[:left_out] + switches[left_out + 1 :]
        for place, (actor, steps, to) in enumerate(others):
            for by in _NEAR:
                if steps + by >= 0:
                    yield (*others[:place], (actor, steps + by, to), *others[place + 1 :])


def _merged(best: _Found) -> Iterator[list[tuple[int, int]]]:
    """Yield stretches of which two of one actor, near ones first, have become one."""
    stretches = []
    taken: dict[int, int] = {}
    segments = segments_of(best.actors)
    for place, (actor, steps) in enumerate(segments):
        taken[actor] = taken.get(actor, 0) + steps
        preempted = place in best.preempted
        stretches.append((actor, taken[actor] if preempted else 0))
    for distance in range(2, len(stretches)):
        for first in range(len(stretches) - distance):
            last = first + distance
            if stretches[first][0] == stretches[last][0]:
                yield [*stretches[:first], *stretches[first + 1 :]]
                early = [*stretches[:first], stretches[last], *stretches[first + 1 : last]]
                yield [*early, *stretches[last + 1 :]]


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
                yield _with(scenario, spawns), f"argument {argument} -> {value}"


def _with(scenario: Scenario, spawns: tuple[object, ...]) -> Scenario:
    return replace(scenario, spec=replace(scenario.spec, spawns=spawns))  # type: ignore[arg-type]


def _below(number: int) -> list[int]:
    """Return what to try in place of a number, the smallest first."""
    return sorted({value for value in (1, number // 2, number - 1) if 1 <= value < number})
