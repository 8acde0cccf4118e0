"""Exploration strategies: who takes the next step.

A strategy sees what can go next (``kernel.drive.chooser.Choice``) and picks one. It knows what the
runs before it have shown (``Learned``): how many actors and steps there are, and which points are
*shared*, the step behind them touching something that another actor touches too and one of both
writes. Steps that nobody else can notice are no place for a decision: strategies count and
decide at shared ones only, which is what keeps their hit rates up in paths with much private work.

============== =====================================================================================
random         each that can go, equally likely
pct2 pct3 pct5 random priorities, lowered at 1, 2, 4 random shared steps: hits a bug of depth d with
               probability 1/(n k^(d-1)) (Burckhardt et al., ASPLOS 2010), over shared steps only
               (Ozkan et al., OOPSLA 2019)
pct            these three in turn
pos            random priorities of steps, drawn anew for those that conflict with the one that was
               taken (Yuan, Yang, Gu, CAV 2018)
surw           uniform over the interleavings of the accesses to one random object (Zhao et al.,
               ASPLOS 2025)
delay          no preemption but up to three random delays (Emmi, Qadeer, Rakamaric, POPL 2011)
hold           stores of a random half of all places wait as long as they can, others do not wait at
               all; the rest by one of random, pct2, pos and surw: for memory models with buffers
portfolio      these in turn, by the shares of ``PORTFOLIO``; on a machine whose CPUs see each
               other's stores late, each other run is one of ``hold``
============== =====================================================================================

Everything random comes from the seed of the run, so a run is its seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Protocol

from cluster.race.actors import actor_of
from kernel.drive.chooser import Choice
from kernel.points import LOAD, LOAD_ACQUIRE, READ, READ_BARRIER

_HELD: Final = 0.6  # how likely stores of a place are held back
_SLIPS: Final = (0.0, 0.0, 0.05, 0.2)  # of these one is how likely one is let go at a step


def object_of(op: tuple[str, int, Any]) -> tuple[Any, str]:
    """Return which memory a point is about, and of it which field: comparable within one run."""
    _name, kind, obj = op
    if type(obj) is tuple and len(obj) > 1 and (kind < 0 or LOAD <= kind < READ_BARRIER):
        return id(obj[0]), str(obj[1])
    return id(obj), ""


def conflict(one: tuple[str, int, Any], two: tuple[str, int, Any]) -> bool:
    """Tell whether the order of two offered operations can matter by what they are about."""
    if one[2] is None or object_of(one) != object_of(two):
        return False
    reads = (READ, LOAD, LOAD_ACQUIRE)
    return not (one[1] in reads and two[1] in reads)


@dataclass(slots=True)
class Learned:
    """What earlier runs of a scenario have shown.

    Attributes:
        shared: names of points whose step touches what others touch.
        steps: the most shared steps of a run.
        actors: the most actors of a run.
        events: of a run, by ``(actor, name)``: how often an actor passed a shared point.
    """

    shared: set[str] = field(default_factory=set)
    steps: int = 1
    actors: int = 2
    events: dict[tuple[int, str], int] = field(default_factory=dict)


class Strategy(Protocol):
    """Picks who goes next in one run."""

    def pick(self, enabled: Sequence[Choice]) -> int:
        """Return the place of what goes next; there are two at least."""
        ...


class RandomWalk:
    """``random``."""

    def __init__(self, random: Random, learned: Learned) -> None:
        self._random = random

    def pick(self, enabled: Sequence[Choice]) -> int:
        """See ``Strategy.pick``."""
        return self._random.randrange(len(enabled))


class Pct:
    """``pctN``: see the module header."""

    def __init__(self, random: Random, learned: Learned, depth: int) -> None:
        self._random = random
        self._learned = learned
        self._priority: dict[int, float] = {}
        self._low = 0.0
        self._count = 0
        most = max(learned.steps, depth)
        self._changes = set(random.sample(range(1, most + 1), depth - 1))

    def pick(self, enabled: Sequence[Choice]) -> int:
        """See ``Strategy.pick``."""
        priority = self._priority
        best, place = -1e9, 0
        for number, entry in enumerate(enabled):
            actor = actor_of(entry)
            own = priority.get(actor)
            if own is None:
                own = priority[actor] = 1 + self._random.random()
            if own > best:
                best, place = own, number
        if enabled[place].op[0] in self._learned.shared:
            self._count += 1
            if self._count in self._changes:
                self._low -= 1
                priority[actor_of(enabled[place])] = self._low
                self._changes.discard(self._count)
                return self.pick(enabled)
        return place


class Pos:
    """``pos``: partial order sampling."""

    def __init__(self, random: Random, learned: Learned) -> None:
        self._random = random
        self._priority: dict[int, tuple[float, Any]] = {}  # by actor: and the offer it is for

    def pick(self, enabled: Sequence[Choice]) -> int:
        """See ``Strategy.pick``."""
        priority = self._priority
        best, place = -1.0, 0
        for number, entry in enumerate(enabled):
            actor = actor_of(entry)
            drawn = priority.get(actor)
            if drawn is None or drawn[1] is not entry.op:
                drawn = priority[actor] = (self._random.random(), entry.op)
            if drawn[0] > best:
                best, place = drawn[0], number
        taken = enabled[place]
        for entry in enabled:
            if entry is not taken and conflict(entry.op, taken.op):
                priority.pop(actor_of(entry), None)
        return place


class Surw:
    """``surw``: selective uniform random walk."""

    def __init__(self, random: Random, learned: Learned) -> None:
        self._random = random
        names = sorted({name for _actor, name in learned.events})
        chosen: set[str] = set()
        if names:
            # the points of one kind of object: all that end alike, as in *.tasklist_lock
            ending = random.choice(names).rpartition(".")[2]
            chosen = {name for name in names if name.rpartition(".")[2] == ending}
        self._chosen = chosen
        self._left: dict[int, int] = {}
        for (actor, name), count in sorted(learned.events.items()):
            if name in chosen:
                self._left[actor] = self._left.get(actor, 0) + count
        self._next: int | None = None

    def _draw(self) -> int | None:
        total = sum(self._left.values())
        if total <= 0:
            return None
        number = self._random.randrange(total)
        for actor, count in self._left.items():
            number -= count
            if number < 0:
                return actor
        return None

    def pick(self, enabled: Sequence[Choice]) -> int:
        """See ``Strategy.pick``."""
        if self._next is None:
            self._next = self._draw()
        free = [
            place
            for place, entry in enumerate(enabled)
            if entry.op[0] not in self._chosen or actor_of(entry) == self._next
        ]
        place = self._random.choice(free) if free else self._random.randrange(len(enabled))
        taken = enabled[place]
        if taken.op[0] in self._chosen:
            actor = actor_of(taken)
            if self._left.get(actor, 0) > 0:
                self._left[actor] -= 1
            self._next = self._draw()
        return place


class Delay:
    """``delay``: whoever runs goes on, but for some random delays."""

    def __init__(self, random: Random, learned: Learned) -> None:
        self._random = random
        self._learned = learned
        self._order: list[int] = []
        self._count = 0
        most = max(learned.steps, 4)
        self._delays = set(random.sample(range(1, most + 1), random.randint(1, 3)))

    def pick(self, enabled: Sequence[Choice]) -> int:
        """See ``Strategy.pick``."""
        places = {actor_of(entry): place for place, entry in reversed(list(enumerate(enabled)))}
        order = self._order
        for actor in places:
            if actor not in order:
                order.insert(self._random.randint(0, len(order)), actor)
        actor = next(one for one in order if one in places)
        if enabled[places[actor]].op[0] in self._learned.shared:
            self._count += 1
            if self._count in self._delays:
                order.remove(actor)
                order.append(actor)
                actor = next(one for one in order if one in places)
        return places[actor]


class Hold:
    """``hold``: a store that others see late is what most bugs of memory ordering need.

    Where drains are choices like others, each is taken about as soon as any step, so that a store
    seldom waits for more than a few. Here a place's stores are held back in the whole run until
    nothing else can go, but for some that slip through, or they are let go first; which, is drawn
    for each place and CPU.
    """

    def __init__(self, random: Random, learned: Learned) -> None:
        inner = random.choice(("random", "pct2", "pos", "pos", "surw"))
        self._inner = STRATEGIES[inner](random, learned)
        self._random = random
        self._slips = random.choice(_SLIPS)
        self._held: dict[int, bool] = {}  # by actor

    def pick(self, enabled: Sequence[Choice]) -> int:
        """See ``Strategy.pick``."""
        held = self._held
        paths = []
        stores = []
        for place, entry in enumerate(enabled):
            if entry.task is not None:
                paths.append(place)
                continue
            actor = actor_of(entry)
            if actor not in held:
                held[actor] = self._random.random() < _HELD
            if not held[actor]:
                return place
            stores.append(place)
        if not paths or not stores:
            return self._inner.pick(enabled)
        if self._random.random() < self._slips:
            return self._random.choice(stores)
        if len(paths) == 1:
            return paths[0]
        return paths[self._inner.pick([enabled[place] for place in paths])]


Make = Callable[[Random, Learned], Strategy]

STRATEGIES: Final[dict[str, Make]] = {
    "random": RandomWalk,
    "pct2": lambda random, learned: Pct(random, learned, 2),
    "pct3": lambda random, learned: Pct(random, learned, 3),
    "pct5": lambda random, learned: Pct(random, learned, 5),
    "pos": Pos,
    "surw": Surw,
    "delay": Delay,
    "hold": Hold,
}

# of twenty runs
PORTFOLIO: Final = (
    *("pos", "surw", "pos", "surw", "random", "pct2", "pos", "surw", "pct3", "pos"),
    *("surw", "pos", "random", "surw", "pct5", "pos", "surw", "pct2", "pos", "delay"),
)

_HOLDING: Final = tuple(name for one in PORTFOLIO for name in (one, "hold"))

# names of several strategies -> these, in turn
SEVERAL: Final[dict[str, tuple[str, ...]]] = {
    "portfolio": PORTFOLIO,
    "pct": ("pct2", "pct3", "pct5"),
}


def strategy_names() -> list[str]:
    """Return the names of all strategies, and of several together."""
    return [*SEVERAL, *STRATEGIES]


def strategy_of(name: str, number: int, memory_model: str = "sc") -> str:
    """Return which strategy the run with this number has on a machine with this memory model."""
    names = SEVERAL.get(name, (name,))
    if names is PORTFOLIO and memory_model != "sc":
        names = _HOLDING
    return names[number % len(names)]
