"""What one child has to report: taking a zombie, a stop, a continuation.

Each of them gives tasklist_lock up if it has something to report, and keeps it if not.

Source: kernel/exit.c (wait_task_zombie, wait_task_stopped, wait_task_continued).
"""

from typing import TYPE_CHECKING, Final

from kernel.drive.lockdep import assert_held
from kernel.points import ACQUIRE, RELEASE, UPDATE, Path
from kernel.process.pid import Pid, PidType, task_pid_vnr
from kernel.process.release import release_task
from kernel.process.resource import rusage_of_child
from kernel.task import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    SIGNAL_GROUP_EXIT,
    SIGNAL_STOP_CONTINUED,
    SIGNAL_STOP_STOPPED,
    TaskStruct,
)
from kernel.time.timekeeping import thread_group_cputime
from kernel.uapi.signals import SIGCONT
from kernel.uapi.wait import (
    CLD_CONTINUED,
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
    CLD_STOPPED,
    WCONTINUED,
    WNOWAIT,
    WUNTRACED,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel


# of any length for mypyc, which would keep 16 registers and make a tuple of them at each use
NO_USAGE: Final[tuple[int, ...]] = (0,) * 16


# What a wait learns: pid, status as wait4 gives it, utime_ns, stime_ns, uid, CLD_ code, its status
Report = tuple[int, int, int, int, int, int, int]


class WaitOpts:
    """One wait in progress (``struct wait_opts``): who waits, for what.

    ``wait4``: do_wait() returns what wait4 does instead of a Report; if ``rusage`` is then not
    None, with a Rusage in place of the times.
    """

    __slots__ = ("flags", "kind", "pid", "rusage", "scanned", "wait4", "waiter")

    def __init__(
        self, waiter: TaskStruct, kind: PidType, pid: Pid | None, flags: int, *, wait4: bool = False
    ) -> None:
        self.wait4 = wait4
        self.rusage: tuple[int, ...] | None = None  # (): to be filled with the child's Rusage
        self.waiter = waiter
        self.kind = kind  # PIDTYPE_PID, PIDTYPE_PGID, or PIDTYPE_MAX for any child
        self.pid = pid
        self.flags = flags & 0xFFFFFFFF
        self.scanned = 0  # children looked at that have not been charged yet


def wait_task_zombie(k: "Kernel", wo: WaitOpts, child: TaskStruct) -> Path[Report | None]:
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
    exit_state: int = yield "wait_task_zombie.cmpxchg", UPDATE, (child, "exit_state")
    if not keep and exit_state == EXIT_ZOMBIE:
        child.exit_state = EXIT_DEAD
    if exit_state != EXIT_ZOMBIE:
        return None
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
        yield "wait_task_zombie.siglock", ACQUIRE, siglock
        mine.cutime_ns += utime_ns
        mine.cstime_ns += stime_ns
        mine.cmin_flt += signal.min_flt + child.min_flt + signal.cmin_flt
        mine.cnvcsw += signal.nvcsw + child.nvcsw + signal.cnvcsw
        mine.cnivcsw += signal.nivcsw + child.nivcsw + signal.cnivcsw
        maxrss = signal.maxrss if signal.maxrss > signal.cmaxrss else signal.cmaxrss
        if maxrss > mine.cmaxrss:
            mine.cmaxrss = maxrss
        yield "wait_task_zombie.siglock_done", RELEASE, siglock
        k.stats.waits += 1
        k.now_ns += k.costs.reap
        yield from release_task(k, child)
    code, why = how_it_ended(status)
    return pid, status, utime_ns, stime_ns, uid, code, why


def how_it_ended(status: int) -> tuple[int, int]:
    """Return the CLD_ code of a zombie's ``status``, and its exit code or the signal."""
    if status & 0x7F:
        return CLD_DUMPED if status & 0x80 else CLD_KILLED, status & 0x7F
    return CLD_EXITED, status >> 8


def wait_task_stopped(k: "Kernel", wo: WaitOpts, child: TaskStruct) -> Path[Report | None]:
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
    return (yield from report_living(k, wo, child, sig << 8 | 0x7F, CLD_STOPPED, sig))


def wait_task_continued(k: "Kernel", wo: WaitOpts, child: TaskStruct) -> Path[Report | None]:
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
    return (yield from report_living(k, wo, child, 0xFFFF, CLD_CONTINUED, SIGCONT))


def report_living(
    k: "Kernel", wo: WaitOpts, child: TaskStruct, status: int, code: int, why: int
) -> Path[Report]:
    """Return the Report of a child that lives on, and give tasklist_lock up.

    Args:
        status: as wait4 gives it.
        code, why: the CLD_ code, and the signal that goes with it.

    Source: kernel/exit.c:wait_task_stopped(), wait_task_continued(), from get_task_struct() on.
    """
    assert_held(k, k.tasklist_lock)
    pid, uid = task_pid_vnr(k, child), child.cred.uid
    if wo.rusage is not None:
        wo.rusage = rusage_of_child(k, child)
    yield "wait_task_living.tasklist_unlock", RELEASE, k.tasklist_lock
    utime_ns, stime_ns = times_both(child)
    return pid, status, utime_ns, stime_ns, uid, code, why


def times_both(child: TaskStruct) -> tuple[int, int]:
    """Return a living child's times with those of its children, as getrusage(RUSAGE_BOTH) does."""
    utime_ns, stime_ns = thread_group_cputime(child)
    return utime_ns + child.signal.cutime_ns, stime_ns + child.signal.cstime_ns
