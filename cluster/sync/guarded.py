"""A scheme from outside the project, held to the rules of ``Scheme``.

Our own schemes need nobody who looks after them, and pay nothing for this.
"""

from typing import Any, Final

from cluster.sync.scheme import NO_FURTHER, Horizons, Pending, Scheme, SchemeError, View
from kernel.messages import NEVER, R_CPU, R_SEQ, Request

_OURS: Final = f"{__package__}."
_STANDSTILL: Final = 20_000  # how often in a row nothing may have happened


def guarded(scheme: Scheme, cpus: int) -> Scheme:
    """Return ``scheme``; if it is from outside the project, held to the rules."""
    if type(scheme).__module__.startswith(_OURS):
        return scheme
    return Guarded(scheme, cpus)


class Guarded:
    """Does as the scheme it is made of, and ends the run where that breaks a rule.

    Raises:
        SchemeError: by each of the three methods; the message names scheme, method and rule.
    """

    __slots__ = (
        "_cpus",
        "_limit_ns",
        "_scheme",
        "_seqs",
        "_still",
        "_top_ns",
        "_virtual_ns",
        "deterministic",
        "engines",
        "name",
        "settles",
    )

    def __init__(self, scheme: Scheme, cpus: int) -> None:
        self._scheme = scheme
        self._cpus = cpus
        self._seqs = [0] * cpus
        self._limit_ns = NO_FURTHER
        self._top_ns = 0  # the furthest horizon so far
        self._virtual_ns = 0
        self._still = 0
        self.name = scheme.name
        self.deterministic = scheme.deterministic
        self.engines = scheme.engines
        self.settles = scheme.settles

    def limit(self, view: View) -> int:
        """See ``Scheme.limit``: a time below NEVER, or NO_FURTHER."""
        self._look_for_standstill(view)
        found: Any = self._scheme.limit(view)
        if type(found) is not int or not NO_FURTHER <= found < NEVER:
            raise self._broken("limit", f"must return a time in ns, or NO_FURTHER (got {found!r})")
        self._limit_ns = found
        return found

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """See ``Scheme.ready``: what it took of ``pending``, all of it, each CPU's in order."""
        there = len(pending.requests)
        found: Any = self._scheme.ready(pending, view)
        if type(found) is not list:
            raise self._broken("ready", f"must return a list of requests (got {found!r})")
        taken = there - len(pending.requests)
        if taken != len(found):
            raise self._broken("ready", f"took {taken} of pending, and returns {len(found)}")
        for request in found:
            self._check(request)
        if found:
            self._still = 0
        return found

    def horizons(self, view: View) -> Horizons:
        """See ``Scheme.horizons``: a time below NEVER, for all or for each of some CPUs."""
        found: Any = self._scheme.horizons(view)
        if type(found) is dict:
            times = list(found.values())
            if not all(type(cpu) is int and 0 <= cpu < self._cpus for cpu in found):
                raise self._broken("horizons", f"names a CPU that is none (got {found!r})")
        else:
            times = [found]
        for time_ns in times:
            if type(time_ns) is not int or not 0 <= time_ns < NEVER:
                raise self._broken("horizons", f"must be times in ns, below NEVER (got {found!r})")
            if self._top_ns < time_ns:
                self._top_ns = time_ns
                if time_ns <= view.virtual_ns:
                    self._still = 0  # on the way to what is next
        return found  # type: ignore[no-any-return]

    def _check(self, request: Any) -> None:
        if type(request) is not tuple or len(request) <= R_SEQ:
            raise self._broken("ready", f"returns what is no request (got {request!r})")
        cpu, seq = request[R_CPU], request[R_SEQ]
        before = self._seqs[cpu]
        if seq != before + 1:
            raise self._broken(
                "ready",
                f"request {seq} of cpu {cpu} is served after {before}: each CPU's requests must "
                "stay in their order",
            )
        if request[0] > self._limit_ns:
            raise self._broken(
                "ready",
                f"a request of {request[0]} ns is served, and the limit is {self._limit_ns} ns",
            )
        self._seqs[cpu] = seq

    def _look_for_standstill(self, view: View) -> None:
        """Count how often ``limit`` was asked since anything happened."""
        if view.virtual_ns != self._virtual_ns:
            self._virtual_ns = view.virtual_ns
            self._still = 0
        self._still += 1
        if self._still > _STANDSTILL:
            raise self._broken(
                "limit",
                f"was asked {_STANDSTILL:,} times since a request was served or virtual time "
                "moved: it stays where it is",
            )

    def _broken(self, method: str, what: str) -> SchemeError:
        return SchemeError(f"scheme {self.name}: {method}: {what}")
