"""Making tasks: fork, vfork, clone, thread start.

``copy_process`` does everything up to a complete, linked, not yet running task; ``do_fork`` wakes
it and, for vfork, waits. The order of the steps decides which errno wins and what others can see:
nothing of the child is visible before it is linked under tasklist_lock, and every failure
unwinds what was built, last first. The steps that touch shared state are the NPROC charge, the
pid, and the linking; the checks against RLIMIT_NPROC and max_threads are not atomic with what they
check, so several forks at once may overshoot, as on Linux.

User contexts: a private one is copied by the CPU that has it (wake_up_new_task sends the fork).
With CLONE_VM the caller's CPU has sent its context with the call; the child's is a view of it.

Source: kernel/fork.c.
Deviation: CLONE_SETTLS and CLONE_IO have nothing to act on: a guest context has no TLS register and
a task no io context.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.cgroup.access import post_fork_cgroup
from kernel.cred.creds import check_nproc
from kernel.drive.lockdep import assert_held
from kernel.errors import GuestFault, KernelError, RestartNoIntr
from kernel.events import SCHED_PROCESS_FORK, TASK_NEWTASK
from kernel.ipc.futex import user_lock
from kernel.ipc.sem import copy_semundo
from kernel.ns.nsproxy import CLONE_NEW_ANY, copy_namespaces
from kernel.ns.pid_namespace import alloc_pid_ns, is_child_reaper
from kernel.ns.user_namespace import create_user_ns
from kernel.points import ACQUIRE, POINT, RELEASE, Path
from kernel.process.attrs import sched_fork
from kernel.process.clone import (
    CloneResult,
    KernelCloneArgs,
    check_clone_flags,
    finish_clone,
    flush_signal_handlers,
    prepare_pidfd,
)
from kernel.process.copy import (
    copy_files,
    copy_fs,
    copy_mm,
    copy_sighand,
    copy_signal,
    dup_task_struct,
    set_parent,
)
from kernel.process.pid import (
    PIDTYPE_PID,
    Pid,
    alloc_pid,
    attach_leader,
    attach_pid,
    pid_nr_ns,
    pid_vnr,
    task_active_pid_ns,
)
from kernel.process.unwind import CHARGED, FILES, FS, MM, NOTHING, SIGNAL, unwind
from kernel.process.vfork import wait_for_vfork_done
from kernel.ptrace.stops import ptrace_event, ptrace_fork_event, ptrace_init_task
from kernel.signal.jobctl import task_join_group_stop
from kernel.signal.multiprocess import (
    MultiprocessSignals,
    begin_multiprocess,
    deliver_delayed,
    drop_multiprocess,
    end_multiprocess,
)
from kernel.signal.pending import fatal_signal_pending
from kernel.smp.task_groups import sched_group_fork, sched_move_task
from kernel.smp.ttwu import wake_up_new_task
from kernel.task import (
    PF_NPROC_EXCEEDED,
    SIGNAL_UNKILLABLE,
    TaskStruct,
    mm_of,
    nsproxy_of,
)
from kernel.uapi.clone import (
    CLONE_CHILD_CLEARTID,
    CLONE_CLEAR_SIGHAND,
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWUSER,
    CLONE_PIDFD,
    CLONE_PTRACE,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    CSIGNAL,
)
from kernel.uapi.errno_ import EAGAIN, EINTR, EINVAL, ENOMEM
from kernel.uapi.failure import refused
from kernel.uapi.ptrace import PTRACE_EVENT_VFORK_DONE
from kernel.uapi.signals import SIGCHLD

if TYPE_CHECKING:
    from kernel.kernel import Kernel

PTHREAD_FLAGS: Final = (
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID
)

CLONE_RARE: Final = CLONE_NEW_ANY & ~CSIGNAL | CLONE_NEWUSER | CLONE_PIDFD


# -- system calls ----------------------------------------------------------------------------------


def sys_fork(k: "Kernel") -> Path[CloneResult]:
    """Return the child's pid to the parent; the child's context returns 0.

    Raises:
        KernelError: EAGAIN (RLIMIT_NPROC, max_threads, pids), ENOMEM.

    Source: kernel/fork.c:fork().
    """
    return do_fork(k, SIGCHLD)


def sys_vfork(k: "Kernel") -> Path[CloneResult]:
    """Like fork, but the memory is shared and the caller sleeps until the child lets go of it.

    Source: kernel/fork.c:vfork().
    """
    return do_fork(k, CLONE_VFORK | CLONE_VM | SIGCHLD)


def sys_clone(k: "Kernel", flags: int) -> Path[CloneResult]:
    """Make a child as ``flags`` say; the low byte is its exit signal.

    Raises:
        KernelError: as sys_fork, and EINVAL for flags that do not go together.
        GuestFault: REFUSED for CLONE_VM without CLONE_VFORK and for CLONE_THREAD:
            parent and child would run on one stack at once. Use clone_thread().

    Source: kernel/fork.c:clone().
    """
    flags &= 0xFFFFFFFF
    check_clone_flags(k, flags)
    if flags & CLONE_SETTLS:
        raise GuestFault(refused("clone(CLONE_SETTLS) needs a TLS block"))
    if flags & (CLONE_VM | CLONE_VFORK) == CLONE_VM:
        raise GuestFault(
            refused("clone(CLONE_VM) needs CLONE_VFORK, or clone_thread() and a stack of its own")
        )
    rare = flags & CLONE_RARE
    return do_fork(k, flags, KernelCloneArgs(flags & ~CSIGNAL) if rare else None)


def sys_thread_start(
    k: "Kernel", flags: int, start: Any, daemon: bool, locks: tuple[int, ...] = ()
) -> Path[CloneResult]:
    """Start a thread (or any CLONE_VM child) that runs ``start``; return its tid.

    Args:
        flags: clone flags; 0 means what pthread_create uses.
        start: what ``UserContext.thread`` takes.
        daemon: the interpreter does not join it at exit. The kernel has no such notion: the
            guest's run time decides whom it joins.
        locks: user locks that are taken before it starts.

    Raises:
        KernelError: as sys_fork, and EINVAL without CLONE_VM or for flags that do not go together.

    Source: glibc nptl/pthread_create.c, kernel/fork.c:clone().
    """
    flags = flags & 0xFFFFFFFF or PTHREAD_FLAGS
    if not flags & CLONE_VM:
        raise KernelError(EINVAL)
    mm = mm_of(k.current)
    k.now_ns += k.costs.thread_create
    if mm.users > mm.stacks:
        k.now_ns += k.costs.thread_stack if mm.stacks else k.costs.thread_first
        mm.stacks = mm.users
    for lock in locks:
        user_lock(k, lock).locked = True
    return do_fork(k, flags, start=start)


# -- do_fork -------------------------------------------------------------------------------------


def do_fork(
    k: "Kernel",
    clone_flags: int,
    args: KernelCloneArgs | None = None,
    *,
    start: Any = None,
) -> Path[CloneResult]:
    """Make a child of the current task, start it, and wait for it if CLONE_VFORK asks.

    Args:
        clone_flags: CLONE_* and, in the low byte, the exit signal.
        args: what else clone() and clone3() were given.
        start: for a child with a stack of its own, what ``UserContext.thread`` takes.

    Returns:
        The child's pid as the caller knows it; of clone3() with CLONE_PIDFD ``(pid, pidfd)``.

    Source: kernel/fork.c:kernel_clone() (do_fork() until 4.2).
    """
    current = k.current
    trace = ptrace_fork_event(current, clone_flags) if current.ptrace else 0
    child: TaskStruct = yield from copy_process(k, clone_flags, trace, args)
    thread_pid = child.thread_pid
    nr = child.pid if k.pids.kernel is None else pid_vnr(k, thread_pid)
    result: CloneResult = nr
    if args is not None:
        result = yield from finish_clone(k, args, child, nr)
    stats = k.stats
    vfork = clone_flags & CLONE_VFORK != 0
    ctx = None
    mine = current.ctx
    if clone_flags & CLONE_VM:
        if mine is None:
            raise AssertionError(f"{current!r} shares memory but has no context in the kernel")
        child.ctx = mine.share() if start is None else mine.thread(start)
    elif mine is not None:
        ctx = mine.fork()
    if clone_flags & CLONE_THREAD:
        stats.clones += 1
    elif vfork:
        stats.vforks += 1
    else:
        stats.forks += 1
    if k.tracing:
        k.emit(SCHED_PROCESS_FORK, (current.comm, current.pid, child.comm, child.pid))
    if vfork:
        child.vfork_done = current
    yield from wake_up_new_task(k, child, ctx=ctx, vfork=vfork)
    if args is not None and args.into is not None:
        sched_move_task(k, child)
    if trace:
        yield from ptrace_event(k, trace, seen_by_tracer(k, thread_pid))
    if vfork:
        yield from wait_for_vfork_done(k, child)
        if current.ptrace:
            yield from ptrace_event(k, PTRACE_EVENT_VFORK_DONE, seen_by_tracer(k, thread_pid))
    return result


def seen_by_tracer(k: "Kernel", pid: Pid) -> int:
    """Return the number of a new child as the current task's tracer knows it.

    Source: include/linux/ptrace.h:ptrace_event_pid().
    """
    if k.pids.kernel is None:
        return pid.nr
    return pid_nr_ns(pid, task_active_pid_ns(k, k.current.parent))


def copy_process(
    k: "Kernel", clone_flags: int, trace: int = 0, args: KernelCloneArgs | None = None
) -> Path[TaskStruct]:
    """Build and link a child of the current task; it does not run yet.

    Args:
        clone_flags: CLONE_* and, in the low byte, the exit signal.
        trace: the event that this is for the caller's tracer, or 0.

    Returns:
        The child, in state TASK_NEW.

    Raises:
        KernelError: EINVAL (flags), EAGAIN (RLIMIT_NPROC, max_threads, another thread execs,
            no pid), ENOMEM, EINTR (a fatal signal; the caller dies anyway); with ``args`` EPERM,
            ENOSPC (namespaces), EEXIST (set_tid), EMFILE, EFAULT (pidfd).
        RestartNoIntr: a signal is pending; fork is begun again after it.

    Source: kernel/fork.c:copy_process().
    """
    current = k.current
    if clone_flags & ~CSIGNAL:
        check_clone_flags(k, clone_flags)
    delayed = yield from _delay_signals(k, clone_flags)
    child = dup_task_struct(k, current)
    done = NOTHING
    errno = 0
    pid: Pid | None = None
    try:
        if clone_flags & CLONE_NEWUSER:
            child.cred = create_user_ns(k, current.cred)
        yield "copy_creds.inc_rlimit_ucounts", POINT, child.cred.user
        child.cred.user.processes += 1
        done = CHARGED
        yield "copy_process.rlimit_nproc", POINT, child.cred.user
        check_nproc(k, current, child.cred, done >= CHARGED)
        current.flags &= ~PF_NPROC_EXCEEDED
        tasks = k.tasks
        yield "copy_process.nr_threads", POINT, tasks
        if tasks.nr_threads >= tasks.max_threads:
            raise KernelError(EAGAIN)
        yield "copy_process.sched_fork", POINT, child
        sched_fork(k, child, current)
        yield "copy_process.copy_semundo", POINT, child
        if clone_flags & CLONE_SYSVSEM:
            copy_semundo(k, child)
        copy_files(k, clone_flags, child)
        done = FILES
        copy_fs(k, clone_flags, child)
        done = FS
        copy_sighand(k, clone_flags, child)
        if args is not None and args.flags & CLONE_CLEAR_SIGHAND:
            flush_signal_handlers(child)
        copy_signal(k, clone_flags, child, current.signal)
        done = SIGNAL
        copy_mm(k, clone_flags, child)
        done = MM
        if args is not None or child.nsproxy is not k.init_nsproxy:
            pid = yield from _copy_namespaces_and_pid(k, clone_flags, child, args)
        else:
            pid = yield from alloc_pid(k)
        child.pid = pid.nr
        if args is not None:
            prepare_pidfd(k, args, pid)
        if clone_flags & CLONE_CHILD_CLEARTID:
            child.clear_child_tid = True
        yield "copy_process.start_time", POINT, child
        child.start_time_ns = k.now_ns  # there is a pid now: no two tasks have both in common
        yield from _link_child(k, clone_flags, child, pid, trace, delayed)
        yield from _post_fork(k, child, args)
    except KernelError as failed:
        errno = failed.errno
    if errno:
        # not in the handler: see kernel.points
        yield from unwind(k, clone_flags, child, done, pid, args)
        yield from drop_multiprocess(k, current, delayed)
        raise KernelError(errno)
    if k.tracing:
        k.emit(TASK_NEWTASK, (child.pid, child.comm, clone_flags & ~CSIGNAL, 0))
    return child


def _delay_signals(k: "Kernel", clone_flags: int) -> Path[MultiprocessSignals | None]:
    """Begin a fork in respect of signals; return what notes those that the child is to get, too.

    A signal for a group of processes must find both or none: one that is pending is dealt with
    before there is a child, and those that come from now on are delivered to it as well.

    Raises:
        RestartNoIntr: a signal is pending.

    Source: kernel/fork.c:copy_process(), from sigemptyset(&delayed.signal) on.
    """
    current = k.current
    yield "copy_process.signal_pending", POINT, current
    delayed: MultiprocessSignals | None = yield from begin_multiprocess(k, clone_flags)
    if current.sigpending:
        yield from drop_multiprocess(k, current, delayed)
        raise RestartNoIntr
    return delayed


def _copy_namespaces_and_pid(
    k: "Kernel", clone_flags: int, child: TaskStruct, args: KernelCloneArgs | None
) -> Path[Pid]:
    """Give the child its namespaces, and return its pid, with a number in each pid namespace.

    Source: kernel/fork.c:copy_process(), copy_namespaces() and alloc_pid().
    """
    copy_namespaces(k, clone_flags & ~CSIGNAL if args is None else args.flags, child)
    ns = nsproxy_of(child).pid_ns_for_children
    pid: Pid = yield from alloc_pid_ns(k, ns, () if args is None else args.set_tid)
    return pid


def _link_child(
    k: "Kernel",
    clone_flags: int,
    child: TaskStruct,
    pid: Pid,
    trace: int,
    delayed: MultiprocessSignals | None,
) -> Path[None]:
    """Make the child visible: family, task list, pid links, counts.

    Source: kernel/fork.c:copy_process(), from write_lock_irq(&tasklist_lock) on.
    """
    current = k.current
    tasklist_lock = k.tasklist_lock
    yield "copy_process.tasklist_lock", ACQUIRE, tasklist_lock
    set_parent(clone_flags, child, current)
    siglock = current.sighand.siglock
    yield "copy_process.siglock", ACQUIRE, siglock
    errno = 0
    if pid.numbers is not None and not pid.numbers[-1][0].adding:
        errno = ENOMEM  # the namespace's init is dying
    elif current.sigpending and fatal_signal_pending(current):
        errno = EINTR
    if errno:
        yield "copy_process.siglock_fatal", RELEASE, siglock
        yield "copy_process.tasklist_fatal", RELEASE, tasklist_lock
        raise KernelError(errno)
    # from here on the child can be found, and nothing fails any more
    tasks = k.tasks
    if clone_flags & CLONE_THREAD:
        _link_thread(k, current, child, pid)
    else:
        _link_leader(k, current, child, pid)
        if delayed is not None:
            deliver_delayed(child, delayed)
            end_multiprocess(k, current, delayed)
    if current.ptrace and (trace or clone_flags & CLONE_PTRACE):
        ptrace_init_task(k, current, child)
    tasks.nr_threads += 1
    tasks.total_forks += 1
    stats = k.stats
    if tasks.nr_threads > stats.peak_tasks:
        stats.peak_tasks = tasks.nr_threads
    k.now_ns += k.costs.link_task
    yield "copy_process.siglock_done", RELEASE, siglock
    yield "copy_process.tasklist_unlock", RELEASE, tasklist_lock


def _link_thread(k: "Kernel", current: TaskStruct, child: TaskStruct, pid: Pid) -> None:
    """Make ``child`` a thread of the current process. Caller holds tasklist_lock and siglock."""
    assert_held(k, k.tasklist_lock, exclusive=True)
    assert_held(k, current.sighand.siglock)
    signal = child.signal
    child.tgid = current.tgid
    child.group_leader = current.group_leader
    signal.nr_threads += 1
    signal.quick_threads += 1
    signal.live += 1
    signal.count += 1
    task_join_group_stop(k, current, child)
    signal.threads.append(child)
    attach_pid(k, child, PIDTYPE_PID, pid)


def _link_leader(k: "Kernel", current: TaskStruct, child: TaskStruct, pid: Pid) -> None:
    """Make ``child`` a process with a parent. Caller holds tasklist_lock and siglock."""
    assert_held(k, k.tasklist_lock, exclusive=True)
    assert_held(k, current.sighand.siglock)
    signal = child.signal
    child.tgid = pid.nr
    parent = child.real_parent
    above = parent.signal
    signal.has_child_subreaper = above.has_child_subreaper or above.is_child_subreaper
    parent.children[pid.nr] = child
    k.tasks.link(child)
    attach_leader(k, child, pid, current.signal.pgrp, current.signal.session)
    sched_group_fork(signal, current.signal)
    if pid.numbers is not None and is_child_reaper(pid):
        pid.numbers[-1][0].child_reaper = child
        signal.flags |= SIGNAL_UNKILLABLE


def _post_fork(k: "Kernel", child: TaskStruct, args: KernelCloneArgs | None) -> Path[None]:
    """Put the child, which can be found now, into its cgroup."""
    cgroup = k.current.cgroup if args is None or args.into is None else args.into
    if cgroup is not None:
        yield from post_fork_cgroup(k, cgroup, child, args)
