"""What the real-time class keeps: its tunables, its part of a task, its queue of a CPU.

Source: kernel/sched/sched.h (struct rt_rq, rt_bandwidth), include/linux/sched.h (struct
sched_rt_entity).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.sched_class import ClassRq, Entity
from kernel.sched.tunables import duration
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from kernel.machine import MachineSpec

_LONGEST_NS: Final = 2_147 * NSEC_PER_SEC
THROTTLED: Final = "2.6.34"  # the profile in which real-time tasks are throttled
RR_TIMESLICE_MS: Final = 100
SERVED: Final = "6.12"  # the one in which the fair class has a server


@dataclass(frozen=True)
class RtTunables:
    """``sched_rr_timeslice_ms``, the bandwidth, the fair server (debugfs: sched/fair_server).

    ``sched_rt_runtime_us`` and ``sched_rt_period_us`` bound what deadline tasks get in 6.12, what
    real-time tasks get in 2.6.34.
    """

    rr_timeslice_ns: int = duration(
        100_000_000, 1_000_000, 10 * NSEC_PER_SEC, "Quantum of SCHED_RR, in whole ticks."
    )
    fair_server_runtime_ns: int = duration(
        50_000_000,
        1_000_000,
        4 * NSEC_PER_SEC,
        "What the fair class gets of a CPU that real-time tasks keep busy.",
        at_most="fair_server_period_ns",
        only=SERVED,
    )
    fair_server_period_ns: int = duration(
        NSEC_PER_SEC, 10_000_000, 4 * NSEC_PER_SEC, "In every such period.", only=SERVED
    )
    runtime_ns: int = duration(
        950_000_000,
        1_000,
        _LONGEST_NS,
        "What real-time tasks (6.12: deadline tasks) may have of a CPU; off: all.",
        at_most="period_ns",
        off=True,
    )
    period_ns: int = duration(NSEC_PER_SEC, 1_000_000, _LONGEST_NS, "In every such period.")


def rr_timeslice(tunables: RtTunables, hz: int) -> int:
    """Return the quantum of SCHED_RR in ticks, as the machine starts.

    Source: include/linux/sched/rt.h:RR_TIMESLICE.
    """
    return max(1, tunables.rr_timeslice_ns * hz // NSEC_PER_SEC)


class RtEntity(Entity):
    """The class's part of a task (``struct sched_rt_entity``)."""

    __slots__ = ("time_slice",)

    def __init__(self, time_slice: int) -> None:
        self.time_slice = time_slice  # of SCHED_RR, ticks left

    def pack(self) -> list[Any]:
        """Return the ticks that are left."""
        return [self.time_slice]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        self.time_slice = data[0]


class RtRq(ClassRq):
    """The queue of the class (``rt_rq``).

    ``bandwidth`` has what ``kernel.sched.rt_throttle`` keeps, ``server`` what
    ``kernel.sched.fair_server`` does; whichever the machine does not have never changes.
    """

    __slots__ = ("active", "bandwidth", "requeues", "rr_timeslice", "server")

    def __init__(self, tunables: RtTunables, spec: "MachineSpec") -> None:
        super().__init__()
        self.rr_timeslice = rr_timeslice(tunables, spec.hz)
        self.requeues = spec.linux == THROTTLED  # a task that gets the priority it has
        # priority -> tasks in order, the current one among them; no empty lists
        self.active: dict[int, list[CpuTask]] = {}
        self.bandwidth = RtBandwidth(tunables, spec)
        self.server = FairServer(tunables, spec)

    def pack(self) -> list[Any]:
        """Return the lists, how far the shares of the two kinds of tasks are, and the quantum."""
        lists = [[priority, [p.pid for p in queue]] for priority, queue in self.active.items()]
        packed = [self.bandwidth.pack(), self.server.pack(), self.rr_timeslice]
        return [self.nr_running, lists, *packed]

    def unpack(self, data: Sequence[Any], tasks: Mapping[int, CpuTask]) -> None:
        """Take what ``pack`` returned."""
        self.nr_running, lists, bandwidth, server, self.rr_timeslice = data
        self.active = {priority: [tasks[pid] for pid in pids] for priority, pids in lists}
        self.bandwidth.unpack(bandwidth)
        self.server.unpack(server)

    def highest(self) -> int:
        """Return the highest priority of a runnable task, 0 if there is none."""
        return max(self.active, default=0)


class RtBandwidth:
    """How much of a CPU real-time tasks may have in a period, and have had (``rt_rq``).

    ``on``: there is a bound; ``runtime_ns``: it, with what was borrowed and lent; ``time_ns``: what
    they have had; ``asking``: the CPU that is asked for some of its share, -1 for none.
    """

    __slots__ = (
        "asking",
        "cpus",
        "look",
        "on",
        "period_ns",
        "runtime_ns",
        "throttled",
        "tick_ns",
        "time_ns",
        "timer",
    )

    def __init__(self, tunables: RtTunables, spec: "MachineSpec") -> None:
        self.on = spec.linux == THROTTLED and tunables.runtime_ns >= 0
        self.period_ns = tunables.period_ns
        self.cpus = spec.cpus
        self.runtime_ns = tunables.runtime_ns
        self.time_ns = 0
        self.throttled = False
        self.timer = 0  # that of the end of the period; 0 for none
        self.look = 0  # that of the first tick at which the bound can have been passed
        self.tick_ns = NSEC_PER_SEC // spec.hz
        self.asking = -1

    def pack(self) -> list[Any]:
        """Return what changes."""
        return [
            self.runtime_ns,
            self.time_ns,
            self.throttled,
            self.timer,
            self.look,
            self.asking,
        ]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        (
            self.runtime_ns,
            self.time_ns,
            self.throttled,
            self.timer,
            self.look,
            self.asking,
        ) = data


class FairServer:
    """The reservation of the fair class on a CPU (``rq->fair_server``).

    ``deadline_ns`` and ``left_ns``: as of a deadline task, 0 before the first need of it;
    ``since_ns``: from when on the fair class, or nobody, has the CPU and uses up what is left;
    -1 while a higher class has it. ``serving``: real-time tasks have to wait.
    """

    __slots__ = (
        "deadline_ns",
        "left_ns",
        "on",
        "period_ns",
        "runtime_ns",
        "serving",
        "since_ns",
        "timer",
    )

    def __init__(self, tunables: RtTunables, spec: "MachineSpec") -> None:
        self.on = spec.linux == SERVED
        self.runtime_ns = tunables.fair_server_runtime_ns
        self.period_ns = tunables.fair_server_period_ns
        self.deadline_ns = 0
        self.left_ns = 0
        self.since_ns = -1
        self.serving = False
        self.timer = 0  # that of its zero-laxity time; 0 for none

    def pack(self) -> list[Any]:
        """Return what changes."""
        return [self.deadline_ns, self.left_ns, self.since_ns, self.serving, self.timer]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        self.deadline_ns, self.left_ns, self.since_ns, self.serving, self.timer = data
