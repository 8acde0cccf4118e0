"""Mutations: seeded bugs, each a change at one named point of the kernel's source.

======================================= ==========================================================
written                                 what it does
======================================= ==========================================================
``POINT``, ``drop:POINT``               the lock is not taken (nor given back by that path), the
                                        barrier orders nothing, the store is not made, nobody goes
                                        to sleep; a lock whose release is dropped is kept; the code
                                        of a plain point is left out
``weaken:POINT``, ``weaken:POINT:HOW``  it does less: see ``WEAKER``
``move:POINT:before:OTHER``             it is done before, or after, another
``move:POINT:after:OTHER``
``swap:POINT:OTHER``                    the two change places
======================================= ==========================================================

``POINT@FUNCTION`` means the point only where that path leads to it: for ``move`` and ``swap`` the
call in FUNCTION (``POINT@FUNCTION#2``: the second one). ``POINT+`` means the point with the code
that follows it up to the next point; plain points and updates always bring theirs along.

What is done here, by the driver of steps, is all that leaves the code as it is. Where code moves
(``needs_code``), ``cluster.mutations`` makes another function of it for the run.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from kernel.errors import BadMutation
from kernel.points import (
    ACQUIRE,
    BARRIER,
    KIND_NAMES,
    LOAD,
    LOAD_ACQUIRE,
    POINT,
    READ,
    READ_BARRIER,
    RELEASE,
    RESCHED,
    SCHEDULE,
    STORE,
    STORE_RELEASE,
    UPDATE,
    WRITE_BARRIER,
)

if TYPE_CHECKING:
    from kernel.drive.active_path import ActivePath

DROP: Final = "drop"
WEAKEN: Final = "weaken"
MOVE: Final = "move"
SWAP: Final = "swap"
ACTIONS: Final[tuple[str, ...]] = (DROP, WEAKEN, MOVE, SWAP)
SIDES: Final[tuple[str, ...]] = ("before", "after")

SHARED: Final = "shared"  # taken as by a reader
PLAIN: Final = "plain"  # it orders nothing; what it does it does
WMB: Final = "wmb"  # it orders stores only
RMB: Final = "rmb"  # it orders loads only
IRQ: Final = "irq"  # interrupts stay as they are: spin_lock() for spin_lock_irq()
SPLIT: Final = "split"  # what it does in one step others can come into

WEAKER: Final[dict[int, tuple[str, ...]]] = {
    POINT: (SPLIT,),
    ACQUIRE: (SHARED, PLAIN, IRQ),
    READ: (PLAIN,),
    RELEASE: (PLAIN,),
    BARRIER: (WMB, RMB, SPLIT),
    LOAD_ACQUIRE: (PLAIN,),
    STORE_RELEASE: (PLAIN,),
    UPDATE: (SPLIT,),
}
"""Kind of a point -> how it can be weakened, the usual way first; SPLIT needs code to split.

