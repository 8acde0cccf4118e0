"""The kernel's halves of all scheduling classes, and which task is of which.

A class of smplab that needs a half of its own names it in ``HALVES``. One from outside brings its
own (``SchedClass.half``). A class without one has that of its rank here, or the base class.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.process.attrs import attrs_of
from kernel.sched.classes import classes_of
from kernel.sched.sched_class import CLASS_ORDER, FAIR_RANK, SchedClass
from kernel.smp.affinity import tell_affinity
from kernel.smp.deadline import dl_half
from kernel.smp.fair import fair_half
from kernel.smp.rt import rt_half
from kernel.smp.smp_class import SmpClass, push_from
from kernel.smp.sysctl import SchedSysctls

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.machine import MachineSpec
    from kernel.task import TaskStruct

HALVES: Final[dict[int, SmpClass]] = {half.rank: half for half in (dl_half, rt_half, fair_half)}


class SchedTable:
    """What a kernel knows of the classes of its machine.

    ``halves``: highest first; ``by_policy``: by SCHED_* number; ``fair``: the one of fair tasks;
    ``members``: by rank the tasks of a class that have a CPU, in the order in which they came;
    ``own``: by rank what a half keeps about this kernel; ``sysctls``: parameters that may change.
    """

    __slots__ = ("by_policy", "fair", "halves", "members", "own", "sysctls", "titles")

    def __init__(self, spec: "MachineSpec") -> None:
        classes = classes_of(spec)
        self.halves: tuple[SmpClass, ...] = tuple(_half_of(cls) for cls in classes)
        self.by_policy: dict[int, SmpClass] = {
            policy: half for cls, half in zip(classes, self.halves) for policy in cls.policies
        }
        self.titles = {cls.rank: cls.title for cls in classes}
        self.fair: SmpClass = next(half for half in self.halves if half.rank == FAIR_RANK)
        self.members: list[dict[TaskStruct, int]] = [{} for _ in CLASS_ORDER]
        self.own: dict[int, Any] = {}
        self.sysctls = SchedSysctls(spec, classes)

    def of(self, task: "TaskStruct") -> SmpClass:
        """Return the half of the class of ``task``."""
        attrs = task.attrs
        return self.fair if attrs is None else self.by_policy[attrs.policy]


def _half_of(cls: SchedClass) -> SmpClass:
    half = cls.half or HALVES.get(cls.rank)
    if half is None:
        return SmpClass(cls.rank)
    if half.rank != cls.rank:
        raise ValueError(f"{cls.name}: its half is of rank {half.rank}, it of rank {cls.rank}")
    return half


def join_class(k: "Kernel", task: "TaskStruct") -> None:
    """``task``, which has a CPU, is of the class of its policy from now on, if it was not before.

    Source: kernel/sched/core.c:check_class_changed().
    """
    table = k.sched
    half = table.of(task)
    leave_class(k, task, half)
    members = table.members[half.rank]
    if half.rank != FAIR_RANK and task not in members:
        members[task] = half.task_joined(k, task)


def leave_class(k: "Kernel", task: "TaskStruct", but: SmpClass | None = None) -> bool:
    """Take ``task`` off the members of its class unless that is ``but``; return if it was one."""
    table = k.sched
    for half in table.halves:
        members = table.members[half.rank]
        if half is not but and members and task in members:
            del members[task]
            half.task_left(k, task)
            return True
    return False


def told(k: "Kernel", task: "TaskStruct", rank: int, key: int) -> int:
    """The class of that rank says something of ``task`` on its CPU; it may have left it since.

    Returns the signal that its process is to get, 0 for none.
    """
    return k.sched.of(task).told(k, task, key) if task in k.sched.members[rank] else 0


def said(k: "Kernel", cpu: int, rank: int, key: int, data: tuple[int, ...]) -> None:
    """The class of that rank on ``cpu`` says something about no task."""
    for half in k.sched.halves:
        if half.rank == rank:
            half.said(k, cpu, key, data)


def task_new(k: "Kernel", child: "TaskStruct") -> None:
    """``child``, which has attributes, has just got a CPU: tell it what its parent's half lacks.

    Source: kernel/sched/core.c:wake_up_new_task().
    """
    if attrs_of(child).cpus_mask:
        tell_affinity(k, child)
    half = k.sched.of(child)
    if half.rank != FAIR_RANK:
        join_class(k, child)
        push_from(k, half.rank)


def task_dead(k: "Kernel", task: "TaskStruct") -> None:
    """``task``, which has attributes, has left its CPU for ever.

    Source: kernel/sched/core.c:finish_task_switch().
    """
    if leave_class(k, task):
        push_from(k, k.sched.of(task).rank)
