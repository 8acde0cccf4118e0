"""A dying thread takes no more signals, and hands on those that are meant for its process.

Source: kernel/signal.c (exit_signals, retarget_shared_pending).
"""

from typing import TYPE_CHECKING

from kernel.points import ACQUIRE, READ, RELEASE, STORE, Path
from kernel.signal.jobctl import task_participate_group_stop
from kernel.signal.pending import pending_mask
from kernel.signal.send import do_notify_parent_cldstop, signal_wake_up
from kernel.task import JOBCTL_STOP_PENDING, PF_EXITING, SIGNAL_GROUP_EXIT, TaskStruct
from kernel.uapi.wait import CLD_STOPPED

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def retarget_shared_pending(k: "Kernel", task: TaskStruct, which: int) -> Path[None]:
    """Hand shared signals of ``which`` that ``task`` can no longer take to other threads.

    Source: kernel/signal.c:retarget_shared_pending().
    """
    retarget = pending_mask(task.signal.shared_pending) & which
    for thread in tuple(task.signal.threads):
        if not retarget:
            return
        if thread is task or thread.flags & PF_EXITING:
            continue
        if not retarget & ~thread.blocked:
            continue
        retarget &= thread.blocked
        if not thread.sigpending:
            yield from signal_wake_up(k, thread, False)


def exit_signals(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Mark ``task`` as exiting: from here on no signal is directed to it.

    Shared signals it could have taken go to a sibling; a stop in progress no longer waits for it.

    Source: kernel/signal.c:exit_signals().
    """
    signal = task.signal
    if len(signal.threads) == 1 or signal.flags & SIGNAL_GROUP_EXIT:
        yield "exit_signals.pf_exiting", STORE, (task, "flags", task.flags | PF_EXITING)
        return
    stopped = False
    siglock = task.sighand.siglock
    yield "exit_signals.siglock", ACQUIRE, siglock
    task.flags |= PF_EXITING
    if task.sigpending:
        yield from retarget_shared_pending(k, task, ~task.blocked)
        if task.jobctl & JOBCTL_STOP_PENDING:
            stopped = task_participate_group_stop(task)
    yield "exit_signals.siglock_done", RELEASE, siglock
    if stopped:
        lock = k.tasklist_lock
        yield "exit_signals.tasklist_lock", READ, lock
        yield from do_notify_parent_cldstop(k, task, False, CLD_STOPPED)
        yield "exit_signals.tasklist_unlock", RELEASE, lock