A barrier that stands for an atomic operation (there is such code) is, without a word, both: what it
does is split, and orders stores only.
"""

# ActivePath.mutated: what of the offer at hand is not done
WHOLE: Final = 0
DROPPED: Final = 1  # a lock is not taken, a barrier orders nothing
UNORDERED: Final = 2  # it is done, and orders nothing
IRQS_ON: Final = 3  # it is taken, and turns no interrupts off

_PLACE: Final = re.compile(r"([A-Za-z0-9_.]+)(\+?)(?:@([A-Za-z0-9_]+)(?:#([1-9][0-9]?))?)?\Z", re.A)


class Place:
    """Where something is done: a point; if ``function`` is named, where that path leads to it.

    Attributes:
        number: which of the function's statements that lead there, from 1; 0: the only one.
        whole: the code up to the next point belongs to it.
    """

    __slots__ = ("function", "number", "point", "whole")

    def __init__(
        self, point: str, function: str = "", number: int = 0, whole: bool = False
    ) -> None:
        self.point = point
        self.function = function
        self.number = number
        self.whole = whole

    def __repr__(self) -> str:
        text = self.point + "+" * self.whole
        if self.function:
            text += f"@{self.function}" + (f"#{self.number}" if self.number else "")
        return text


class Mutation:
    """One mutation, as it is written.

    Attributes:
        how: WEAKEN: the word that says to what; empty: the usual one.
        side: MOVE: before or after ``other``.
    """

    __slots__ = ("action", "how", "other", "place", "side")

    def __init__(
        self, action: str, place: Place, how: str = "", side: str = "", other: Place | None = None
    ) -> None:
        self.action = action
        self.place = place
        self.how = how
        self.side = side
        self.other = other


def parse(text: str) -> Mutation:
    """Return what is written as ``text``.

    Raises:
        BadMutation: it is none; whether there are such points is not looked at.
    """
    action, *rest = text.split(":")
    if not rest:
        return Mutation(DROP, _place(action))
    if action not in ACTIONS:
        raise BadMutation(
            f"there is no kind of mutation {action!r} (there is: {', '.join(ACTIONS)})"
        )
    if action == DROP and len(rest) == 1:
        return Mutation(DROP, _place(rest[0]))
    if action == WEAKEN and len(rest) <= 2:
        return Mutation(WEAKEN, _place(rest[0]), rest[1] if len(rest) > 1 else "")
    if action == SWAP and len(rest) == 2:
        return Mutation(SWAP, _place(rest[0]), other=_place(rest[1]))
    if action == MOVE and len(rest) == 3 and rest[1] in SIDES:
        return Mutation(MOVE, _place(rest[0]), side=rest[1], other=_place(rest[2]))
    raise BadMutation(f"is to be written as {_FORMS[action]}")


_FORMS: Final = {
    DROP: "drop:POINT",
    WEAKEN: "weaken:POINT or weaken:POINT:HOW",
    MOVE: "move:POINT:before:OTHER or move:POINT:after:OTHER",
    SWAP: "swap:POINT:OTHER",
}


def _place(text: str) -> Place:
    match = _PLACE.match(text)
    if match is None:
        raise BadMutation(f"{text!r} is no POINT, POINT+, POINT@FUNCTION or POINT@FUNCTION#2")
    point, whole, function, number = match.groups()
    return Place(point, function or "", int(number or 0), bool(whole))


def admits(kind: int, *, code: bool = True, stores: bool = True) -> list[str]:
    """Return the mutations of a point of ``kind``, as words: ``drop``, ``weaken:HOW``, ….

    Args:
        code: it has code of its own, which can be left out; ``stores``: which can be split.
    """
    found = []
    if kind in (POINT, UPDATE):
        if code and kind == POINT:
            found.append(DROP)
    elif kind not in (LOAD, LOAD_ACQUIRE):
        found.append(DROP)
    found += [f"{WEAKEN}:{how}" for how in WEAKER.get(kind, ()) if stores or how != SPLIT]
    return [*found, MOVE, SWAP]


def weaker(mutation: Mutation, kind: int, *, stores: bool) -> str:
    """Return how ``mutation``, a WEAKEN, weakens a point of ``kind``.

    Raises:
        BadMutation: not so.
    """
    known = [how for how in WEAKER.get(kind, ()) if stores or how != SPLIT]
    if not known:
        what = KIND_NAMES[kind].replace("_", " ")
        hint = ": drop or move it" if DROP in admits(kind) else ": move it"
        raise BadMutation(f"a {what} that can be no weaker{hint}")
    if not mutation.how:
        return known[0]
    if mutation.how not in known:
        raise BadMutation(f"can be weakened to {', '.join(known)}, not to {mutation.how!r}")
    return mutation.how


def needs_code(mutation: Mutation, kind: int) -> bool:
    """Tell whether other code has to be made for ``mutation`` of a point of ``kind``."""
    if mutation.action == WEAKEN:
        return mutation.how == SPLIT or (not mutation.how and kind in (POINT, BARRIER, UPDATE))
    return mutation.action in (MOVE, SWAP) or kind == POINT


class _Rule:
    """What the driver does at a point."""

    __slots__ = ("function", "how")

    def __init__(self, how: str, function: str) -> None:
        self.how = how
        self.function = function


_Rules = dict[str, list[_Rule]]


def rules_of(mutations: Iterable[str]) -> _Rules:
    """Return what is to be done at which points; those of balancing, and of code, are elsewhere."""
    rules: _Rules = {}
    for text in mutations:
        try:
            mutation = parse(text)
        except BadMutation:
            continue
        if mutation.action in (DROP, WEAKEN):
            place = mutation.place
            how = mutation.how if mutation.action == WEAKEN else DROP
            rules.setdefault(place.point, []).append(_Rule(how, place.function))
    return rules


def offer(rules: _Rules, path: "ActivePath") -> None:
    """Change what ``path`` has come to offer as ``rules`` say."""
    path.mutated = WHOLE
    here = rules.get(path.op[0])
    if here is None:
        return
    for rule in here:
        if not rule.function or _leads(path.gen, rule.function):
            _change(path, rule.how)


def _change(path: "ActivePath", how: str) -> None:
    name, kind, obj = path.op
    if how == DROP:
        if kind in (STORE, STORE_RELEASE, RELEASE, SCHEDULE, RESCHED):
            path.op = (name, POINT, obj)
        else:
            path.mutated = DROPPED
        return
    if kind == ACQUIRE and how in (SHARED, ""):
        path.op = (name, READ, obj)
    elif how == IRQ:
        path.mutated = IRQS_ON
    elif kind == BARRIER:
        if how == SPLIT:  # a load and a store order nothing
            path.mutated = DROPPED
        else:
            path.op = (name, READ_BARRIER if how == RMB else WRITE_BARRIER, obj)
    elif kind == LOAD_ACQUIRE:
        path.op = (name, LOAD, obj)
    elif kind == STORE_RELEASE:
        path.op = (name, STORE, obj)
    elif kind in (ACQUIRE, READ, RELEASE):
        path.mutated = UNORDERED


def _leads(gen: Any, function: str) -> bool:
    """Tell whether ``gen`` is inside a path of the name ``function``."""
    while gen is not None:
        if getattr(gen, "__name__", "") == function:
            return True
        gen = getattr(gen, "gi_yieldfrom", None)
    return False
