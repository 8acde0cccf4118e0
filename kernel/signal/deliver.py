"""Signals, second half: dequeueing, default actions, and the system calls that send.

get_signal() runs on the way back to user mode whenever ``sigpending`` says so. It takes pending
signals one by one, synchronous faults first, then private, then shared ones, lowest number first,
until one needs user code or ends the process. Stopping is such an action too: every thread of the
group stops by itself, and the last one tells the parent.

A handler is a function of the program. What the kernel does for it, setting up a frame and
returning from it, takes no step of its own here: the answer to the program says which handlers
have run (EFF_HANDLE), and its run time goes on from there as CPython's does.

Source: kernel/signal.c.
Deviation: no core is written; the core flag is set iff RLIMIT_CORE has room for a page and the
process may be dumped (PR_SET_DUMPABLE).
"""

from typing import TYPE_CHECKING, Final

from kernel.bits import find_first_bit
from kernel.drive.lockdep import assert_held
from kernel.errors import RestartNoHand
from kernel.events import SIGNAL_DELIVER
from kernel.points import ACQUIRE, READ, RELEASE, SCHEDULE, Path
from kernel.process.exit import do_group_exit, will_become_orphaned_pgrp
from kernel.process.limits import rlimit
from kernel.process.pid import PIDTYPE_PID, PIDTYPE_TGID, PidType
from kernel.ptrace.link import ptrace_reparented
from kernel.ptrace.stops import do_jobctl_trap, ptrace_signal
from kernel.signal.jobctl import task_participate_group_stop, task_set_jobctl_pending
from kernel.signal.pending import (
    flush_sigqueue_mask,
    pending_mask,
    recalc_sigpending,
)
from kernel.signal.send import do_notify_parent_cldstop, ptrace_trap_notify, signal_wake_up
from kernel.smp.ttwu import set_current_state, set_special_state
from kernel.task import (
    JOBCTL_PENDING_MASK,
    JOBCTL_STOP_CONSUME,
    JOBCTL_STOP_DEQUEUED,
    JOBCTL_STOP_PENDING,
    JOBCTL_STOP_SIGMASK,
    JOBCTL_STOPPED,
    JOBCTL_TRAP_MASK,
    JOBCTL_TRAP_STOP,
    PF_DUMPCORE,
    PF_SIGNALED,
    SIGNAL_CLD_CONTINUED,
    SIGNAL_CLD_MASK,
    SIGNAL_GROUP_EXIT,
    SIGNAL_STOP_STOPPED,
    SIGNAL_UNKILLABLE,
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    TASK_STOPPED,
    SigInfo,
    TaskStruct,
    mm_of,
)
from kernel.time.itimer import restart_real_timer
from kernel.uapi.ptrace import PT_SEIZED
from kernel.uapi.rlimit import RLIMIT_CORE
from kernel.uapi.signals import (
    SIG_DFL,
    SIG_HANDLER,
    SIG_IGN,
    SIG_KERNEL_COREDUMP_MASK,
    SIG_KERNEL_IGNORE_MASK,
    SIG_KERNEL_ONLY_MASK,
    SIG_KERNEL_STOP_MASK,
    SIGALRM,
    SIGKILL,
    SIGSTOP,
    SYNCHRONOUS_MASK,
    sigmask,
)
from kernel.uapi.wait import CLD_CONTINUED, CLD_STOPPED

if TYPE_CHECKING:
    from kernel.kernel import Kernel


MIN_COREDUMP: Final = 4096  # bytes: ELF_EXEC_PAGESIZE, without which no core is begun
_KILL_MASK: Final = sigmask(SIGKILL)


# -- taking signals ------------------------------------------------------------------------------


def _next_signal(mask: int) -> int:
    """Return the signal of a set to take first. Source: kernel/signal.c:next_signal()."""
    urgent = mask & SYNCHRONOUS_MASK
    return find_first_bit(urgent or mask) + 1


