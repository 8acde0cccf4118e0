"""Scheme ``barrier``: supersteps up to a common horizon.

All CPUs run up to the horizon; then the kernel serves what is due there in the order
``(time, cpu, seq)``, and the next horizon is

    (least time at which anything can happen) + quantum

Neither half depends on how CPUs are packed into groups, so a run has the same bytes in one process
and on any number of actors. The price: a message may arrive in its CPU's past, up to a quantum.
"""

from typing import Final

from cluster.sync.scheme import NO_FURTHER, Pending, Settings, View
from kernel.messages import END, NEVER, Request

_REACHED: Final = 0  # the CPUs stand at the horizon
_SERVED: Final = 1  # the kernel has served what was due there
_AHEAD: Final = 2  # and what falls into the coming superstep


class Barrier:
    """See the module header."""

    name = "barrier"
    deterministic = True
    engines = frozenset(("local", "ray"))
    settles = False

    __slots__ = ("_horizon_ns", "_limit_ns", "_phase", "_quantum_ns")

    def __init__(self, settings: Settings) -> None:
        self._quantum_ns = settings.quantum_ns
        self._horizon_ns = 0
        self._limit_ns = 0
        self._phase = _REACHED

    def limit(self, view: View) -> int:
        """See ``Scheme.limit``: the horizon reached, then perhaps the next one."""
        if self._phase == _REACHED:
            self._phase = _SERVED
            self._limit_ns = self._horizon_ns
            return self._limit_ns
        if self._phase == _SERVED:
            self._phase = _AHEAD
            ahead_ns = view.advance() + self._quantum_ns
            # below NEVER even if nothing can happen: a CPU that waits for ever must not pass it
            self._horizon_ns = min(ahead_ns, END)
            # Timers of the coming superstep fire now, so that they reach their CPU in time.
            if view.due_ns <= ahead_ns < NEVER:
                self._limit_ns = ahead_ns
                return ahead_ns
        self._phase = _REACHED
        return NO_FURTHER

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """See ``Scheme.ready``: what is due at the limit, by time."""
        return pending.due(self._limit_ns)

    def horizons(self, view: View) -> int:
        """See ``Scheme.horizons``: one for all."""
        return self._horizon_ns
