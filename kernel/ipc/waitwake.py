"""Futexes: sleeping on a word of memory, and waking those who do.

A word is known by its key: in memory that is shared, the object it belongs to and its place in it,
so processes that map it anywhere meet; in private memory, the address space and the address.
Sleepers hang in hash buckets. The word is compared under the bucket's lock, after which a waker,
which changes the word first, must find the sleeper: so no wake-up is lost. A waker that finds a
bucket without waiters does not even take the lock. For that a sleeper counts itself before it looks
at the word (barrier A, of the atomic), and a waker looks at the count after it has changed the word
(barrier B): one of them sees the other.

The locks of ``threading`` do not come here: see ``kernel.ipc.futex``.

Source: kernel/futex/core.c, kernel/futex/waitwake.c.
Deviation: FUTEX_WAIT and FUTEX_WAKE only, always with keys that may be shared (no
FUTEX_PRIVATE_FLAG).
"""

from typing import TYPE_CHECKING, Final

from kernel.drive.lockdep import assert_held
from kernel.errors import KernelError, RestartNoHand, RestartSyscall
from kernel.mm.fault import find_vma, fixup_user_fault, lookup_pte
from kernel.mm.mm_types import PTE_SHIFT, PTE_WRITE
from kernel.points import ACQUIRE, BARRIER, LOAD, RELEASE, SCHEDULE, STORE_RELEASE, UPDATE, Path
from kernel.signal.pending import signal_pending
from kernel.smp.ttwu import set_current_state, wake_up_process
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING, TaskStruct, mm_of
from kernel.uapi.errno_ import EAGAIN, EFAULT, EINVAL, ENOSYS, ETIMEDOUT
from kernel.uapi.ipc import FUTEX_WAIT, FUTEX_WAKE
from kernel.uapi.mman import PAGE_SHIFT, PAGE_SIZE, TASK_SIZE, VM_SHARED
from kernel.uapi.policy import SCHED_DEADLINE
from kernel.uapi.prio import MAX_RT_PRIO

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.locking import Lock

FUTEX_HASH_SIZE: Final = 256


class FutexQ:
    """One sleeper (``futex_q``)."""

    __slots__ = ("offset", "owner", "prio", "queued", "task")

    def __init__(self, task: TaskStruct, owner: object, offset: int) -> None:
        self.task = task
        self.owner = owner  # the key: SharedPages or MmStruct, …
        self.offset = offset  # … and the place in it
        self.queued = True
        attrs = task.attrs
        # the lower the earlier: deadline tasks, real-time ones, and then all others alike
        self.prio = MAX_RT_PRIO
        if attrs is not None:
            deadline = attrs.policy == SCHED_DEADLINE
            self.prio = -1 if deadline else MAX_RT_PRIO - attrs.rt_priority


class FutexHashBucket:
    """The sleepers of many words (``futex_hash_bucket``), by priority, then order of arrival."""

    __slots__ = ("chain", "lock", "waiters")

    def __init__(self, lock: "Lock") -> None:
        self.lock = lock
        self.waiters = 0  # those in the chain, and who is about to come
        self.chain: list[FutexQ] = []


def futex_hash(k: "Kernel", offset: int) -> FutexHashBucket:
    """Return the bucket of a word, made at first use. Source: kernel/futex/core.c:futex_hash()."""
    number = (offset >> 2) % FUTEX_HASH_SIZE
    bucket: FutexHashBucket | None = k.futex_buckets.get(number)
    if bucket is None:
        bucket = k.futex_buckets[number] = FutexHashBucket(k.new_lock("futex_hash_bucket"))
    return bucket


def get_futex_key(k: "Kernel", address: int) -> Path[tuple[object, int]]:
    """Return ``(owner, offset)`` of the word at ``address``, which is made present and writable.

    Raises:
        KernelError: EINVAL, no multiple of 4; EFAULT, nothing writable there.

    Source: kernel/futex/core.c:get_futex_key().
    """
    if address % 4:
        raise KernelError(EINVAL)
    if not 0 <= address < TASK_SIZE:
        raise KernelError(EFAULT)
    mm = mm_of(k.current)
    vpn = address >> PAGE_SHIFT
    while not lookup_pte(mm, vpn) & PTE_WRITE:
        yield from fixup_user_fault(k, mm, vpn, True, EFAULT)
    vma = find_vma(mm, vpn)
    if vma is not None and vma.flags & VM_SHARED and vma.pages is not None:
        index = vma.offset + vpn - vma.start
        return vma.pages, (index << PAGE_SHIFT) + (address & (PAGE_SIZE - 1))
    return mm, address


def sys_futex(
    k: "Kernel", address: int, futex_op: int, val: int, timeout_ns: int | None
) -> Path[int]:
    """Sleep on the word at ``address``, or wake those who do.

    Raises:
        KernelError: ENOSYS, neither FUTEX_WAIT nor FUTEX_WAKE; EINVAL, a timeout below 0; and see
            futex_wait() and get_futex_key().

    Source: kernel/futex/syscalls.c:do_futex().
    """
    if futex_op == FUTEX_WAKE:
        return futex_wake(k, address, val)
    if futex_op != FUTEX_WAIT:
        raise KernelError(ENOSYS)
    if timeout_ns is not None and timeout_ns < 0:
        raise KernelError(EINVAL)
    return futex_wait(k, address, val, timeout_ns)


