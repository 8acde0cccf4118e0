"""Every order of steps that can matter, each once: source-DPOR with sleep sets.

Two runs whose steps differ only in the order of steps that do not conflict are one *trace*. A tree
of choices is walked depth first. Each run of it is analysed: a *race* is two conflicting steps of
two actors, the second of which did not have to wait for the first; for each race the tree gets, at
the place before the first step, a branch in which another actor goes, unless one that it has
already leads to the reversed order (a source set). A *sleep set* keeps what has been explored at a
place from being explored again under its neighbours, as long as nothing that conflicts with it has
happened. When no branch is left, all traces have been seen.

With a *bound* on preemptions (whoever could have gone on did not) only runs within it are made, and
all that they can show. A branch that the bound rules out may be needed for one that it allows, so
for each race whoever is second goes before the first step, and also where the first one's actor was
let go on last, which costs no more than was paid there; nobody sleeps, for what he sleeps on may
have been cut off. So a trace may be seen more than once.

This module knows nothing of kernels: a *system* makes a run, asking a ``Walk`` who goes, and tells
it of each step what it touched (known only when it has been taken). Locks are a part of what is
touched, under the field ``LOCK``: two acquisitions conflict, and a race of them is one of the whole
sections, for only the acquisitions can change places. What a step could not have happened without
(a lock given up, a wake-up) it *needs*: that orders the two and is no race.

Source: Abdulla, Aronis, Jonsson, Sagonas, Source Sets: A Foundation for Optimal Dynamic Partial
Order Reduction (JACM 2017), algorithm 1; Flanagan and Godefroid (POPL 2005) for what locks disable;
Coons, Musuvathi, McKinley, Bounded Partial-Order Reduction (OOPSLA 2013);
Knuth, Estimating the efficiency of backtrack programs (1975).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

READ: Final = 1
WRITE: Final = 2
PUT: Final = 4  # one reference less: two of them may change places, whoever gives the last one back
LOCK: Final = "lock"  # the field of an object that an acquisition touches

_APART: Final = (READ, PUT)  # what two steps may both do in either order

# What a step touched, comparable between runs: (label of the object, field) -> mode
Key = tuple[Any, str]
Touched = dict[Key, int]
_Clock = dict[int, int]


@dataclass(slots=True)
class Step:
    """One step of a run.

    Attributes:
        needs: places of earlier steps without which it could not have been taken.
    """

    actor: int
    touched: Touched
    needs: Sequence[int] = ()


@dataclass(slots=True)
class Node:
    """A place of the tree: before one step of the run at hand.

    Attributes:
        enabled: who can go here, within the bound.
        chosen: who goes here in this run; ``touched``: what that step touched.
        branches: who is to go here, in the end; ``done``: who went, with what his step touched.
        sleep: who need not go here.
    """

    enabled: tuple[int, ...]
    sleep: dict[int, Touched]
    chosen: int = 0
    touched: Touched = field(default_factory=dict)
    branches: list[int] = field(default_factory=list)
    done: dict[int, Touched] = field(default_factory=dict)


class Blocked(Exception):
    """Whoever could go has been explored already: this run leads nowhere new."""


class Diverged(Exception):
    """The same choices have not led to the same place: the system is not a function of them."""


class Walk:
    """Who goes in one run: a system asks before each step, and tells after it.

    Args:
        base: so many nodes, the first ones, are somebody else's: what they are to have in addition
            is noted in ``wishes``, as ``(place, who may go there)``.
        bound: so many preemptions at most; None: any number.

    Attributes:
        steps: what was taken.
        pending: steps that could not be taken at the end (locks that are held), with what they
            would touch: their order after what holds them up may be turned round.
    """

    __slots__ = (
        "_fresh", "_known", "_nodes", "_spent", "base", "bound", "pending", "steps", "wishes",
    )  # fmt: skip

    def __init__(
        self,
        nodes: list[Node],
        fresh: Callable[[Sequence[int], int | None], int] | None = None,
        base: int = 0,
        bound: int | None = None,
    ) -> None:
        self._nodes = nodes
        self._spent = 0  # preemptions so far
        self.bound = bound
        self._known = len(nodes)
        self._fresh = fresh
        self.base = base
        self.wishes: list[tuple[int, list[int]]] = []
        self.steps: list[Step] = []
        self.pending: Sequence[Step] = ()

    def choose(self, enabled: Sequence[int], waiting: Sequence[Step] = ()) -> int:
        """Return which of the actors that can go does.

        Args:
            waiting: what others would do who stand before locks that are held.

        Raises:
            Blocked: none need go.
            Diverged: the one that went here before cannot now.
        """
        place = len(self.steps)
        nodes = self._nodes
        if place < self._known:
            node = nodes[place]
            if node.chosen not in enabled:
                raise Diverged(
                    f"step {place + 1}: actor {node.chosen} could go in an earlier run with the "
                    f"same steps, and now only {', '.join(map(str, enabled))} can"
                )
            self._pay(node.chosen, enabled)
            return node.chosen
        last = self.steps[-1].actor if self.steps else None
        if self.bound is not None and self._spent >= self.bound and last in enabled:
            enabled = (last,)  # type: ignore[assignment]
        sleep: dict[int, Touched] = {}
        if place and self.bound is None:
            before = nodes[place - 1]
            sleep = {
                actor: touched
                for actor, touched in (*before.sleep.items(), *before.done.items())
                if actor != before.chosen and not clash(touched, before.touched)
            }
        awake = [actor for actor in enabled if actor not in sleep]
        if not awake:
            self.pending = waiting
            raise Blocked
        if self._fresh is not None:
            chosen = self._fresh(awake, last)
        else:
            chosen = last if last is not None and last in awake else min(awake)
        nodes.append(Node(tuple(enabled), sleep, chosen, branches=[chosen]))
        self._pay(chosen, enabled)
        return chosen

    def _pay(self, chosen: int, enabled: Sequence[int]) -> None:
        last = self.steps[-1].actor if self.steps else chosen
        if chosen != last and last in enabled:
            self._spent += 1

    def settle(self) -> int:
        """The run is over: find its races; return how many are unexplained."""
        del self._nodes[len(self.steps) :]  # one who was chosen and did not go
        return analyse(self._nodes, self)

    def did(self, step: Step) -> None:
        """Note what was taken."""
        self._nodes[len(self.steps)].touched = step.touched
        self.steps.append(step)


# Makes one run; returns whatever ends it.
System = Callable[[Walk], Any]


@dataclass(slots=True)
class Counts:
    """How far an exploration is.

    Attributes:
        traces: complete runs; ``blocked``: runs cut off because of their sleep sets.
        unexplained: races whose reversal needs somebody who could not go there, so that
            everybody who could had to: a dependence that the system did not tell of.
    """

    traces: int = 0
    blocked: int = 0
    steps: int = 0
    unexplained: int = 0
    complete: bool = False


class Explorer:
    """Walks the tree of one system, or what is below the first ``base`` of some ``nodes``."""

    def __init__(
        self,
        system: System,
        nodes: list[Node] | None = None,
        base: int = 0,
        begun: bool = False,
        bound: int | None = None,
    ) -> None:
        self.system = system
        self.nodes: list[Node] = [] if nodes is None else nodes
        self.base = base
        self.bound = bound  # see ``Walk``
        self.counts = Counts()
        self.begun = begun
        self.wishes: list[tuple[int, list[int]]] = []  # see ``Walk``

    def next(self) -> tuple[bool, Any] | None:
        """Make the next run; return whether it was blocked, with its end; None: none is left."""
        if self.begun and not self._back():
            self.counts.complete = True
            return None
        self.begun = True
        walk = Walk(self.nodes, base=self.base, bound=self.bound)
        blocked, end = False, None
        try:
            end = self.system(walk)
        except Blocked:
            blocked = True
        self.counts.steps += len(walk.steps)
        if blocked:
            self.counts.blocked += 1
        else:
            self.counts.traces += 1
        self.counts.unexplained += walk.settle()
        self.wishes += walk.wishes
        return blocked, end

    def _back(self) -> bool:
        """Go back to the deepest place with a branch left and take it; False: there is none."""
        nodes = self.nodes
        while len(nodes) > self.base:
            node = nodes[-1]
            node.done[node.chosen] = node.touched
            for one in node.branches:
                if one not in node.done and one not in node.sleep:
                    node.chosen = one
                    return True
            nodes.pop()
        return False


@dataclass(slots=True)
class _Tree:
    """What descents have found of the tree: a place, who is to go there, and who went."""

    branches: list[int] = field(default_factory=list)
    touched: dict[int, Touched] = field(default_factory=dict)
    children: dict[int, "_Tree"] = field(default_factory=dict)


class _Descent(Walk):
    """A random way down the tree as it is known so far."""

    __slots__ = ("_random", "_tree", "way")

    def __init__(self, tree: _Tree, random: Random, bound: int | None) -> None:
        super().__init__([], self._pick, bound=bound)
        self._tree = tree
        self._random = random
        self.way: list[tuple[_Tree, frozenset[int]]] = []  # places, and who slept there

    def _pick(self, awake: Sequence[int], last: int | None) -> int:
        branches = self._tree.branches
        known = [actor for actor in branches if actor in awake]
        if known:
            return self._random.choice(known)
        chosen = last if last is not None and last in awake else min(awake)
        branches.append(chosen)
        return chosen

    def choose(self, enabled: Sequence[int], waiting: Sequence[Step] = ()) -> int:
        """See ``Walk.choose``: whoever would have gone before this one has done so."""
        chosen = super().choose(enabled, waiting)
        node, tree = self._nodes[-1], self._tree
        node.branches = tree.branches  # what ``analyse`` finds is kept
        for actor in tree.branches[: tree.branches.index(chosen)]:
            if actor in tree.touched:
                node.done[actor] = tree.touched[actor]
        self.way.append((tree, frozenset(node.sleep)))
        return chosen

    def did(self, step: Step) -> None:
        """See ``Walk.did``."""
        super().did(step)
        self._tree.touched[step.actor] = step.touched
        self._tree = self._tree.children.setdefault(step.actor, _Tree())

    def weight(self) -> int:
        """Return how many leaves there are if all ways down branch as this one does."""
        product = 1
        for tree, asleep in self.way:
            product *= max(1, sum(actor not in asleep for actor in tree.branches))
        return product


def estimate(
    system: System,
    descents: int,
    seed: int = 0,
    go_on: Callable[[], bool] = lambda: True,
    bound: int | None = None,
) -> tuple[float, int, int]:
    """Return how many traces there may be, and the least and the most that one descent speaks for.

    Each descent is a random run; the product of the branches on its way is a number of leaves, and
    the mean of many is right (Knuth). Branches are found as runs are made, so few descents say too
    little, and one that is blocked counts as none. After the first, ``go_on`` is asked before each.
    """
    random = Random(seed)
    tree = _Tree()
    ended: list[tuple[_Descent, bool]] = []
    for number in range(descents):
        if number and not go_on():
            break
        walk = _Descent(tree, random, bound)
        blocked = False
        try:
            system(walk)
        except Blocked:
            blocked = True
        walk.settle()
        ended.append((walk, blocked))
    weights = [0 if blocked else walk.weight() for walk, blocked in ended]
    return sum(weights) / len(weights), min(weights), max(weights)


def analyse(nodes: Sequence[Node], walk: Walk) -> int:
    """Find the races of a run and branch for them; return how many are unexplained."""
    steps = [*walk.steps, *walk.pending]
    taken = len(walk.steps)
    clocks: list[_Clock] = []
    own: dict[int, _Clock] = {}  # actor -> its clock
    writers: dict[Key, int] = {}  # the last step that wrote
    readers: dict[Key, dict[int, int]] = {}  # actor -> its last read since
    putters: dict[Key, dict[int, int]] = {}  # actor -> where it has put a reference last since
    unexplained = 0
    for place, step in enumerate(steps):
        actor = step.actor
        clock = dict(own.get(actor, ()))
        before = clock.get(actor, 0)
        conflicting: dict[int, None] = {}
        locks: dict[int, None] = {}
        for key, mode in step.touched.items():
            into = locks if key[1] == LOCK else conflicting
            writer = writers.get(key)
            if writer is not None:
                into[writer] = None
            if mode & (WRITE | PUT) and key in readers:
                for reader in readers[key].values():
                    into[reader] = None
            if mode != PUT and key in putters:
                for putter in putters[key].values():
                    into[putter] = None
        racing: list[int] = []
        # who must wait for a lock could have had it first: before what it needs is looked at
        _races(locks, clock, clocks, steps, racing, actor)
        for need in step.needs:
            _join(clock, clocks[need])
        _races(conflicting, clock, clocks, steps, racing, actor)
        for other in (*locks, *conflicting):
            _join(clock, clocks[other])
        clock[actor] = before + 1
        clocks.append(clock)
        for first in racing:
            if walk.bound is not None:
                _want_bounded(nodes, walk, first, actor)
                continue
            initials = _initials(nodes[first], first, place, steps, clocks)
            before = len(nodes[first].branches)
            unasked = want(nodes[first], initials)
            if first >= walk.base:
                unexplained += unasked
            elif len(nodes[first].branches) > before:
                walk.wishes.append((first, initials))
        if place >= taken:
            continue
        own[actor] = clock
        for key, mode in step.touched.items():
            if mode & WRITE:
                writers[key] = place
                readers.pop(key, None)
                putters.pop(key, None)
                continue
            if mode & READ:
                readers.setdefault(key, {})[actor] = place
            if mode & PUT:
                putters.setdefault(key, {})[actor] = place
    return unexplained


def _want_bounded(nodes: Sequence[Node], walk: Walk, first: int, second: int) -> None:
    """Let who is ``second`` in a race go before its first step: there, or earlier for nothing."""
    steps, begun = walk.steps, first
    while begun and steps[begun - 1].actor == steps[first].actor:
        begun -= 1
    for place in dict.fromkeys((first, begun)):
        node = nodes[place]
        for actor in (second,) if second in node.enabled else node.enabled:
            if actor in node.branches:
                continue
            node.branches.append(actor)
            if place < walk.base:
                walk.wishes.append((place, [actor]))


def _races(
    others: Iterable[int],
    clock: _Clock,
    clocks: Sequence[_Clock],
    steps: Sequence[Step],
    racing: list[int],
    actor: int,
) -> None:
    """Note which of ``others`` nothing orders before the step whose clock so far is given.

    The latest first: what comes before one of them is ordered through it.
    """
    seen: _Clock = dict(clock)
    for other in sorted(others, reverse=True):
        who = steps[other].actor
        if who != actor and clocks[other][who] > seen.get(who, 0):
            racing.append(other)
        _join(seen, clocks[other])


def _initials(
    node: Node, first: int, second: int, steps: Sequence[Step], clocks: Sequence[_Clock]
) -> list[int]:
    """Return who may go before the first of two racing steps so that their order is reversed."""
    who = steps[first].actor
    number = clocks[first][who]
    apart = [place for place in range(first + 1, second) if clocks[place].get(who, 0) < number]
    apart.append(second)
    initials: list[int] = []
    seen: dict[int, int] = {}  # actors of what is apart -> the number of their first step there
    for place in apart:
        actor = steps[place].actor
        if actor in seen:
            continue
        clock = clocks[place]
        if all(clock.get(one, 0) < at for one, at in seen.items()):
            initials.append(actor)
        seen[actor] = clock[actor]
    last = steps[second].actor
    known = node.sleep.get(last, node.done.get(last))
    # without the first step it touches something else than after it: that may be known here
    if (
        known is not None
        and last in initials
        and any(clash(known, steps[place].touched) for place in apart[:-1])
    ):
        initials.remove(last)
    return initials


def want(node: Node, initials: Sequence[int]) -> int:
    """Let one of ``initials`` go at a place, if none does; return 1 if everybody has to."""
    for actor in initials:
        if actor in node.branches or actor in node.sleep:
            return 0
    for actor in reversed(initials):
        if actor in node.enabled:
            node.branches.append(actor)
            return 0
    missing = [actor for actor in node.enabled if actor not in node.branches]
    node.branches += missing
    return 1 if missing else 0


def clash(one: Touched, two: Touched) -> bool:
    """Tell whether two steps conflict."""
    if len(two) < len(one):
        one, two = two, one
    for key, mode in one.items():
        other = two.get(key)
        if other is not None and (mode | other) not in _APART:
            return True
    return False


def _join(clock: _Clock, other: _Clock) -> None:
    for actor, number in other.items():
        if clock.get(actor, 0) < number:
            clock[actor] = number
