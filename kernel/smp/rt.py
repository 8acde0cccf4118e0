"""Real-time tasks and CPUs: the kernel's half of ``kernel.sched.rt``.

The number of a member is the CPU time its task had used when it was last woken, in ns, for
RLIMIT_RTTIME.

Source: kernel/sched/rt.c, kernel/sched/syscalls.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.process.attrs import TaskAttrs, attrs_of
from kernel.process.limits import rlimit
from kernel.sched.sched_class import RT_RANK
from kernel.smp.push import PushedClass
from kernel.smp.smp_class import SchedAttr, push_from
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.policy import SCHED_RR
from kernel.uapi.prio import MAX_RT_PRIO
from kernel.uapi.rlimit import RLIMIT_RTPRIO

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct


class RtHalf(PushedClass):
    """See the module header, and ``kernel.smp.smp_class.SmpClass`` for the operations."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(RT_RANK, (1, MAX_RT_PRIO - 1))

    def own_attrs(self, k: "Kernel", attr: SchedAttr) -> tuple[int, ...]:
        """Nothing: priority is all it has, and the rest is not looked at."""
        return ()

    def may_set(self, k: "Kernel", task: "TaskStruct", attr: SchedAttr) -> bool:
        """Source: kernel/sched/syscalls.c:user_check_sched_setscheduler()."""
        old = attrs_of(task)
        limit = rlimit(k, task.signal, RLIMIT_RTPRIO)
        return not (
            (attr.policy != old.policy and not limit)
            or (attr.priority > old.rt_priority and attr.priority > limit)
        )

    def task_prio(self, task: "TaskStruct", attrs: TaskAttrs) -> int:
        """Source: kernel/sched/syscalls.c:task_prio()."""
        return -1 - attrs.rt_priority

    def get_rr_interval(self, k: "Kernel", task: "TaskStruct", attrs: TaskAttrs) -> int:
        """Source: kernel/sched/rt.c:get_rr_interval_rt()."""
        if attrs.policy != SCHED_RR:
            return 0
        return k.sched.sysctls.rr_ticks * NSEC_PER_SEC // k.spec.hz

    def urgency(self, k: "Kernel", task: "TaskStruct") -> int:
        """Return the priority."""
        return attrs_of(task).rt_priority

    def task_joined(self, k: "Kernel", task: "TaskStruct") -> int:
        """Begin to count its time now."""
        return task.utime_ns + task.stime_ns

    def task_woken(self, k: "Kernel", task: "TaskStruct") -> None:
        """Begin to count its time anew. Source: kernel/sched/rt.c:enqueue_task_rt()."""
        k.sched.members[RT_RANK][task] = task.utime_ns + task.stime_ns
        push_from(k, RT_RANK)


rt_half: Final = RtHalf()
