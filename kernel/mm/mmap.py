"""System calls on memory: mmap and munmap, and the accesses of guest programs that may fault.

The address of a mapping is the guest's handle of it. Only pages that a guest stores into have
content; ``touch`` moves no bytes.

Source: mm/mmap.c.
Deviation: MAP_FIXED, MAP_POPULATE, file mappings, mprotect and mremap are not there.
"""

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING

from kernel.errors import KernelError
from kernel.mm.access import load, store
from kernel.mm.fault import handle_mm_fault, lookup_pte
from kernel.mm.mlock import mlock_future_ok, mm_populate
from kernel.mm.mm import mmap_lock
from kernel.mm.mm_types import (
    MMAP_BASE,
    PTE_WRITE,
    TEXT_START,
    MmStruct,
    SharedPages,
    VmArea,
)
from kernel.mm.overcommit import accountable_mapping, security_vm_enough_memory
from kernel.mm.vma import do_vmi_munmap
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.limits import rlimit, rlimits_of
from kernel.task import mm_of
from kernel.uapi.errno_ import EAGAIN, EFAULT, EINVAL, ENOMEM
from kernel.uapi.mman import (
    MAP_ANONYMOUS,
    MAP_NORESERVE,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_TYPE,
    MAX_MAP_COUNT,
    PAGE_SHIFT,
    PAGE_SIZE,
    TASK_SIZE,
    VM_ACCOUNT,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
)
from kernel.uapi.rlimit import RLIMIT_AS, RLIMIT_DATA

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def sys_mmap(k: "Kernel", length: int, flags: int) -> Path[int]:
    """Map ``length`` bytes of fresh anonymous memory, readable and writable.

    Args:
        length: in bytes, rounded up to pages.
        flags: MAP_ANONYMOUS with MAP_PRIVATE or MAP_SHARED, and perhaps MAP_NORESERVE.

    Returns:
        The address.

    Raises:
        KernelError: EINVAL, length 0 or flags that are none of these; ENOMEM, more than the
            machine may promise, no room in the address space, more than 65530 areas, over
            RLIMIT_AS or RLIMIT_DATA; EAGAIN, over RLIMIT_MEMLOCK.

    Source: mm/mmap.c:do_mmap(), mm/util.c:vm_mmap_pgoff().
    """
    k.now_ns += k.costs.mmap_op
    if not length:
        raise KernelError(EINVAL)
    pages = -(-length // PAGE_SIZE)
    if length < 0 or pages << PAGE_SHIFT > TASK_SIZE:
        raise KernelError(ENOMEM)
    if flags & ~(MAP_TYPE | MAP_ANONYMOUS | MAP_NORESERVE) or not flags & MAP_ANONYMOUS:
        raise KernelError(EINVAL)
    if flags & MAP_TYPE not in (MAP_SHARED, MAP_PRIVATE):
        raise KernelError(EINVAL)
    mm = mm_of(k.current)
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "vm_mmap_pgoff.mmap_lock", ACQUIRE, lock
    start = 0
    errno = 0
    try:
        start = _mmap_region(k, mm, pages, flags)
    except KernelError as failed:
        errno = failed.errno
    populate = mm.def_flags & VM_LOCKED
    if lock is not None:
        yield "vm_mmap_pgoff.mmap_unlock", RELEASE, lock
    if errno:
        raise KernelError(errno)
    if populate:
        yield from mm_populate(k, mm, start, start + pages, ignore_errors=True)
    return start << PAGE_SHIFT


def _mmap_region(k: "Kernel", mm: MmStruct, pages: int, flags: int) -> int:
    """Enter a new anonymous area and return its first vpn. The lock is held.

    Raises:
        KernelError: ENOMEM, no room, too many areas or over the commit limit; EAGAIN, over
            RLIMIT_MEMLOCK after mlockall(MCL_FUTURE).

    Source: mm/mmap.c:do_mmap(), mm/vma.c:__mmap_region().
    """
    if len(mm.vmas) >= MAX_MAP_COUNT:
        raise KernelError(ENOMEM)
    private = flags & MAP_TYPE == MAP_PRIVATE
    if k.current.signal.rlim and not may_expand_vm(k, mm, private, pages):
        raise KernelError(ENOMEM)
    start = get_unmapped_area(mm, pages)
    if start is None:
        raise KernelError(ENOMEM)
    if not mlock_future_ok(k, mm, mm.def_flags, pages):
        raise KernelError(EAGAIN)
    vm_flags = VM_READ | VM_WRITE | mm.def_flags
    account = accountable_mapping(k, flags)
    if account:
        security_vm_enough_memory(k, pages)
        vm_flags |= VM_ACCOUNT
    slot = k.slabs["vm_area_struct"].alloc()
    if flags & MAP_TYPE == MAP_SHARED:
        # the object is charged, not its areas: mm/shmem.c:shmem_acct_size()
        shared = SharedPages(keep=False)
        shared.users = 1
        shared.committed = pages if account else 0
        vm_flags = vm_flags & ~VM_ACCOUNT | VM_SHARED
        vma = VmArea(start, start + pages, vm_flags, "/dev/zero", shared)
        mm.nr_shared += 1
        account = False
    else:
        vma = VmArea(start, start + pages, vm_flags, "")
    if account:
        mm.committed += pages
    if vm_flags & VM_LOCKED:
        mm.locked_vm += pages
    mm.slots.insert(0, slot)
    place = bisect_left(mm.vmas, start, key=attrgetter("start"))
    mm.vmas = (*mm.vmas[:place], vma, *mm.vmas[place:])
    return start


def may_expand_vm(k: "Kernel", mm: MmStruct, data: bool, pages: int) -> bool:
    """Tell whether RLIMIT_AS, and for ``data`` RLIMIT_DATA, leave room for so many pages.

    Args:
        data: it is private and writable.

    Source: mm/mmap.c:may_expand_vm().
    Deviation: areas of code CPython would have (libraries, its heap) are not there to be counted.
    """
    signal = k.current.signal
    total = data_vm = 0
    for vma in mm.vmas:
        size = vma.end - vma.start
        total += size
        if vma.flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN) == VM_WRITE:
            data_vm += size
    if total + pages > rlimit(k, signal, RLIMIT_AS) >> PAGE_SHIFT:
        return False
    soft, hard = rlimits_of(k, signal, RLIMIT_DATA)
    if not soft:
        soft = hard  # Linux's workaround for Valgrind
    return not data or data_vm + pages <= soft >> PAGE_SHIFT


