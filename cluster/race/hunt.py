"""Looks for a run that shows a mutation, any of them: in every program that comes to its function.

Nobody says which program might show it. Each of ``race_programs()`` is run once, without mutations,
to see which points it passes, and at which of them it comes to something (a lock, a count, a word)
that another task comes to as well: at the others no two can get into each other's way. Until one
has passed the mutation's point, all are run again, up to ``LOOKS`` times.

Those that come to the point's function (if none was seen to: to who calls it) are tried, and before
others whose scenario has a mutation of such a point, then who passes the mutation's points (a run
of the others may yet do so), of these who shares what they are about, of these the shortest. Turn
by turn more of them are tried. A program's first turns are a random run each on the CPUs of
``CPUS``, where the mutation is about what memory orders under each memory model; the later ones
more and more runs of the portfolio, on these machines in turn. The run that fails is made again
without the mutation, and counts only if it is clean then. All of it follows from the mutation and
the programs alone, but for when the time is up.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from cluster.mutations.source import paths
from cluster.race.actors import actor_of, in_memory_order
from cluster.race.explore import learn
from cluster.race.idle import reason
from cluster.race.run import (
    CLEAN,
    Control,
    Run,
    Scenario,
    config_hash,
    explore_once,
    run_once,
    scenario_hash,
)
from cluster.race.scenario import ScenarioFile, load_scenario
from cluster.race.shipped import race_programs
from cluster.race.strategies import STRATEGIES, Learned, strategy_of
from kernel.drive.chooser import Choice
from kernel.drive.memory import DRAIN, memory_model_names
from kernel.drive.mutations import DROP, PLAIN, RMB, WEAKEN, WMB, Mutation, parse
from kernel.points import (
    BARRIER,
    LOAD,
    LOAD_ACQUIRE,
    READ_BARRIER,
    STORE,
    STORE_RELEASE,
    UPDATE,
    WRITE_BARRIER,
)
from kernel.state import KernelState

CPUS: Final = (4, 2, 3)
LOOKS: Final = 6  # runs of each program without a mutation, until one has passed the point
MOST_RUNS: Final = 20_000
_MOST_CHUNK: Final = 16
_AT_FIRST: Final = 8  # programs of the first turns; twice as many every other turn
_ORDERS: Final = (
    BARRIER,
    READ_BARRIER,
    WRITE_BARRIER,
    LOAD,
    LOAD_ACQUIRE,
    STORE,
    STORE_RELEASE,
    UPDATE,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A run that shows a mutation; without it the same run is clean.

    Attributes:
        path: of the scenario or program; ``loaded``: it, with the machine of the run.
    """

    path: Path
    loaded: ScenarioFile
    run: Run


@dataclass(slots=True)
class Hunt:
    """What was tried to find a mutation, and what came of it.

    Attributes:
        reason: why it cannot matter; then nothing was tried.
        programs: those that come to its function.
        shown: the first run that shows it; None: none did.
        finished: all runs that were asked for were made; time did not end them.
    """

    mutation: str
    reason: str = ""
    programs: list[str] = field(default_factory=list)
    runs: int = 0
    shown: Shown | None = None
    finished: bool = True

    @property
    def told(self) -> str:
        """In one word or two what came of it."""
        if self.shown is not None:
            return "found"
        if self.reason:
            return "cannot matter"
        return "not found" if self.programs else "not passed"


@dataclass(slots=True)
class _Passing:
    """What runs without mutations have shown of a program.

    Attributes:
        points: that it passes; ``shared``: at which it comes to what another task comes to, too.
        about: those that the mutations of its scenario are about.
    """

    path: Path
    loaded: ScenarioFile
    steps: int = 0
    points: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    about: frozenset[str] = frozenset()

    def missing(self, points: tuple[str, ...]) -> tuple[bool, int, int, int, str]:
        """Return what to sort by: the least is the likeliest to show what is done to ``points``."""
        passes = sum(name not in self.points for name in points)
        shares = sum(name not in self.shared for name in points)
        return self.about.isdisjoint(points), passes, shares, self.steps, self.path.name


