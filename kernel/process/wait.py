"""wait4() and waitid(): what a parent learns of its children, and the reaping of zombies.

A waiter puts itself on its process's wait queue, publishes that it sleeps, and only then looks at
the children: an exit that it just missed has then found it on the queue. Children are looked at
in fork order, the caller's own first and then those of its other threads, under tasklist_lock
for reading. Several threads may see the same zombie; the one that moves its exit_state from ZOMBIE
to DEAD has it. After its children each thread looks at those it traces (``kernel.ptrace.wait``).

A child counts as *eligible* when the pid selector and __WCLONE/__WALL admit it, even if it has
nothing to report. No eligible child: ECHILD. Eligible ones but no news: sleep, or 0 with WNOHANG.

Source: kernel/exit.c.
Deviation: the wait queue's own lock is not a lock here, its changes are single
steps.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from kernel.cred.uidgid import from_kuid_munged
from kernel.errors import KernelError, RestartSyscall
from kernel.events import SCHED_PROCESS_WAIT
from kernel.points import POINT, READ, RELEASE, SCHEDULE, Path
from kernel.process.pid import (
    PIDTYPE_MAX,
    PIDTYPE_PGID,
    PIDTYPE_PID,
    Pid,
    PidType,
    pid_has_task,
    pid_vnr,
)
from kernel.process.pidfd import pidfd_pid
from kernel.process.wait_task import (
    NO_USAGE,
    Report,
    WaitOpts,
    wait_task_continued,
    wait_task_stopped,
    wait_task_zombie,
)
from kernel.ptrace.wait import ptrace_do_wait, wait_consider_task
from kernel.smp.ttwu import set_current_state
from kernel.task import (
    EXIT_DEAD,
    EXIT_TRACE,
    EXIT_ZOMBIE,
    SIGNAL_STOP_CONTINUED,
    SIGNAL_STOP_STOPPED,
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    TaskStruct,
)
from kernel.uapi.errno_ import EAGAIN, ECHILD, EINVAL, ESRCH
from kernel.uapi.fcntl import O_NONBLOCK
from kernel.uapi.prio import DEFAULT_PRIO
from kernel.uapi.signals import SIGCHLD
from kernel.uapi.wait import (
    P_ALL,
    P_PGID,
    P_PID,
    P_PIDFD,
    WALL,
    WCLONE,
    WCONTINUED,
    WEXITED,
    WNOHANG,
    WNOTHREAD,
    WNOWAIT,
    WSTOPPED,
    WUNTRACED,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_WAIT4_FLAGS: Final = WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL
_WAITID_FLAGS: Final = _WAIT4_FLAGS | WNOWAIT | WEXITED | WSTOPPED
_INT_MIN: Final = -(1 << 31)


def sys_wait4(
    k: "Kernel", pid: int, options: int, rusage: bool = False
) -> Path[tuple[Any, ...] | None]:
    """Wait for a change of a child.

    Args:
        pid: > 0 that process; -1 any; 0 the caller's process group; < -1 group ``-pid``.
        options: WNOHANG, WUNTRACED, WCONTINUED, __WNOTHREAD, __WCLONE, __WALL.
        rusage: whether the child's whole usage is wanted.

    Returns:
        ``(pid, status, utime_ns, stime_ns)``, or ``(pid, status, Rusage)``; all zero if WNOHANG
        finds nothing.

    Raises:
        KernelError: EINVAL, other options; ESRCH, the most negative pid; ECHILD, no such child.
        RestartSyscall: a signal is pending.

    Source: kernel/exit.c:kernel_wait4().
    """
    options &= 0xFFFFFFFF
    if options & ~_WAIT4_FLAGS:
        raise KernelError(EINVAL)
    kind: PidType = PIDTYPE_MAX
    wanted: Pid | None = None
    if pid == -1:
        pass
    elif pid > 0:
        kind, wanted = PIDTYPE_PID, k.pids.find_vpid(pid)
    elif pid == 0:
        kind, wanted = PIDTYPE_PGID, k.current.signal.pgrp
    elif pid == _INT_MIN:
        raise KernelError(ESRCH)
    else:
        kind, wanted = PIDTYPE_PGID, k.pids.find_vpid(-pid)
    wo = WaitOpts(k.current, kind, wanted, options | WEXITED, wait4=True)
    if rusage:
        wo.rusage = ()
    return do_wait(k, wo)


def sys_waitid(
    k: "Kernel", idtype: int, id: int, options: int
) -> Path[tuple[int, int, int, int, int] | None]:
    """Wait for a change of a child, of exactly the kinds ``options`` name.

    Args:
        idtype: P_ALL, P_PID, P_PIDFD or P_PGID (``id`` 0: the caller's group).
        id: the process, a pidfd of it, or the group.
        options: at least one of WEXITED, WSTOPPED, WCONTINUED; and WNOHANG, WNOWAIT, __W*.

    Returns:
        ``(pid, uid, SIGCHLD, status, CLD_ code)``, or None if WNOHANG finds nothing.

    Raises:
        KernelError: EINVAL, bad options, idtype or id; ECHILD, no such child; EBADF, no pidfd;
            EAGAIN, nothing yet and the pidfd is O_NONBLOCK.
        RestartSyscall: a signal is pending.

    Source: kernel/exit.c:kernel_waitid_prepare().
    """
    options &= 0xFFFFFFFF
    if options & ~_WAITID_FLAGS or not options & (WEXITED | WSTOPPED | WCONTINUED):
        raise KernelError(EINVAL)
    kind: PidType = PIDTYPE_MAX
    wanted: Pid | None = None
    nothing = 0  # errno in place of no report
    if idtype == P_PID:
        if id <= 0:
            raise KernelError(EINVAL)
        kind, wanted = PIDTYPE_PID, k.pids.find_vpid(id)
    elif idtype == P_PGID:
        if id < 0:
            raise KernelError(EINVAL)
        kind = PIDTYPE_PGID
        wanted = k.pids.find_vpid(id) if id else k.current.signal.pgrp
    elif idtype == P_PIDFD:
        if id < 0:
            raise KernelError(EINVAL)
        wanted, file_flags = pidfd_pid(k, id)
        kind = PIDTYPE_PID
        if file_flags & O_NONBLOCK and not options & WNOHANG:
            options |= WNOHANG
            nothing = EAGAIN
    elif idtype != P_ALL:
        raise KernelError(EINVAL)
    report: Report | None = yield from do_wait(k, WaitOpts(k.current, kind, wanted, options))
    if report is None:
        if nothing:
            raise KernelError(nothing)
        return None
    uid = from_kuid_munged(k.current.cred.user_ns, report[4])
    return report[0], uid, SIGCHLD, report[6], report[5]


def do_wait(k: "Kernel", wo: WaitOpts) -> Path[tuple[Any, ...] | None]:
    """Wait until there is something to report; return the Report, or None under WNOHANG.

    For wait4 the result is its four values, all zero under WNOHANG.

    Source: kernel/exit.c:do_wait().
    """
    current = k.current
    queue = current.signal.wait_chldexit
    nr = 0 if wo.pid is None else pid_vnr(k, wo.pid)
    if k.tracing:
        k.emit(SCHED_PROCESS_WAIT, (current.comm, nr, DEFAULT_PRIO + current.nice))
    yield "do_wait.add_wait_queue", POINT, current
    # on the queue first, then the state, then a look: a child that exits in between wakes us
    queue.insert(0, wo)
    report: Report | None = None
    error = 0
    interrupted = False
    while True:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        result = yield from wait_scan(k, wo)
        if isinstance(result, tuple):
            report = result
            break
        if result:
            error = result
            break
        if wo.flags & WNOHANG:
            break
        if current.sigpending:
            interrupted = True
            break
        yield "do_wait.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)
    queue.remove(wo)
    if error:
        raise KernelError(error)
    if interrupted:
        raise RestartSyscall
    if wo.rusage is not None:
        return (0, 0, NO_USAGE) if report is None else (report[0], report[1], wo.rusage)
    if wo.wait4:
        return (0, 0, 0, 0) if report is None else report[:4]
    return report


def wait_scan(k: "Kernel", wo: WaitOpts) -> Path[Report | int]:
    """Look at every child once.

    Returns:
        A Report; ECHILD if no child is eligible; 0 if one is but has nothing to report.

    Source: kernel/exit.c:__do_wait(), do_wait_thread(), do_wait_pid(), wait_consider_task().
    """
    pid = wo.pid
    kind = wo.kind
    # nothing can match at this moment; Linux, too, looks without the lock
    if kind != PIDTYPE_MAX and (pid is None or not pid_has_task(pid, kind)):
        return ECHILD
    current = wo.waiter
    error = ECHILD
    lock = k.tasklist_lock
    yield "do_wait.tasklist_lock", READ, lock
    wo.scanned = 0
    threads = current.signal.threads
    if len(threads) > 1:
        threads = [current] if wo.flags & WNOTHREAD else _own_first(current)
    for thread in threads:
        children = thread.children
        if kind == PIDTYPE_PID:
            one = None if pid is None else children.get(pid.nr)
            candidates: Iterable[TaskStruct] = (
                () if one is None or one.thread_pid is not pid else (one,)
            )
        else:
            candidates = children.values()
        for child in candidates:
            wo.scanned += 1
            result = yield from _consider_child(k, wo, child)
            if type(result) is tuple:
                return result
            if not result:
                error = 0
        if thread.tracing is not None:
            result = yield from ptrace_do_wait(k, wo, thread)
            if type(result) is tuple:
                return result
            if not result:
                error = 0
    k.now_ns += k.costs.wait_scan * wo.scanned
    yield "do_wait.tasklist_unlock", RELEASE, lock
    return error


def _consider_child(k: "Kernel", wo: WaitOpts, child: TaskStruct) -> Path[Report | int]:
    """See what a child has to report; the usual one, that nobody traces, without detours.

    Returns:
        As ``wait_consider_task``: a Report, with tasklist_lock given up; 0 if the child is eligible
        and has nothing; -1 if it does not count.

    Source: kernel/exit.c:wait_consider_task(), eligible_child().
    """
    exit_state = child.exit_state
    if exit_state == EXIT_DEAD:
        return -1
    if child.ptrace or exit_state == EXIT_TRACE:
        result = yield from wait_consider_task(k, wo, False, child)
        return result
    flags = wo.flags
    signal = child.signal
    if wo.kind == PIDTYPE_PGID and signal.pgrp is not wo.pid:
        return -1
    if (child.exit_signal == SIGCHLD) is (flags & WCLONE != 0) and not flags & WALL:
        return -1
    if exit_state == EXIT_ZOMBIE and len(signal.threads) == 1:
        if not flags & WEXITED:
            return -1  # nothing else can happen to it: it does not even count
        k.now_ns += k.costs.wait_scan * wo.scanned
        wo.scanned = 0
        report = yield from wait_task_zombie(k, wo, child)
        # if another waiter was faster it is gone: it does not count any more
        return -1 if report is None else report
    if flags & (WSTOPPED | WCONTINUED) and signal.flags & (
        SIGNAL_STOP_STOPPED | SIGNAL_STOP_CONTINUED
    ):
        report = yield from wait_task_stopped(k, wo, child)
        if report is None:
            report = yield from wait_task_continued(k, wo, child)
        if report is not None:
            return report
    return 0


def _own_first(current: TaskStruct) -> list[TaskStruct]:
    """Return the threads of the caller's process, the caller first, then round the list."""
    threads = current.signal.threads
    place = threads.index(current)
    return [*threads[place:], *threads[:place]]
