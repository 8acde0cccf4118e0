"""madvise: what a process says about its memory, as far as it changes what happens.

DONTFORK and WIPEONFORK change what fork copies; DONTNEED and FREE give private pages back, REMOVE
those of a shared object. Advice about reading ahead changes nothing, because there is no disk to
read ahead from, as with memory that no file backs on Linux.

Source: mm/madvise.c, include/uapi/asm-generic/mman-common.h.
Deviation: HUGEPAGE, NOHUGEPAGE, MERGEABLE, UNMERGEABLE, HWPOISON and SOFT_OFFLINE give EINVAL, as
from a kernel configured without huge pages, KSM and memory failure; COLD, PAGEOUT, POPULATE_*,
COLLAPSE and GUARD_* are not there: EINVAL. FREE keeps the content: nothing ever reclaims it.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.mm.mm import mmap_lock
from kernel.mm.mm_types import MmStruct, VmArea
from kernel.mm.vma import change_areas, zap_page_range
from kernel.points import ACQUIRE, READ, RELEASE, Path
from kernel.process.tasklist import for_each_thread
from kernel.task import mm_of
from kernel.uapi.errno_ import EINVAL, ENOMEM
from kernel.uapi.mman import (
    PAGE_SHIFT,
    PAGE_SIZE,
    VM_DONTCOPY,
    VM_DONTDUMP,
    VM_LOCKED,
    VM_RAND_READ,
    VM_SEQ_READ,
    VM_SHARED,
    VM_WIPEONFORK,
    VM_WRITE,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel

MADV_NORMAL: Final = 0
MADV_RANDOM: Final = 1
MADV_SEQUENTIAL: Final = 2
MADV_WILLNEED: Final = 3
MADV_DONTNEED: Final = 4
MADV_FREE: Final = 8
MADV_REMOVE: Final = 9
MADV_DONTFORK: Final = 10
MADV_DOFORK: Final = 11
MADV_DONTDUMP: Final = 16
MADV_DODUMP: Final = 17
MADV_WIPEONFORK: Final = 18
MADV_KEEPONFORK: Final = 19

# advice -> (flags cleared, flags set)
_FLAGS: Final = {
    MADV_NORMAL: (VM_RAND_READ | VM_SEQ_READ, 0),
    MADV_RANDOM: (VM_SEQ_READ, VM_RAND_READ),
    MADV_SEQUENTIAL: (VM_RAND_READ, VM_SEQ_READ),
    MADV_DONTFORK: (0, VM_DONTCOPY),
    MADV_DOFORK: (VM_DONTCOPY, 0),
    MADV_DONTDUMP: (0, VM_DONTDUMP),
    MADV_DODUMP: (VM_DONTDUMP, 0),
    MADV_WIPEONFORK: (0, VM_WIPEONFORK),
    MADV_KEEPONFORK: (VM_WIPEONFORK, 0),
}
# advice that only looks at the areas: the lock is taken for reading
_READERS: Final[tuple[int, ...]] = (MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_REMOVE)


def sys_madvise(k: "Kernel", address: int, length: int, advice: int) -> Path[None]:
    """Follow ``advice`` (MADV_*) about ``length`` bytes at ``address``.

    Raises:
        KernelError: EINVAL, address inside a page, unknown advice, or one that does not fit the
            area; ENOMEM, part of the range is not mapped (the rest is done), or no room for
            another area.

    Source: mm/madvise.c:do_madvise().
    """
    k.now_ns += k.costs.mmap_op
    if advice not in _FLAGS and advice not in _READERS:
        raise KernelError(EINVAL)
    pages = -(-length // PAGE_SIZE)
    if address & (PAGE_SIZE - 1) or address < 0 or length < 0:
        raise KernelError(EINVAL)
    if not pages:
        return None
    start = address >> PAGE_SHIFT
    mm = mm_of(k.current)
    lock = mmap_lock(k, mm) if mm.users > 1 else None
    if lock is not None:
        yield "do_madvise.mmap_lock", READ if advice in _READERS else ACQUIRE, lock
    errno = 0
    try:
        if not _walk(k, mm, start, start + pages, advice):
            errno = ENOMEM
    except KernelError as failed:
        errno = failed.errno
    if lock is not None:
        yield "do_madvise.mmap_unlock", RELEASE, lock
    if errno:
        raise KernelError(errno)
    return None


def _walk(k: "Kernel", mm: MmStruct, start: int, end: int, advice: int) -> bool:
    """Follow ``advice`` in each area of [start, end); tell whether areas cover it all."""
    if advice in _FLAGS:
        clear, add = _FLAGS[advice]

        def change(vma: VmArea) -> int:
            if add == VM_WIPEONFORK and (vma.pages is not None or vma.flags & VM_SHARED):
                raise KernelError(EINVAL)
            return vma.flags & ~clear | add

        covered = change_areas(k, mm, start, end, change)
        count_fork_rules(mm)
        return covered
    place = start
    covered = True
    for vma in [vma for vma in mm.vmas if vma.start < end and vma.end > start]:
        covered = covered and vma.start <= place
        place = vma.end
        low, high = max(start, vma.start), min(end, vma.end)
        if advice == MADV_DONTNEED:
            if vma.flags & VM_LOCKED:
                raise KernelError(EINVAL)
            zap_page_range(k, mm, low, high)
        elif advice == MADV_FREE:
            if vma.pages is not None or vma.flags & VM_SHARED:
                raise KernelError(EINVAL)
        elif advice == MADV_REMOVE:
            _remove(k, mm, vma, low, high)
    return covered and place >= end


def _remove(k: "Kernel", mm: MmStruct, vma: VmArea, start: int, end: int) -> None:
    """Take pages out of a shared object, and out of every address space that maps them.

    Source: mm/madvise.c:madvise_remove(), mm/shmem.c:shmem_fallocate() (PUNCH_HOLE).
    """
    pages = vma.pages
    if vma.flags & VM_LOCKED or pages is None:
        raise KernelError(EINVAL)
    if vma.flags & (VM_SHARED | VM_WRITE) != VM_SHARED | VM_WRITE:
        raise KernelError(EINVAL)
    shift = vma.offset - vma.start
    first, last = start + shift, end + shift
    seen: list[MmStruct] = []
    for thread in for_each_thread(k):
        other: MmStruct | None = thread.mm
        if other is None or not other.nr_shared or any(one is other for one in seen):
            continue
        seen.append(other)
        for area in other.vmas:
            if area.pages is pages:
                back = area.start - area.offset
                low, high = max(area.start, first + back), min(area.end, last + back)
                zap_page_range(k, other, low, high)
    gone = [index for index in pages.frames if first <= index < last]
    k.frames.put_bulk([pages.frames.pop(index) for index in gone])


def count_fork_rules(mm: MmStruct) -> None:
    """Count the areas that fork does not simply copy."""
    mm.nr_fork_rules = sum(1 for vma in mm.vmas if vma.flags & (VM_DONTCOPY | VM_WIPEONFORK))
