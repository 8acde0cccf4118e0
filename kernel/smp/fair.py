"""Fair tasks and CPUs: the kernel's half of every class of the rank fair.

A task starts on an idle CPU, as near as the topology has one, and wakes where its cache is unless
that CPU is busy and another is not. On a machine with a configured topology it goes by its levels
instead: ``kernel.smp.select``. Periodic balancing is ``kernel.smp.balance``.

Source: kernel/sched/fair.c (select_task_rq_fair, find_idlest_cpu, select_idle_sibling).
Deviation: on a flat machine the number of runnable tasks stands for load in placement, without
wake_affine's comparison of loads, and it makes no difference that a waker is about to sleep.
"""

from typing import TYPE_CHECKING, Final

from mypy_extensions import mypyc_attr

from kernel.cred.creds import capable
from kernel.errors import GuestFault
from kernel.process.attrs import TaskAttrs
from kernel.process.limits import rlimit
from kernel.sched.cfs_rq import get_update_sysctl_factor
from kernel.sched.classes import tunables_of
from kernel.sched.eevdf import eevdf_sched_class
from kernel.sched.eevdf_rq import EevdfTunables
from kernel.sched.sched_class import FAIR_RANK
from kernel.sched.weights import weight_of
from kernel.smp.affinity import cpumask_any_and_distribute
from kernel.smp.bandwidth import said
from kernel.smp.rr_interval import get_rr_interval_fair
from kernel.smp.select import select_task_rq_levels
from kernel.smp.smp_class import SELECT_FORK, SELECT_WAKE, SchedAttr, SmpClass
from kernel.uapi.failure import refused
from kernel.uapi.policy import SCHED_BATCH, SCHED_NORMAL
from kernel.uapi.rlimit import RLIMIT_NICE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct

_LEAST_SLICE_NS: Final = 100_000
_GREATEST_SLICE_NS: Final = 100_000_000
_NICE: Final[tuple[int, ...]] = (
    SCHED_NORMAL,
    SCHED_BATCH,
)  # fair_policy(): those that set a nice value


@mypyc_attr(allow_interpreted_subclasses=True)
class FairHalf(SmpClass):
    """See the module header, and ``kernel.smp.smp_class.SmpClass`` for the operations."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(FAIR_RANK)

    def own_attrs(self, k: "Kernel", attr: SchedAttr) -> tuple[int, ...]:
        """Return the slice in ns, if it has one of its own.

        A call without attributes keeps it, and SCHED_IDLE takes none.

        Deadline and period mean nothing to it.

        Raises:
            GuestFault: REFUSED, a slice where the fair class has none.

        Source: kernel/sched/syscalls.c:__setparam_fair(), _sched_setscheduler().
        """
        if not attr.raw or attr.policy not in _NICE:
            return attr.old
        if not attr.raw[0]:
            return ()
        if k.spec.fair != eevdf_sched_class.name:
            raise GuestFault(refused("slices of one's own are EEVDF's (sched.fair: eevdf)"))
        return (max(_LEAST_SLICE_NS, min(attr.raw[0], _GREATEST_SLICE_NS)),)

    def get_params(self, k: "Kernel", attrs: TaskAttrs) -> tuple[int, int, int]:
        """Return the slice as runtime, as EEVDF does.

        Source: kernel/sched/syscalls.c:get_params() of Linux 6.12.
        """
        if attrs.own:
            return attrs.own[0], 0, 0
        if k.spec.fair != eevdf_sched_class.name:
            return 0, 0, 0
        tunables: EevdfTunables = tunables_of(k.spec, eevdf_sched_class)
        return tunables.base_slice_ns * get_update_sysctl_factor(k.spec.cpus), 0, 0

    def get_rr_interval(self, k: "Kernel", task: "TaskStruct", attrs: TaskAttrs) -> int:
        """Source: kernel/sched/fair.c:get_rr_interval_fair()."""
        return get_rr_interval_fair(k, task, attrs)

    def takes_nice(self, policy: int) -> bool:
        """Source: kernel/sched/sched.h:fair_policy()."""
        return policy in _NICE

    def may_set(self, k: "Kernel", task: "TaskStruct", attr: SchedAttr) -> bool:
        """Source: kernel/sched/syscalls.c:user_check_sched_setscheduler()."""
        return attr.policy not in _NICE or attr.nice >= task.nice or can_nice(k, task, attr.nice)

    def task_load(self, task: "TaskStruct", attrs: TaskAttrs) -> int:
        """Source: kernel/sched/core.c:set_load_weight(), kernel/sched/fair.c:task_h_load()."""
        return weight_of(task.nice, attrs.policy)

    def said(self, k: "Kernel", cpu: int, key: int, data: tuple[int, ...]) -> None:
        """A CPU has used up the time of a group: ``kernel.smp.bandwidth``."""
        said(k, cpu, key, data)

    def select_task_rq(self, k: "Kernel", task: "TaskStruct", previous: int, why: int) -> int:
        """Source: kernel/sched/fair.c:select_task_rq_fair()."""
        attrs = task.attrs
        allowed = 0 if attrs is None else attrs.cpus_mask
        if not k.topology.flat:
            return select_task_rq_levels(k, task, previous, why, allowed)
        if why == SELECT_WAKE:
            return select_idle_sibling(k, previous, allowed)
        if why == SELECT_FORK:
            return find_idlest_cpu(k, previous, allowed)
        return _select_exec(k, previous, allowed)


def can_nice(k: "Kernel", task: "TaskStruct", nice: int) -> bool:
    """Tell whether the current task may lower ``task``'s nice value to ``nice``.

    Source: kernel/sched/core.c:can_nice().
    """
    return 20 - nice <= rlimit(k, task.signal, RLIMIT_NICE) or capable(k.current.cred)


def find_idlest_cpu(k: "Kernel", near: int, allowed: int) -> int:
    """Return the CPU for a new task: an idle one near its parent's, else the least loaded.

    Source: kernel/sched/fair.c:find_idlest_cpu(), SD_BALANCE_FORK.
    """
    if allowed:
        return cpumask_any_and_distribute(k, allowed, near)
    load = k.load
    if load.idle_mask:
        return k.topology.nearest(load.idle_mask, near)
    return load.least_loaded(near)


def _select_exec(k: "Kernel", cpu: int, allowed: int) -> int:
    """Return the CPU on which an exec goes on: here, unless others queue here and one idles.

    Source: kernel/sched/core.c:sched_exec(), SD_BALANCE_EXEC.
    """
    idle = k.load.idle_mask
    if not idle or k.load.nr_running[cpu] <= 1:
        return cpu
    if not allowed:
        return k.topology.nearest(idle, cpu)
    return cpumask_any_and_distribute(k, allowed, cpu) if allowed & idle else cpu


def select_idle_sibling(k: "Kernel", previous: int, allowed: int) -> int:
    """Return the CPU for a woken task: its last one if idle, else the waker's, else any idle one.

    With no CPU idle it stays where its cache is.

    Source: kernel/sched/fair.c:select_idle_sibling().
    """
    mask = k.load.idle_mask
    if allowed:
        if not allowed >> previous & 1:
            return cpumask_any_and_distribute(k, allowed, k.cpu)
        mask &= allowed
        if mask and not mask >> previous & 1 and not mask >> k.cpu & 1:
            return cpumask_any_and_distribute(k, mask, previous)
    if not mask or mask >> previous & 1:
        return previous
    if mask >> k.cpu & 1:
        return k.cpu
    return k.topology.nearest(mask, previous)


fair_half: Final = FairHalf()
