"""The kernel's half of a scheduler of one's own (``kernel.sched.ext``): it asks ``select_cpu``.

KernelState has an object of the scheduler's class, beside those of the CPUs; it is asked where a
task wakes or starts, and sees the load of all CPUs. All else is as of every fair class.

Source: kernel/sched/ext.c (select_task_rq_scx, scx_select_cpu_dfl).
"""

from typing import TYPE_CHECKING, Final

from kernel.bits import find_first_bit
from kernel.process.attrs import attrs_of
from kernel.sched import ext
from kernel.sched.classes import tunables_of
from kernel.smp.fair import FairHalf
from kernel.smp.smp_class import SELECT_EXEC, SELECT_FORK, SELECT_WAKE
from kernel.uapi.policy import SCHED_NORMAL

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.sched.sched_class import SchedClass
    from kernel.task import TaskStruct

_FLAGS: Final = {SELECT_WAKE: ext.SCX_WAKE_TTWU, SELECT_FORK: ext.SCX_WAKE_FORK}


class PlacedTask:
    """The task for which a CPU is looked for: what KernelState knows of it."""

    __slots__ = ("comm", "cpus", "nice", "pid", "struct", "weight")

    def __init__(self, task: "TaskStruct") -> None:
        attrs = task.attrs
        self.struct = task
        self.pid = task.pid
        self.comm = task.comm
        self.nice = task.nice
        self.cpus = 0 if attrs is None else attrs.cpus_mask  # 0: all
        self.weight = ext.weight(task.nice, SCHED_NORMAL if attrs is None else attrs.policy)

    def allowed(self, cpu: int) -> bool:
        """Tell whether it may run on ``cpu``."""
        return not self.cpus or bool(self.cpus >> cpu & 1)


class Placement:
    """What ``select_cpu`` sees of the machine."""

    __slots__ = ("_half", "_k")

    def __init__(self, half: "ExtHalf", k: "Kernel") -> None:
        self._half = half
        self._k = k

    def idle_cpus(self) -> int:
        """See ``ExtScheduler.idle_cpus``."""
        return self._k.load.idle_mask

    def nr_running(self, cpu: int) -> int:
        """See ``ExtScheduler.nr_running``."""
        return self._k.load.nr_running[cpu]

    def spans(self, cpu: int) -> tuple[int, ...]:
        """See ``ExtScheduler.spans``."""
        return tuple(level.spans[cpu] for level in self._k.topology.levels)

    def select_cpu_dfl(self, p: PlacedTask, prev_cpu: int, wake_flags: int) -> int:
        """See ``ExtScheduler.select_cpu_dfl``."""
        why = SELECT_FORK if wake_flags & ext.SCX_WAKE_FORK else SELECT_WAKE
        return FairHalf.select_task_rq(self._half, self._k, p.struct, prev_cpu, why)


class ExtHalf(FairHalf):
    """See the module header."""

    __slots__ = ("cls", "make")

    def __init__(self, make: type[ext.ExtScheduler]) -> None:
        super().__init__()
        self.make = make
        self.cls: SchedClass | None = None  # the CPUs' half; for its tunables

    def _scheduler(self, k: "Kernel") -> ext.ExtScheduler:
        """Return the object that ``k`` has."""
        own = k.sched.own
        found: ext.ExtScheduler | None = own.get(self.rank)
        if found is None:
            found = own[self.rank] = self.make()
            if self.cls is not None:
                found.tunables = tunables_of(k.spec, self.cls)
            found.begin(None, Placement(self, k), k.spec.cpus, k.spec.seed, False)
        return found

    def select_task_rq(self, k: "Kernel", task: "TaskStruct", previous: int, why: int) -> int:
        """Ask ``select_cpu``; a CPU that the task may not have is replaced by one that it may.

        Raises:
            ExtError: there is no such CPU.

        Source: kernel/sched/ext.c:select_task_rq_scx(), kernel/sched/core.c:select_task_rq().
        """
        if why == SELECT_EXEC:
            return previous
        p = PlacedTask(task)
        cpu = self._scheduler(k).select_cpu(p, previous, _FLAGS[why])
        if type(cpu) is not int or not 0 <= cpu < k.spec.cpus:
            error = ext.ExtError(f"{self.make.__name__}.select_cpu: there is no CPU {cpu!r}")
            error.operation = self.make.select_cpu
            raise error
        if p.allowed(cpu):
            return cpu
        return previous if p.allowed(previous) else find_first_bit(attrs_of(task).cpus_mask)
