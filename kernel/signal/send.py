"""Signals, first half: how they are generated, queued, and who is woken for them.

A signal is sent to a thread (private ``pending``) or to a process (``signal.shared_pending``). An
ignored signal is dropped here unless it is blocked. Stop signals and SIGCONT act at once on each
other, whatever the target later does with them. For a process, complete_signal() picks a thread
that can take the signal; a fatal signal that dumps no core starts the group's exit right here by
giving SIGKILL to every thread. ``sigpending`` is TIF_SIGPENDING: a hint to look, set when a signal
may have to be handled and recalculated by the thread itself.

The parent's view of a child (exited, stopped, continued) is sent from here too: SIGCHLD, and a
wake-up of those threads of the parent whose wait could be satisfied.

``kernel.signal.deliver`` is the second half: dequeueing, default actions, system calls.

Lock order: tasklist_lock, then siglock, then pi_lock.

Who a signal goes to is said by a PIDTYPE: one thread, a process, or (a signal to several processes,
see ``kernel.signal.multiprocess``) a group or everybody.

Source: kernel/signal.c.
Deviation: signals carry no more than SigInfo; a target thread
counts as busy when a signal is pending, even if it is running (task_curr).
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import kill_ok_by_cred
from kernel.drive.lockdep import assert_held
from kernel.events import SIGNAL_GENERATE
from kernel.points import ACQUIRE, RELEASE, STORE, Path
from kernel.process.pid import (
    PIDTYPE_PID,
    PIDTYPE_TGID,
    PidType,
    pid_nr_ns,
    task_active_pid_ns,
)
from kernel.process.wake_parent import wake_up_parent
from kernel.signal.jobctl import (
    set_stop_flags,
    task_clear_jobctl_pending,
    task_clear_jobctl_trapping,
    task_set_jobctl_pending,
)
from kernel.signal.multiprocess import note_multiprocess
from kernel.signal.pending import (
    flush_sigqueue_mask,
    sigismember,
)
from kernel.signal.sigqueue import lost_info, sigqueue_alloc
from kernel.smp.ttwu import try_to_wake_up
from kernel.task import (
    JOBCTL_LISTENING,
    JOBCTL_PENDING_MASK,
    JOBCTL_PTRACE_FROZEN,
    JOBCTL_STOPPED,
    JOBCTL_TRACED,
    JOBCTL_TRAP_NOTIFY,
    PF_EXITING,
    SIGNAL_CLD_CONTINUED,
    SIGNAL_CLD_STOPPED,
    SIGNAL_GROUP_EXIT,
    SIGNAL_STOP_CONTINUED,
    SIGNAL_STOP_STOPPED,
    SIGNAL_UNKILLABLE,
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    TASK_STOPPED_BIT,
    TASK_TRACED_BIT,
    TASK_WAKEKILL,
    SigInfo,
    TaskStruct,
)
from kernel.uapi.errno_ import EAGAIN, EINVAL, EPERM, ESRCH
from kernel.uapi.ptrace import PT_SEIZED
from kernel.uapi.signals import (
    NSIG,
    SI_KERNEL,
    SI_USER,
    SIG_DFL,
    SIG_IGN,
    SIG_KERNEL_COREDUMP_MASK,
    SIG_KERNEL_IGNORE_MASK,
    SIG_KERNEL_ONLY_MASK,
    SIG_KERNEL_STOP_MASK,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGRTMIN,
    sigmask,
)
from kernel.uapi.wait import CLD_CONTINUED, CLD_TRAPPED

if TYPE_CHECKING:
    from kernel.kernel import Kernel

TRACE_SIGNAL_DELIVERED: Final = 0
TRACE_SIGNAL_IGNORED: Final = 1
TRACE_SIGNAL_ALREADY_PENDING: Final = 2

_CONT_MASK: Final = sigmask(SIGCONT)
_KILL_INFO: Final[SigInfo] = (SIGKILL, 0, 0, 0, 0)


# -- waking ----------------------------------------------------------------------------------------


def signal_wake_up(k: "Kernel", task: TaskStruct, fatal: bool) -> Path[None]:
    """Make ``task`` look at its signals: wake it, or kick the CPU it runs on.

    Source: include/linux/sched/signal.h:signal_wake_up().
    """
    mask = 0
    if fatal and not task.jobctl & JOBCTL_PTRACE_FROZEN:
        task.jobctl &= ~(JOBCTL_STOPPED | JOBCTL_TRACED)
        mask = TASK_WAKEKILL | TASK_TRACED_BIT
    return signal_wake_up_state(k, task, mask)


def signal_wake_up_state(k: "Kernel", task: TaskStruct, mask: int) -> Path[None]:
    """The same, with the states beside TASK_INTERRUPTIBLE that it is woken from.

    Source: kernel/signal.c:signal_wake_up_state().
    """
    if task is k.current:  # a CPU sees its own stores at once: it looks on its way to user mode
        task.sigpending = True
    else:
        yield "signal_wake_up_state.sigpending", STORE, (task, "sigpending", True)
    woken = yield from try_to_wake_up(k, task, TASK_INTERRUPTIBLE | mask)
    if not woken and task.state == TASK_RUNNING:
        k.kick(task)


def ptrace_signal_wake_up(k: "Kernel", task: TaskStruct, resume: bool) -> Path[None]:
    """Make a tracee look at its traps; ``resume``: out of a trap it stands in, too.

    Source: include/linux/sched/signal.h:ptrace_signal_wake_up().
    """
    mask = 0
    if resume:
        task.jobctl &= ~JOBCTL_TRACED
        mask = TASK_TRACED_BIT
    return signal_wake_up_state(k, task, mask)


def ptrace_trap_notify(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Tell a seized task that its group's stop has changed: it traps again. Caller holds siglock.

    Source: kernel/signal.c:ptrace_trap_notify().
    """
    assert_held(k, task.sighand.siglock)
    task_set_jobctl_pending(task, JOBCTL_TRAP_NOTIFY)
    return ptrace_signal_wake_up(k, task, bool(task.jobctl & JOBCTL_LISTENING))


