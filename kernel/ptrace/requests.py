"""ptrace: the system call, by which one task watches and steers another.

A task becomes traced by its own wish (PTRACE_TRACEME, by its parent) or its tracer's
(PTRACE_ATTACH, which stops it with SIGSTOP; PTRACE_SEIZE, which does not stop it). From then on it
stops where ``kernel.ptrace.stops`` says, its tracer learns of each stop from wait(), looks, and
resumes it. All other requests need a tracee of the calling *thread* that stands in a stop; it is
frozen for the time of the request, so that not even SIGKILL moves it.

The interface of a guest program is integers in, one integer out:

=================================== ===============================================================
request                             what it takes and gives besides ``pid``
=================================== ===============================================================
PEEKTEXT, PEEKDATA                  ``addr``: the 8 bytes there, as a signed integer
PEEKUSER                            ``addr``: offset in ``struct user``, ``8 * ORIG_RAX``; signed
POKETEXT, POKEDATA, POKEUSER        ``addr``, and ``data`` is the new value
CONT, SYSCALL, SINGLESTEP, DETACH   ``data``: the signal to deliver, or 0
SEIZE, SETOPTIONS                   ``data``: PTRACE_O_ flags
GETEVENTMSG                         gives the message
GETSIGINFO, SETSIGINFO              ``addr``: which field, SIGINFO_; SETSIGINFO: ``data``, its value
GETSIGMASK, SETSIGMASK              the set, bit n-1 for signal n; ``data``: the new one
GET_SYSCALL_INFO                    gives PTRACE_SYSCALL_INFO_NONE, _ENTRY or _EXIT
=================================== ===============================================================

Source: kernel/ptrace.c, arch/x86/kernel/ptrace.c.
Deviation: no PTRACE_GETREGS family, PEEKSIGINFO, SYSEMU, SINGLEBLOCK, seccomp and rseq requests:
EIO. PTRACE_O_TRACESECCOMP and SUSPEND_SECCOMP are EINVAL. Attaching waits for an exec only while
that exec waits for other threads to die (cred_guard_mutex).
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.cred_guard import wait_for_exec
from kernel.drive.lockdep import assert_held
from kernel.errors import KernelError, RestartNoIntr
from kernel.mm.access import access_process_vm
from kernel.points import ACQUIRE, POINT, READ, RELEASE, SCHEDULE, Path
from kernel.process.pid import PIDTYPE_PID, PIDTYPE_TGID, task_pid_vnr
from kernel.ptrace.access import ptrace_may_access
from kernel.ptrace.link import PtraceState, ptrace_detach_one, ptrace_link, set_slow_door
from kernel.ptrace.regs import peek_user, poke_user
from kernel.signal.jobctl import task_set_jobctl_pending
from kernel.signal.pending import fatal_signal_pending
from kernel.signal.send import (
    do_send_sig_info,
    ptrace_signal_wake_up,
    send_signal_locked,
    signal_wake_up_state,
)
from kernel.smp.ttwu import set_current_state, try_to_wake_up
from kernel.task import (
    JOBCTL_LISTENING,
    JOBCTL_PTRACE_FROZEN,
    JOBCTL_STOPPED,
    JOBCTL_TRACED,
    JOBCTL_TRAP_NOTIFY,
    JOBCTL_TRAP_STOP,
    JOBCTL_TRAPPING,
    PF_EXITING,
    PF_KTHREAD,
    TASK_KILLABLE,
    TASK_RUNNING,
    TASK_STOPPED_BIT,
    TASK_TRACED_BIT,
    SignalStruct,
    TaskStruct,
)
from kernel.uapi import ptrace as p
from kernel.uapi.errno_ import EINVAL, EIO, EPERM, ESRCH
from kernel.uapi.signals import NSIG, SI_KERNEL, SIG_KERNEL_ONLY_MASK, SIGKILL, SIGSTOP

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_WORD: Final = 8


def sys_ni_syscall(k: "Kernel", rax: int) -> int:
    """Do nothing, as for a number without a call; what a tracer left in rax is the result.

    Source: kernel/sys_ni.c:sys_ni_syscall().
    """
    if -4095 <= rax < 0:
        raise KernelError(-rax)
    return rax


def sys_ptrace(k: "Kernel", request: int, pid: int, addr: int, data: int) -> Path[int]:
    """Make one request; the module header has arguments and results.

    Raises:
        KernelError: ESRCH, no such task, or not the caller's tracee, or not in a stop; EPERM, it
            may not be traced or already is; EIO, no such request, bad address or signal; EINVAL,
            bad options, or a stop without siginfo.

    Source: kernel/ptrace.c:ptrace().
    """
    if request == p.PTRACE_TRACEME:
        yield from ptrace_traceme(k)
        return 0
    child = k.pids.find_task_by_vpid(pid)
    if child is None:
        raise KernelError(ESRCH)
    if request in (p.PTRACE_ATTACH, p.PTRACE_SEIZE):
        yield from ptrace_attach(k, child, request == p.PTRACE_SEIZE, addr, data)
        return 0
    running = request in (p.PTRACE_KILL, p.PTRACE_INTERRUPT)
    yield from ptrace_check_attach(k, child, running)
    result = 0
    errno = 0
    try:
        result = yield from ptrace_request(k, child, request, addr, data)
    except KernelError as failed:
        errno = failed.errno
    if errno or request != p.PTRACE_DETACH:
        yield from ptrace_unfreeze_traced(k, child)
    if errno:
        raise KernelError(errno)
    return result


# -- becoming traced -----------------------------------------------------------------------------


def ptrace_traceme(k: "Kernel") -> Path[None]:
    """Let the parent trace the current task.

    Raises:
        KernelError: EPERM, it is traced already.

    Source: kernel/ptrace.c:ptrace_traceme().
    """
    task = k.current
    lock = k.tasklist_lock
    yield "ptrace_traceme.tasklist_lock", ACQUIRE, lock
    traced = task.ptrace
    parent = task.real_parent
    if not traced and not parent.flags & PF_EXITING:
        ptrace_link(k, task, parent, p.PT_PTRACED)
    yield "ptrace_traceme.tasklist_unlock", RELEASE, lock
    if traced:
        raise KernelError(EPERM)


def ptrace_attach(k: "Kernel", task: TaskStruct, seize: bool, addr: int, flags: int) -> Path[None]:
    """Make the current task the tracer of ``task``; unless ``seize``, stop it with SIGSTOP.

    A task that is already stopped becomes TASK_TRACED before this returns.

    Raises:
        KernelError: EIO, bad arguments of PTRACE_SEIZE; EPERM, a kernel thread, a thread of the
            caller's own process, somebody else's, a dead task, or one that is traced already.
        RestartNoIntr: a signal came while the task was in an exec.

    Source: kernel/ptrace.c:ptrace_attach().
    """
    current = k.current
    if seize and (addr or flags & ~p.PTRACE_O_MASK):
        raise KernelError(EIO)
    if task.flags & PF_KTHREAD or task.signal is current.signal:
        raise KernelError(EPERM)
    yield from _wait_for_exec(k, task)
    if not ptrace_may_access(k, task, realcreds=True):
        raise KernelError(EPERM)
    lock = k.tasklist_lock
    yield "ptrace_attach.tasklist_lock", ACQUIRE, lock
    allowed = not task.exit_state and not task.ptrace and task.sighand is not None
    if allowed:
        options = p.PT_SEIZED | flags << p.PT_OPT_FLAG_SHIFT if seize else 0
        ptrace_link(k, task, current, p.PT_PTRACED | options)
        yield from _ptrace_set_stopped(k, task, seize)
    yield "ptrace_attach.tasklist_unlock", RELEASE, lock
    if not allowed:
        raise KernelError(EPERM)
    while True:
        yield from set_current_state(k, TASK_KILLABLE)
        if not task.jobctl & JOBCTL_TRAPPING or fatal_signal_pending(current):
            break
        yield "ptrace_attach.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)


def _wait_for_exec(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Wait until no thread of ``task``'s process is in de_thread().

    Source: the role of signal->cred_guard_mutex in ptrace_attach().
    """
    signal: SignalStruct | None = task.signal
    while signal is not None and signal.group_exec_task is not None:
        if k.current.sigpending:
            raise RestartNoIntr
        yield from wait_for_exec(k, signal)


