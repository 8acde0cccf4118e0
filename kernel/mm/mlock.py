"""mlock: pages that are resident and stay so.

There is no reclaim, so a locked page differs from another in three ways only: locking brings it in
at once, it counts against RLIMIT_MEMLOCK, and MADV_DONTNEED refuses it. A child inherits no locks.

Source: mm/mlock.c, mm/gup.c:populate_vma_page_range().
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import Cred
from kernel.errors import KernelError
from kernel.mm.fault import find_vma, fixup_user_fault, lookup_pte
from kernel.mm.mm import mmap_lock
from kernel.mm.mm_types import PTE_WRITE, MmStruct, VmArea
from kernel.mm.vma import change_areas
from kernel.points import ACQUIRE, READ, RELEASE, Path
from kernel.process.limits import rlimit
from kernel.task import mm_of
from kernel.uapi.errno_ import EAGAIN, EINVAL, ENOMEM, EPERM
from kernel.uapi.mman import (
    PAGE_SHIFT,
    PAGE_SIZE,
    TASK_SIZE,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VM_SHARED,
    VM_WRITE,
)
from kernel.uapi.rlimit import RLIMIT_MEMLOCK

if TYPE_CHECKING:
    from kernel.kernel import Kernel

MCL_CURRENT: Final = 1
MCL_FUTURE: Final = 2
MCL_ONFAULT: Final = 4


def can_do_mlock(k: "Kernel") -> bool:
    """Tell whether the current task may lock anything. Source: mm/mlock.c:can_do_mlock()."""
    current = k.current
    cred: Cred = current.cred
    return cred.euid == 0 or rlimit(k, current.signal, RLIMIT_MEMLOCK) != 0


def sys_mlock(k: "Kernel", address: int, length: int) -> Path[None]:
    """Lock the pages that hold ``length`` bytes at ``address``, and bring them in.

    Raises:
        KernelError: EPERM, RLIMIT_MEMLOCK is 0; EINVAL, the range wraps; ENOMEM, the limit, or
            part of the range is not mapped.

    Source: mm/mlock.c:do_mlock().
    """
    k.now_ns += k.costs.mmap_op
    start, end = _range(address, length)
    if not can_do_mlock(k):
        raise KernelError(EPERM)
    current = k.current
    mm = mm_of(current)
    limit = rlimit(k, current.signal, RLIMIT_MEMLOCK)
    unlimited = current.cred.euid == 0
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "do_mlock.mmap_lock", ACQUIRE, lock
    errno = 0
    wanted = mm.locked_vm + end - start - _locked_within(mm, start, end)
    if wanted << PAGE_SHIFT > limit >= 0 and not unlimited:
        errno = ENOMEM
    else:
        errno = _apply(k, mm, start, end, VM_LOCKED)
    if lock is not None:
        yield "do_mlock.mmap_unlock", RELEASE, lock
    if errno:
        raise KernelError(errno)
    yield from mm_populate(k, mm, start, end)


def sys_munlock(k: "Kernel", address: int, length: int) -> Path[None]:
    """Unlock the pages that hold ``length`` bytes at ``address``.

    Raises:
        KernelError: EINVAL, the range wraps; ENOMEM, part of it is not mapped.

    Source: mm/mlock.c:munlock().
    """
    k.now_ns += k.costs.mmap_op
    start, end = _range(address, length)
    mm = mm_of(k.current)
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "munlock.mmap_lock", ACQUIRE, lock
    errno = _apply(k, mm, start, end, 0)
    if lock is not None:
        yield "munlock.mmap_unlock", RELEASE, lock
    if errno:
        raise KernelError(errno)


def sys_mlockall(k: "Kernel", flags: int) -> Path[None]:
    """Lock the whole address space: what is mapped (MCL_CURRENT), what will be (MCL_FUTURE).

    Raises:
        KernelError: EINVAL, flags; EPERM, RLIMIT_MEMLOCK is 0; ENOMEM, the limit.

    Source: mm/mlock.c:mlockall(), apply_mlockall_flags().
    """
    k.now_ns += k.costs.mmap_op
    if not flags & (MCL_CURRENT | MCL_FUTURE) or flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT):
        raise KernelError(EINVAL)
    if not can_do_mlock(k):
        raise KernelError(EPERM)
    current = k.current
    mm = mm_of(current)
    limit = rlimit(k, current.signal, RLIMIT_MEMLOCK)
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "mlockall.mmap_lock", ACQUIRE, lock
    total = sum(vma.end - vma.start for vma in mm.vmas)
    refused = flags & MCL_CURRENT and total << PAGE_SHIFT > limit >= 0 and current.cred.euid != 0
    if not refused:
        locked = VM_LOCKED | (VM_LOCKONFAULT if flags & MCL_ONFAULT else 0)
        mm.def_flags = locked if flags & MCL_FUTURE else 0
        if flags & MCL_CURRENT:
            for vma in tuple(mm.vmas):  # neighbours become one
                _apply(k, mm, vma.start, vma.end, locked)
    if lock is not None:
        yield "mlockall.mmap_unlock", RELEASE, lock
    if refused:
        raise KernelError(ENOMEM)
    if flags & MCL_CURRENT and not flags & MCL_ONFAULT:
        yield from mm_populate(k, mm, 0, TASK_SIZE >> PAGE_SHIFT, ignore_errors=True)


def sys_munlockall(k: "Kernel") -> Path[None]:
    """Unlock the whole address space. Source: mm/mlock.c:munlockall()."""
    k.now_ns += k.costs.mmap_op
    mm = mm_of(k.current)
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "munlockall.mmap_lock", ACQUIRE, lock
    mm.def_flags = 0
    for vma in tuple(mm.vmas):
        _apply(k, mm, vma.start, vma.end, 0)
    if lock is not None:
        yield "munlockall.mmap_unlock", RELEASE, lock


def mlock_future_ok(k: "Kernel", mm: MmStruct, flags: int, pages: int) -> bool:
    """Tell whether a new area of ``pages`` with ``flags`` stays within RLIMIT_MEMLOCK.

    Source: mm/mmap.c:mlock_future_ok().
    """
    current = k.current
    if not flags & VM_LOCKED or current.cred.euid == 0:
        return True
    limit = rlimit(k, current.signal, RLIMIT_MEMLOCK)
    return limit < 0 or mm.locked_vm + pages << PAGE_SHIFT <= limit


def _range(address: int, length: int) -> tuple[int, int]:
    """Return the pages that hold ``length`` bytes at ``address``."""
    if address < 0 or length < 0 or address + length > TASK_SIZE:
        raise KernelError(EINVAL)
    start = address >> PAGE_SHIFT
    return start, -(-(address + length) // PAGE_SIZE)


def _locked_within(mm: MmStruct, start: int, end: int) -> int:
    """Count the pages of [start, end) that are locked already."""
    return sum(
        min(end, vma.end) - max(start, vma.start)
        for vma in mm.vmas
        if vma.flags & VM_LOCKED and vma.start < end and vma.end > start
    )


def _apply(k: "Kernel", mm: MmStruct, start: int, end: int, locked: int) -> int:
    """Set the lock flags of [start, end); return 0 or an errno. The lock is held.

    Source: mm/mlock.c:apply_vma_lock_flags().
    """

    def change(vma: VmArea) -> int:
        return vma.flags & ~(VM_LOCKED | VM_LOCKONFAULT) | locked

    if start == end:
        return 0
    errno = 0
    try:
        if not change_areas(k, mm, start, end, change):
            errno = ENOMEM
    except KernelError:
        errno = ENOMEM
    mm.locked_vm = sum(vma.end - vma.start for vma in mm.vmas if vma.flags & VM_LOCKED)
    return errno


def mm_populate(
    k: "Kernel", mm: MmStruct, start: int, end: int, ignore_errors: bool = False
) -> Path[None]:
    """Bring in the locked pages of [start, end): writable private ones as a write does.

    Areas that another thread takes away meanwhile are holes, and passed over.

    Args:
        ignore_errors: where memory runs out, go on, and say nothing: mmap() and mlockall().

    Raises:
        KernelError: EAGAIN, memory ran out.

    Source: mm/gup.c:_mm_populate(), mm_populate(), populate_vma_page_range().
    """
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "mm_populate.mmap_lock", READ, lock
    wanted = [vma for vma in mm.vmas if vma.start < end and vma.end > start]
    if lock is not None:
        yield "mm_populate.mmap_unlock", RELEASE, lock
    for vma in wanted:
        if not vma.flags & VM_LOCKED or vma.flags & VM_LOCKONFAULT:
            continue
        write = vma.flags & (VM_WRITE | VM_SHARED) == VM_WRITE
        for vpn in range(max(start, vma.start), min(end, vma.end)):
            failed = yield from _populate_page(k, mm, vpn, write)
            if failed and find_vma(mm, vpn) is not None and not ignore_errors:
                raise KernelError(EAGAIN)


def _populate_page(k: "Kernel", mm: MmStruct, vpn: int, write: bool) -> Path[bool]:
    """Bring in one page; returns whether that failed. Source: mm/gup.c:faultin_page()."""
    pte = lookup_pte(mm, vpn)
    failed = False
    while not failed and (not pte or (write and not pte & PTE_WRITE)):
        try:
            yield from fixup_user_fault(k, mm, vpn, write, EAGAIN)
        except KernelError:
            failed = True
        pte = lookup_pte(mm, vpn)
    return failed
