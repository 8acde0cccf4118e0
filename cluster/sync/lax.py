"""Scheme ``lax``: CPUs run free, and the kernel serves requests in the order in which they arrive.

No CPU waits for another, however far apart in virtual time they are. Which CPU's request comes
first is decided by the host: on Ray by what really arrives first, on the local engine by a seeded
shuffle of what is under way. So two runs of one configuration differ as two boots of a machine do,
and each is one that its order log makes again (``cluster.free_running``).

A CPU runs up to ``quantum`` beyond the next thing it does; then it looks for messages. A message
from before where it stands is applied at once, and counted as a causality violation. The kernel's
own timers fire when somebody asks for something at a later time, or when nobody is left who could
go before them; those of the next quantum a little early, so that they reach their CPU in time.

Source: the scheme of that name in Graphite (Miller et al., HPCA 2010).
"""

from typing import Final

from cluster.sync.scheme import NO_FURTHER, Horizons, Pending, Settings, View
from kernel.messages import END, NEVER, R_CODE, R_TIME, REQ_RESUME, Request

_ARRIVED: Final = 0  # requests have come
_SERVED: Final = 1  # and are served
_AHEAD: Final = 2  # so are the timers of the next quantum


class Lax:
    """See the module header.

    Attributes:
        furthest_ns: how far ahead of the slowest CPU another has asked for something, at most.
    """

    name = "lax"
    deterministic = False
    engines = frozenset(("local", "ray"))
    settles = False
    runs_free = True

    __slots__ = ("_limit_ns", "_phase", "_quantum_ns", "furthest_ns")

    def __init__(self, settings: Settings) -> None:
        self._quantum_ns = settings.quantum_ns
        self._phase = _ARRIVED
        self._limit_ns = 0
        self.furthest_ns = 0

    def limit(self, view: View) -> int:
        """See ``Scheme.limit``: the time of the latest request, then perhaps a quantum more."""
        if self._phase == _ARRIVED:
            self._phase = _SERVED
            self._limit_ns = view.last_ns()
            if self._limit_ns >= 0:
                return self._limit_ns
        if self._phase == _SERVED:
            self._phase = _AHEAD
            ahead_ns = view.advance() + self._quantum_ns
            if view.due_ns <= ahead_ns < NEVER:
                self._limit_ns = ahead_ns
                return ahead_ns
        self._phase = _ARRIVED
        return NO_FURTHER

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """See ``Scheme.ready``: everything, as it arrived."""
        for request in pending.requests:
            ahead_ns = request[R_TIME] - view.virtual_ns
            if ahead_ns > self.furthest_ns and request[R_CODE] <= REQ_RESUME:
                self.furthest_ns = ahead_ns
                self.look(request, view)
        return pending.take()

    def look(self, request: Request, view: View) -> None:
        """See that a CPU may be as far ahead as it is: further than any before. It may."""

    def horizons(self, view: View) -> Horizons:
        """See ``Scheme.horizons``: whoever stands still goes."""
        view.advance()
        quantum_ns = self._quantum_ns
        return {cpu: min(next_ns + quantum_ns, END) for cpu, next_ns in view.waiting.items()}
