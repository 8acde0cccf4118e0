"""Rounds in one process: the machine's two halves call each other."""

from collections.abc import Sequence
from typing import Any, Final

from cluster.lps import CpuGroup, KernelHost
from cluster.sync.scheme import Horizons
from kernel.messages import Effect
from kernel.rounds.group import Inboxes

_MOST_TURNS: Final = 512  # in one go; the engine looks for Ctrl-C in between


class LocalTransport:
    """One group with all CPUs, and the kernel.

    Args:
        host: the kernel.
        group: the CPUs.
        rounds: how many ``round`` makes, unless there is a verdict before; more if they are turns
            of CPUs that concern nobody else.
        cut: it never goes beyond a multiple of this. ``made`` counts them.
    """

    __slots__ = (
        "_ahead",
        "_cut",
        "_group",
        "_horizons",
        "_host",
        "_inboxes",
        "_rounds",
        "_stands",
        "_turns",
        "made",
        "verdict",
    )

    def __init__(
        self, host: KernelHost, group: CpuGroup, rounds: int = 1, cut: int = 1 << 30
    ) -> None:
        self.verdict = ""
        self.made = 0
        self._rounds = rounds
        self._cut = cut
        self._turns = False
        self._host = host
        self._group = group
        self._horizons: Horizons = 0
        self._inboxes: dict[int, list[Effect]] = {}
        self._stands = False  # it goes on where another one stood
        self._ahead: list[tuple[Horizons, dict[int, list[Effect]]]] = []
        if host.scheme.settles:
            group.settle_all()
        elif host.halves:
            group.halve()

    def begin(self) -> None:
        """See ``Transport.begin``."""
        host = self._host
        self._turns = host.turn_ns > 0 and host.log is None
        if self._stands:
            return
        self._horizons, self._inboxes = host.superstep(())
        if host.halves and not host.verdict:
            self._ahead.append(host.superstep(()))
        self.verdict = host.verdict

    def one_by_one(self) -> None:
        """Let each ``round`` make one round and nothing more from now on; after ``begin``."""
        self._rounds, self._turns = 1, False

    def standing(self) -> list[Any]:
        """Return as data where it stands between two rounds, for a checkpoint."""
        return [self.made, self._horizons, self._inboxes, self._ahead]

    def stand(self, data: Sequence[Any]) -> None:
        """Stand where ``standing`` was called; group and host stand there, too."""
        self.made, self._horizons, inboxes, ahead = data
        self._inboxes = _lists(inboxes)
        self._ahead = [(horizons, _lists(inboxes)) for horizons, inboxes in ahead]
        if not self._host.scheme.settles:
            self._host.view.inboxes = self._inboxes
        self.verdict = self._host.verdict
        self._stands = True

    def round(self) -> None:
        """See ``Transport.round``."""
        host, group = self._host, self._group
        room = self._cut - self.made % self._cut
        rounds = min(self._rounds, room)
        made = 0
        if host.halves:
            self._rounds_by_halves(rounds)
            return
        while made < rounds:
            reports = group.step(self._horizons, self._inboxes)
            made += 1
            # a request is for the kernel phase, so there is nothing to be tried
            if self._turns and made < room and not (reports and reports[-1][2]):
                turns, reports = host.take_turns(group, reports, min(_MOST_TURNS, room - made))
                made += turns
            self._horizons, self._inboxes = host.superstep(reports)
            if host.verdict:
                self.verdict = host.verdict
                break
        self.made += made

    def _rounds_by_halves(self, rounds: int) -> None:
        """As ``round``: of two supersteps that are under way the older one is made, and served."""
        host, group, ahead = self._host, self._group, self._ahead
        for _ in range(rounds):
            reports = group.step(self._horizons, self._inboxes)
            self.made += 1
            self._horizons, self._inboxes = ahead.pop()
            ahead.append(host.superstep(reports))
            if host.verdict:
                self.verdict = host.verdict
                break

    def last_step(self) -> None:
        """After the verdict: the last task's CPU goes idle, and what it says stays under way."""
        reports = []
        if self._ahead:
            reports += self._group.step(self._horizons, self._inboxes)
            self._horizons, self._inboxes = self._ahead.pop()
        reports += self._group.last_step(self._horizons, self._inboxes)
        self._inboxes = {}
        for _cpu, _next_ns, requests, forwards in reports:
            self._host.pending.requests += requests
            for dest, message in forwards:
                self._inboxes.setdefault(dest, []).append(message)

    def under_way(self) -> list[tuple[Any, ...]]:
        """Return the messages that no LP has got: requests, and ``(cpu, effect)``."""
        effects = [(cpu, one) for cpu, inbox in self._inboxes.items() for one in inbox]
        return [*self._host.pending.requests, *effects]


def _lists(inboxes: Inboxes) -> dict[int, list[Effect]]:
    return {cpu: list(effects) for cpu, effects in inboxes.items()}
