"""Job control's notes in a task: which stops and traps it still has to take part in.

Source: kernel/signal.c (task_set_jobctl_pending and its like), include/linux/sched/jobctl.h.
"""

from typing import TYPE_CHECKING

from kernel.drive.lockdep import assert_held
from kernel.points import Path
from kernel.signal.pending import fatal_signal_pending
from kernel.smp.ttwu import try_to_wake_up
from kernel.task import (
    JOBCTL_STOP_CONSUME,
    JOBCTL_STOP_DEQUEUED,
    JOBCTL_STOP_PENDING,
    JOBCTL_STOP_SIGMASK,
    JOBCTL_TRAPPING,
    PF_EXITING,
    SIGNAL_CLD_MASK,
    SIGNAL_GROUP_EXIT,
    SIGNAL_STOP_CONTINUED,
    SIGNAL_STOP_STOPPED,
    TASK_NORMAL,
    TaskStruct,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def task_set_jobctl_pending(task: TaskStruct, mask: int) -> bool:
    """Ask ``task`` to stop, unless it is being killed; return whether it will.

    Source: kernel/signal.c:task_set_jobctl_pending().
    """
    if task.flags & PF_EXITING or fatal_signal_pending(task):
        return False
    if mask & JOBCTL_STOP_SIGMASK:
        task.jobctl &= ~JOBCTL_STOP_SIGMASK
    task.jobctl |= mask
    return True


def task_clear_jobctl_pending(task: TaskStruct, mask: int = JOBCTL_STOP_PENDING) -> None:
    """Forget stops and traps ``task`` was asked for.

    Source: kernel/signal.c:task_clear_jobctl_pending().
    Deviation: JOBCTL_TRAPPING is left to the callers that can wake who waits for it.
    """
    if mask & JOBCTL_STOP_PENDING:
        mask |= JOBCTL_STOP_CONSUME | JOBCTL_STOP_DEQUEUED
    task.jobctl &= ~mask


def task_clear_jobctl_trapping(k: "Kernel", task: TaskStruct, tracer: TaskStruct) -> Path[None]:
    """Let the tracer go on that waits in PTRACE_ATTACH for a stopped task to become traced.

    Source: kernel/signal.c:task_clear_jobctl_trapping().
    """
    if task.jobctl & JOBCTL_TRAPPING:
        task.jobctl &= ~JOBCTL_TRAPPING
        yield from try_to_wake_up(k, tracer, TASK_NORMAL)


def task_participate_group_stop(task: TaskStruct) -> bool:
    """Count ``task`` out of the stop in progress; return True if it was the last one.

    Source: kernel/signal.c:task_participate_group_stop().
    """
    signal = task.signal
    consume = task.jobctl & JOBCTL_STOP_CONSUME
    task_clear_jobctl_pending(task)
    if not consume:
        return False
    if signal.group_stop_count:
        signal.group_stop_count -= 1
    if not signal.group_stop_count and not signal.flags & SIGNAL_STOP_STOPPED:
        set_stop_flags(task, SIGNAL_STOP_STOPPED)
        return True
    return False


def set_stop_flags(task: TaskStruct, flags: int) -> None:
    """Replace the stop part of the group's flags. Source: signal_set_stop_flags()."""
    signal = task.signal
    if signal.flags & SIGNAL_GROUP_EXIT:
        return
    mask = SIGNAL_CLD_MASK | SIGNAL_STOP_STOPPED | SIGNAL_STOP_CONTINUED
    signal.flags = (signal.flags & ~mask) | flags


def task_join_group_stop(k: "Kernel", current: TaskStruct, child: TaskStruct) -> None:
    """Let a new thread of ``current``'s take part in a stop of the group. Caller holds siglock.

    Source: kernel/signal.c:task_join_group_stop(), called from fork.
    """
    assert_held(k, current.sighand.siglock)
    signal = child.signal
    wanted = JOBCTL_STOP_PENDING | current.jobctl & JOBCTL_STOP_SIGMASK
    if signal.group_stop_count:
        signal.group_stop_count += 1
        wanted |= JOBCTL_STOP_CONSUME
    elif not signal.flags & SIGNAL_STOP_STOPPED:
        return
    task_set_jobctl_pending(child, wanted)
    child.sigpending = True
