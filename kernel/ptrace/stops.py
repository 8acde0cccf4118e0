"""ptrace, the tracee's side: where a traced task stops, and what it tells its tracer.

A traced task stops (TASK_TRACED) at five kinds of places and sleeps until its tracer resumes it:

- signal-delivery-stop: before any signal but SIGKILL is acted upon (ptrace_signal); the tracer may
  drop it or put another in its place;
- group-stop: when its process stops (do_jobctl_trap); a seized task says so with
  PTRACE_EVENT_STOP and may be left listening for the end of the stop;
- PTRACE_EVENT stops: at the events that the tracer has chosen (ptrace_event);
- syscall-stops: at the entry and the exit of a system call after PTRACE_SYSCALL;
- interrupted: PTRACE_INTERRUPT of a seized task (do_jobctl_trap again).

In a stop ``exit_code`` holds what wait() reports; it is 0 once reported. The tracer leaves there
the signal to go on with. A task that is being killed does not stop.

TASK_TRACED is a special state: it is set under siglock together with JOBCTL_TRACED, and whoever
wakes the task clears that bit first, so a wake-up before the sleep is not lost.

Source: kernel/signal.c (ptrace_stop and its callers), include/linux/ptrace.h,
kernel/entry/common.c.
"""

from typing import TYPE_CHECKING, Any

from kernel.drive.lockdep import assert_held
from kernel.errors import InvariantError
from kernel.points import ACQUIRE, READ, RELEASE, SCHEDULE, Path
from kernel.process.pid import PIDTYPE_PID, PidType, task_pid_vnr, task_tgid_vnr
from kernel.ptrace.link import PtraceState, ptrace_link, ptrace_reparented, tracing_of
from kernel.ptrace.regs import NI_SYSCALL, op_of_regs, rax_of, regs_on_entry, seen_nr
from kernel.signal.jobctl import (
    task_clear_jobctl_pending,
    task_clear_jobctl_trapping,
    task_participate_group_stop,
    task_set_jobctl_pending,
)
from kernel.signal.pending import fatal_signal_pending, recalc_sigpending
from kernel.signal.send import (
    do_notify_parent_cldstop,
    do_send_sig_info,
    force_sig_fault,
    send_signal_locked,
)
from kernel.smp.ttwu import set_special_state
from kernel.task import (
    JOBCTL_LISTENING,
    JOBCTL_PTRACE_FROZEN,
    JOBCTL_STOP_DEQUEUED,
    JOBCTL_STOP_PENDING,
    JOBCTL_STOP_SIGMASK,
    JOBCTL_TRACED,
    JOBCTL_TRAP_NOTIFY,
    JOBCTL_TRAP_STOP,
    SIGNAL_STOP_STOPPED,
    TASK_TRACED,
    SigInfo,
    TaskStruct,
)
from kernel.uapi.clone import CLONE_UNTRACED, CLONE_VFORK, CSIGNAL
from kernel.uapi.failure import Error, failed
from kernel.uapi.ptrace import (
    PT_OPT_FLAG_SHIFT,
    PT_PTRACED,
    PT_SEIZED,
    PT_TRACESYSGOOD,
    PTRACE_EVENT_CLONE,
    PTRACE_EVENT_EXEC,
    PTRACE_EVENT_FORK,
    PTRACE_EVENT_STOP,
    PTRACE_EVENT_VFORK,
    PTRACE_EVENTMSG_SYSCALL_ENTRY,
    PTRACE_EVENTMSG_SYSCALL_EXIT,
    RAX,
)
from kernel.uapi.signals import SI_KERNEL, SI_USER, SIGCHLD, SIGSTOP, SIGTRAP, TRAP_TRACE
from kernel.uapi.wait import CLD_STOPPED, CLD_TRAPPED

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def _state_of(task: TaskStruct) -> PtraceState:
    state = task.tracing
    if state is None:
        raise InvariantError(f"{task!r} is traced and has no ptrace state")
    return state


# -- stopping ------------------------------------------------------------------------------------


