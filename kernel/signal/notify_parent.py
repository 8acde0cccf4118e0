"""A parent or tracer is told: SIGCHLD for it, and a wake-up if it waits for just this child.

Source: kernel/signal.c (do_notify_parent, do_notify_parent_cldstop), kernel/exit.c.
"""

from typing import TYPE_CHECKING

from kernel.drive.lockdep import assert_held
from kernel.events import SIGNAL_GENERATE
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.pid import (
    PIDTYPE_TGID,
    pid_nr_ns,
    task_active_pid_ns,
)
from kernel.process.wake_parent import child_wait_callback, wake_up_parent
from kernel.signal.send import TRACE_SIGNAL_IGNORED, send_signal_locked, sig_ignored
from kernel.smp.ttwu import try_to_wake_up
from kernel.smp.wait import wake_up_all
from kernel.task import TASK_INTERRUPTIBLE, TaskStruct
from kernel.uapi.signals import SIG_DFL, SIG_IGN, SIGCHLD, SIGCONT
from kernel.uapi.wait import (
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def do_notify_parent(k: "Kernel", task: TaskStruct, sig: int) -> Path[bool]:
    """Tell ``task``'s parent that it has died. Caller holds tasklist_lock for writing.

    Args:
        task: a zombie group leader without other threads.
        sig: its exit signal; 0 or an invalid one is not sent.

    Returns:
        True iff the parent ignores SIGCHLD, so that the zombie is to be reaped at once.

    Source: kernel/signal.c:do_notify_parent().
    Deviation: no SA_NOCLDWAIT; CPython cannot set it.
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    parent = task.parent
    sighand = parent.sighand
    if sig != SIGCHLD and task.parent_exec_id != parent.self_exec_id:
        # the parent is no longer the program that chose this signal
        sig = SIGCHLD
    autoreap = False
    pollers = task.thread_pid.wait_pidfd
    if pollers is not None and len(task.signal.threads) == 1:
        yield from wake_up_all(k, pollers)
    siglock = sighand.siglock
    yield "do_notify_parent.siglock", ACQUIRE, siglock
    if sig == SIGCHLD and not task.ptrace and sighand.action.get(SIGCHLD, SIG_DFL) == SIG_IGN:
        autoreap = True
        sig = 0
    if 0 < sig <= 64:
        code = task.exit_code
        if code & 0x7F:
            info_code = CLD_DUMPED if code & 0x80 else CLD_KILLED
            status = code & 0x7F
        else:
            info_code = CLD_EXITED
            status = code >> 8
        if sig != SIGCONT and sig_ignored(parent, sig):
            # what send_signal_locked() comes to, for the most frequent case
            k.stats.signals_ignored += 1
            if k.tracing:
                k.emit(
                    SIGNAL_GENERATE,
                    (sig, 0, info_code, parent.comm, parent.pid, True, TRACE_SIGNAL_IGNORED),
                )
        else:
            pid = task.pid
            if k.pids.kernel is not None:
                pid = pid_nr_ns(task.thread_pid, task_active_pid_ns(k, parent))
            info = (sig, info_code, pid, task.cred.uid, status)
            yield from send_signal_locked(k, sig, info, parent, PIDTYPE_TGID)
    waiters = parent.signal.wait_chldexit
    if len(waiters) == 1:
        if child_wait_callback(waiters[0], task):
            yield from try_to_wake_up(k, waiters[0].waiter, TASK_INTERRUPTIBLE, True)
    elif waiters:
        yield from wake_up_parent(k, task, parent)
    yield "do_notify_parent.siglock_done", RELEASE, siglock
    return autoreap
