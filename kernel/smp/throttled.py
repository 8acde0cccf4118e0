"""Which tasks cannot run because a group of theirs is throttled on their CPU.

They are runnable (``on_rq``), and count neither for the load of their CPU nor in placement and
balancing: ``kernel.smp.bandwidth`` takes them off the load table, and who counts tasks there asks
here first.

Source: kernel/sched/fair.c:throttled_hierarchy().
"""

from typing import TYPE_CHECKING

from kernel.events import TASK_CHANGE
from kernel.sched.sched_class import FAIR_RANK

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct


def throttled_hierarchy(k: "Kernel", task: "TaskStruct", cpu: int) -> bool:
    """Tell whether ``task`` cannot run on ``cpu`` because of a group that it is in."""
    throttled = k.groups.throttled
    if not throttled or k.sched.of(task).rank != FAIR_RANK:
        return False
    return any((gid, cpu) in throttled for gid in k.groups.path_of(task))


def group_is_throttled(k: "Kernel", gid: int, cpu: int) -> bool:
    """Tell whether a group or one above it is throttled on ``cpu``."""
    group = k.groups.groups.get(gid)
    return group is not None and any((each, cpu) in k.groups.throttled for each in group.path)


def counts(k: "Kernel", task: "TaskStruct", cpu: int) -> bool:
    """Tell whether ``task``, which joins the queue of ``cpu``, counts there; trace it if not."""
    if not throttled_hierarchy(k, task, cpu):
        return True
    trace_throttled(k, task, 1)
    return False


def trace_throttled(k: "Kernel", task: "TaskStruct", throttled: int) -> None:
    """Record that a runnable ``task`` cannot run, or can again."""
    if k.tracing:
        k.emit(TASK_CHANGE, (task.pid, "throttled", throttled))
