"""Joining threads: what pthread_join() and CPython's threading do above the kernel.

A thread started with CLONE_CHILD_CLEARTID has a word in its process's memory that holds its tid.
When it leaves the address space (mm_release, early in do_exit) the kernel zeroes the word and
wakes those who sleep on it. So a joined thread may still be in the task list, and count
against RLIMIT_NPROC, for a moment.

Source: kernel/fork.c:mm_release(); glibc nptl/pthread_join_common.c.
Deviation: sleepers are kept per thread group by tid, not in a futex of the word.
"""

from typing import TYPE_CHECKING

from kernel.errors import RestartNoHand, RestartSyscall
from kernel.pid import task_pid_vnr
from kernel.points import POINT, SCHEDULE, Path
from kernel.sched.ttwu import set_current_state, try_to_wake_up
from kernel.task import TASK_INTERRUPTIBLE, TASK_NORMAL, TASK_RUNNING, TaskStruct

if TYPE_CHECKING:
    from kernel.state import KernelState


def sys_thread_alive(k: "KernelState", tid: int) -> bool:
    """Tell whether the thread ``tid`` of the caller's process has not left its memory yet."""
    task = k.pids.find_task_by_vpid(tid)
    return task is not None and task.tgid == k.current.tgid and task.clear_child_tid


def sys_thread_join(k: "KernelState", tid: int, timeout_ns: int, until_ns: int = 0) -> Path:
    """Sleep until the thread ``tid`` of the caller's process has ended.

    Args:
        tid: any number; a thread that is gone, or is no thread of this process, has ended.
        timeout_ns: how long to wait at most; -1 for ever.
        until_ns: when a call that a handler interrupted was to end; 0 for a first call.

    Returns:
        True iff it has ended.

    Raises:
        RestartSyscall: a signal is pending.
        RestartNoHand: likewise, and there is a timeout.
    """
    current = k.current
    signal = current.signal
    deadline_ns = -1
    if timeout_ns >= 0:
        deadline_ns = until_ns or current.restart_ns or k.now_ns + timeout_ns
        current.restart_ns = 0
        k.arm_timer(current, deadline_ns)
    if signal.joiners is None:
        signal.joiners = {}
    waiters = signal.joiners.setdefault(tid, [])
    waiters.append(current)
    interrupted = False
    while True:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        ended = not sys_thread_alive(k, tid)
        if ended or 0 <= deadline_ns <= k.now_ns:
            break
        if current.sigpending:
            interrupted = True
            break
        yield "thread_join.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)
    waiters.remove(current)
    if not waiters and signal.joiners is not None:
        signal.joiners.pop(tid, None)
    if deadline_ns >= 0:
        k.cancel_timer(current)
    if interrupted:
        if deadline_ns < 0:
            raise RestartSyscall
        current.restart_ns = deadline_ns
        raise RestartNoHand
    return ended


def wake_joiners(k: "KernelState", task: TaskStruct) -> Path:
    """Wake the threads that join ``task``, which has just cleared its tid.

    Source: kernel/fork.c:mm_release(), the do_futex() call.
    """
    yield "mm_release.clear_child_tid", POINT, task
    joiners = task.signal.joiners
    if joiners:
        for waiter in tuple(joiners.get(task_pid_vnr(k, task), ())):
            yield from try_to_wake_up(k, waiter, TASK_NORMAL)
