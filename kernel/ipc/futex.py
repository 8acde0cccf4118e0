"""User locks: what ``threading.Lock`` does above the kernel and when it has to sleep.

A lock is a word of the address space, so it lives in ``mm.locks`` under the number the guest
gave it, is made at first use, is shared by threads and copied by fork. A copy has the same value
but no sleepers: a lock held at the time of fork stays held in the child for ever, unless the
child itself releases it.

An uncontended acquire or release never enters the kernel (``lock_op``). A contended acquire sleeps
in FIFO order; a release wakes the first sleeper, which takes the lock when it runs, unless
somebody else was faster. Then it sleeps again in its old place.

Source: kernel/futex/waitwake.c (futex_wait, futex_wake); glibc nptl/sem_waitcommon.c (CPython's
locks are semaphores), CPython Python/thread_pthread.h.
Deviation: one queue per lock in place of hash buckets.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import GuestFault, RestartNoHand, RestartSyscall
from kernel.points import BARRIER, SCHEDULE, STORE, Path
from kernel.signal.pending import signal_pending
from kernel.smp.wait import WaitQueueHead, finish_wait, prepare_to_wait, waitqueue_active, wake_up
from kernel.task import TASK_INTERRUPTIBLE, mm_of
from kernel.uapi.failure import NOT_LOCKED

if TYPE_CHECKING:
    from kernel.kernel import Kernel

FOREVER: Final = -1


class UserLock:
    """One lock: taken or not, and who sleeps on it, in order of arrival."""

    __slots__ = ("locked", "waiters")

    def __init__(self, locked: bool) -> None:
        self.locked = locked
        self.waiters = WaitQueueHead()

    def fork(self) -> "UserLock":
        """Return the lock as a forked child finds it."""
        return UserLock(self.locked)


def user_lock(k: "Kernel", lock: int) -> UserLock:
    """Return lock ``lock`` of the current address space, made at first use."""
    mm = mm_of(k.current)
    locks = mm.locks
    if locks is None:
        locks = mm.locks = {}
    found = locks.get(lock)
    if found is None:
        found = locks[lock] = UserLock(False)
    return found


def sys_lock_acquire(
    k: "Kernel", lock: int, blocking: bool, timeout_ns: int, until_ns: int = 0
) -> Path[bool]:
    """Take a lock; return whether it was taken.

    Args:
        lock: the guest's number of it.
        blocking: sleep while it is taken.
        timeout_ns: how long to sleep at most; negative: for ever.
        until_ns: when a call that a handler interrupted was to end; 0 for a first call.

    Raises:
        RestartSyscall: a signal is pending.
        RestartNoHand: likewise, and there is a timeout; the time already slept counts.

    Source: CPython Modules/_threadmodule.c:acquire_timed(); kernel/futex/waitwake.c:futex_wait().
    """
    task = k.current
    restart_ns, task.restart_ns = task.restart_ns, 0
    k.now_ns += k.costs.lock_op
    word = user_lock(k, lock)
    yield "futex.lock_cmpxchg", BARRIER, word
    if not word.locked:
        word.locked = True
        return True
    if not blocking:
        return False
    if timeout_ns >= 0:
        until_ns = until_ns or restart_ns or k.now_ns + timeout_ns
        k.arm_timer(task, until_ns)
    else:
        until_ns = FOREVER
    taken = interrupted = False
    while True:
        yield from prepare_to_wait(k, word.waiters, TASK_INTERRUPTIBLE)
        yield "futex.retry_cmpxchg", BARRIER, word
        if not word.locked:
            word.locked = taken = True
            break
        if 0 <= until_ns <= k.now_ns:
            break
        if signal_pending(task):
            interrupted = True
            break
        yield "futex_wait.schedule", SCHEDULE, word
    yield from finish_wait(k, word.waiters)
    if until_ns >= 0:
        k.cancel_timer(task)
    if interrupted:
        if until_ns < 0:
            raise RestartSyscall
        task.restart_ns = until_ns
        raise RestartNoHand
    return taken


def sys_lock_release(k: "Kernel", lock: int) -> Path[None]:
    """Give a lock up, whoever took it, and wake the first sleeper.

    Raises:
        GuestFault: NOT_LOCKED, it is not taken.

    Source: CPython Modules/_threadmodule.c:lock_PyThread_release_lock();
    kernel/futex/waitwake.c:futex_wake().
    """
    k.now_ns += k.costs.lock_op
    word = user_lock(k, lock)
    if not word.locked:
        raise GuestFault((NOT_LOCKED, None, None))
    yield "futex.unlock_store", STORE, (word, "locked", False)
    yield "futex.unlock_smp_mb", BARRIER, None
    active = yield from waitqueue_active(k, word.waiters)
    if active:
        k.now_ns += k.costs.lock_handover
        yield from wake_up(k, word.waiters, remove=False)


def sys_lock_locked(k: "Kernel", lock: int) -> bool:
    """Tell whether a lock is taken. Source: CPython Modules/_threadmodule.c:lock_locked_lock()."""
    k.now_ns += k.costs.lock_op
    return user_lock(k, lock).locked


def sys_lock_free(k: "Kernel", lock: int) -> None:
    """Forget a lock that nobody will use any more.

    Source: CPython Python/thread_pthread.h:PyThread_free_lock().
    """
    locks: dict[int, UserLock] | None = mm_of(k.current).locks
    if locks is not None:
        locks.pop(lock, None)
