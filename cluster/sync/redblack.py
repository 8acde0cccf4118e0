"""Scheme ``redblack``: the kernel serves one half of the CPUs while the other half runs.

CPUs with even numbers are red, those with odd ones black. Under ``barrier`` CPUs and kernel take
turns, so two processes never have work at the same time. Here there are two supersteps under way:

    CPUs:    red 0    black 1    red 2     black 3   …
    kernel:           serves 0   serves 1  serves 2  …

The kernel phase that takes in the reports of superstep k says how far the same half may go in
superstep k + 2, and what it says to the other half waits for superstep k + 3. Everything else is as
under ``barrier``: each half runs up to its horizon, or until its tasks wait for an answer, and what
a superstep has asked for is served in the order ``(time, cpu, seq)``.

The colour of a CPU is its number's, so neither half depends on how CPUs are packed, nor on whether
the two phases really overlap: one process that makes them one after the other gives the same bytes.
The price: a message may arrive in its CPU's past by up to two quanta.

What nothing can happen before (``View.advance``) is known though half of the CPUs have not reported
yet: such a CPU does nothing before its next event of when it last did, or the first of the messages
that it has been sent since (``View.under_way_ns``).
"""

from typing import Final

from cluster.sync.scheme import NO_FURTHER, Pending, Settings, View
from kernel.messages import END, NEVER, Request

_REACHED: Final = 0  # one half stands at its horizon
_SERVED: Final = 1  # the kernel has served what was due there
_AHEAD: Final = 2  # and what falls into the superstep that comes


class RedBlack:
    """See the module header."""

    name = "redblack"
    deterministic = True
    engines = frozenset(("local", "ray"))
    settles = False
    halves = True

    __slots__ = ("_horizon_ns", "_limit_ns", "_other_ns", "_phase", "_quantum_ns")

    def __init__(self, settings: Settings) -> None:
        self._quantum_ns = settings.quantum_ns
        self._horizon_ns = 0  # of the superstep that is served now
        self._other_ns = 0  # of the one after it, which the other half is at
        self._limit_ns = 0
        self._phase = _REACHED

    def limit(self, view: View) -> int:
        """See ``Scheme.limit``: the horizon that this half reached, then perhaps its next one."""
        if self._phase == _REACHED:
            self._phase = _SERVED
            self._limit_ns = self._horizon_ns
            return self._limit_ns
        if self._phase == _SERVED:
            self._phase = _AHEAD
            ahead_ns = view.advance() + self._quantum_ns
            # not before the other half's: the kernel never goes back
            next_ns = max(min(ahead_ns, END), self._other_ns)
            self._horizon_ns, self._other_ns = self._other_ns, next_ns
            # Timers of the coming superstep fire now, so that they reach their CPU in time.
            if view.due_ns <= ahead_ns < NEVER:
                self._limit_ns = next_ns
                return next_ns
        self._phase = _REACHED
        return NO_FURTHER

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """See ``Scheme.ready``: what is due at the limit, by time."""
        return pending.due(self._limit_ns)

    def horizons(self, view: View) -> int:
        """See ``Scheme.horizons``: one for all of the half whose turn it is."""
        return self._other_ns
