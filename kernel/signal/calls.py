"""The system calls that arrange what signals do: dispositions, masks, waiting for a signal.

A thread's ``blocked`` set holds signals back. Whatever a thread can no longer take is offered to
the others. sigtimedwait() unblocks what it waits for, so that such a signal wakes it, and keeps
the true set in ``real_blocked``: a signal in it must be queued even if it is ignored.

Source: kernel/signal.c.
"""

from typing import TYPE_CHECKING

from kernel.cred.uidgid import from_kuid_munged
from kernel.drive.lockdep import assert_held
from kernel.errors import KernelError
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.signal.deliver import dequeue_signal, get_signal
from kernel.signal.exit_signals import retarget_shared_pending
from kernel.signal.pending import flush_sigqueue_mask, pending_mask, recalc_sigpending
from kernel.smp.ttwu import set_current_state
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING, SigInfo, TaskStruct
from kernel.time.timeout import FOREVER, schedule_timeout
from kernel.uapi.errno_ import EAGAIN, EINTR, EINVAL
from kernel.uapi.signals import (
    NSIG,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_KERNEL_IGNORE_MASK,
    SIG_KERNEL_ONLY_MASK,
    SIG_SETMASK,
    SIG_UNBLOCK,
    sigmask,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def sys_rt_sigaction(k: "Kernel", signal: int, disposition: int | None) -> Path[int]:
    """Set what a signal does in the caller's process; return what it did.

    Args:
        signal: 1 to 64.
        disposition: SIG_DFL, SIG_IGN, SIG_HANDLER | sa_flags, or None to change nothing.

    Raises:
        KernelError: EINVAL, no such signal, or one whose action cannot be changed.

    Source: kernel/signal.c:do_sigaction().
    """
    if not 1 <= signal <= NSIG:
        raise KernelError(EINVAL)
    current = k.current
    sighand = current.sighand
    if disposition is None:
        return sighand.action.get(signal, SIG_DFL)
    bit = sigmask(signal)
    if bit & SIG_KERNEL_ONLY_MASK:
        raise KernelError(EINVAL)
    yield "do_sigaction.siglock", ACQUIRE, sighand.siglock
    action = dict(sighand.action)
    old: int = action.pop(signal, SIG_DFL)
    if disposition != SIG_DFL:
        action[signal] = disposition
    sighand.action = action
    if disposition == SIG_IGN or (disposition == SIG_DFL and bit & SIG_KERNEL_IGNORE_MASK):
        group = current.signal
        group.shared_pending = flush_sigqueue_mask(group.shared_pending, bit)
        for thread in group.threads:
            thread.pending = flush_sigqueue_mask(thread.pending, bit)
    yield "do_sigaction.siglock_done", RELEASE, sighand.siglock
    return old


def _set_task_blocked(k: "Kernel", task: TaskStruct, blocked: int) -> Path[None]:
    """Change ``task``'s set of blocked signals. Caller holds siglock.

    Source: kernel/signal.c:__set_task_blocked().
    """
    assert_held(k, task.sighand.siglock)
    if task.sigpending and len(task.signal.threads) > 1:
        yield from retarget_shared_pending(k, task, blocked & ~task.blocked)
    task.blocked = blocked
    recalc_sigpending(k, task)


def set_current_blocked(k: "Kernel", blocked: int) -> Path[None]:
    """Change the caller's set of blocked signals; SIGKILL and SIGSTOP are left out.

    Source: kernel/signal.c:set_current_blocked().
    """
    task = k.current
    blocked &= ~SIG_KERNEL_ONLY_MASK
    if blocked == task.blocked:
        return
    siglock = task.sighand.siglock
    yield "set_current_blocked.siglock", ACQUIRE, siglock
    yield from _set_task_blocked(k, task, blocked)
    yield "set_current_blocked.siglock_done", RELEASE, siglock


def sys_rt_sigprocmask(k: "Kernel", how: int, set: int | None) -> Path[int]:
    """Change the caller's set of blocked signals; return the old set.

    Args:
        how: SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK.
        set: bit n-1 for signal n, or None to change nothing.

    Raises:
        KernelError: EINVAL, another ``how``.

    Source: kernel/signal.c:sigprocmask().
    """
    old = k.current.blocked
    if set is None:
        return old
    if how == SIG_BLOCK:
        wanted = old | set
    elif how == SIG_UNBLOCK:
        wanted = old & ~set
    elif how == SIG_SETMASK:
        wanted = set
    else:
        raise KernelError(EINVAL)
    yield from set_current_blocked(k, wanted)
    return old


def sys_rt_sigpending(k: "Kernel") -> int:
    """Return the set of signals that are pending for the caller and blocked.

    Source: kernel/signal.c:do_sigpending().
    """
    task = k.current
    return (pending_mask(task.pending) | pending_mask(task.signal.shared_pending)) & task.blocked


def do_sigtimedwait(k: "Kernel", wanted: int, timeout_ns: int, until_ns: int) -> Path[SigInfo]:
    """Take a signal of ``wanted`` off the queues, waiting for one if need be; return its SigInfo.

    Args:
        wanted: the set; SIGKILL and SIGSTOP are left out.
        timeout_ns: how long to wait at most; negative: for ever.
        until_ns: when a call begun again is to end; 0: ``timeout_ns`` counts from now.

    Raises:
        KernelError: EAGAIN, none came in time; EINTR, another signal did.

    Source: kernel/signal.c:do_sigtimedwait().
    """
    task = k.current
    siglock = task.sighand.siglock
    wanted &= ~SIG_KERNEL_ONLY_MASK
    yield "do_sigtimedwait.siglock", ACQUIRE, siglock
    info: SigInfo | None = dequeue_signal(k, task, ~wanted)
    if info is not None or not timeout_ns:
        yield "do_sigtimedwait.siglock_done", RELEASE, siglock
        if info is None:
            raise KernelError(EAGAIN)
        return info
    task.real_blocked = task.blocked
    task.blocked &= ~wanted
    recalc_sigpending(k, task)
    yield "do_sigtimedwait.siglock_wait", RELEASE, siglock
    if timeout_ns > 0:
        until_ns = until_ns or k.now_ns + timeout_ns
    yield from set_current_state(k, TASK_INTERRUPTIBLE)
    awake = task.sigpending or 0 < until_ns <= k.now_ns
    yield from schedule_timeout(k, until_ns or FOREVER, None, awake=awake)
    yield from set_current_state(k, TASK_RUNNING)
    yield "do_sigtimedwait.siglock_again", ACQUIRE, siglock
    yield from _set_task_blocked(k, task, task.real_blocked)
    task.real_blocked = 0
    info = dequeue_signal(k, task, ~wanted)
    yield "do_sigtimedwait.siglock_again_done", RELEASE, siglock
    if info is not None:
        return info
    if 0 < until_ns <= k.now_ns:
        raise KernelError(EAGAIN)
    task.restart_ns = until_ns
    raise KernelError(EINTR)


def sys_rt_sigtimedwait(k: "Kernel", set: int, timeout_ns: int, until_ns: int = 0) -> Path[SigInfo]:
    """Wait for a signal of ``set`` and take it; no handler runs.

    Returns:
        ``(signal, si_code, pid, uid, status)``.

    Raises:
        KernelError: EAGAIN, none came in time; EINTR, another signal did.

    Source: kernel/signal.c:rt_sigtimedwait().
    """
    info: SigInfo = yield from do_sigtimedwait(k, set, timeout_ns, until_ns)
    user_ns = k.current.cred.user_ns
    if user_ns is None:
        return info
    return (info[0], info[1], info[2], from_kuid_munged(user_ns, info[3]), info[4])


def sys_sigwait(k: "Kernel", set: int) -> Path[int]:
    """Wait for a signal of ``set``, whatever handlers run in between; return its number.

    Source: glibc sysdeps/unix/sysv/linux/sigwait.c.
    """
    while True:
        info: SigInfo | None
        try:
            info = yield from do_sigtimedwait(k, set, -1, 0)
        except KernelError:
            info = None  # no point in a handler: see kernel.points
        if info is not None:
            return info[0]
        yield from get_signal(k)
