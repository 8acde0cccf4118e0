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

from typing import TYPE_CHECKING, Any, Final

from kernel.cred.uidgid import from_kuid_munged
from kernel.errors import KernelError, RestartSyscall
from kernel.events import SCHED_PROCESS_WAIT
from kernel.locking import pass_lock
from kernel.points import ACQUIRE, POINT, READ, RELEASE, SCHEDULE, Path
from kernel.process.exit import release_task
from kernel.process.pid import (
    PIDTYPE_MAX,
    PIDTYPE_PGID,
    PIDTYPE_PID,
    Pid,
    pid_has_task,
    pid_vnr,
    task_pid_vnr,
)
from kernel.process.pidfd import pidfd_pid
from kernel.process.resource import rusage_of_child
from kernel.smp.ttwu import set_current_state
from kernel.task import (
    EXIT_DEAD,
    EXIT_TRACE,
    EXIT_ZOMBIE,
    SIGNAL_GROUP_EXIT,
    SIGNAL_STOP_CONTINUED,
    SIGNAL_STOP_STOPPED,
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    TaskStruct,
    set_exit_state,
)
from kernel.time.timekeeping import thread_group_cputime
from kernel.uapi.errno_ import EAGAIN, ECHILD, EINVAL, ESRCH
from kernel.uapi.fcntl import O_NONBLOCK
from kernel.uapi.signals import SIGCHLD, SIGCONT
from kernel.uapi.wait import (
    CLD_CONTINUED,
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
    CLD_STOPPED,
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
    from kernel.state import KernelState

_WAIT4_FLAGS: Final = WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL
_WAITID_FLAGS: Final = _WAIT4_FLAGS | WNOWAIT | WEXITED | WSTOPPED
_INT_MIN: Final = -(1 << 31)
_NO_USAGE: Final = (0,) * 16

# What a wait learns: pid, status as wait4 gives it, utime_ns, stime_ns, uid, CLD_ code, its status
Report = tuple[int, int, int, int, int, int, int]


class WaitOpts:
    """One wait in progress (``struct wait_opts``): who waits, for what.

    ``wait4``: do_wait() returns what wait4 does instead of a Report; if ``rusage`` is then not
    None, with a Rusage in place of the times.
    """

    __slots__ = ("flags", "kind", "pid", "rusage", "wait4", "waiter")

    def __init__(
        self, waiter: TaskStruct, kind: int, pid: Pid | None, flags: int, *, wait4: bool = False
    ) -> None:
        self.wait4 = wait4
        self.rusage: Any = None  # True: to be filled with the child's Rusage
        self.waiter = waiter
        self.kind = kind  # PIDTYPE_PID, PIDTYPE_PGID, or PIDTYPE_MAX for any child
        self.pid = pid
        self.flags = flags & 0xFFFFFFFF


def sys_wait4(k: "KernelState", pid: int, options: int, rusage: bool = False) -> Path:
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
    kind, wanted = PIDTYPE_MAX, None
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
        wo.rusage = True
    return do_wait(k, wo)


def sys_waitid(k: "KernelState", idtype: int, id: int, options: int) -> Path:
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
    kind, wanted = PIDTYPE_MAX, None
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


def do_wait(k: "KernelState", wo: WaitOpts) -> Path:
    """Wait until there is something to report; return the Report, or None under WNOHANG.

    For wait4 the result is its four values, all zero under WNOHANG.

    Source: kernel/exit.c:do_wait().
    """
    current = k.current
    stepwise = k.stepwise
    queue = current.signal.wait_chldexit
    nr = 0 if wo.pid is None else pid_vnr(k, wo.pid)
    k.emit(SCHED_PROCESS_WAIT, current.comm, nr, 120 + current.nice)
    if stepwise:
        yield "do_wait.add_wait_queue", POINT, current
    queue.insert(0, wo)
    report: Report | None = None
    error = 0
    interrupted = False
    while True:
        if stepwise:
            yield from set_current_state(k, TASK_INTERRUPTIBLE)
        else:
            current.state = TASK_INTERRUPTIBLE
        result: Any = yield from wait_scan(k, wo)
        if type(result) is tuple:
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
    if stepwise:
        yield from set_current_state(k, TASK_RUNNING)
    else:
        current.state = TASK_RUNNING
    queue.remove(wo)
    if error:
        raise KernelError(error)
    if interrupted:
        raise RestartSyscall
    if wo.rusage is not None:
        return (0, 0, _NO_USAGE) if report is None else (report[0], report[1], wo.rusage)
    if wo.wait4:
        return (0, 0, 0, 0) if report is None else report[:4]
    return report


def wait_scan(k: "KernelState", wo: WaitOpts) -> Path:
    """Look at every child once.

    Returns:
        A Report; ECHILD if no child is eligible; 0 if one is but has nothing to report.

    Source: kernel/exit.c:__do_wait(), do_wait_thread(), do_wait_pid(), wait_consider_task().
    """
    pid = wo.pid
    kind = wo.kind
    if kind != PIDTYPE_MAX and (pid is None or not pid_has_task(pid, kind)):
        return ECHILD
    current = wo.waiter
    flags = wo.flags
    clone_only = flags & WCLONE != 0
    error = ECHILD
    lock = k.tasklist_lock
    yield "do_wait.tasklist_lock", READ, lock
    scanned = 0
    threads = current.signal.threads
    if len(threads) > 1:
        threads = [current] if flags & WNOTHREAD else _own_first(current)
    for thread in threads:
        children = thread.children
        if kind == PIDTYPE_PID:
            one = None if pid is None else children.get(pid.nr)
            candidates: Any = () if one is None or one.thread_pid is not pid else (one,)
        else:
            candidates = children.values()
        for child in candidates:
            scanned += 1
            exit_state = child.exit_state
            if exit_state == EXIT_DEAD:
                continue
            if child.ptrace or exit_state == EXIT_TRACE:
                result = yield from wait_consider_task(k, wo, False, child)
                if type(result) is tuple:
                    return result
                error = result and error
                continue
            signal = child.signal
            if kind == PIDTYPE_PGID and signal.pgrp is not pid:
                continue
            if (child.exit_signal == SIGCHLD) is clone_only and not flags & WALL:
                continue
            if exit_state == EXIT_ZOMBIE and len(signal.threads) == 1:
                if not flags & WEXITED:
                    continue  # nothing else can happen to it: it does not even count
                k.now_ns += k.costs.wait_scan * scanned
                report = yield from wait_task_zombie(k, wo, child)
                if report is not None:
                    return report
                scanned = 0
                continue
            error = 0
            if flags & (WSTOPPED | WCONTINUED) and signal.flags & (
                SIGNAL_STOP_STOPPED | SIGNAL_STOP_CONTINUED
            ):
                report = yield from wait_task_stopped(k, wo, child)
                if report is None:
                    report = yield from wait_task_continued(k, wo, child)
                if report is not None:
                    return report
        if thread.tracing is not None:
            result = yield from ptrace_do_wait(k, wo, thread)
            if type(result) is tuple:
                return result
            error = result and error
    k.now_ns += k.costs.wait_scan * scanned
    yield "do_wait.tasklist_unlock", RELEASE, lock
    return error


def _own_first(current: TaskStruct) -> list[TaskStruct]:
    """Return the threads of the caller's process, the caller first, then round the list."""
    threads = current.signal.threads
    place = threads.index(current)
    return [*threads[place:], *threads[:place]]


def wait_task_zombie(k: "KernelState", wo: WaitOpts, child: TaskStruct) -> Path:
    """Take a zombie, unless another waiter is faster, and give tasklist_lock up.

    With WNOWAIT the child is only looked at.

    Returns:
        The Report; None, with the lock still held, if another waiter has it.

    Source: kernel/exit.c:wait_task_zombie().
    """
    lock = k.tasklist_lock
    signal = child.signal
    pid = child.pid if k.pids.kernel is None else task_pid_vnr(k, child)
    uid = child.cred.uid
    keep = wo.flags & WNOWAIT
    stepwise = k.stepwise
    if stepwise:
        yield "wait_task_zombie.cmpxchg", POINT, child
    if child.exit_state != EXIT_ZOMBIE:
        return None
    if not keep:
        set_exit_state(child, EXIT_ZOMBIE, EXIT_DEAD)
    yield "wait_task_zombie.tasklist_unlock", RELEASE, lock
    # RUSAGE_BOTH: its own times, and those of the children it has waited for
    utime_ns = signal.utime_ns + child.utime_ns + signal.cutime_ns
    stime_ns = signal.stime_ns + child.stime_ns + signal.cstime_ns
    status = signal.group_exit_code if signal.flags & SIGNAL_GROUP_EXIT else child.exit_code
    if wo.rusage is not None:
        wo.rusage = rusage_of_child(k, child)
    if not keep:
        parent = wo.waiter
        siglock = parent.sighand.siglock
        mine = parent.signal
        if stepwise:
            yield "wait_task_zombie.siglock", ACQUIRE, siglock
        mine.cutime_ns += utime_ns
        mine.cstime_ns += stime_ns
        mine.cmin_flt += signal.min_flt + child.min_flt + signal.cmin_flt
        mine.cnvcsw += signal.nvcsw + child.nvcsw + signal.cnvcsw
        mine.cnivcsw += signal.nivcsw + child.nivcsw + signal.cnivcsw
        maxrss = signal.maxrss if signal.maxrss > signal.cmaxrss else signal.cmaxrss
        if maxrss > mine.cmaxrss:
            mine.cmaxrss = maxrss
        if stepwise:
            yield "wait_task_zombie.siglock_done", RELEASE, siglock
        else:
            pass_lock(k, siglock)
        k.stats.waits += 1
        yield from release_task(k, child)
    if status & 0x7F:
        code = CLD_DUMPED if status & 0x80 else CLD_KILLED
        return pid, status, utime_ns, stime_ns, uid, code, status & 0x7F
    return pid, status, utime_ns, stime_ns, uid, CLD_EXITED, status >> 8


def wait_task_stopped(k: "KernelState", wo: WaitOpts, child: TaskStruct) -> Path:
    """Report once that a child has stopped, and give tasklist_lock up.

    Returns:
        The Report; None, with the lock still held, if there is nothing to report.

    Source: kernel/exit.c:wait_task_stopped().
    """
    signal = child.signal
    if not wo.flags & WUNTRACED or not signal.flags & SIGNAL_STOP_STOPPED:
        return None
    siglock = child.sighand.siglock
    yield "wait_task_stopped.siglock", ACQUIRE, siglock
    sig = signal.group_exit_code if signal.flags & SIGNAL_STOP_STOPPED else 0
    if sig and not wo.flags & WNOWAIT:
        signal.group_exit_code = 0
    yield "wait_task_stopped.siglock_done", RELEASE, siglock
    if not sig:
        return None
    pid, uid = task_pid_vnr(k, child), child.cred.uid
    if wo.rusage is not None:
        wo.rusage = rusage_of_child(k, child)
    yield "wait_task_stopped.tasklist_unlock", RELEASE, k.tasklist_lock
    utime_ns, stime_ns = times_both(child)
    return pid, sig << 8 | 0x7F, utime_ns, stime_ns, uid, CLD_STOPPED, sig


def wait_task_continued(k: "KernelState", wo: WaitOpts, child: TaskStruct) -> Path:
    """Report once that a child has continued, and give tasklist_lock up.

    Returns:
        The Report; None, with the lock still held, if there is nothing to report.

    Source: kernel/exit.c:wait_task_continued().
    """
    signal = child.signal
    if not wo.flags & WCONTINUED or not signal.flags & SIGNAL_STOP_CONTINUED:
        return None
    siglock = child.sighand.siglock
    yield "wait_task_continued.siglock", ACQUIRE, siglock
    continued = signal.flags & SIGNAL_STOP_CONTINUED
    if continued and not wo.flags & WNOWAIT:
        signal.flags &= ~SIGNAL_STOP_CONTINUED
    yield "wait_task_continued.siglock_done", RELEASE, siglock
    if not continued:
        return None
    pid, uid = task_pid_vnr(k, child), child.cred.uid
    if wo.rusage is not None:
        wo.rusage = rusage_of_child(k, child)
    yield "wait_task_continued.tasklist_unlock", RELEASE, k.tasklist_lock
    utime_ns, stime_ns = times_both(child)
    return pid, 0xFFFF, utime_ns, stime_ns, uid, CLD_CONTINUED, SIGCONT


def times_both(child: TaskStruct) -> tuple[int, int]:
    """Return a living child's times with those of its children, as getrusage(RUSAGE_BOTH) does."""
    utime_ns, stime_ns = thread_group_cputime(child)
    return utime_ns + child.signal.cutime_ns, stime_ns + child.signal.cstime_ns


from kernel.ptrace.wait import ptrace_do_wait, wait_consider_task  # noqa: E402  (it imports from here)
