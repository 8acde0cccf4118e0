"""Scheme ``exact``: always the logical process with the earliest next event goes.

It goes only up to the next event of any other, so no effect ever comes late. It is conservative,
the reference for the others' accuracy, and meant for small machines: every round is one event.
"""

from typing import Final

from cluster.sync.scheme import NO_FURTHER, Horizons, Pending, Settings, View
from kernel.messages import NEVER, Request

# of virtual time: even a program that only computes lets the engine look around
_LONGEST_STEP_NS: Final = 1_000_000


class Exact:
    """See the module header."""

    name = "exact"
    deterministic = True
    engines = frozenset(("local",))
    settles = True

    __slots__ = ("_cpu", "_horizon_ns", "_limit_ns")

    def __init__(self, settings: Settings) -> None:
        self._cpu = -1  # the one that goes in the next round; -1: the kernel goes in this one
        self._horizon_ns = 0
        self._limit_ns = -1

    def limit(self, view: View) -> int:
        """See ``Scheme.limit``: the kernel goes if it is the earliest, else it is a CPU's turn."""
        if self._limit_ns >= 0:  # it has gone
            self._limit_ns = NO_FURTHER
            return NO_FURTHER
        upcoming = view.cpu_next
        # comparisons, not min(): a round is one event, and this is asked in every one
        kernel_ns = view.due_ns
        first_ns = view.first_ns
        if kernel_ns <= first_ns:
            self._cpu = -1
            self._limit_ns = kernel_ns
            return kernel_ns
        # where two CPUs have an event at the same time, the lower goes first
        cpu = self._cpu = upcoming.index(first_ns)
        upcoming[cpu] = NEVER
        horizon_ns = min(upcoming)
        upcoming[cpu] = first_ns
        if kernel_ns < horizon_ns:
            horizon_ns = kernel_ns
        if first_ns + _LONGEST_STEP_NS < horizon_ns:
            horizon_ns = first_ns + _LONGEST_STEP_NS
        self._horizon_ns = horizon_ns
        return NO_FURTHER

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """See ``Scheme.ready``: what is due at the limit, by time."""
        return pending.due(self._limit_ns)

    def horizons(self, view: View) -> Horizons:
        """See ``Scheme.horizons``: one CPU's, or nobody's."""
        return {} if self._cpu < 0 else {self._cpu: self._horizon_ns}
