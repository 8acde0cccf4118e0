"""The load table: how many runnable tasks every CPU has.

It is exact in the kernel's own order, because nothing else makes tasks runnable or not. Placement
(``kernel.smp.ttwu``) and balancing (``kernel.smp.balance``) look at nothing else. A task that was
pulled counts for the CPU that is to get it from the moment the other is asked for it.

Beside the numbers stand bit masks of CPUs, one for each number that occurs, so that the least and
the most loaded CPU are found without looking at all of them.
"""

from typing import TYPE_CHECKING, Final

from kernel.bits import find_first_bit
from kernel.messages import NEVER, eff_pull
from kernel.smp import averages
from kernel.smp.domains import passing, start_balancing
from kernel.smp.group_load import watch_groups
from kernel.smp.passes import newidle_balance

if TYPE_CHECKING:
    from kernel.kernel import Kernel

PULL_RETRY_NS: Final = 100_000


class LoadTable:
    """Runnable tasks by CPU, and what is derived from them.

    ``nr_running`` is changed by ``count`` only. ``idle_mask``: CPUs without any; ``overloaded``:
    how many CPUs have two or more; ``least``, ``most``: the smallest and the greatest number.
    ``pulls_out``: tasks counted as moved that no CPU has given away or refused yet; until then a
    number can be negative. ``pinned``: CPUs that had nothing to give the last time.
    ``retry_ns``: how long a CPU that got nothing waits until the others are asked again.
    """

    __slots__ = (
        "_with",
        "idle_mask",
        "least",
        "most",
        "nr_running",
        "overloaded",
        "pinned",
        "pulls_out",
        "retry_ns",
    )

    def __init__(self, cpus: int) -> None:
        self.nr_running = [0] * cpus
        self.idle_mask = (1 << cpus) - 1
        self.overloaded = 0
        self.least = 0
        self.most = 0
        self._with: dict[int, int] = {0: self.idle_mask}  # number -> the CPUs with as many
        self.pulls_out = 0
        self.pinned = 0
        self.retry_ns = PULL_RETRY_NS

    def count(self, cpu: int, change: int) -> None:
        """Enter one task more (``change`` 1) or less (-1) on ``cpu``."""
        numbers = self.nr_running
        before = numbers[cpu]
        after = numbers[cpu] = before + change
        bit = 1 << cpu
        cpus_with = self._with
        left = cpus_with[before] ^ bit
        if left:
            cpus_with[before] = left
        else:  # so that ``running_in`` looks at numbers that there are
            del cpus_with[before]
        there = cpus_with.get(after, 0) | bit
        cpus_with[after] = there
        if not before:
            self.idle_mask = left
        elif not after:
            self.idle_mask = there
        if change > 0:
            if after > self.most:
                self.most = after
            if not left and before == self.least:
                self.least = after
            if after == 2:
                self.overloaded += 1
        else:
            if after < self.least:
                self.least = after
            if not left and before == self.most:
                self.most = after
            if after == 1:
                self.overloaded -= 1

    def busy_beside(self, cpu: int) -> bool:
        """Tell whether a CPU other than ``cpu`` has something to run."""
        return self.idle_mask | 1 << cpu != (1 << len(self.nr_running)) - 1

    @property
    def busy_mask(self) -> int:
        """CPUs with two runnable tasks or more: asked for less often than numbers change."""
        busy = 0
        for number, mask in self._with.items():
            if number > 1:
                busy |= mask
        return busy

    def least_loaded(self, near: int) -> int:
        """Return ``near`` if no CPU has fewer runnable tasks, else the first that has fewest."""
        mask = self._with[self.least]
        return near if mask >> near & 1 else find_first_bit(mask)

    def least_of(self, cpus: int, near: int) -> int:
        """Return the CPU of ``cpus``, not 0, with the fewest tasks: ``near``, or the first.

        ``near``: -1 for none.
        """
        number = self.least
        while True:
            mask = self._with.get(number, 0) & cpus
            if mask:
                return near if near >= 0 and mask >> near & 1 else find_first_bit(mask)
            number += 1

    def running_in(self, cpus: int) -> int:
        """Return how many tasks are runnable on the CPUs of the mask ``cpus``."""
        total = 0
        for number, mask in self._with.items():
            total += number * (mask & cpus).bit_count()
        return total

    def busiest(self, cpus: int) -> int:
        """Return the CPU of ``cpus`` with most runnable tasks, 2 at least, that can give, or -1.

        Of equals the first; those in ``pinned`` are passed over.
        """
        cpus &= ~self.pinned
        number = self.most
        while number > 1:
            mask = self._with.get(number, 0) & cpus
            if mask:
                return find_first_bit(mask)
            number -= 1
        return -1


def _count(k: "Kernel", cpu: int, change: int) -> None:
    """Count one task more or less; balancing begins and ends with the first queue."""
    load = k.load
    before = load.overloaded
    if k.averages is not None:
        averages.count(k, cpu, change)
    load.count(cpu, change)
    number = load.nr_running[cpu]
    if k.psi is not None and number + (change < 0) <= 2:
        k.psi.change(k.now_ns, cpu, number)
    if k.averages is not None:
        if not passing(k):
            k.balance_ns = NEVER
        elif k.balance_ns == NEVER:
            start_balancing(k)
        if load.overloaded and not before:
            watch_groups(k)
    elif load.overloaded != before:
        if not before:
            start_balancing(k)
            watch_groups(k)
        elif not load.overloaded:
            k.balance_ns = NEVER


def load_inc(k: "Kernel", cpu: int) -> None:
    """Count one more runnable task on ``cpu``; if it now queues while another idles, pull.

    On a machine with levels it waits for a pass of one that idles, as in Linux.
    """
    _count(k, cpu, 1)
    load = k.load
    if k.averages is not None:
        return
    if load.nr_running[cpu] == 2 and load.idle_mask:
        load.pinned &= ~(1 << cpu)
        pull_task(k, k.topology.nearest(load.idle_mask, cpu))


def load_dec(k: "Kernel", cpu: int) -> None:
    """Count one runnable task less on ``cpu``; if it has none left, pull one from elsewhere.

    Source: kernel/sched/fair.c:newidle_balance().
    """
    _count(k, cpu, -1)
    load = k.load
    if k.averages is not None:
        if not load.nr_running[cpu]:
            newidle_balance(k, cpu)
        return
    if not load.nr_running[cpu] and load.overloaded:
        pull_task(k, cpu)


def find_busiest(k: "Kernel", dest: int) -> int:
    """Return the CPU that ``dest``, which idles, should ask for a task, or -1."""
    load = k.load
    for level in k.topology.levels:
        source = load.busiest(level.others[dest])
        if source >= 0:
            return source
    return -1


def pull_task(k: "Kernel", dest: int) -> None:
    """Ask the busiest CPU to give a queued task to ``dest`` and count it as moved.

    Of the innermost domain in which one has a task to give.
    """
    source = find_busiest(k, dest)
    if source < 0:
        return
    _count(k, source, -1)
    _count(k, dest, 1)
    k.load.pulls_out += 1
    k.send(source, eff_pull(k.now_ns, dest))


def pull_refused(k: "Kernel", source: int, dest: int) -> None:
    """``source`` had no task to give to ``dest``: count back."""
    k.load.pulls_out -= 1
    _count(k, source, 1)
    _count(k, dest, -1)