def _ptrace_set_stopped(k: "Kernel", task: TaskStruct, seize: bool) -> Path[None]:
    """Stop a new tracee, or turn the stop it is in into a trap. Caller holds tasklist_lock.

    Source: kernel/ptrace.c:ptrace_set_stopped().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    siglock = task.sighand.siglock
    yield "ptrace_set_stopped.siglock", ACQUIRE, siglock
    if not seize:
        info = (SIGSTOP, SI_KERNEL, 0, 0, 0)
        yield from send_signal_locked(k, SIGSTOP, info, task, PIDTYPE_PID)
    if task.jobctl & JOBCTL_STOPPED and task_set_jobctl_pending(
        task, JOBCTL_TRAP_STOP | JOBCTL_TRAPPING
    ):
        task.jobctl &= ~JOBCTL_STOPPED
        yield from signal_wake_up_state(k, task, TASK_STOPPED_BIT)
    yield "ptrace_set_stopped.siglock_done", RELEASE, siglock


# -- a tracee in a stop --------------------------------------------------------------------------


def ptrace_check_attach(k: "Kernel", child: TaskStruct, ignore_state: bool) -> Path[None]:
    """Make sure that ``child`` is the current task's tracee and stands in a stop; freeze it there.

    Args:
        ignore_state: it may be running, and is not frozen.

    Raises:
        KernelError: ESRCH.

    Source: kernel/ptrace.c:ptrace_check_attach(), ptrace_freeze_traced().
    """
    lock = k.tasklist_lock
    yield "ptrace_check_attach.tasklist_lock", READ, lock
    mine = child.ptrace != 0 and child.parent is k.current
    if mine and not ignore_state:
        mine = False
        siglock = child.sighand.siglock
        yield "ptrace_freeze_traced.siglock", ACQUIRE, siglock
        if (
            child.jobctl & (JOBCTL_TRACED | JOBCTL_LISTENING) == JOBCTL_TRACED
            and not _looks_like_a_spurious_pid(k, child)
            and not fatal_signal_pending(child)
        ):
            child.jobctl |= JOBCTL_PTRACE_FROZEN
            mine = True
        yield "ptrace_freeze_traced.siglock_done", RELEASE, siglock
    yield "ptrace_check_attach.tasklist_unlock", RELEASE, lock
    if not mine:
        raise KernelError(ESRCH)
    while not ignore_state and child.on_rq:
        # wait_task_inactive(): it is on its way into its last schedule()
        yield "ptrace_check_attach.inactive", POINT, child
        k.now_ns += k.costs.lock_acquire


def _looks_like_a_spurious_pid(k: "Kernel", task: TaskStruct) -> bool:
    """Tell whether ``task`` has exec'ed under another number and its tracer does not know yet.

    Source: kernel/ptrace.c:looks_like_a_spurious_pid().
    """
    state = task.tracing
    return (
        state is not None
        and task.exit_code == p.PTRACE_EVENT_EXEC << 8 | 5
        and state.message != task_pid_vnr(k, task)
    )


def ptrace_unfreeze_traced(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Let a tracee be moved again; if SIGKILL came meanwhile, it goes on now.

    Source: kernel/ptrace.c:ptrace_unfreeze_traced().
    """
    sighand = task.sighand
    if sighand is None or not task.jobctl & JOBCTL_PTRACE_FROZEN:
        return
    yield "ptrace_unfreeze_traced.siglock", ACQUIRE, sighand.siglock
    if task.jobctl & JOBCTL_PTRACE_FROZEN:
        task.jobctl &= ~JOBCTL_PTRACE_FROZEN
        if fatal_signal_pending(task):
            task.jobctl &= ~JOBCTL_TRACED
            yield from try_to_wake_up(k, task, TASK_TRACED_BIT)
    yield "ptrace_unfreeze_traced.siglock_done", RELEASE, sighand.siglock