def zap_process(k: "Kernel", task: TaskStruct, *, spare: TaskStruct | None) -> Path[int]:
    """Give SIGKILL to every thread of ``task``'s process but ``spare``. Caller holds siglock.

    Returns:
        How many threads other than ``spare`` there are, dying ones included.

    Source: kernel/signal.c:zap_other_threads(), complete_signal().
    """
    assert_held(k, task.sighand.siglock)
    signal = task.signal
    signal.group_stop_count = 0
    count = 0
    for thread in tuple(signal.threads):
        if thread is spare:
            continue
        count += 1
        task_clear_jobctl_pending(thread, JOBCTL_PENDING_MASK)
        if thread.ptrace:
            yield from task_clear_jobctl_trapping(k, thread, thread.parent)
        if thread.exit_state:
            continue
        if not sigismember(thread.pending, SIGKILL):
            thread.pending = (*thread.pending, _KILL_INFO)
        yield from signal_wake_up(k, thread, True)
    return count


# -- sending ---------------------------------------------------------------------------------------


def sig_ignored(task: TaskStruct, sig: int, force: bool = False) -> bool:
    """Tell whether ``sig`` has no effect on ``task`` and need not be queued.

    ``force``: it comes from the kernel or from an ancestor of ``task``'s pid namespace, whose init
    then takes SIGKILL and SIGSTOP.

    Source: kernel/signal.c:sig_ignored(), sig_task_ignored().
    """
    if (task.blocked | task.real_blocked) >> (sig - 1) & 1:
        return False
    if task.ptrace and sig != SIGKILL:
        return False  # its tracer may want to know
    handler = task.sighand.action.get(sig, SIG_DFL)
    if handler == SIG_IGN:
        return True
    if handler != SIG_DFL:
        return False
    if task.signal.flags & SIGNAL_UNKILLABLE and not (
        force and SIG_KERNEL_ONLY_MASK >> (sig - 1) & 1
    ):
        return True
    return bool(SIG_KERNEL_IGNORE_MASK >> (sig - 1) & 1)


