"""The programs that the machine's configuration starts: when, under which label, how they ended.

They are children of init, which reaps them. A timer starts each instance and arms the timer of the
next one (``kernel.boot.arrivals``), so a million arrivals need no list.
"""

from errno import errorcode
from typing import TYPE_CHECKING, Final

from kernel.bits import splitmix64
from kernel.boot.arrivals import gap_ns
from kernel.errors import KernelError
from kernel.points import Path
from kernel.process.spawn import spawn_process
from kernel.timerq import TimerKind

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.machine import MachineSpec


class InitPrograms:
    """What has become of the configured programs.

    ``labels``: of those that are alive, by pid. ``statuses``: ``(label, pid, wait status)`` of
    those that init has reaped. ``left``: how many are not started yet.
    """

    __slots__ = ("labels", "left", "statuses")

    def __init__(self, spec: "MachineSpec") -> None:
        self.labels: dict[int, str] = {}
        self.statuses: list[tuple[str, int, int]] = []
        self.left = sum(spawn.count for spawn in spec.spawns)

    def exited(self, pid: int, status: int) -> None:
        """Note the wait status of a child of init; those the configuration started are kept."""
        label = self.labels.pop(pid, None)
        if label is not None:
            self.statuses.append((label, pid, status))


class SpawnTimer(TimerKind):
    """Starts instance ``what[1]`` of configured program ``what[0]``, as init."""

    def is_live(self, what: tuple[int, int], serial: int) -> bool:
        """Always: it starts somebody."""
        return True

    def interrupts(self) -> bool:
        """Init does it."""
        return False

    def expire(self, k: "Kernel", what: tuple[int, int], serial: int) -> object:
        """Arm the next instance's timer and start this one."""
        number, index = what
        spawn = k.spec.spawns[number]
        if index + 1 < spawn.count:
            next_ns = k.now_ns + gap_ns(spawn, index, splitmix64(k.spec.seed, number))
            k.timers.add(next_ns, SPAWN_TIMER, (number, index + 1))
        k.set_cpu(0)
        k.current = k.child_reaper
        return k.form(_spawn)(k, number, index)


SPAWN_TIMER: Final = SpawnTimer()


def arm_spawns(k: "Kernel") -> None:
    """Arm the timers of the first instances; before time starts."""
    for number, spawn in enumerate(k.spec.spawns):
        if spawn.count:
            k.timers.add(spawn.start_ns, SPAWN_TIMER, (number, 0))


def _spawn(k: "Kernel", number: int, index: int) -> Path[None]:
    """Start one configured program as a child of init; the run ends if that cannot be."""
    spawn = k.spec.spawns[number]
    label = spawn.label or spawn.path.rsplit("/", 1)[-1]
    if spawn.count > 1:
        label = f"{label}-{index}"
    try:
        yield from spawn_process(k, spawn, label)
    except KernelError as error:
        if k.fatal is None:
            why = errorcode.get(error.errno, error.errno)
            k.fatal = f"init cannot start {label}: {why}"
        return
    k.programs.left -= 1
