"""Scheme ``exact``: always the logical process with the earliest next event goes.

It goes only up to the next event of any other, so no effect ever comes late. It is conservative,
and the reference for the others' accuracy. Every round is one event, the turn of one CPU or of the
kernel. Turns in which a CPU has nothing to say the engine takes by itself, as this scheme would
decide them: ``kernel.rounds.turns`` has the reason why that is the same.
"""

from typing import Final

from cluster.sync.scheme import NO_FURTHER, Horizons, Pending, Settings, View
from kernel.messages import Request

# of virtual time: even a program that only computes lets the engine look around
_LONGEST_STEP_NS: Final = 1_000_000


class InTurn:
    """Lets the kernel or one CPU go in each round: what ``exact`` and ``free`` have in common."""

    deterministic = True
    engines = frozenset(("local",))
    settles = True

    __slots__ = ("_cpu", "_horizon_ns", "_limit_ns")

    def __init__(self, settings: Settings) -> None:
        self._cpu = -1  # the one that goes in the next round; -1: the kernel goes in this one
        self._horizon_ns = 0
        self._limit_ns = -1

    def limit(self, view: View) -> int:
        """See ``Scheme.limit``: the kernel goes if nobody comes before it, else a CPU does."""
        if self._limit_ns >= 0:  # it has gone
            self._limit_ns = NO_FURTHER
            return NO_FURTHER
        if view.due_ns <= view.first_ns:
            self._cpu = -1
            self._limit_ns = self._kernel_limit(view)
            return self._limit_ns
        self._cpu, self._horizon_ns = view.turn(_LONGEST_STEP_NS)
        return NO_FURTHER

    def _kernel_limit(self, view: View) -> int:
        """Return how far the kernel goes, whose turn it is: up to its own next event."""
        return view.due_ns

    def horizons(self, view: View) -> Horizons:
        """See ``Scheme.horizons``: one CPU's, or nobody's."""
        return {} if self._cpu < 0 else {self._cpu: self._horizon_ns}


class Exact(InTurn):
    """See the module header."""

    name = "exact"
    engines = frozenset(("local", "ray"))
    turn_ns = _LONGEST_STEP_NS  # the engine may take turns of at most so long by itself

    __slots__ = ()

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """See ``Scheme.ready``: what is due at the limit, by time."""
        return pending.due(self._limit_ns)
