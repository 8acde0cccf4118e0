"""Deadline tasks and CPUs: the kernel's half of ``kernel.sched.deadline``.

The number of a member is the deadline, in ns of virtual time, that its task had when it was last
woken. KernelState reckons from it when the next ones are; it is not told.

Source: kernel/sched/deadline.c, kernel/sched/syscalls.c.
Deviation: one root domain, all CPUs. The bandwidth of a task that leaves the class is free at once,
in Linux at its zero-lag time.
Deviation: a throttled task counts as runnable in the load of its CPU.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.messages import eff_told
from kernel.process.attrs import TaskAttrs, attrs_of
from kernel.sched.classes import tunables_of
from kernel.sched.dl_budget import TOTAL_BW
from kernel.sched.dl_rq import to_ratio
from kernel.sched.rt import rt_sched_class
from kernel.sched.rt_rq import RtTunables
from kernel.sched.sched_class import DEADLINE_RANK
from kernel.smp.push import PushedClass
from kernel.smp.smp_class import SchedAttr, push_from
from kernel.uapi.errno_ import EBUSY, EINVAL, EPERM
from kernel.uapi.policy import SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_RECLAIM, SCHED_FLAG_SUGOV
from kernel.uapi.prio import MAX_RT_PRIO
from kernel.uapi.signals import SIGXCPU

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct

_LEAST_RUNTIME_NS: Final = 1 << 10  # DL_SCALE
_FAR: Final = 1 << 62
_DL_FLAGS: Final = SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN


class DlHalf(PushedClass):
    """See the module header, and ``kernel.smp.smp_class.SmpClass`` for the operations."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(DEADLINE_RANK)

    def own_attrs(self, k: "Kernel", attr: SchedAttr) -> tuple[int, ...]:
        """Return runtime, deadline and period in ns, and the flags of the class.

        Raises:
            KernelError: EINVAL, not runtime <= deadline <= period, too short or too long. One with
                SCHED_FLAG_SUGOV, which is the kernel's own, is turned away later.

        Source: kernel/sched/deadline.c:__checkparam_dl().
        """
        if len(attr.raw) != 3:
            raise KernelError(EINVAL)
        if attr.flags & SCHED_FLAG_SUGOV:
            return (*attr.raw, attr.flags & _DL_FLAGS)
        sysctls = k.sched.sysctls
        runtime, deadline, period = attr.raw
        period = period or deadline
        if (
            not _LEAST_RUNTIME_NS <= runtime <= deadline <= period
            or not sysctls.dl_period_min_us * 1000 <= period <= sysctls.dl_period_max_us * 1000
        ):
            raise KernelError(EINVAL)
        return runtime, deadline, period, attr.flags & _DL_FLAGS

    def admit(self, k: "Kernel", task: "TaskStruct", attr: SchedAttr, own: tuple[int, ...]) -> int:
        """Return EPERM unless ``task`` may use all CPUs, EBUSY if there is not so much left.

        The fair servers have their share of every CPU.

        Source: kernel/sched/syscalls.c:__sched_setscheduler(), kernel/sched/deadline.c:
            sched_dl_overflow().
        """
        if attrs_of(task).cpus_mask:
            return EPERM
        rt: RtTunables = tunables_of(k.spec, rt_sched_class)
        new = to_ratio(own[2], own[0])
        total = self._total_bw(k, task) + new
        old = attrs_of(task).own
        same = task in k.sched.members[self.rank] and to_ratio(old[2], old[0]) == new
        most = k.spec.cpus * to_ratio(rt.period_ns, rt.runtime_ns)
        if rt.runtime_ns >= 0 and not same and total > most:
            return EBUSY
        if own[3] & SCHED_FLAG_RECLAIM:
            k.sched.own[self.rank] = True
        self._tell_total(k, total)
        return 0

    def _total_bw(self, k: "Kernel", but: "TaskStruct") -> int:
        """Return the bandwidth of all but one, and of the fair servers (``dl_bw.total_bw``)."""
        rt: RtTunables = tunables_of(k.spec, rt_sched_class)
        total = k.spec.cpus * to_ratio(rt.fair_server_period_ns, rt.fair_server_runtime_ns)
        for other in k.sched.members[self.rank]:
            if other is not but:
                theirs = attrs_of(other).own
                total += to_ratio(theirs[2], theirs[0])
        return total

    def _tell_total(self, k: "Kernel", total: int) -> None:
        """Tell all CPUs how much all have, if ever a task has reclaimed what is left.

        Source: kernel/sched/deadline.c:__dl_add(), __dl_update().
        """
        if k.sched.own.get(self.rank):
            for cpu in range(k.spec.cpus):
                k.send(cpu, eff_told(k.now_ns, self.rank, TOTAL_BW, (total, k.spec.cpus)))

    def task_left(self, k: "Kernel", task: "TaskStruct") -> None:
        """What it had is free."""
        self._tell_total(k, self._total_bw(k, task))

    def check_affinity(self, k: "Kernel", task: "TaskStruct", mask: int) -> int:
        """Source: kernel/sched/deadline.c:dl_task_check_affinity()."""
        return EBUSY if k.topology.online & ~mask else 0

    def get_params(self, k: "Kernel", attrs: TaskAttrs) -> tuple[int, int, int]:
        """Source: kernel/sched/deadline.c:__getparam_dl()."""
        runtime, deadline, period = attrs.own[:3]
        return runtime, deadline, period

    def get_flags(self, attrs: TaskAttrs) -> int:
        """Source: kernel/sched/deadline.c:__getparam_dl()."""
        return attrs.own[3]

    def task_prio(self, task: "TaskStruct", attrs: TaskAttrs) -> int:
        """Source: kernel/sched/syscalls.c:task_prio()."""
        return -1 - MAX_RT_PRIO

    def may_fork(self, attrs: TaskAttrs) -> bool:
        """Source: kernel/sched/core.c:sched_fork()."""
        return attrs.reset_on_fork

    def urgency(self, k: "Kernel", task: "TaskStruct") -> int:
        """The earlier the deadline, the more urgent."""
        deadline_ns = k.sched.members[self.rank][task]
        late_ns = k.now_ns - deadline_ns
        if late_ns >= 0:
            period_ns = attrs_of(task).own[2]
            deadline_ns += (late_ns // period_ns + 1) * period_ns
        return _FAR - deadline_ns

    def task_joined(self, k: "Kernel", task: "TaskStruct") -> int:
        """Its first deadline counts from now."""
        return k.now_ns + attrs_of(task).own[1]

    def task_woken(self, k: "Kernel", task: "TaskStruct") -> None:
        """One whose deadline has passed gets a new one."""
        members = k.sched.members[self.rank]
        if members[task] < k.now_ns:
            members[task] = k.now_ns + attrs_of(task).own[1]
        push_from(k, self.rank)

    def told(self, k: "Kernel", task: "TaskStruct", key: int) -> int:
        """The budget of ``task`` has run out, and it wants to know.

        Source: kernel/time/posix-cpu-timers.c:check_dl_overrun().
        """
        return SIGXCPU


dl_half: Final = DlHalf()
