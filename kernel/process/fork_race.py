"""Who goes on first after a fork, the child or its parent: counted for the summary of a run.

A task *goes on* when it runs its first block of user code after the fork: not when it is switched
to, and not while it waits in the call, as the parent of a vfork does. The CPUs say when that was
(``kernel.cpu.fork_race``), each side before its next request; when both are known they are
compared. The child was first if its time is less; equal times count for the parent. CPUs that run
apart (scheme ``barrier``) compare as well as their clocks do.

``stats.fork_order`` has PER_KIND numbers for each of KINDS: PLACED_HERE, children that were put on
their parent's CPU, and FIRST_HERE, those of them that were first; PLACED_AWAY and FIRST_AWAY, the
same of those put elsewhere; RAN_AWAY, children that went on on another CPU than their parent's at
the fork, wherever they had been put.

A side that never goes on (a signal killed it on its way out of the fork) leaves its fork without a
first.
"""

from typing import TYPE_CHECKING, Final

from kernel.sched.sched_class import FORK_VFORK, FORK_VM

if TYPE_CHECKING:
    from kernel.kernel import Kernel

KINDS: Final = ("fork", "vfork", "thread")  # the last: whoever shares memory without a vfork
PLACED_HERE: Final = 0
FIRST_HERE: Final = 1
PLACED_AWAY: Final = 2
FIRST_AWAY: Final = 3
RAN_AWAY: Final = 4
PER_KIND: Final = 5
ALL_KINDS: Final = 15  # PER_KIND for each of KINDS


class ForkRace:
    """A fork of which not both sides have said when they went on.

    ``base``: where its kind's numbers begin; ``first_ns``: what the side said that has, or -1.
    """

    __slots__ = ("base", "by_child", "first_ns", "here", "parent_cpu")

    def __init__(self, base: int, parent_cpu: int, here: bool) -> None:
        self.base = base
        self.parent_cpu = parent_cpu
        self.here = here
        self.first_ns = -1
        self.by_child = False


def fork_begins(k: "Kernel", child: int, cpu: int, flags: int) -> None:
    """The current task has the child ``child``, which is put on ``cpu``; ``flags``: FORK_*."""
    base = PER_KIND if flags & FORK_VFORK else 2 * PER_KIND if flags & FORK_VM else 0
    here = cpu == k.cpu
    _count(k, base + (PLACED_HERE if here else PLACED_AWAY))
    k.forks[child] = ForkRace(base, k.cpu, here)


def went_on(k: "Kernel", pid: int, child: int, at_ns: int, cpu: int) -> None:
    """``pid``, the child ``child`` or its parent, went on at ``at_ns`` on ``cpu``."""
    race = k.forks.get(child)
    if race is None:
        return
    by_child = pid == child
    if by_child and cpu != race.parent_cpu:
        _count(k, race.base + RAN_AWAY)
    if race.first_ns < 0:
        race.first_ns = at_ns
        race.by_child = by_child
        return
    del k.forks[child]
    child_ns, parent_ns = (at_ns, race.first_ns) if by_child else (race.first_ns, at_ns)
    if child_ns < parent_ns:
        _count(k, race.base + (FIRST_HERE if race.here else FIRST_AWAY))


def _count(k: "Kernel", number: int) -> None:
    counts = k.stats.fork_order
    counts[number] = counts[number] + 1