class _Looking(Control):
    """The chooser of a run of which is to be known what its tasks come to."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        super().__init__(scenario, STRATEGIES["random"](Random(seed), Learned()))
        # id -> object, who come to it, at which points
        self._met: dict[int, tuple[Any, set[int], set[str]]] = {}

    def _took(self, enabled: Sequence[Choice], place: int) -> int:
        name, kind, obj = enabled[place].op[:3]
        if type(obj) is tuple:  # a field of something
            obj = obj[0]
        if obj is not None and kind != DRAIN:
            _, who, points = self._met.setdefault(id(obj), (obj, set(), set()))
            who.add(in_memory_order(actor_of(enabled[place])))
            points.add(name)
        return super()._took(enabled, place)

    def shared(self) -> set[str]:
        """Return the points at which somebody comes to what another comes to, too."""
        found: set[str] = set()
        for _, who, points in self._met.values():
            if len(who) > 1:
                found |= points
        return found


def models_of(mutation: Mutation) -> tuple[str, ...]:
    """Return the memory models under which a mutation may show, the likeliest first."""
    kind = paths().point(mutation.place.point).kind
    if mutation.action == WEAKEN and mutation.how in (PLAIN, WMB, RMB):
        return ("weak", "arm", "pso", "tso")
    if kind in (READ_BARRIER, WRITE_BARRIER) or (mutation.action == DROP and kind == BARRIER):
        return ("weak", "arm", "pso", "tso", "sc")
    if kind in _ORDERS:
        return ("sc", *(name for name in memory_model_names() if name != "sc"))
    return ("sc",)


def _ways_to(point: str) -> list[set[str]]:
    """Return the points of the function that has ``point``, of those that call it, and so on."""
    known = paths()
    found: list[set[str]] = []
    calls = known.above(known.point(point).key)
    for one in known.points.values():
        if one.key in calls:
            found += [set() for _ in range(len(found), calls[one.key] + 1)]
            found[calls[one.key]].add(one.name)
    return found


def points_of(mutation: Mutation) -> tuple[str, ...]:
    """Return the points that a mutation is about: the one that it changes first."""
    if mutation.other is None:
        return (mutation.place.point,)
    return mutation.place.point, mutation.other.point


class Hunter:
    """Looks for mutations one after another; inside ``following()``.

    Args:
        files: scenarios and programs to be tried; by default all that are shipped.
        clock: tells how many seconds have gone.
    """

    def __init__(
        self, files: list[Path] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._files = race_programs() if files is None else files
        self._every: list[_Passing] = []
        self._looked = 0

    def _programs(self) -> list[_Passing]:
        found: dict[tuple[bytes, bytes], _Passing] = {}
        for path in self._files:
            own = load_scenario(path)
            loaded = own.changed(mutations=[])
            key = (scenario_hash(loaded.scenario), config_hash(loaded.scenario))
            one = found.setdefault(key, _Passing(path, loaded))  # several are about one program
            for text in own.scenario.spec.mutations:
                one.about |= set(points_of(parse(text)))
        return list(found.values())

    def passing(self, points: tuple[str, ...]) -> list[_Passing]:
        """Return the programs that come to the function of ``points[0]``, the likeliest first.

        If none was seen to do so, those that come to who calls it.
        """
        while not any(points[0] in one.points for one in self._every) and self._looked < LOOKS:
            self._look()
        found: list[_Passing] = []
        for names in _ways_to(points[0]):
            found = [one for one in self._every if not names.isdisjoint(one.points)]
            if found:
                break
        return sorted(found, key=lambda one: one.missing(points))

    def _look(self) -> None:
        seed = self._looked
        self._looked += 1
        self._every = self._every or self._programs()
        for one in self._every:
            scenario = _on(one, CPUS[seed % len(CPUS)])
            control = _Looking(scenario, seed)
            run = run_once(
                scenario, control, seed=seed, watch=None, digest=False, checks=_unchecked
            )
            one.points.update(run.names)
            one.shared |= control.shared()
            one.steps = max(one.steps, len(run.names))

    def hunt(
        self,
        text: str,
        runs: int = MOST_RUNS,
        time_s: float | None = None,
        models: tuple[str, ...] = (),
        told: Callable[[Hunt], None] | None = None,
    ) -> Hunt:
        """Look for the mutation ``text``, which is one.

        Args:
            runs: at most so many, of all programs together.
            time_s: after so much of the host's time no further runs begin; None: no limit. The
                runs that show which programs pass the point do not count.
            models: under these memory models; empty: under those where it may show.
            told: is called now and then with what has been done so far.
        """
        mutation = parse(text)
        done = Hunt(text, reason(mutation))
        if done.reason:
            return done
        programs = self.passing(points_of(mutation))
        done.programs = [one.path.name for one in programs]
        ends = None if time_s is None else self._clock() + time_s
        models = models or models_of(mutation)
        learned: dict[tuple[str, int, str], Learned] = {}
        for one, cpus, model, number in _turns(programs, models):
            if done.runs == runs:
                break
            if ends is not None and self._clock() >= ends:
                done.finished = False
                break
            done.runs += 1
            loaded = one.loaded.changed(cpus=_cpus(one, cpus), model=model, mutations=[text])
            name, known = "random", Learned()
            if number >= len(CPUS) * len(models):
                name = strategy_of("portfolio", number, model)
                key = (str(one.path), cpus, model)
                if key not in learned:
                    learned[key] = learn(loaded.scenario, number)
                known = learned[key]
            run = _run(loaded.scenario, name, known, number)
            if run.verdict.kind != CLEAN:
                plain = loaded.changed(mutations=[]).scenario
                if _run(plain, name, known, number).verdict.kind == CLEAN:
                    run.races = []  # they hold on to the whole machine
                    done.shown = Shown(one.path, loaded, run)
                    break
            if told is not None:
                told(done)
        return done


def _turns(
    programs: list[_Passing], models: tuple[str, ...]
) -> Iterator[tuple[_Passing, int, str, int]]:
    """Yield program, CPUs, memory model and number of every run, without end."""
    first = [(cpus, model) for model in models for cpus in CPUS]
    machines = [(cpus, model) for cpus in CPUS for model in models]
    turns = [0] * len(programs)
    numbers = [0] * len(programs)
    wave = 0
    while programs:
        for place, one in enumerate(programs[: _AT_FIRST << min(wave // 2, 30)]):
            turn = turns[place]
            again, machine = divmod(turn, len(first))
            cpus, model = machines[machine] if again else first[machine]
            chunk = min(1 << again - 1, _MOST_CHUNK) if again else 1
            for number in range(numbers[place], numbers[place] + chunk):
                yield one, cpus, model, number
            turns[place] += 1
            numbers[place] += chunk
        wave += 1


def _run(scenario: Scenario, strategy: str, learned: Learned, seed: int) -> Run:
    run, _watch = explore_once(
        scenario, STRATEGIES[strategy], strategy, learned, seed, digest=False
    )
    return run


def _cpus(one: _Passing, cpus: int) -> int:
    """Return how many CPUs it is tried on: a scenario of a file has no fewer than it says."""
    return max(cpus, one.loaded.scenario.spec.cpus) if one.path.suffix == ".yaml" else cpus


def _on(one: _Passing, cpus: int) -> Scenario:
    scenario = one.loaded.scenario
    return replace(scenario, spec=replace(scenario.spec, cpus=_cpus(one, cpus)))


def _unchecked(_kernel: KernelState) -> None:
    """Look at nothing: the kernel has no mutations."""
