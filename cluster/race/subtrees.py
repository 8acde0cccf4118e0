"""An exploration in parts: several subtrees of one tree of choices, each walked by itself.

A *part* is a branch at a place of the tree with all that hangs below it. In a round each part makes
some runs, alone: it knows the way to its place, and which branches there others have, no more. What
it finds that belongs above (a race with a step of the way) it *wishes* for. After the round wishes
are granted in the order of the parts: who is no branch at that place yet becomes one, as a part of
the next rounds. While there are few parts, one with branches left gives away those nearest to its
root.

Nothing here asks who makes the runs, or how fast: the parts of a round, what each does and what
comes of it are the same for any number of workers.

A branch sleeps on those that were begun before it at its place, and so on no two that sleep on each
other; that they are not at their end yet does no harm: what it leaves out they walk in the end.
Branches of one place are begun one after the other, as each must know what the first step of those
before touches.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from cluster.race.dpor import Counts, Explorer, Node, System, want

ROUND: Final = 40  # runs of a part in one round
MOST_PARTS: Final = 12  # with so many none gives branches away

Way = tuple[int, ...]  # who went before a place


@dataclass(slots=True)
class Part:
    """A subtree: see the module header.

    Attributes:
        nodes: of the run at hand, the way to the part's place first.
        base: how many nodes belong to others.
        left: runs that it may still make in this round.
        wishes: ``(depth, who may go there)``, for the nodes below ``base``.
    """

    nodes: list[Node] = field(default_factory=list)
    base: int = 0
    begun: bool = False
    ended: bool = False
    left: int = field(default_factory=lambda: ROUND)
    wishes: list[tuple[int, list[int]]] = field(default_factory=list)

    def way(self, depth: int) -> Way:
        """Return who went on the way to one of its nodes."""
        return tuple(node.chosen for node in self.nodes[:depth])


@dataclass(slots=True)
class Made:
    """What runs of a part have shown: ``ends`` of those that were not blocked."""

    part: Part
    counts: Counts
    ends: list[Any] = field(default_factory=list)


def make_part(
    system: System,
    part: Part,
    most: int,
    go_on: Callable[[Any], bool] = lambda _end: True,
    bound: int | None = None,
) -> Made:
    """Make at most ``most`` runs of a part.

    Args:
        go_on: is asked after each run, with its end; None: the run was blocked.
        bound: see ``dpor.Walk``.
    """
    explorer = Explorer(system, part.nodes, part.base, part.begun, bound)
    made = Made(part, explorer.counts)
    for _ in range(most):
        found = explorer.next()
        if found is None:
            part.ended = True
            break
        part.left -= 1
        blocked, end = found
        if not blocked:
            made.ends.append(end)
        if not go_on(end):
            break
    part.begun = explorer.begun
    part.wishes += explorer.wishes
    return made


class Tree:
    """All parts of an exploration, and the places that no part has for itself.

    Attributes:
        parts: those that are not at their end, in order.
        shared: places above the parts', by the way to them; ``done``: who has been begun there,
            and his first step is known.
        opening: who has been begun there last, and his first step is not known yet.
        waiting: places with branches that nobody has begun.
        unexplained: see ``dpor.Counts``.
    """

    def __init__(self) -> None:
        self.parts: list[Part] = [Part()]
        self.shared: dict[Way, Node] = {}
        self.opening: dict[Way, int] = {}
        self.waiting: dict[Way, None] = {}
        self.unexplained = 0
        self._kept = 1000  # of ``shared``, when it was looked through last

    @property
    def complete(self) -> bool:
        """Nothing is left."""
        return not self.parts and not self.waiting

    def shares(self, most: int) -> Iterator[tuple[int, int]]:
        """Yield the numbers of the parts that have runs left in this round, each with how many.

        All together at most ``most``.
        """
        for number, part in enumerate(self.parts):
            if part.left > 0 and not part.ended and most > 0:
                share = min(part.left, most)
                most -= share
                yield number, share

    def round_is_over(self) -> bool:
        """Tell whether all parts have made their runs."""
        return all(part.ended or part.left <= 0 for part in self.parts)

    def next_round(self) -> None:
        """Grant wishes, let parts give away branches, and begin new parts."""
        for part in self.parts:
            self._grant(part)
        self.parts = [part for part in self.parts if not part.ended]
        for part in self.parts:
            part.left = ROUND
            if len(self.parts) + len(self.waiting) < MOST_PARTS:
                self._give_away(part)
        for way in list(self.waiting):
            if way not in self.opening:
                self._begin(way)
        if len(self.shared) > 2 * self._kept:
            self._forget()

    def _grant(self, part: Part) -> None:
        if part.base and part.begun:
            way, place = part.way(part.base - 1), part.nodes[part.base - 1]
            if self.opening.get(way) == place.chosen:
                del self.opening[way]
                self.shared[way].done[place.chosen] = place.touched
        for depth, initials in part.wishes:
            way = part.way(depth)
            self.unexplained += want(self.shared[way], initials)
            self._look(way)
        part.wishes = []

    def _look(self, way: Way) -> None:
        """Let a place wait for somebody to walk its branches, if there are any left."""
        if self._new(way):
            self.waiting.setdefault(way)
        else:
            self.waiting.pop(way, None)

    def _new(self, way: Way) -> list[int]:
        node = self.shared[way]
        opening = self.opening.get(way)
        return [
            one
            for one in node.branches
            if one not in node.done and one not in node.sleep and one != opening
        ]

    def _give_away(self, part: Part) -> None:
        """Share the part's places down to the first with branches left."""
        for depth in range(part.base, len(part.nodes)):
            node = part.nodes[depth]
            if any(
                one not in node.done and one not in node.sleep and one != node.chosen
                for one in node.branches
            ):
                break
        else:
            return
        for place in range(part.base, depth + 1):
            node = part.nodes[place]
            self.shared[part.way(place)] = Node(
                node.enabled,
                node.sleep,
                branches=list(node.branches),
                done={**node.done, node.chosen: node.touched},
            )
        part.base = depth + 1
        self._look(part.way(depth))

    def _begin(self, way: Way) -> None:
        """Make a part of the next branch that waits at a place."""
        chosen = self._new(way)[0]
        nodes = []
        for depth, went in enumerate((*way, chosen)):
            above = self.shared[way[:depth]]
            done = {actor: touched for actor, touched in above.done.items() if actor != went}
            nodes.append(
                Node(above.enabled, above.sleep, went, branches=list(above.branches), done=done)
            )
        self.opening[way] = chosen
        self.parts.append(Part(nodes, len(nodes)))
        self._look(way)

    def _forget(self) -> None:
        """Let go of places below which nobody is, and nobody will be."""
        needed = {
            way[:depth]
            for way in (*(part.way(part.base) for part in self.parts), *self.waiting)
            for depth in range(len(way) + 1)
        }
        self.shared = {way: node for way, node in self.shared.items() if way in needed}
        self._kept = max(1000, len(self.shared))
