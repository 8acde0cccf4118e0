"""ptrace, the link between tracer and tracee: how it is made and how it ends.

A traced task has a ``parent`` that is its tracer, a thread, and stands in that thread's ``ptraced``
list; ``real_parent`` and the children of processes are what they were. Signals about the task and
waits for it go to ``parent``. The link ends when the tracer detaches or exits, or when the tracee
is released; what was held back then happens: a group stop is taken up again, a zombie whose parent
has not been told is announced to it.

``TaskStruct.ptrace`` holds the PT_ flags and is 0 for a task that nobody traces: the one test that
everybody pays for. All else is in ``PtraceState``, which a task has once it traces or is traced.

Lists and ``parent`` are guarded by tasklist_lock, the rest by the tracee's siglock.

Source: kernel/ptrace.c, include/linux/ptrace.h.
Deviation: the tracer's credentials are not kept (ptracer_cred).
"""

from typing import TYPE_CHECKING

from kernel.drive.lockdep import assert_held
from kernel.errors import InvariantError
from kernel.messages import eff_traced
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.pid import PIDTYPE_TGID
from kernel.process.wake_parent import wake_up_parent
from kernel.signal.jobctl import task_clear_jobctl_pending, task_clear_jobctl_trapping
from kernel.signal.notify_parent import do_notify_parent
from kernel.signal.send import do_send_sig_info, ptrace_signal_wake_up
from kernel.task import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    JOBCTL_STOP_PENDING,
    JOBCTL_TRACED,
    JOBCTL_TRAP_MASK,
    PF_EXITING,
    SIGNAL_STOP_STOPPED,
    SigInfo,
    TaskStruct,
    set_exit_state,
)
from kernel.uapi.ptrace import PT_EXITKILL
from kernel.uapi.signals import SI_KERNEL, SIG_DFL, SIG_IGN, SIGCHLD, SIGKILL

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class PtraceState:
    """What a task has that traces or is traced."""

    __slots__ = (
        "changed_siginfo",
        "last_siginfo",
        "message",
        "ptraced",
        "regs",
        "slow_door",
        "step",
        "syscall",
    )

    def __init__(self) -> None:
        # as a tracer; tasklist_lock
        self.ptraced: list[TaskStruct] = []  # newest first
        # as a tracee
        self.message = 0  # what PTRACE_GETEVENTMSG gives
        self.last_siginfo: SigInfo | None = None  # of the stop it is in
        self.changed_siginfo: SigInfo | None = None  # what PTRACE_SETSIGINFO made of it
        self.syscall = False  # TIF_SYSCALL_TRACE
        self.step = False  # TIF_SINGLESTEP
        self.slow_door = False  # its CPU has been told to bring every call here
        self.regs: dict[int, int] | None = None  # while it is in a system call, by number


def tracing_of(task: TaskStruct) -> PtraceState:
    """Return ``task``'s ptrace state, made at first use."""
    state = task.tracing
    if state is None:
        state = task.tracing = PtraceState()
    return state


def ptrace_reparented(task: TaskStruct) -> bool:
    """Tell whether ``task``'s tracer is of another process than its parent.

    Source: include/linux/ptrace.h:ptrace_reparented().
    """
    return task.parent.signal is not task.real_parent.signal


def ptrace_link(k: "Kernel", task: TaskStruct, tracer: TaskStruct, flags: int) -> None:
    """Make ``tracer`` the tracer of ``task``. Caller holds tasklist_lock for writing.

    Source: kernel/ptrace.c:__ptrace_link().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    tracing_of(task)
    task.ptrace = flags
    task.parent = tracer
    tracing_of(tracer).ptraced.insert(0, task)


def set_slow_door(k: "Kernel", task: TaskStruct, slow: bool) -> None:
    """Tell ``task``'s CPU whether to bring it here for calls that a CPU answers by itself.

    Source: the role of SYSCALL_WORK_SYSCALL_TRACE in include/linux/entry-common.h.
    """
    state = task.tracing
    if state is not None and state.slow_door is not slow and not task.flags & PF_EXITING:
        state.slow_door = slow
        k.send(task.cpu, eff_traced(k.stamp(task), task.pid, slow))


def ptrace_unlink(k: "Kernel", task: TaskStruct) -> Path[None]:
    """End the tracing of ``task``; out of a trap it goes on, into a group stop if there is one.

    The caller holds tasklist_lock for writing.

    Source: kernel/ptrace.c:__ptrace_unlink().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    state = task.tracing
    tracer = task.parent
    if state is None or tracer.tracing is None:
        raise InvariantError(f"{task!r} is traced and has no ptrace state")
    siglock = task.sighand.siglock
    tracer.tracing.ptraced.remove(task)
    if not tracer.tracing.ptraced and not tracer.ptrace:
        tracer.tracing = None
    task.parent = task.real_parent
    yield "ptrace_unlink.siglock", ACQUIRE, siglock
    state.syscall = state.step = False
    set_slow_door(k, task, False)
    task.ptrace = 0
    if not state.ptraced:
        task.tracing = None
    task_clear_jobctl_pending(task, JOBCTL_TRAP_MASK)
    yield from task_clear_jobctl_trapping(k, task, tracer)
    signal = task.signal
    if not task.flags & PF_EXITING and (
        signal.flags & SIGNAL_STOP_STOPPED or signal.group_stop_count
    ):
        task.jobctl |= JOBCTL_STOP_PENDING
    if task.jobctl & (JOBCTL_STOP_PENDING | JOBCTL_TRACED):
        yield from ptrace_signal_wake_up(k, task, True)
    yield "ptrace_unlink.siglock_done", RELEASE, siglock


def ptrace_detach_one(k: "Kernel", tracer: TaskStruct, task: TaskStruct) -> Path[bool]:
    """Unlink ``task``; a zombie is announced to its parent. Caller holds tasklist_lock.

    Returns:
        True iff nobody is to wait for it (EXIT_DEAD): the caller releases it.

    Source: kernel/ptrace.c:__ptrace_detach().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    yield from ptrace_unlink(k, task)
    if task.exit_state != EXIT_ZOMBIE:
        return False
    dead = task.group_leader is not task
    if not dead and len(task.signal.threads) == 1:
        if task.real_parent.signal is not tracer.signal:
            dead = yield from do_notify_parent(k, task, task.exit_signal)
        elif tracer.sighand.action.get(SIGCHLD, SIG_DFL) == SIG_IGN:
            yield from wake_up_parent(k, task, tracer)
            dead = True
    if dead:
        set_exit_state(task, EXIT_ZOMBIE, EXIT_DEAD)
    return dead


def exit_ptrace(k: "Kernel", tracer: TaskStruct, dead: list[TaskStruct]) -> Path[None]:
    """Let go of everything a dying thread traces. Caller holds tasklist_lock for writing.

    Args:
        dead: gets the zombies nobody waits for; the caller releases them without the lock.

    Source: kernel/ptrace.c:exit_ptrace().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    state = tracer.tracing
    if state is None:
        return
    for task in tuple(state.ptraced):
        if task.ptrace & PT_EXITKILL:
            yield from do_send_sig_info(
                k, SIGKILL, (SIGKILL, SI_KERNEL, 0, 0, 0), task, PIDTYPE_TGID
            )
        gone = yield from ptrace_detach_one(k, tracer, task)
        if gone:
            dead.append(task)