def dequeue_signal(k: "Kernel", task: TaskStruct, held: int) -> SigInfo | None:
    """Take the next signal off ``task``'s queues that is not in ``held``. Caller holds siglock.

    Source: kernel/signal.c:dequeue_signal().
    """
    assert_held(k, task.sighand.siglock)
    signal = task.signal
    info: SigInfo | None = None
    for shared in (False, True):
        queue = signal.shared_pending if shared else task.pending
        mask = pending_mask(queue) & ~held
        if not mask:
            continue
        sig = _next_signal(mask)
        place = next(place for place, entry in enumerate(queue) if entry[0] == sig)
        info = queue[place]
        queue = queue[:place] + queue[place + 1 :]
        if shared:
            signal.shared_pending = queue
            if sig == SIGALRM and signal.itimer is not None:
                restart_real_timer(k, signal)
        else:
            task.pending = queue
        break
    recalc_sigpending(k, task)
    if info is not None and SIG_KERNEL_STOP_MASK >> (info[0] - 1) & 1:
        task.jobctl |= JOBCTL_STOP_DEQUEUED
    return info


class HandlerFrames:
    """Handlers that are to run, as Linux stacks their frames: the last one runs first.

    ``first``: the disposition of the one that was taken first. ``held``: their signals, each
    blocked while its frame is there.
    """

    __slots__ = ("first", "held", "signals")

    def __init__(self) -> None:
        self.first = 0
        self.held = 0
        self.signals: list[int] = []

    def push(self, sig: int, handler: int) -> None:
        """Stack a frame for ``handler`` of ``sig``."""
        self.first = self.first or handler
        self.signals.append(sig)
        self.held |= 1 << (sig - 1)

    def pop(self) -> int:
        """The innermost handler has run: unblock its signal and return it."""
        sig = self.signals.pop()
        self.held &= ~(1 << (sig - 1))
        return sig


def get_signal(k: "Kernel") -> Path[int]:
    """Handle the current task's pending signals until none is left.

    Handlers are called as Linux stacks their frames: all signals at hand are taken, each blocked
    while its frame is there, and the last one taken runs first. What a handler does in the
    program is left to ``UserContext.trip``; ``task.tripped`` has the order.

    Returns:
        The disposition of the first handler, which decides about restarting; 0 if none ran.

    Raises:
        TaskDead: a signal ended the process.

    Source: kernel/signal.c:get_signal(); arch/x86/kernel/signal.c:handle_signal().
    Deviation: sa_mask is empty, as CPython has it.
    """
    task = k.current
    signal = task.signal
    siglock = task.sighand.siglock
    frames = HandlerFrames()
    while True:
        yield "get_signal.siglock", ACQUIRE, siglock
        if signal.flags & SIGNAL_CLD_MASK:
            yield from _notify_cldstop(k)
            continue
        if signal.flags & SIGNAL_GROUP_EXIT or signal.group_exec_task is not None:
            # the group is ending: whatever else is pending, this thread has been killed
            sig = SIGKILL
            if task.ptrace:
                # it may still stop at PTRACE_EVENT_EXIT
                task.pending = flush_sigqueue_mask(task.pending, _KILL_MASK)
                recalc_sigpending(k, task)
            break
        if task.jobctl & JOBCTL_PENDING_MASK:
            stopped = yield from _jobctl_pending(k)
            if stopped:
                continue
        info, kind = _dequeue_next(k, frames)
        if info is None:
            yield "get_signal.siglock_none", RELEASE, siglock
            return frames.first
        sig = info[0]
        if task.ptrace and sig != SIGKILL:
            # the tracer sees it first, and may drop it or put another in its place
            info = yield from ptrace_signal(k, info, kind, frames.held)
            if info is None:
                yield "get_signal.siglock_dropped", RELEASE, siglock
                continue
            sig = info[0]
        k.now_ns += k.costs.signal_deliver
        k.stats.signals_delivered += 1
        handler = task.sighand.action.get(sig, SIG_DFL)
        if handler > SIG_IGN:
            number = handler - SIG_HANDLER
            if k.tracing:
                k.emit(SIGNAL_DELIVER, (sig, 0, info[1], SIG_HANDLER, number, task.pid))
            frames.push(sig, handler)
            yield "get_signal.siglock_handler", RELEASE, siglock
            continue
        if k.tracing:
            k.emit(SIGNAL_DELIVER, (sig, 0, info[1], handler, 0, task.pid))
        fatal = yield from _default_action(k, sig, handler)
        if fatal:
            break
    yield "get_signal.siglock_fatal", RELEASE, siglock
    task.flags |= PF_SIGNALED
    yield from do_group_exit(k, sig | _core_dumped(k, sig))
    raise AssertionError(f"{task!r} came back from do_group_exit()")


