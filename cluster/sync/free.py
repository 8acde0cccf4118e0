"""Scheme ``free``: at granularity ``step`` every path that is in the kernel may go next.

``exact`` lets go whoever is earliest in virtual time, so that time decides nearly all orders and
only hold-ups change them. Under ``free`` all CPUs first run on to where they need the kernel, or
have nothing to do; then the paths that stand in it are all due, whatever their clocks say, and the
chooser (``kernel.drive.chooser``) takes one. Whoever is passed over goes on later, so virtual time
still never runs backwards: each order is one that hold-ups of some lengths give. After each step
the CPUs run on again, for what the step did may have brought them something to do.

How far ahead of a path its CPU's rivals may run is the hold-up that the chooser gives each path
before its step: a chooser for ``free`` gives long ones.

Between two points nothing is free; at granularity ``syscall`` it is ``exact``.
"""

from typing import Final

from cluster.sync.scheme import NO_FURTHER, Horizons, Pending, Settings, View
from kernel.messages import END, Request

# of virtual time: even a program that only computes lets the engine look around
_LONGEST_STEP_NS: Final = 1_000_000


class Free:
    """See the module header."""

    name = "free"
    deterministic = True
    engines = frozenset(("local",))
    settles = True
    single_steps = True

    __slots__ = ("_cpu", "_horizon_ns", "_limit_ns")

    def __init__(self, settings: Settings) -> None:
        self._cpu = -1  # the one that goes in the next round; -1: the kernel goes in this one
        self._horizon_ns = 0
        self._limit_ns = -1

    def limit(self, view: View) -> int:
        """See ``Scheme.limit``: the kernel goes if no CPU has anything to do before it."""
        if self._limit_ns >= 0:  # it has gone
            self._limit_ns = NO_FURTHER
            return NO_FURTHER
        due_ns, first_ns = view.due_ns, view.first_ns
        if due_ns <= first_ns:
            self._cpu = -1
            # the kernel itself goes no further than its own next timer or request
            self._limit_ns = max(due_ns, min(first_ns, END) - 1)
            return self._limit_ns
        self._cpu, self._horizon_ns = view.turn(_LONGEST_STEP_NS)
        return NO_FURTHER

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """See ``Scheme.ready``: what has been asked for by the time of the earliest step."""
        return pending.due(view.due_ns)

    def horizons(self, view: View) -> Horizons:
        """See ``Scheme.horizons``: one CPU's, or nobody's."""
        return {} if self._cpu < 0 else {self._cpu: self._horizon_ns}
