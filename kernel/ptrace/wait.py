"""wait4() and waitid(), the part for traced tasks.

A tracer waits for its tracees, threads too, by their own ids: they are always eligible, and their
stops are reported whatever the options are. A zombie that is traced belongs to its tracer first;
if that is not of the parent's process, reaping it unlinks it (EXIT_TRACE) and tells the parent,
who reaps it again. A child traced by its own parent is waited for as a tracee; its group's stops
are then not reported.

Source: kernel/exit.c.
"""

from typing import TYPE_CHECKING

from kernel.drive.lockdep import assert_held
from kernel.points import ACQUIRE, BARRIER, POINT, RELEASE, Path
from kernel.process.pid import task_pid_vnr
from kernel.process.release import release_task, thread_group_empty
from kernel.process.resource import rusage_of_child
from kernel.process.wait_task import (
    Report,
    WaitOpts,
    how_it_ended,
    report_living,
    times_both,
    wait_task_continued,
    wait_task_stopped,
    wait_task_zombie,
)
from kernel.process.wake_parent import eligible_pid
from kernel.ptrace.link import ptrace_reparented, ptrace_unlink
from kernel.signal.notify_parent import do_notify_parent
from kernel.task import (
    EXIT_DEAD,
    EXIT_TRACE,
    EXIT_ZOMBIE,
    JOBCTL_LISTENING,
    JOBCTL_TRACED,
    SIGNAL_GROUP_EXIT,
    TaskStruct,
    set_exit_state,
)
from kernel.uapi.signals import SIGCHLD
from kernel.uapi.wait import (
    CLD_TRAPPED,
    WALL,
    WCLONE,
    WCONTINUED,
    WEXITED,
    WNOWAIT,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def ptrace_do_wait(k: "Kernel", wo: WaitOpts, tracer: TaskStruct) -> Path[Report | int]:
    """Look at every task that ``tracer``, a thread of the caller's process, traces.

    Returns:
        A Report, tasklist_lock given up; else 0 if one is eligible and -1 if none is.

    Source: kernel/exit.c:ptrace_do_wait(), do_wait_pid().
    """
    state = tracer.tracing
    found = -1
    if state is None:
        return found
    for task in tuple(state.ptraced):
        if not eligible_pid(wo.kind, wo.pid, task):
            continue
        k.now_ns += k.costs.wait_scan
        result = yield from wait_consider_task(k, wo, True, task)
        if type(result) is tuple:
            return result
        if not result:
            found = 0
    return found


def wait_consider_task(
    k: "Kernel", wo: WaitOpts, ptrace: bool, task: TaskStruct
) -> Path[Report | int]:
    """See what ``task`` has to report. Caller holds tasklist_lock.

    Args:
        ptrace: it is looked at as a tracee of the caller's process, not as a child.

    Returns:
        A Report, with the lock given up; 0 if it is eligible; -1 if it does not count.

    Source: kernel/exit.c:wait_consider_task(), eligible_child().
    """
    assert_held(k, k.tasklist_lock)
    flags = wo.flags
    exit_state = task.exit_state
    if exit_state == EXIT_DEAD or not eligible_pid(wo.kind, wo.pid, task):
        return -1
    if not ptrace and not flags & WALL and (task.exit_signal == SIGCHLD) is (flags & WCLONE != 0):
        return -1
    if exit_state == EXIT_TRACE:
        return -1 if ptrace else 0
    if not ptrace and task.ptrace and not ptrace_reparented(task):
        ptrace = True
    eligible = 0
    if exit_state == EXIT_ZOMBIE:
        delayed = task.group_leader is task and not thread_group_empty(task)
        if not delayed and (ptrace or not task.ptrace):
            if not flags & WEXITED:
                return -1
            report = yield from wait_traced_zombie(k, wo, task)
            return -1 if report is None else report
        if ptrace and not flags & (WCONTINUED | WEXITED):
            eligible = -1
    report = yield from wait_ptrace_stop(k, wo, ptrace, task)
    if report is None:
        report = yield from wait_task_continued(k, wo, task)
    return eligible if report is None else report


def wait_ptrace_stop(
    k: "Kernel", wo: WaitOpts, ptrace: bool, task: TaskStruct
) -> Path[Report | None]:
    """Report once that a tracee stands in a stop, and give tasklist_lock up.

    Returns:
        The Report; None, with the lock still held, if there is nothing to report.

    Source: kernel/exit.c:wait_task_stopped(), task_stopped_code().
    """
    if not ptrace:
        return (yield from wait_task_stopped(k, wo, task))
    if task.jobctl & (JOBCTL_TRACED | JOBCTL_LISTENING) != JOBCTL_TRACED:
        return None
    siglock = task.sighand.siglock
    yield "wait_ptrace_stop.siglock", ACQUIRE, siglock
    code = 0
    if task.jobctl & (JOBCTL_TRACED | JOBCTL_LISTENING) == JOBCTL_TRACED:
        code = task.exit_code
        if not wo.flags & WNOWAIT:
            task.exit_code = 0
    yield "wait_ptrace_stop.siglock_done", RELEASE, siglock
    if not code:
        return None
    return (yield from report_living(k, wo, task, code << 8 | 0x7F, CLD_TRAPPED, code))


def wait_traced_zombie(k: "Kernel", wo: WaitOpts, task: TaskStruct) -> Path[Report | None]:
    """Take a zombie that was or is traced, and give tasklist_lock up.

    Returns:
        The Report; None, with the lock still held, if another waiter has it.

    Source: kernel/exit.c:wait_task_zombie().
    """
    leader = task.group_leader is task
    handed_on = leader and ptrace_reparented(task)
    if leader and (not handed_on or wo.flags & WNOWAIT):
        return (yield from wait_task_zombie(k, wo, task))
    lock = k.tasklist_lock
    claim = EXIT_DEAD
    if handed_on:
        # its parent is to have it as a zombie again: EXIT_DEAD is for ever
        yield "wait_traced_zombie.exit_trace", POINT, task
        claim = EXIT_TRACE
    yield "wait_traced_zombie.cmpxchg", BARRIER, task
    if task.exit_state != EXIT_ZOMBIE:
        return None
    signal = task.signal
    pid, uid = task_pid_vnr(k, task), task.cred.uid
    if wo.rusage is not None:
        wo.rusage = rusage_of_child(k, task)
    status = signal.group_exit_code if signal.flags & SIGNAL_GROUP_EXIT else task.exit_code
    utime_ns, stime_ns = times_both(task)
    keep = wo.flags & WNOWAIT
    if not keep:
        set_exit_state(task, EXIT_ZOMBIE, claim)
    yield "wait_traced_zombie.tasklist_unlock", RELEASE, lock
    dead = not keep and not handed_on
    if handed_on:
        yield "wait_traced_zombie.tasklist_lock", ACQUIRE, lock
        if task.ptrace:  # its tracer may have died meanwhile
            yield from ptrace_unlink(k, task)
        dead = yield from do_notify_parent(k, task, task.exit_signal)
        set_exit_state(task, claim, EXIT_DEAD if dead else EXIT_ZOMBIE)
        yield "wait_traced_zombie.tasklist_done", RELEASE, lock
    if dead:
        yield from release_task(k, task)
    code, why = how_it_ended(status)
    return pid, status, utime_ns, stime_ns, uid, code, why