def from_afar(k: "Kernel", info: SigInfo, task: TaskStruct) -> tuple[SigInfo, bool]:
    """Return a signal as ``task`` sees it, and whether it is forced on an init: see sig_ignored().

    A sender that ``task``'s pid namespace cannot name is shown as 0.

    Source: kernel/signal.c:send_signal_locked().
    """
    ns = task_active_pid_ns(k, task)
    if not ns.level:
        return info, False  # SIGKILL never reaches the machine's own init
    if info[1] == SI_KERNEL:
        return info, True
    if info[1] > 0 or pid_nr_ns(k.current.thread_pid, ns):
        return info, False
    return (info[0], info[1], 0, info[3], info[4]), True


def send_signal_locked(
    k: "Kernel", sig: int, info: SigInfo, task: TaskStruct, kind: PidType
) -> Path[int]:
    """Queue ``sig`` for ``task`` (or its process) and wake who has to handle it.

    The caller holds ``task``'s siglock. Ignored signals and repeated standard signals are
    dropped; stop and continue signals take effect on each other first.

    Args:
        kind: PIDTYPE_PID, only for the thread; PIDTYPE_TGID, for its process; more, for it and
            other processes.

    Returns:
        0, or EAGAIN if RLIMIT_SIGPENDING keeps out a signal that carries more than its number.

    Source: kernel/signal.c:__send_signal_locked().
    """
    assert_held(k, task.sighand.siglock)
    stats = k.stats
    signal = task.signal
    group = kind != PIDTYPE_PID
    force = False
    if k.pids.kernel is not None:
        info, force = from_afar(k, info, task)
    deliver = yield from prepare_signal(k, sig, task, force)
    if not deliver:
        stats.signals_ignored += 1
        if k.tracing:
            k.emit(
                SIGNAL_GENERATE, (sig, 0, info[1], task.comm, task.pid, group, TRACE_SIGNAL_IGNORED)
            )
        return 0
    pending = signal.shared_pending if group else task.pending
    if sig < SIGRTMIN and sigismember(pending, sig):
        if k.tracing:
            k.emit(
                SIGNAL_GENERATE,
                (sig, 0, info[1], task.comm, task.pid, group, TRACE_SIGNAL_ALREADY_PENDING),
            )
        return 0
    if sig >= SIGRTMIN and not sigqueue_alloc(k, task):
        if info[1] not in (SI_USER, SI_KERNEL):
            return EAGAIN
        if sigismember(pending, sig):
            return 0
        info = lost_info(sig)
    k.now_ns += k.costs.signal_send
    stats.signals += 1
    if group:
        signal.shared_pending = (*pending, info)
    else:
        task.pending = (*pending, info)
    if k.tracing:
        k.emit(
            SIGNAL_GENERATE, (sig, 0, info[1], task.comm, task.pid, group, TRACE_SIGNAL_DELIVERED)
        )
    if kind > PIDTYPE_TGID and signal.multiprocess:
        note_multiprocess(k, signal, sig)
    yield from complete_signal(k, sig, task, kind)
    return 0


