"""Scheme of a replay: what an order log says, whatever scheme and engine the run had.

It runs on the local engine. The machine must ask for what the log serves; where it does not, the
replay has gone another way than the run, and says where.
"""

from cluster.sync.order_log import (
    ALL,
    EACH,
    NONE,
    ONE,
    SERVE,
    SERVE_ONE,
    Numbers,
    RecordedOrder,
)
from cluster.sync.scheme import NO_FURTHER, Horizons, Pending, SchemeError, View
from kernel.messages import R_CPU, Request


class ReplayDiverged(SchemeError):
    """The replay does not do what the run did; the message says from where on."""


class Replayed:
    """See the module header.

    Args:
        log: what was recorded.
    """

    engines = frozenset(("local",))
    deterministic = True

    __slots__ = (
        "_cpus",
        "_numbers",
        "_reference_ns",
        "_rounds",
        "_virtual_ns",
        "halves",
        "name",
        "settles",
    )

    def __init__(self, log: RecordedOrder) -> None:
        self.name = log.scheme
        self.settles = log.settles
        self.halves = log.halves
        self._numbers = Numbers(log.rounds)
        self._cpus: list[int] = []  # whose requests are to be served next
        self._rounds = 0
        self._virtual_ns = 0
        self._reference_ns = 0

    @property
    def at_end(self) -> bool:
        """Whether nothing is left of the log."""
        return not self._numbers.more()

    def limit(self, view: View) -> int:
        """See ``Scheme.limit``."""
        numbers = self._numbers
        if not numbers.more():
            raise self._diverged("the log ends in this round")
        if numbers.next_byte() not in (SERVE, SERVE_ONE):
            return NO_FURTHER
        reference_ns = view.virtual_ns if self.settles else self._reference_ns
        try:
            if numbers.take() == SERVE_ONE:
                self._cpus = [numbers.take()]
                return reference_ns
            limit_ns = reference_ns + numbers.take_signed()
            cpu = 0
            self._cpus = []
            for _ in range(numbers.take()):
                cpu += numbers.take_signed()
                self._cpus.append(cpu)
        except IndexError:
            raise self._diverged("the log is cut here") from None
        return limit_ns

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """See ``Scheme.ready``.

        Raises:
            ReplayDiverged: a CPU has not asked for anything that the log serves.
        """
        of_cpu: dict[int, list[Request]] = {}
        for request in pending.requests:  # each CPU's arrive in their order
            of_cpu.setdefault(request[R_CPU], []).append(request)
        places = dict.fromkeys(of_cpu, 0)
        ready = []
        for cpu in self._cpus:
            place = places.get(cpu, 0)
            if place >= len(of_cpu.get(cpu, ())):
                raise self._diverged(f"cpu {cpu} has not asked for what was served")
            ready.append(of_cpu[cpu][place])
            places[cpu] = place + 1
        pending.requests = [
            request for cpu, place in places.items() for request in of_cpu[cpu][place:]
        ]
        return ready

    def horizons(self, view: View) -> Horizons:
        """See ``Scheme.horizons``."""
        numbers = self._numbers
        self._rounds += 1
        try:
            kind = numbers.take()
            if kind == NONE:
                return {}
            if kind == ONE:
                return {numbers.take(): view.virtual_ns + numbers.take_signed()}
            if kind not in (ALL, EACH):
                raise self._diverged(f"the log has an operation {kind}, which there is not")
            self._virtual_ns += numbers.take_signed()
            view.virtual_ns = self._virtual_ns
            if kind == ALL:
                self._reference_ns = self._virtual_ns + numbers.take_signed()
                return self._reference_ns
            return {
                numbers.take(): self._virtual_ns + numbers.take_signed()
                for _ in range(numbers.take())
            }
        except IndexError:
            raise self._diverged("the log is cut here") from None

    def _diverged(self, what: str) -> ReplayDiverged:
        return ReplayDiverged(f"the replay diverges in round {self._rounds + 1}: {what}")
