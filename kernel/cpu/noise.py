"""What takes time from a CPU though no task asks for it: interrupts, and the hypervisor.

A source strikes every so often and takes some time: at fixed distances from a random beginning, or
at exponentially distributed ones. Which numbers are drawn depends on the machine's seed, the CPU
and the source alone, so noise is the same whatever runs, in every process.

Source: kernel/sched/cputime.c (irqtime_account_irq, steal_account_process_time).
"""

from collections.abc import Sequence
from typing import Any, Final

from kernel.bits import GOLDEN_GAMMA, MASK_64, exponential_ns, mix64, splitmix64
from kernel.machine import MachineSpec, NoiseSpec
from kernel.messages import NEVER

KINDS: Final = ("irq", "softirq", "steal")
STEAL: Final = 2  # its place there


class Source:
    """One source on one CPU. ``next_ns``: when it strikes next; ``drawn``: numbers used so far."""

    __slots__ = ("drawn", "kind", "next_ns", "seed", "spec")

    def __init__(self, spec: NoiseSpec, seed: int) -> None:
        self.spec = spec
        self.seed = seed
        self.kind = KINDS.index(spec.kind)
        self.drawn = 0
        first = self._draw()
        if spec.random_arrivals:
            self.next_ns = exponential_ns(spec.every_ns, first)
        else:
            self.next_ns = first % spec.every_ns

    def _draw(self) -> int:
        self.drawn += 1
        return splitmix64(self.seed, self.drawn)

    def strike(self) -> int:
        """Return how long it takes this time, and move on to the next."""
        spec = self.spec
        length_ns = spec.length_ns
        if spec.random_lengths:
            length_ns = exponential_ns(length_ns, self._draw())
        if spec.random_arrivals:
            self.next_ns += exponential_ns(spec.every_ns, self._draw())
        else:
            self.next_ns += spec.every_ns
        return length_ns


class Noises:
    """All sources of one CPU. ``next_ns``: when the first strikes, NEVER if there is none."""

    __slots__ = ("_sources", "next_ns")

    def __init__(self, spec: MachineSpec, cpu: int) -> None:
        state = (spec.seed + cpu * GOLDEN_GAMMA) & MASK_64
        self._sources = [
            Source(each, mix64((mix64(state) + number) & MASK_64))
            for number, each in enumerate(spec.noise)
            if not each.cpus or cpu in each.cpus
        ]
        self.next_ns = NEVER
        self._find_next()

    def _find_next(self) -> None:
        self.next_ns = min([each.next_ns for each in self._sources], default=NEVER)

    def take(self) -> tuple[int, int]:
        """Return kind (a place in KINDS) and length of what strikes first; of equals the first."""
        for each in self._sources:
            if each.next_ns == self.next_ns:
                length_ns = each.strike()
                self._find_next()
                return each.kind, length_ns
        raise AssertionError("nothing strikes")

    def pack(self) -> list[Any]:
        """Return where each source is, as plain data."""
        return [(each.next_ns, each.drawn) for each in self._sources]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned, of the same machine and CPU."""
        for each, (next_ns, drawn) in zip(self._sources, data):
            each.next_ns, each.drawn = next_ns, drawn
        self._find_next()
