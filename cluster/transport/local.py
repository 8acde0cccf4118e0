"""Rounds in one process: the machine's two halves call each other."""

from typing import Any

from cluster.lps import CpuGroup, KernelHost
from cluster.sync.scheme import Horizons
from kernel.messages import Effect


class LocalTransport:
    """One group with all CPUs, and the kernel.

    Args:
        host: the kernel.
        group: the CPUs.
        rounds: how many ``round`` makes, unless there is a verdict before.
    """

    __slots__ = ("_group", "_horizons", "_host", "_inboxes", "_rounds", "verdict")

    def __init__(self, host: KernelHost, group: CpuGroup, rounds: int = 1) -> None:
        self.verdict = ""
        self._rounds = rounds
        self._host = host
        self._group = group
        self._horizons: Horizons = 0
        self._inboxes: dict[int, list[Effect]] = {}
        if host.scheme.settles:
            group.settle_all()

    def begin(self) -> None:
        """See ``Transport.begin``."""
        host = self._host
        self._horizons, self._inboxes = host.superstep(())
        self.verdict = host.verdict

    def round(self) -> None:
        """See ``Transport.round``."""
        host, group = self._host, self._group
        for _ in range(self._rounds):
            reports = group.step(self._horizons, self._inboxes)
            self._horizons, self._inboxes = host.superstep(reports)
            if host.verdict:
                self.verdict = host.verdict
                return

    def last_step(self) -> None:
        """After the verdict: the last task's CPU goes idle, and what it says stays under way."""
        reports = self._group.step(self._horizons, self._inboxes)
        self._inboxes = {}
        for _cpu, _next_ns, requests, forwards in reports:
            self._host.pending.requests += requests
            for dest, message in forwards:
                self._inboxes.setdefault(dest, []).append(message)

    def under_way(self) -> list[tuple[Any, ...]]:
        """Return the messages that no LP has got: requests, and ``(cpu, effect)``."""
        effects = [(cpu, one) for cpu, inbox in self._inboxes.items() for one in inbox]
        return [*self._host.pending.requests, *effects]