def _tracing(child: TaskStruct) -> PtraceState:
    state = child.tracing
    if state is None:
        raise KernelError(ESRCH)
    return state


def ptrace_request(k: "Kernel", child: TaskStruct, request: int, addr: int, data: int) -> Path[int]:
    """Carry out a request on a tracee; raises as sys_ptrace.

    Source: kernel/ptrace.c:ptrace_request(), arch/x86/kernel/ptrace.c:arch_ptrace().
    """
    if request in (p.PTRACE_CONT, p.PTRACE_SYSCALL, p.PTRACE_SINGLESTEP):
        return (yield from ptrace_resume(k, child, request, data))
    if request in (p.PTRACE_PEEKDATA, p.PTRACE_PEEKTEXT):
        word = yield from access_process_vm(k, child, addr, _WORD, None)
        return int.from_bytes(word, "little", signed=True)
    if request in (p.PTRACE_POKEDATA, p.PTRACE_POKETEXT):
        word = (data & (1 << 64) - 1).to_bytes(_WORD, "little")
        yield from access_process_vm(k, child, addr, _WORD, word)
        return 0
    if request == p.PTRACE_DETACH:
        return (yield from ptrace_detach(k, child, data))
    if request == p.PTRACE_KILL:
        yield from do_send_sig_info(k, SIGKILL, (SIGKILL, SI_KERNEL, 0, 0, 0), child, PIDTYPE_TGID)
        return 0
    if request in (p.PTRACE_INTERRUPT, p.PTRACE_LISTEN):
        return (yield from _ptrace_trap_request(k, child, request))
    if request == p.PTRACE_SETSIGMASK:
        yield "ptrace_setsigmask.siglock", ACQUIRE, child.sighand.siglock
        child.blocked = data & (1 << 64) - 1 & ~SIG_KERNEL_ONLY_MASK  # it looks when it goes on
        yield "ptrace_setsigmask.siglock_done", RELEASE, child.sighand.siglock
        return 0
    return _quick_request(child, request, addr, data)


