"""The machine under a scheme that settles, with its CPUs in other processes.

Under ``exact`` one logical process goes at a time, and every message arrives before anybody else
does anything. In one process that is a call (``kernel.rounds.group.Group.settle``). Here it is a
*turn*: the kernel's side tells the group of one CPU to step it, and waits for what the CPU has to
say. What it says to other CPUs is taken to them at once, each in a turn of its own, in the order in
which the calls of one process go into each other; only then is the next decision made. So all CPUs
make the same steps with the same messages in the same order, and the bytes are those of the local
engine, however CPUs are packed. Nothing runs in parallel: that is the scheme, and what a turn costs
is the way there and back.

``TurnHost`` has the doors of ``FreeHost``, so turns travel as goes do (``cluster.transport``'s
``ray_free`` and ``ray_free_lines``); one of them is under way at a time.
"""

from collections.abc import Generator, Sequence
from typing import NamedTuple

from cluster.free_running import Arrival
from cluster.lps import CpuReport, KernelHost
from cluster.sync.scheme import Scheme
from kernel.machine import MachineSpec
from kernel.messages import Effect
from kernel.rounds.group import TAKE_IN, Horizons, Inboxes
from kernel.user import Loader


class Turn(NamedTuple):
    """One CPU goes."""

    group: int
    round: int
    cpu: int
    horizon_ns: int  # TAKE_IN: it only takes in its messages
    effects: Sequence[Effect]


_Turns = Generator[Turn, CpuReport, None]


class TurnHost(KernelHost):
    """The kernel LP under a scheme that settles. See the module header.

    Args:
        spec, loader, scheme, quantum_ns, max_virtual_ns: as for ``KernelHost``.
        groups: the CPUs of each group, as numbered.
    """

    def __init__(
        self,
        spec: MachineSpec,
        loader: Loader,
        scheme: Scheme,
        quantum_ns: int,
        max_virtual_ns: int | None,
        groups: Sequence[Sequence[int]],
    ) -> None:
        super().__init__(spec, loader, scheme, quantum_ns, max_virtual_ns)
        self._group_of = {cpu: number for number, cpus in enumerate(groups) for cpu in cpus}
        self._said: dict[int, list[tuple[int, Effect]]] = {cpu: [] for cpu in self._group_of}
        self._reports: list[CpuReport] = []  # of this round
        self._turns = self._rounds()
        self.halted = False  # no round begins any more
        self.resting = False  # nobody goes any more

    def begin(self) -> list[Turn]:
        """Start the machine; return the first turn."""
        return self._next(None)

    def arrive(self, arrivals: Sequence[Arrival]) -> list[Turn]:
        """Take what the CPU has to say whose turn it was; return the next turn, or none."""
        [(_group, [report])] = arrivals
        return self._next(report)

    def _next(self, report: CpuReport | None) -> list[Turn]:
        try:
            return [next(self._turns) if report is None else self._turns.send(report)]
        except StopIteration:
            self.resting = True
            return []

    def _rounds(self) -> _Turns:
        while True:
            reports, self._reports = self._reports, []
            horizons, inboxes = self.superstep(reports)
            if self.halted and not self.verdict:
                return
            yield from self._settle(horizons, inboxes)
            if self.verdict:  # that was the last one: nobody serves what they still asked for
                for _cpu, _next_ns, requests, _forwards in self._reports:
                    self.pending.requests += requests
                return

    def _settle(self, horizons: Horizons, inboxes: Inboxes) -> _Turns:
        """As ``Group.settle``."""
        for cpu, effects in inboxes.items():
            yield from self._settle_one(cpu, TAKE_IN, effects)
        if isinstance(horizons, int):
            horizons = dict.fromkeys(self._group_of, horizons)
        for cpu, horizon_ns in horizons.items():
            yield from self._settle_one(cpu, horizon_ns, ())

    def _settle_one(self, cpu: int, horizon_ns: int, effects: Sequence[Effect]) -> _Turns:
        """As ``Group._settle_one``; ``_said`` has what a CPU keeps there in ``forwards``."""
        yield from self._step(cpu, horizon_ns, effects)
        said = self._said
        while said[cpu]:
            forwards, said[cpu] = said[cpu], []
            for dest, message in forwards:
                if dest == cpu:  # what it says to that is next in this loop
                    yield from self._step(cpu, TAKE_IN, (message,))
                else:
                    yield from self._settle_one(dest, TAKE_IN, (message,))

    def _step(self, cpu: int, horizon_ns: int, effects: Sequence[Effect]) -> _Turns:
        turn = Turn(self._group_of[cpu], self.supersteps, cpu, horizon_ns, effects)
        told, next_ns, requests, forwards = yield turn
        if told != cpu:
            raise AssertionError(f"cpu {told} has answered in the turn of cpu {cpu}")
        self._reports.append((cpu, next_ns, requests, ()))
        self._said[cpu] += forwards