def prepare_signal(k: "Kernel", sig: int, task: TaskStruct, force: bool) -> Path[bool]:
    """Do what ``sig`` does by being generated; return whether it is to be queued.

    A stop signal removes queued SIGCONTs. SIGCONT removes queued stop signals and resumes all
    stopped threads, even if it is blocked or ignored; the first one resumed tells the parent.

    Source: kernel/signal.c:prepare_signal().
    """
    signal = task.signal
    if signal.flags & SIGNAL_GROUP_EXIT:
        return False
    bit = 1 << (sig - 1)
    if bit & SIG_KERNEL_STOP_MASK:
        signal.shared_pending = flush_sigqueue_mask(signal.shared_pending, _CONT_MASK)
        for thread in signal.threads:
            thread.pending = flush_sigqueue_mask(thread.pending, _CONT_MASK)
    elif sig == SIGCONT:
        signal.shared_pending = flush_sigqueue_mask(signal.shared_pending, SIG_KERNEL_STOP_MASK)
        for thread in tuple(signal.threads):
            thread.pending = flush_sigqueue_mask(thread.pending, SIG_KERNEL_STOP_MASK)
            task_clear_jobctl_pending(thread)
            if thread.ptrace & PT_SEIZED:
                yield from ptrace_trap_notify(k, thread)
                continue
            thread.jobctl &= ~JOBCTL_STOPPED
            yield from try_to_wake_up(k, thread, TASK_STOPPED_BIT)
        why = 0
        if signal.flags & SIGNAL_STOP_STOPPED:
            why = SIGNAL_CLD_CONTINUED
        elif signal.group_stop_count:
            why = SIGNAL_CLD_STOPPED
        if why:
            set_stop_flags(task, why | SIGNAL_STOP_CONTINUED)
            signal.group_stop_count = 0
            signal.group_exit_code = 0
    return not sig_ignored(task, sig, force)


def _wants_signal(sig: int, task: TaskStruct) -> bool:
    """Tell whether ``task`` can take ``sig`` now. Source: kernel/signal.c:wants_signal()."""
    if task.blocked >> (sig - 1) & 1 or task.flags & PF_EXITING:
        return False
    if sig == SIGKILL:
        return True
    return not task.state & (TASK_STOPPED_BIT | TASK_TRACED_BIT) and not task.sigpending


def complete_signal(k: "Kernel", sig: int, task: TaskStruct, kind: PidType) -> Path[None]:
    """Choose a thread for ``sig`` and wake it; if the signal kills the process, wake them all.

    Args:
        kind: PIDTYPE_PID, only ``task`` may take it; else any thread of its process.

    Source: kernel/signal.c:complete_signal().
    """
    signal = task.signal
    target: TaskStruct | None = None
    if _wants_signal(sig, task):
        target = task
    elif kind != PIDTYPE_PID and len(signal.threads) > 1:
        threads = signal.threads
        current = signal.curr_target
        start = threads.index(current) if current in threads else 0
        for step in range(len(threads)):
            thread = threads[(start + step) % len(threads)]
            if _wants_signal(sig, thread):
                target = signal.curr_target = thread
                break
    if target is None:
        return  # all are busy with a signal or block it; they will find it in the queue
    bit = 1 << (sig - 1)
    fatal = (
        not bit & (SIG_KERNEL_IGNORE_MASK | SIG_KERNEL_STOP_MASK)
        and task.sighand.action.get(sig, SIG_DFL) == SIG_DFL
        and not bit & target.real_blocked  # sigtimedwait() will take it
        and (not task.ptrace or sig == SIGKILL)  # the tracer decides
    )
    if fatal and not signal.flags & SIGNAL_GROUP_EXIT and not bit & SIG_KERNEL_COREDUMP_MASK:
        signal.flags = SIGNAL_GROUP_EXIT
        signal.group_exit_code = sig
        yield from zap_process(k, task, spare=None)
        return
    yield from signal_wake_up(k, target, sig == SIGKILL)


def check_kill_permission(k: "Kernel", sig: int, task: TaskStruct) -> int:
    """Return 0 or the errno with which the current task may not send ``sig`` to ``task``.

    Source: kernel/signal.c:check_kill_permission().
    """
    if not 0 <= sig <= NSIG:
        return EINVAL
    current = k.current
    if current.signal is task.signal or kill_ok_by_cred(current.cred, task.cred):
        return 0
    if sig == SIGCONT and current.signal.session is task.signal.session:
        return 0
    return EPERM