def ptrace_stop(
    k: "Kernel", exit_code: int, why: int, message: int, info: SigInfo | None
) -> Path[int]:
    """Stop the current task for its tracer. Caller holds siglock; it is given up in between.

    Args:
        exit_code: what wait() reports.
        why: CLD_TRAPPED, or CLD_STOPPED to take part in a group stop.
        message: for PTRACE_GETEVENTMSG.
        info: for PTRACE_GETSIGINFO, or None.

    Returns:
        The signal the tracer wants it to go on with; ``exit_code`` if it has not stopped, because
        it is no longer traced or is being killed.

    Source: kernel/signal.c:ptrace_stop().
    """
    assert_held(k, k.current.sighand.siglock)
    task = k.current
    if not task.ptrace or fatal_signal_pending(task):
        return exit_code
    siglock = task.sighand.siglock
    lock = k.tasklist_lock
    state = _state_of(task)
    yield from set_special_state(k, TASK_TRACED)
    task.jobctl |= JOBCTL_TRACED
    state.message = message
    state.last_siginfo = info
    task.exit_code = exit_code
    stopped = False
    if why == CLD_STOPPED and task.jobctl & JOBCTL_STOP_PENDING:
        stopped = task_participate_group_stop(task)
    task_clear_jobctl_pending(task, JOBCTL_TRAP_STOP)
    if info is not None and info[1] >> 8 == PTRACE_EVENT_STOP:
        task_clear_jobctl_pending(task, JOBCTL_TRAP_NOTIFY)
    yield from task_clear_jobctl_trapping(k, task, task.parent)
    yield "ptrace_stop.siglock_done", RELEASE, siglock
    yield "ptrace_stop.tasklist_lock", READ, lock
    if task.ptrace:
        yield from do_notify_parent_cldstop(k, task, True, why)
    if stopped and (not task.ptrace or ptrace_reparented(task)):
        yield from do_notify_parent_cldstop(k, task, False, why)
    yield "ptrace_stop.tasklist_unlock", RELEASE, lock
    yield "ptrace_stop.schedule", SCHEDULE, None
    yield "ptrace_stop.siglock_again", ACQUIRE, siglock
    exit_code = task.exit_code
    state.last_siginfo = None
    state.message = 0
    task.exit_code = 0
    task.jobctl &= ~(JOBCTL_LISTENING | JOBCTL_PTRACE_FROZEN)
    recalc_sigpending(k, task)
    return exit_code


def ptrace_do_notify(k: "Kernel", signr: int, exit_code: int, why: int, message: int) -> Path[int]:
    """Stop with a siginfo of the current task's own; the result is ptrace_stop()'s.

    Source: kernel/signal.c:ptrace_do_notify().
    """
    task = k.current
    info = (signr, exit_code, task_pid_vnr(k, task), task.cred.uid, 0)
    return ptrace_stop(k, exit_code, why, message, info)


def ptrace_notify(k: "Kernel", exit_code: int, message: int) -> Path[int]:
    """Stop with SIGTRAP and what ``exit_code`` adds to it; return the signal to go on with.

    Source: kernel/signal.c:ptrace_notify().
    """
    siglock = k.current.sighand.siglock
    yield "ptrace_notify.siglock", ACQUIRE, siglock
    signr = yield from ptrace_do_notify(k, SIGTRAP, exit_code, CLD_TRAPPED, message)
    yield "ptrace_notify.siglock_done", RELEASE, siglock
    return signr


def ptrace_event_enabled(task: TaskStruct, event: int) -> bool:
    """Tell whether ``task``'s tracer wants to be told of ``event``.

    Source: include/linux/ptrace.h:ptrace_event_enabled().
    """
    return bool(task.ptrace >> event + PT_OPT_FLAG_SHIFT & 1)


def ptrace_event(k: "Kernel", event: int, message: int) -> Path[None]:
    """Stop the current task for a PTRACE_EVENT_, if its tracer wants that.

    An exec sends SIGTRAP instead, unless the task was seized.

    Source: include/linux/ptrace.h:ptrace_event().
    """
    task = k.current
    if ptrace_event_enabled(task, event):
        yield from ptrace_notify(k, event << 8 | SIGTRAP, message)
    elif event == PTRACE_EVENT_EXEC and task.ptrace & (PT_PTRACED | PT_SEIZED) == PT_PTRACED:
        info = (SIGTRAP, SI_USER, task_tgid_vnr(k, task), task.cred.uid, 0)
        yield from do_send_sig_info(k, SIGTRAP, info, task, PIDTYPE_PID)


def do_jobctl_trap(k: "Kernel") -> Path[None]:
    """Stop the current task because its group stops or its tracer asks. Caller holds siglock.

    Source: kernel/signal.c:do_jobctl_trap().
    """
    assert_held(k, k.current.sighand.siglock)
    task = k.current
    signal = task.signal
    signr = task.jobctl & JOBCTL_STOP_SIGMASK
    if task.ptrace & PT_SEIZED:
        if not signal.group_stop_count and not signal.flags & SIGNAL_STOP_STOPPED:
            signr = SIGTRAP
        yield from ptrace_do_notify(k, signr, signr | PTRACE_EVENT_STOP << 8, CLD_STOPPED, 0)
    else:
        yield from ptrace_stop(k, signr, CLD_STOPPED, 0, None)


def ptrace_signal(k: "Kernel", info: SigInfo, kind: PidType, held: int) -> Path[SigInfo | None]:
    """Stop for a signal that is about to be acted upon. Caller holds siglock.

    Args:
        info: the signal.
        kind: PIDTYPE_TGID, it was sent to the process; PIDTYPE_PID, to the thread.
        held: signals blocked by handlers' frames, beside those of ``task.blocked``.

    Returns:
        What to act upon instead, or None.

    Source: kernel/signal.c:ptrace_signal().
    """
    assert_held(k, k.current.sighand.siglock)
    task = k.current
    task.jobctl |= JOBCTL_STOP_DEQUEUED
    state = _state_of(task)
    state.changed_siginfo = None
    signr = yield from ptrace_stop(k, info[0], CLD_TRAPPED, 0, info)
    if state.changed_siginfo is not None:
        info, state.changed_siginfo = state.changed_siginfo, None
    if not signr:
        return None
    if signr != info[0]:
        tracer = task.parent
        info = (signr, SI_USER, task_pid_vnr(k, tracer), tracer.cred.uid, 0)
    if (task.blocked | held) >> (signr - 1) & 1 or fatal_signal_pending(task):
        yield from send_signal_locked(k, signr, info, task, kind)
        return None
    return info