def _quick_request(child: TaskStruct, request: int, addr: int, data: int) -> int:
    """The requests that only look at or change a field."""
    state = _tracing(child)
    if request == p.PTRACE_PEEKUSER:
        return peek_user(state.regs, addr)
    if request == p.PTRACE_POKEUSER:
        poke_user(state.regs, addr, data)
    elif request == p.PTRACE_SETOPTIONS:
        if data & ~p.PTRACE_O_MASK:
            raise KernelError(EINVAL)
        kept = child.ptrace & ~(p.PTRACE_O_MASK << p.PT_OPT_FLAG_SHIFT)
        child.ptrace = kept | data << p.PT_OPT_FLAG_SHIFT
    elif request == p.PTRACE_GETEVENTMSG:
        return state.message
    elif request in (p.PTRACE_GETSIGINFO, p.PTRACE_SETSIGINFO):
        info = state.last_siginfo
        if info is None:
            raise KernelError(EINVAL)
        if not 0 <= addr < len(info):
            raise KernelError(EIO)
        if request == p.PTRACE_GETSIGINFO:
            return info[addr]
        fields = [*info]
        fields[addr] = data
        signal, code, pid, uid, status = fields
        state.last_siginfo = state.changed_siginfo = (signal, code, pid, uid, status)
    elif request == p.PTRACE_GETSIGMASK:
        return child.blocked
    elif request == p.PTRACE_GET_SYSCALL_INFO:
        info = state.last_siginfo
        if info is None or info[1] != 0x85:
            return p.PTRACE_SYSCALL_INFO_NONE
        if state.message == p.PTRACE_EVENTMSG_SYSCALL_ENTRY:
            return p.PTRACE_SYSCALL_INFO_ENTRY
        return p.PTRACE_SYSCALL_INFO_EXIT
    else:
        raise KernelError(EIO)
    return 0


def ptrace_resume(k: "Kernel", child: TaskStruct, request: int, data: int) -> Path[int]:
    """Let a tracee go on, with signal ``data`` or none.

    Source: kernel/ptrace.c:ptrace_resume().
    """
    if not 0 <= data <= NSIG:
        raise KernelError(EIO)
    state = _tracing(child)
    state.syscall = request == p.PTRACE_SYSCALL
    state.step = request == p.PTRACE_SINGLESTEP
    set_slow_door(k, child, state.syscall or state.step)
    siglock = child.sighand.siglock
    yield "ptrace_resume.siglock", ACQUIRE, siglock
    child.exit_code = data
    child.jobctl &= ~JOBCTL_TRACED
    yield from try_to_wake_up(k, child, TASK_TRACED_BIT)
    yield "ptrace_resume.siglock_done", RELEASE, siglock
    return 0


def ptrace_detach(k: "Kernel", child: TaskStruct, data: int) -> Path[int]:
    """Stop tracing ``child``, which goes on with signal ``data`` or none.

    Source: kernel/ptrace.c:ptrace_detach().
    """
    if not 0 <= data <= NSIG:
        raise KernelError(EIO)
    lock = k.tasklist_lock
    yield "ptrace_detach.tasklist_lock", ACQUIRE, lock
    child.exit_code = data
    yield from ptrace_detach_one(k, k.current, child)
    yield "ptrace_detach.tasklist_unlock", RELEASE, lock
    return 0


def _ptrace_trap_request(k: "Kernel", child: TaskStruct, request: int) -> Path[int]:
    """PTRACE_INTERRUPT and PTRACE_LISTEN, for tasks that were seized.

    Source: kernel/ptrace.c:ptrace_request().
    """
    if not child.ptrace & p.PT_SEIZED or child.sighand is None:
        raise KernelError(EIO)
    state = _tracing(child)
    siglock = child.sighand.siglock
    done = True
    yield "ptrace_request.siglock", ACQUIRE, siglock
    if request == p.PTRACE_INTERRUPT:
        if task_set_jobctl_pending(child, JOBCTL_TRAP_STOP):
            listening = bool(child.jobctl & JOBCTL_LISTENING)
            yield from ptrace_signal_wake_up(k, child, listening)
    else:
        info = state.last_siginfo
        done = info is not None and info[1] >> 8 == p.PTRACE_EVENT_STOP
        if done:
            child.jobctl |= JOBCTL_LISTENING
            if child.jobctl & JOBCTL_TRAP_NOTIFY:
                yield from ptrace_signal_wake_up(k, child, True)
    yield "ptrace_request.siglock_done", RELEASE, siglock
    if not done:
        raise KernelError(EIO)
    return 0
