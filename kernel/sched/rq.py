"""The runqueue of one CPU (``struct rq``): its clock, its current task, one queue per class.

Source: kernel/sched/sched.h (struct rq).
"""

from typing import Any

from kernel.cpu.hrtimer import HrTimers
from kernel.cpu.position import IDLE
from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched.classes import classes_of, tunables_of
from kernel.sched.fork_order import order_of
from kernel.sched.hrtick import HrTick
from kernel.sched.pelt import PeltRq
from kernel.sched.sched_class import CLASS_ORDER, FAIR_RANK, IDLE_RANK, ClassRq, SchedClass


class Rq:
    """Everything one CPU's scheduler knows. The owner moves ``clock_ns`` before each call.

    Args:
        cpu: number of the CPU, from 0.
        spec: the machine.

    Raises:
        ValueError: ``spec.fair``, ``spec.classes`` or ``spec.child_runs_first`` names something
            that is not there, or classes that do not go together.
    """

    __slots__ = (
        "by_rank",
        "class_of",
        "classes",
        "clock_ns",
        "cpu",
        "curr",
        "hrtick",
        "idle",
        "mail",
        "moves",
        "need_resched",
        "nr_running",
        "nr_switches",
        "of",
        "pelt",
        "push_cpu",
        "tickers",
        "timers",
    )

    def __init__(self, cpu: int, spec: MachineSpec) -> None:
        self.cpu = cpu
        self.clock_ns = 0
        self.timers = HrTimers()
        self.classes: tuple[SchedClass, ...] = classes_of(spec)  # highest first
        # those with a tick of their own, whoever runs
        self.tickers: tuple[SchedClass, ...] = tuple(
            [cls for cls in self.classes if type(cls).rq_tick is not SchedClass.rq_tick]
        )
        self.class_of: dict[int, SchedClass] = {
            policy: cls for cls in self.classes for policy in cls.policies
        }
        self.by_rank: dict[int, SchedClass] = {cls.rank: cls for cls in self.classes}
        # whether or not the fair class looks at it
        order_of(spec.child_runs_first, self.by_rank[FAIR_RANK])
        # ClassRq by rank; each class knows its own (Any: a class annotates what it takes out)
        self.of: list[Any] = [ClassRq() for _ in CLASS_ORDER]
        for cls in self.classes:
            self.of[cls.rank] = cls.make_rq(tunables_of(spec, cls), spec)
        # averages, where somebody reads them
        self.pelt: PeltRq | None = PeltRq(spec.places[cpu][5]) if spec.places else None
        self.hrtick: HrTick | None = HrTick() if spec.hrtick else None
        self.nr_running = 0  # of all classes but idle, current included
        self.nr_switches = 0
        self.moves: list[tuple[CpuTask, int]] = []  # queued tasks that a class sends to a CPU
        # what classes say: (CPU, rank, key, data) to that class there; CPU -1: to its half in the
        # kernel, about the task whose pid is all of ``data``; -2: to that half, about no task
        self.mail: list[tuple[int, int, int, tuple[int, ...]]] = []
        self.push_cpu = -1  # where the running task is to go (active balance)
        self.need_resched = False  # TIF_NEED_RESCHED of current
        self.idle = CpuTask(0, 0, f"swapper/{cpu}")
        self.idle.sched_class = self.by_rank[IDLE_RANK]
        self.idle.at = IDLE
        self.curr: CpuTask = self.idle