def futex_wait(k: "Kernel", address: int, val: int, timeout_ns: int | None) -> Path[int]:
    """Sleep on the word at ``address`` unless it is not ``val``; return 0 once woken.

    Args:
        timeout_ns: how long at most; None: for ever.

    Raises:
        KernelError: EAGAIN, the word has another value; ETIMEDOUT; EFAULT; EINVAL.
        RestartSyscall: a signal is pending.
        RestartNoHand: likewise, and there is a timeout; the time already slept counts.

    Source: kernel/futex/waitwake.c:futex_wait(), __futex_wait(), futex_wait_setup().
    """
    task = k.current
    k.now_ns += k.costs.futex_op
    until_ns = -1
    if timeout_ns is not None:
        until_ns = task.restart_ns or k.now_ns + timeout_ns
        task.restart_ns = 0
        k.arm_timer(task, until_ns)
    errno = 0
    interrupted = False
    while True:
        owner, offset = yield from get_futex_key(k, address)
        bucket = futex_hash(k, offset)
        waiters: int = yield "futex_hb_waiters_inc.waiters", UPDATE, (bucket, "waiters")
        bucket.waiters = waiters + 1
        yield "futex_q_lock.lock", ACQUIRE, bucket.lock
        word = _futex_get_value(k, address)
        if word != val:
            yield "futex_q_unlock.unlock", RELEASE, bucket.lock
            waiters = yield "futex_hb_waiters_dec.waiters", UPDATE, (bucket, "waiters")
            bucket.waiters = waiters - 1
            if word < 0:
                continue  # unmapped since: fault it in, or fail
            errno = EAGAIN
            break
        q = FutexQ(task, owner, offset)
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        _futex_queue(bucket, q)
        yield "futex_queue.unlock", RELEASE, bucket.lock
        if q.queued and not signal_pending(task) and not 0 <= until_ns <= k.now_ns:
            yield "futex_do_wait.schedule", SCHEDULE, q
        yield from set_current_state(k, TASK_RUNNING)
        woken = not q.queued
        if not woken:
            yield "futex_unqueue.lock", ACQUIRE, bucket.lock
            woken = not q.queued
            if not woken:
                yield from _futex_unqueue(k, bucket, q)
                q.queued = False
            yield "futex_unqueue.unlock", RELEASE, bucket.lock
        if woken:
            break
        if 0 <= until_ns <= k.now_ns:
            errno = ETIMEDOUT
            break
        if signal_pending(task):
            interrupted = True
            break
    if until_ns >= 0:
        k.cancel_timer(task)
    if errno:
        raise KernelError(errno)
    if interrupted:
        if until_ns < 0:
            raise RestartSyscall
        task.restart_ns = until_ns
        raise RestartNoHand
    return 0


def _futex_queue(bucket: FutexHashBucket, q: FutexQ) -> None:
    """Put a sleeper behind all of its priority. Source: kernel/futex/core.c:__futex_queue()."""
    chain = bucket.chain
    place = len(chain)
    while place and chain[place - 1].prio > q.prio:
        place -= 1
    chain.insert(place, q)


def _futex_unqueue(k: "Kernel", bucket: FutexHashBucket, q: FutexQ) -> Path[None]:
    """Take a sleeper off its chain. Caller holds the bucket's lock.

    Source: kernel/futex/core.c:__futex_unqueue(), futex_hb_waiters_dec().
    """
    assert_held(k, bucket.lock)
    bucket.chain.remove(q)
    waiters: int = yield "futex_unqueue.waiters", UPDATE, (bucket, "waiters")
    bucket.waiters = waiters - 1


def futex_hb_waiters_pending(k: "Kernel", bucket: FutexHashBucket) -> Path[bool]:
    """Tell whether somebody sleeps in ``bucket``, or is about to.

    Source: kernel/futex/futex.h:futex_hb_waiters_pending().
    """
    yield "futex_hb_waiters_pending.smp_mb", BARRIER, None
    waiters: int = yield "futex_hb_waiters_pending.waiters", LOAD, (bucket, "waiters")
    return waiters != 0


def _futex_get_value(k: "Kernel", address: int) -> int:
    """Return the word, or -1 if its page is not there any more.

    Source: kernel/futex/core.c:futex_get_value_locked().
    """
    pte = lookup_pte(mm_of(k.current), address >> PAGE_SHIFT)
    if not pte:
        return -1
    data = k.frames.read(pte >> PTE_SHIFT, address & (PAGE_SIZE - 1), 4)
    return int.from_bytes(data, "little")


def futex_wake(k: "Kernel", address: int, nr_wake: int) -> Path[int]:
    """Wake those who sleep on the word at ``address``; return how many were woken.

    Args:
        nr_wake: at most so many; less than 1 is as good as 1.

    Raises:
        KernelError: EFAULT, EINVAL.

    Source: kernel/futex/waitwake.c:futex_wake().
    """
    k.now_ns += k.costs.futex_op
    owner, offset = yield from get_futex_key(k, address)
    bucket = futex_hash(k, offset)
    pending = yield from futex_hb_waiters_pending(k, bucket)
    if not pending:
        return 0
    yield "futex_wake.lock", ACQUIRE, bucket.lock
    wake_q: list[TaskStruct] = []
    for q in tuple(bucket.chain):
        if q.owner is owner and q.offset == offset:
            yield from _futex_unqueue(k, bucket, q)
            # the last that is done to it: its owner may be gone with it from now on
            yield "futex_wake_mark.lock_ptr", STORE_RELEASE, (q, "queued", False)
            wake_q.append(q.task)
            if len(wake_q) >= nr_wake:
                break
    yield "futex_wake.unlock", RELEASE, bucket.lock
    for task in wake_q:
        yield from wake_up_process(k, task)
    return len(wake_q)
