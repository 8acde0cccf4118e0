"""Sessions as groups: each setsid() makes one, and /proc/PID/autogroup shows and renices it.

Source: kernel/sched/autogroup.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import capable
from kernel.errors import KernelError
from kernel.sched.classes import fair_class_by_name
from kernel.sched.weights import SCHED_PRIO_TO_WEIGHT
from kernel.smp.fair import can_nice
from kernel.smp.task_groups import TaskGroup, sched_group_set_shares
from kernel.task import PF_KTHREAD, TaskStruct
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.errno_ import EAGAIN, EINVAL, EPERM
from kernel.uapi.prio import MAX_NICE, MIN_NICE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_TENTH_NS: Final = NSEC_PER_SEC // 10


def has_autogroup(k: "Kernel") -> bool:
    """Tell whether this kernel has the files, be it switched off or not (CONFIG_SCHED_AUTOGROUP).

    Not 2.6.34: it came with 2.6.38.
    """
    return k.spec.linux != "2.6.34" and fair_class_by_name(k.spec.fair).takes_groups


def autogroup_task_get(k: "Kernel", task: TaskStruct) -> TaskGroup:
    """Return the group of the session of ``task``. Source: autogroup.c:autogroup_task_get()."""
    group: TaskGroup | None = task.signal.autogroup
    return k.groups.base if group is None else group


def proc_sched_autogroup_show_task(k: "Kernel", task: TaskStruct) -> str:
    """Return which session's group ``task`` is in; nothing of a kernel thread.

    Source: kernel/sched/autogroup.c:proc_sched_autogroup_show_task().
    """
    if task.flags & PF_KTHREAD:
        return ""
    group = autogroup_task_get(k, task)
    return f"/autogroup-{group.session} nice {group.nice}\n"


def proc_sched_autogroup_set_nice(k: "Kernel", task: TaskStruct, nice: int) -> None:
    """Give the session of ``task`` a nice value: the weight of its group.

    Raises:
        KernelError: EINVAL, EPERM, EAGAIN; EINVAL, too, if it is a kernel thread.

    Source: kernel/sched/autogroup.c:proc_sched_autogroup_set_nice().
    """
    if not MIN_NICE <= nice <= MAX_NICE:
        raise KernelError(EINVAL)
    if nice < 0 and not can_nice(k, k.current, nice):
        raise KernelError(EPERM)
    table = k.groups
    if not capable(k.current.cred) and k.now_ns < table.next_nice_ns:
        raise KernelError(EAGAIN)
    table.next_nice_ns = k.now_ns + _TENTH_NS
    if task.flags & PF_KTHREAD:
        raise KernelError(EINVAL)  # theirs is the root group
    group = autogroup_task_get(k, task)
    sched_group_set_shares(k, group, SCHED_PRIO_TO_WEIGHT[nice - MIN_NICE])
    group.nice = nice
