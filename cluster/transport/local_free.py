"""Free-running groups of CPUs in one process: who arrives next is drawn, or read from a log.

Every group runs as soon as it is told to go; its report then counts as under way, and a generator
with the run's seed picks one of those under way to arrive next: a *seeded shuffle*. So the order is
one that actors on as many cores could have had, and the same seed gives it again.
"""

from collections.abc import Sequence
from typing import Any

from cluster.free_running import Arrival, FreeGroups, FreeHost, Go
from cluster.lps import CpuReport
from cluster.sync.order_log import Numbers
from cluster.sync.replayed import ReplayDiverged
from kernel.bits import GOLDEN_GAMMA, MASK_64, mix64


class Shuffle:
    """Draws who arrives next.

    Args:
        seed: of the run.
    """

    per_group = 1  # CPUs
    at_end = False  # it never runs out

    def __init__(self, seed: int) -> None:
        self._state = seed & MASK_64

    def standing(self) -> int:
        """Return where the generator stands."""
        return self._state

    def stand(self, state: int) -> None:
        """Stand where ``standing`` was called."""
        self._state = state

    def arrivals(self, under_way: Sequence[int]) -> list[int]:
        """Return who of those under way arrive now: one."""
        self._state = state = (self._state + GOLDEN_GAMMA) & MASK_64
        return [under_way[mix64(state) % len(under_way)]]


class Logged:
    """Says who arrived in the recorded run.

    Args:
        data: the stream of arrivals of an order log.
    """

    def __init__(self, data: bytes) -> None:
        self._numbers = Numbers(data)
        self._phase = 0
        self.per_group = self._number() >> 1

    @property
    def at_end(self) -> bool:
        """Whether nothing is left of the log."""
        return not self._numbers.more()

    def arrivals(self, under_way: Sequence[int]) -> list[int]:
        """Return who arrived in the phase that is next.

        Raises:
            ReplayDiverged: somebody did who is not under way here, or the log has ended.
        """
        self._phase += 1
        groups = []
        more = 1
        while more:
            group, more = divmod(self._number(), 2)
            if group not in under_way or group in groups:
                raise self._diverged(f"group {group} is not under way, and arrived in the run")
            groups.append(group)
        return groups

    def _number(self) -> int:
        try:
            return self._numbers.take()
        except IndexError:
            raise self._diverged("the log ends here") from None

    def _diverged(self, what: str) -> ReplayDiverged:
        return ReplayDiverged(f"the replay diverges in phase {self._phase}: {what}")


class LocalFreeTransport:
    """All groups, and the kernel. See ``cluster.machine_loop.Transport``; a round is an arrival.

    Args:
        host: the kernel.
        groups: the CPUs.
        order: says who arrives next.
    """

    def __init__(self, host: FreeHost, groups: FreeGroups, order: Shuffle | Logged) -> None:
        self.verdict = ""
        self.made = 0
        self._host = host
        self._groups = groups
        self._order = order
        self._said: dict[int, Sequence[CpuReport]] = {}  # under way
        self._numbers: list[int] = []  # whose that is
        self._stands = False  # it goes on where another one stood

    @property
    def at_end(self) -> bool:
        """Whether the log of a replay has nothing left."""
        return self._order.at_end

    def begin(self) -> None:
        """See ``Transport.begin``."""
        self.verdict = self._host.verdict
        if not self._stands:
            self._go(self._host.begin())

    def standing(self) -> list[Any]:
        """Return as data where it stands between two rounds, for a checkpoint."""
        assert isinstance(self._order, Shuffle)
        return [self.made, self._order.standing(), self._numbers, self._said]

    def stand(self, data: Sequence[Any]) -> None:
        """Stand where ``standing`` was called; groups and host stand there, too."""
        assert isinstance(self._order, Shuffle)
        self.made, order, numbers, said = data
        self._order.stand(order)
        self._numbers, self._said = list(numbers), dict(said)
        self._stands = True

    def round(self) -> None:
        """See ``Transport.round``: somebody arrives."""
        arrivals: list[Arrival] = []
        for group in self._order.arrivals(self._numbers):
            self._numbers.remove(group)
            arrivals.append((group, self._said.pop(group)))
        self.made += 1
        self._go(self._host.arrive(arrivals))

    def _go(self, gos: Sequence[Go]) -> None:
        groups = self._groups.groups
        for group, horizons, inboxes in gos:
            self._said[group] = groups[group].step(horizons, inboxes)
            self._numbers.append(group)
        self.verdict = self._host.verdict

    def last_step(self) -> None:
        """After the verdict: whoever was under way comes in, and dead tasks leave their CPUs."""
        under_way = [(group, self._said.pop(group)) for group in sorted(self._numbers)]
        self._numbers.clear()
        self._go(self._host.end(under_way))

    def under_way(self) -> list[tuple[Any, ...]]:
        """Return the messages that no LP has got: requests, and ``(cpu, effect)``."""
        messages: list[tuple[Any, ...]] = list(self._host.pending.requests)
        for reports in self._said.values():
            for _cpu, _next_ns, requests, forwards in reports:
                messages += requests
                messages += forwards
        return messages