def _core_dumped(k: "Kernel", sig: int) -> int:
    """Return 0x80, for the status, if the current task leaves a core file when ``sig`` ends it.

    Source: kernel/signal.c:get_signal(), fs/coredump.c:do_coredump().
    """
    task = k.current
    if not SIG_KERNEL_COREDUMP_MASK >> (sig - 1) & 1:
        return 0
    task.flags |= PF_DUMPCORE  # before coredump_wait() knows whether there will be one
    large = rlimit(k, task.signal, RLIMIT_CORE) >= MIN_COREDUMP
    return 0x80 if large and mm_of(task).dumpable else 0


def _notify_cldstop(k: "Kernel") -> Path[None]:
    """Tell the parent that the process has stopped or continued.

    Caller holds siglock, which is given up. SIGCONT itself cannot: whoever sends it holds
    siglock, and the parent's is needed here.

    Source: kernel/signal.c:get_signal().
    """
    task = k.current
    assert_held(k, task.sighand.siglock)
    signal = task.signal
    why = CLD_CONTINUED if signal.flags & SIGNAL_CLD_CONTINUED else CLD_STOPPED
    signal.flags &= ~SIGNAL_CLD_MASK
    yield "get_signal.siglock_cldstop", RELEASE, task.sighand.siglock
    yield "get_signal.tasklist_lock", READ, k.tasklist_lock
    yield from do_notify_parent_cldstop(k, task, False, why)
    leader = task.group_leader
    if leader.ptrace and ptrace_reparented(leader):
        yield from do_notify_parent_cldstop(k, leader, True, why)
    yield "get_signal.tasklist_unlock", RELEASE, k.tasklist_lock


def _jobctl_pending(k: "Kernel") -> Path[bool]:
    """Take part in a stop or trap that is pending. Caller holds siglock.

    Returns:
        True after the task has stopped and gone on, with siglock given up.

    Source: kernel/signal.c:get_signal().
    """
    assert_held(k, k.current.sighand.siglock)
    task = k.current
    if task.jobctl & JOBCTL_STOP_PENDING:
        stopped = yield from do_signal_stop(k, 0)
        if stopped:
            return True
    if task.jobctl & JOBCTL_TRAP_MASK:
        yield from do_jobctl_trap(k)
        yield "get_signal.siglock_trap", RELEASE, task.sighand.siglock
        return True
    return False


def _dequeue_next(k: "Kernel", frames: HandlerFrames) -> tuple[SigInfo | None, PidType]:
    """Take the next signal, letting handlers run until there is one that they do not hold up.

    Returns:
        The signal, or None when all handlers have run, and which queue it was on: that of the
        process (PIDTYPE_TGID) or the task's own. Caller holds siglock.
    """
    assert_held(k, k.current.sighand.siglock)
    task = k.current
    while True:
        private = task.pending
        info = dequeue_signal(k, task, task.blocked | frames.held)
        if info is not None or not frames.signals:
            return info, PIDTYPE_TGID if task.pending is private else PIDTYPE_PID
        task.tripped = (*task.tripped, frames.pop())