def get_unmapped_area(mm: MmStruct, pages: int) -> int | None:
    """Return the highest free range of ``pages`` below the mmap base, or None.

    Source: mm/mmap.c:generic_get_unmapped_area_topdown().
    """
    top = MMAP_BASE
    for vma in reversed(mm.vmas):
        if vma.start >= MMAP_BASE:
            continue
        if top - vma.end >= pages:
            return top - pages
        top = vma.start
    return top - pages if top - pages >= TEXT_START else None


def sys_munmap(k: "Kernel", address: int, length: int) -> Path[None]:
    """Unmap ``length`` bytes from ``address`` on; where nothing is mapped is not an error.

    Raises:
        KernelError: EINVAL, the address is not that of a page, or no length; ENOMEM, an area has
            to be cut in two and there is no room for another.

    Source: mm/mmap.c:__vm_munmap(), mm/vma.c:do_vmi_munmap().
    """
    k.now_ns += k.costs.mmap_op
    if address & (PAGE_SIZE - 1) or not 0 <= address < TASK_SIZE:
        raise KernelError(EINVAL)
    if not 0 < length <= TASK_SIZE - address:
        raise KernelError(EINVAL)
    mm = mm_of(k.current)
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "vm_munmap.mmap_lock", ACQUIRE, lock
    errno = 0
    try:
        start = address >> PAGE_SHIFT
        do_vmi_munmap(k, mm, start, start + -(-length // PAGE_SIZE))
    except KernelError as failed:
        errno = failed.errno
    if lock is not None:
        yield "vm_munmap.mmap_unlock", RELEASE, lock
    if errno:
        raise KernelError(errno)
    return None


def sys_touch(k: "Kernel", address: int, first_page: int, pages: int, write: bool) -> Path[None]:
    """Read or rewrite one byte of each of ``pages`` pages from page ``first_page`` of a mapping.

    Rewriting is one store: it takes no read fault first.

    Raises:
        KernelError: EFAULT, a negative page or count.
        FaultSignal: see handle_mm_fault.
    """
    if first_page < 0 or pages < 0:
        raise KernelError(EFAULT)
    mm = mm_of(k.current)
    access_ns = k.costs.memory_access
    first = (address >> PAGE_SHIFT) + first_page
    for vpn in range(first, first + pages):
        k.now_ns += access_ns
        pte = lookup_pte(mm, vpn)
        while not pte or (write and not pte & PTE_WRITE):
            yield from handle_mm_fault(k, mm, vpn, write)
            pte = lookup_pte(mm, vpn)
    return None


def _access_ns(k: "Kernel", length: int) -> int:
    """Return the time of an access to ``length`` bytes: one access per cache line of 64."""
    return k.costs.memory_access * max(1, -(-length // 64))


def sys_load(k: "Kernel", address: int, offset: int, length: int) -> Path[bytes]:
    """Return ``length`` bytes at ``offset`` of the mapping at ``address``.

    Raises:
        KernelError: EFAULT, a negative offset or length.
        FaultSignal: see handle_mm_fault.
    """
    if offset < 0 or length < 0:
        raise KernelError(EFAULT)
    k.now_ns += _access_ns(k, length)
    return load(k, mm_of(k.current), address + offset, length)


def sys_store(k: "Kernel", address: int, offset: int, data: bytes) -> Path[None]:
    """Store ``data`` at ``offset`` of the mapping at ``address``.

    Raises:
        KernelError: EFAULT, a negative offset.
        FaultSignal: see handle_mm_fault.
    """
    if offset < 0:
        raise KernelError(EFAULT)
    k.now_ns += _access_ns(k, len(data))
    return store(k, mm_of(k.current), address + offset, data)
