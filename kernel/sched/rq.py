"""The runqueue of one CPU (``struct rq``): its clock, its current task, one queue per class.

Source: kernel/sched/sched.h (struct rq, struct cfs_rq).
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

from kernel.cpu.hrtimer import HrTimers
from kernel.cpu.position import IDLE
from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched.core import fair_class_by_name
from kernel.sched.idle import idle_sched_class
from kernel.sched.rt import RR_TIMESLICE_NS, RtRq

if TYPE_CHECKING:
    from kernel.sched.sched_class import SchedClass


def get_update_sysctl_factor(cpus: int) -> int:
    """Return what the fair class's latencies are multiplied by on a machine of ``cpus`` CPUs.

    1 + log2(min(cpus, 8)), as with the default ``sched_tunable_scaling`` (logarithmic).

    Source: kernel/sched/fair.c:get_update_sysctl_factor().
    """
    return min(cpus, 8).bit_length()


class CfsRq:
    """The queue of the fair class (``cfs_rq``).

    ``timeline`` holds ``(vruntime, seq, task)`` of every queued task but the current one, sorted.
    A sorted list beats a tree at the lengths runqueues have, and at 10,000 tasks still inserts in
    a few microseconds. ``tasks`` holds queued tasks and current, the one that ran (or was
    queued) longest ago first: the order in which balancing looks at them. Its keys are the tasks,
    not their pids: exec by a thread changes the pid of a task that is queued.
    """

    __slots__ = (
        "curr",
        "last",
        "latency_ns",
        "load_weight",
        "min_granularity_ns",
        "min_vruntime",
        "next",
        "nr_latency",
        "nr_running",
        "seq",
        "skip",
        "tasks",
        "timeline",
        "wakeup_granularity_ns",
    )

    def __init__(self, spec: MachineSpec) -> None:
        factor = get_update_sysctl_factor(spec.cpus)
        self.latency_ns = spec.sched_latency_ns * factor
        self.min_granularity_ns = spec.sched_min_granularity_ns * factor
        self.wakeup_granularity_ns = spec.sched_wakeup_granularity_ns * factor
        # how many tasks share one latency period before the period grows
        self.nr_latency = -(-self.latency_ns // self.min_granularity_ns)
        self.timeline: list[tuple[int, int, CpuTask]] = []
        self.tasks: OrderedDict[CpuTask, None] = OrderedDict()
        self.curr: CpuTask | None = None
        self.nr_running = 0
        self.load_weight = 0
        self.min_vruntime = 0
        self.seq = 0
        self.next: CpuTask | None = None
        self.last: CpuTask | None = None
        self.skip: CpuTask | None = None


class Rq:
    """Everything one CPU's scheduler knows. The owner moves ``clock_ns`` before each call.

    Args:
        cpu: number of the CPU, from 0.
        spec: the machine.

    Raises:
        ValueError: ``spec.fair`` or ``spec.child_runs_first`` names something that is not there.
    """

    __slots__ = (
        "cfs",
        "child_runs_first",
        "clock_ns",
        "cpu",
        "curr",
        "fair_class",
        "idle",
        "need_resched",
        "nr_running",
        "nr_switches",
        "push_cpu",
        "rr_timeslice",
        "rt",
        "timers",
    )

    def __init__(self, cpu: int, spec: MachineSpec) -> None:
        if spec.child_runs_first not in ("off", "on", "vfork_only"):
            raise ValueError(
                f"child_runs_first: off, on or vfork_only, not {spec.child_runs_first!r}"
            )
        self.cpu = cpu
        self.child_runs_first = spec.child_runs_first
        self.clock_ns = 0
        self.fair_class: SchedClass = fair_class_by_name(spec.fair)
        self.cfs = CfsRq(spec)
        self.rt: RtRq | None = None  # from the first real-time task on
        self.rr_timeslice = RR_TIMESLICE_NS * spec.hz // 1_000_000_000  # ticks
        self.nr_running = 0  # of all classes but idle, current included
        self.nr_switches = 0
        self.push_cpu = -1  # where the running task is to go (active balance)
        self.need_resched = False  # TIF_NEED_RESCHED of current
        self.idle = CpuTask(0, 0, f"swapper/{cpu}")
        self.idle.sched_class = idle_sched_class
        self.idle.at = IDLE
        self.curr: CpuTask = self.idle
        self.timers = HrTimers()