# -- forks of a tracee ---------------------------------------------------------------------------


def ptrace_fork_event(task: TaskStruct, clone_flags: int) -> int:
    """Return the event that a traced ``task``'s fork is for its tracer; 0 if it is none.

    Source: kernel/fork.c:kernel_clone().
    """
    if clone_flags & CLONE_UNTRACED:
        return 0
    if clone_flags & CLONE_VFORK:
        event = PTRACE_EVENT_VFORK
    elif clone_flags & CSIGNAL != SIGCHLD:
        event = PTRACE_EVENT_CLONE
    else:
        event = PTRACE_EVENT_FORK
    return event if ptrace_event_enabled(task, event) else 0


def ptrace_init_task(k: "Kernel", current: TaskStruct, child: TaskStruct) -> None:
    """Let the tracer of ``current`` trace ``child`` too. Caller holds tasklist_lock.

    It stops before it runs: with SIGSTOP, or in a trap if ``current`` was seized.

    Source: include/linux/ptrace.h:ptrace_init_task().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    ptrace_link(k, child, current.parent, current.ptrace)
    if child.ptrace & PT_SEIZED:
        task_set_jobctl_pending(child, JOBCTL_TRAP_STOP)
    else:
        child.pending = ((SIGSTOP, SI_USER, 0, 0, 0),)
    child.sigpending = True
    if current.tracing is not None and current.tracing.regs is not None:
        tracing_of(child).regs = {**current.tracing.regs, RAX: 0}


# -- system calls --------------------------------------------------------------------------------


def _ptrace_report_syscall(k: "Kernel", task: TaskStruct, message: int) -> Path[None]:
    """Stop at the entry or the exit of a system call.

    Source: include/linux/ptrace.h:ptrace_report_syscall().
    """
    mark = 0x80 if task.ptrace & PT_TRACESYSGOOD else 0
    signr = yield from ptrace_notify(k, SIGTRAP | mark, message)
    if signr:
        info = (signr, SI_KERNEL, 0, 0, 0)
        yield from do_send_sig_info(k, signr, info, task, PIDTYPE_PID)


def syscall_trace_enter(
    k: "Kernel", task: TaskStruct, op: tuple[Any, ...]
) -> Path[tuple[Any, ...]]:
    """A traced task enters the kernel with ``op``: stop if it is to; return the op to carry out.

    Source: kernel/entry/common.c:syscall_trace_enter().
    """
    state = _state_of(task)
    if seen_nr(op) < 0:
        state.regs = None
        return op
    state.regs = regs = regs_on_entry(op)
    if not state.syscall:
        return op
    before = dict(regs)
    yield from _ptrace_report_syscall(k, task, PTRACE_EVENTMSG_SYSCALL_ENTRY)
    if fatal_signal_pending(task):
        return (*NI_SYSCALL, regs[RAX])
    return op if regs == before else op_of_regs(op, before, regs)


def syscall_exit_work(
    k: "Kernel",
    task: TaskStruct,
    op: tuple[Any, ...],
    value: Any,
    error: Error | None,
    restart: type[Exception] | None,
) -> Path[tuple[Any, Error | None, bool]]:
    """A traced task's call is done: stop if it is to.

    Returns:
        ``(value, error, changed)``: how the call ended; changed by the tracer or not.

    Source: kernel/entry/common.c:syscall_exit_work().
    """
    state = _state_of(task)
    if seen_nr(op) < 0:
        return value, error, False
    regs = state.regs
    if regs is None:  # traced since it entered
        state.regs = regs = regs_on_entry(op)
    regs[RAX] = rax = rax_of(op, value, error, restart)
    if not state.syscall:
        return value, error, False
    yield from _ptrace_report_syscall(k, task, PTRACE_EVENTMSG_SYSCALL_EXIT)
    if regs[RAX] == rax or restart is not None:
        return value, error, False
    rax = regs[RAX]
    if -4095 <= rax < 0:
        return None, failed(-rax), True
    return rax, None, True


def leave_syscall(task: TaskStruct) -> None:
    """A traced task returns to user mode: it is in no system call any more."""
    if task.tracing is not None:
        task.tracing.regs = None


def user_single_step_report(k: "Kernel", task: TaskStruct) -> Path[bool]:
    """A traced task enters the kernel: if it is single-stepped, give it SIGTRAP; return that.

    Source: kernel/entry/common.c:report_single_step(), arch/x86/kernel/ptrace.c:send_sigtrap().
    Deviation: a step runs to the next call of the program that enters the kernel, not for one
    instruction: a guest program has none. The trap comes before the call is carried out.
    """
    state = _state_of(task)
    if not state.step:
        return False
    state.step = False
    yield from force_sig_fault(k, SIGTRAP, TRAP_TRACE)
    return True