def do_send_sig_info(
    k: "Kernel", sig: int, info: SigInfo, task: TaskStruct, kind: PidType
) -> Path[int]:
    """Send ``sig`` to ``task`` or its process; ``kind`` as in send_signal_locked().

    Returns:
        0; ESRCH if the task is gone; EAGAIN, see ``send_signal_locked``.

    Source: kernel/signal.c:do_send_sig_info().
    """
    sighand = task.sighand
    if sighand is None:
        return ESRCH
    error = ESRCH
    siglock = sighand.siglock
    yield "do_send_sig_info.siglock", ACQUIRE, siglock
    # lock_task_sighand(): an exec or the task's release may have been faster
    if task.sighand is sighand:
        error = yield from send_signal_locked(k, sig, info, task, kind)
    yield "do_send_sig_info.siglock_done", RELEASE, siglock
    return error


# -- telling the parent ----------------------------------------------------------------------------


def force_sig_fault(k: "Kernel", sig: int, code: int) -> Path[None]:
    """Send a signal that the current task itself has caused and cannot hold back.

    A blocked or ignored signal gets its default action: there is no going on after a fault. With
    that, it kills the init of a pid namespace, too, unless a tracer looks on.

    Source: kernel/signal.c:force_sig_info_to_task().
    """
    task = k.current
    siglock = task.sighand.siglock
    yield "force_sig_info.siglock", ACQUIRE, siglock
    bit = 1 << (sig - 1)
    if task.blocked & bit or task.sighand.action.get(sig, SIG_DFL) == SIG_IGN:
        task.sighand.action = {s: a for s, a in task.sighand.action.items() if s != sig}
        task.blocked &= ~bit
    if task.sighand.action.get(sig, SIG_DFL) == SIG_DFL and not task.ptrace:
        task.signal.flags &= ~SIGNAL_UNKILLABLE
    yield from send_signal_locked(k, sig, (sig, code, 0, 0, 0), task, PIDTYPE_PID)
    yield "force_sig_info.siglock_release", RELEASE, siglock


def do_notify_parent_cldstop(
    k: "Kernel", task: TaskStruct, for_ptracer: bool, why: int
) -> Path[None]:
    """Tell the parent that ``task``'s process has stopped or continued, or the tracer of a trap.

    The caller holds tasklist_lock for reading.

    Args:
        for_ptracer: tell ``task``'s own parent, who traces it, instead of the process's.
        why: CLD_STOPPED, CLD_CONTINUED or CLD_TRAPPED.

    Source: kernel/signal.c:do_notify_parent_cldstop().
    Deviation: no SA_NOCLDSTOP; CPython cannot set it.
    """
    assert_held(k, k.tasklist_lock)
    leader = task if for_ptracer else task.group_leader
    parent = task.parent if for_ptracer else leader.real_parent
    if why == CLD_CONTINUED:
        status = SIGCONT
    else:
        status = (task.exit_code if why == CLD_TRAPPED else task.signal.group_exit_code) & 0x7F
    sighand = parent.sighand
    yield "do_notify_parent_cldstop.siglock", ACQUIRE, sighand.siglock
    if sighand.action.get(SIGCHLD, SIG_DFL) != SIG_IGN:
        pid = leader.pid
        if k.pids.kernel is not None:
            pid = pid_nr_ns(leader.thread_pid, task_active_pid_ns(k, parent))
        info = (SIGCHLD, why, pid, leader.cred.uid, status)
        yield from send_signal_locked(k, SIGCHLD, info, parent, PIDTYPE_TGID)
    yield from wake_up_parent(k, leader, parent)
    yield "do_notify_parent_cldstop.siglock_done", RELEASE, sighand.siglock