def _default_action(k: "Kernel", sig: int, handler: int) -> Path[bool]:
    """Do what ``sig`` does without a handler. Caller holds siglock.

    Returns:
        True, with siglock held, if it ends the process; else False, with it given up.

    Source: kernel/signal.c:get_signal().
    """
    assert_held(k, k.current.sighand.siglock)
    task = k.current
    signal = task.signal
    siglock = task.sighand.siglock
    bit = 1 << (sig - 1)
    ignored = (
        handler == SIG_IGN
        or bit & SIG_KERNEL_IGNORE_MASK
        # init gets only signals it has a handler for
        or (signal.flags & SIGNAL_UNKILLABLE and not bit & SIG_KERNEL_ONLY_MASK)
    )
    if ignored:
        yield "get_signal.siglock_ignored", RELEASE, siglock
        return False
    if not bit & SIG_KERNEL_STOP_MASK:
        return True
    if sig != SIGSTOP:
        # Nobody could continue an orphaned group: POSIX lets it not stop from the terminal. The
        # question needs tasklist_lock, which comes before siglock; a SIGCONT that comes between
        # takes back JOBCTL_STOP_DEQUEUED, and do_signal_stop() then does nothing.
        yield "get_signal.siglock_orphan", RELEASE, siglock
        yield "get_signal.orphan_tasklist_lock", READ, k.tasklist_lock
        orphaned = will_become_orphaned_pgrp(k, signal.pgrp, None)
        yield "get_signal.orphan_tasklist_unlock", RELEASE, k.tasklist_lock
        if orphaned:
            return False
        yield "get_signal.siglock_again", ACQUIRE, siglock
    stopped = yield from do_signal_stop(k, sig)
    if not stopped:
        yield "get_signal.siglock_nostop", RELEASE, siglock
    return False


def do_signal_stop(k: "Kernel", signr: int) -> Path[bool]:
    """Take part in a group stop, starting it if ``signr`` is not 0. Caller holds siglock.

    Returns:
        True after the task has slept and been resumed, with siglock given up; False, with it
        held, if a SIGCONT or SIGKILL came in between and there is nothing to stop for, or if the
        task is traced and is to stop in a trap.

    Source: kernel/signal.c:do_signal_stop().
    """
    assert_held(k, k.current.sighand.siglock)
    task = k.current
    signal = task.signal
    siglock = task.sighand.siglock
    if not task.jobctl & JOBCTL_STOP_PENDING:
        if (
            not task.jobctl & JOBCTL_STOP_DEQUEUED
            or signal.flags & SIGNAL_GROUP_EXIT
            or signal.group_exec_task is not None
        ):
            return False
        if not signal.flags & SIGNAL_STOP_STOPPED:
            signal.group_exit_code = signr
        signal.group_stop_count = 0
        wanted = signr & JOBCTL_STOP_SIGMASK | JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME
        if task_set_jobctl_pending(task, wanted):
            signal.group_stop_count += 1
        for thread in tuple(signal.threads):
            if thread is task or thread.jobctl & JOBCTL_STOPPED:
                continue
            if task_set_jobctl_pending(thread, wanted):
                signal.group_stop_count += 1
                if thread.ptrace & PT_SEIZED:
                    yield from ptrace_trap_notify(k, thread)
                else:
                    yield from signal_wake_up(k, thread, False)
    if task.ptrace:
        task_set_jobctl_pending(task, JOBCTL_TRAP_STOP)
        return False
    last = task_participate_group_stop(task)
    task.jobctl |= JOBCTL_STOPPED
    recalc_sigpending(k, task)
    yield from set_special_state(k, TASK_STOPPED)
    yield "do_signal_stop.siglock_done", RELEASE, siglock
    if last:
        yield "do_signal_stop.tasklist_lock", READ, k.tasklist_lock
        yield from do_notify_parent_cldstop(k, task, False, CLD_STOPPED)
        yield "do_signal_stop.tasklist_unlock", RELEASE, k.tasklist_lock
    yield "do_signal_stop.schedule", SCHEDULE, None
    return True


# -- sending by number ---------------------------------------------------------------------------


def sys_pause(k: "Kernel") -> Path[None]:
    """Sleep until a signal ends the process or runs a handler.

    Source: kernel/signal.c:pause().
    """
    current = k.current
    while not current.sigpending:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        if current.sigpending:
            break
        yield "pause.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)
    raise RestartNoHand
