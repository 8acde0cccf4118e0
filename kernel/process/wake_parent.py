"""Whom the death of a child wakes: those who wait for just this child.

Source: kernel/exit.c (eligible_pid, child_wait_callback, __wake_up_parent).
"""

from typing import TYPE_CHECKING

from kernel.points import Path
from kernel.process.pid import PIDTYPE_MAX, PIDTYPE_PGID, PIDTYPE_PID, PIDTYPE_TGID, PidType
from kernel.smp.ttwu import try_to_wake_up
from kernel.task import TASK_INTERRUPTIBLE, TaskStruct
from kernel.uapi.wait import WNOTHREAD

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.process.pid import Pid
    from kernel.process.wait_task import WaitOpts


def eligible_pid(kind: PidType, wanted: "Pid | None", task: TaskStruct) -> bool:
    """Tell whether ``task`` has the number a waiter asks for.

    Source: kernel/exit.c:eligible_pid().
    """
    if kind == PIDTYPE_MAX:
        return True
    if kind == PIDTYPE_PID:
        return task.thread_pid is wanted
    if kind == PIDTYPE_TGID:
        return task.signal.leader.thread_pid is wanted
    if kind == PIDTYPE_PGID:
        return task.signal.pgrp is wanted
    return task.signal.session is wanted


def child_wait_callback(wo: "WaitOpts", task: TaskStruct) -> bool:
    """Tell whether the wait ``wo`` could be about ``task``.

    Source: kernel/exit.c:child_wait_callback().
    """
    if wo.kind != PIDTYPE_MAX and not eligible_pid(wo.kind, wo.pid, task):
        return False
    return not wo.flags & WNOTHREAD or wo.waiter is task.parent


def wake_up_parent(k: "Kernel", task: TaskStruct, parent: TaskStruct) -> Path[None]:
    """Wake the threads of ``parent``'s process that wait for something like ``task``.

    Source: kernel/exit.c:__wake_up_parent(), which wakes sync.
    """
    for wo in tuple(parent.signal.wait_chldexit):
        if child_wait_callback(wo, task):
            yield from try_to_wake_up(k, wo.waiter, TASK_INTERRUPTIBLE, True)
