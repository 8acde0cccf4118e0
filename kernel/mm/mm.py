"""Address spaces: ``mm_struct``, areas and page tables, and what fork, exec and exit do to them.

Theory of operation. Pages are named by virtual page number (vpn); a PTE is an int, the frame
number shifted left by PTE_SHIFT over the PTE_* bits. An address space has three page tables:

``pt``
    what fork copies: the pages of private writable areas that were written or read as zeros.
    A ``PageTable`` may be held by several address spaces. Fork takes write permission away (from
    the few PTEs that got it since the last fork: ``writable``) and lets the child hold the
    same table; whoever first changes a PTE of a table with other holders takes a copy of it
    (``own_table``). So a fork whose child execs at once costs the host O(1), while counters and
    charged costs are those of a real copy. The table exec makes is filled at first sight: until
    then its frames are only reserved, and a program that ends at once never gets any.
``local``
    PTEs that fork leaves behind because they can be faulted in again: pages of shared objects
    and clean pages of files.
``layout.text``
    the text pages of the image as exec mapped them: one read-only table for everyone who runs it.

References: a frame counts each *table* that maps it once, plus its other owners. A table's
holder always makes the table its own before it asks whether a frame may be reused, and then the
count is exactly Linux's.

Areas are immutable and shared by parent and child; a change makes a new tuple of them.

Source: kernel/fork.c, mm/mmap.c, mm/memory.c, fs/binfmt_elf.c.
Deviation: no address-space randomisation; adjacent areas are not merged; one text page table for
all processes of an image; instruction fetches and the interpreter's own heap and stack take
no faults after exec; no transparent huge pages, no swap.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import InvariantError, KernelError
from kernel.locking import Lock
from kernel.mm.mm_types import (
    PROTECT_MASK,
    PTE_SHIFT,
    Layout,
    MmStruct,
    PageTable,
    SharedPages,
    VmArea,
)
from kernel.mm.overcommit import security_vm_enough_memory
from kernel.mm.page_table import copy_page_tables
from kernel.points import BARRIER, Path
from kernel.uapi.mman import (
    VM_ACCOUNT,
    VM_DONTCOPY,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VM_SHARED,
    VM_WIPEONFORK,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.machine import ImageSpec
    from kernel.mm.frames import Frames

_LOCKED: Final = VM_LOCKED | VM_LOCKONFAULT


COLD_FORKS: Final = 16  # after which nothing of a page table is in a cache: measured
NO_PTES: Final[dict[int, int]] = {}  # of a fresh table; never changed


def mmap_lock(k: "Kernel", mm: MmStruct) -> Lock:
    """Return the lock that guards the areas of ``mm``.

    It is made when a second task may want it: an address space of one task has no rival.
    """
    lock = mm.mmap_lock
    if lock is None:
        lock = mm.mmap_lock = k.new_lock("mmap_lock")
    return lock


def image_layout(k: "Kernel", image: "ImageSpec") -> Layout:
    """Return the layout of ``image``, reading its file pages into the page cache if need be.

    Raises:
        KernelError: ENOMEM, no frames for the page cache.
    """
    frames = k.frames
    key = (
        image.program,
        image.text_pages,
        image.data_pages,
        image.bss_pages,
        image.stack_pages,
    )
    layout: Layout | None = frames.layouts.get(key)
    if layout is None:
        layout = frames.layouts[key] = Layout(frames, image)
    return layout


def mm_alloc(k: "Kernel", image: "ImageSpec | None") -> MmStruct:
    """Return a new address space with the areas and first pages of ``image``, or an empty one.

    Charges ``load_page`` for each text and data page and ``zero_page`` for each bss and stack page.

    Raises:
        KernelError: ENOMEM; nothing is left behind.

    Source: kernel/fork.c:mm_alloc(), fs/binfmt_elf.c:load_elf_binary().
    Deviation: all pages an image touches at first are there at once, without faults.
    """
    slabs = k.slabs
    if image is None:
        return MmStruct(PageTable({}, []), (), None, [slabs["mm_struct"].alloc()])
    layout = image_layout(k, image)
    vmas = layout.vmas
    frames: Frames = layout.frames
    if frames.commit_limited:
        security_vm_enough_memory(k, layout.committed)
    else:
        frames.committed += layout.committed
    try:
        frames.reserve(len(layout.private))
    except KernelError:
        frames.committed -= layout.committed
        raise
    try:
        slots = slabs["vm_area_struct"].alloc_bulk(len(vmas))
        slots.append(slabs["mm_struct"].alloc())
    except BaseException:
        frames.cancel(len(layout.private))
        frames.committed -= layout.committed
        raise
    mm = MmStruct(PageTable(NO_PTES, [], layout), vmas, layout, slots)
    mm.committed = layout.committed
    mm.text_mapped = True
    costs = k.costs
    k.now_ns += costs.load_page * layout.loaded + costs.zero_page * layout.zeroed
    return mm


def dup_mm(k: "Kernel", oldmm: MmStruct) -> MmStruct:
    """Return a copy of ``oldmm`` whose private pages are shared copy-on-write with it.

    Every writable private PTE of both loses its write permission; shared mappings keep theirs in
    the parent and are faulted in again by the child. Charges ``copy_mm``, ``fork_cold`` in
    proportion to the forks of others since the last of this one, ``fork_beside`` if another CPU is
    busy, and per area and per PTE, and one TLB flush if a PTE lost permission. Counts the PTEs in
    ``k.stats``.

    Raises:
        KernelError: ENOMEM, no memory for the structures.

    Source: kernel/fork.c:dup_mm(), dup_mmap().
    Deviation: no lock points: a caller whose address space has other tasks holds mmap_lock.
    """
    vmas = oldmm.vmas
    table = oldmm.pt
    rules = oldmm.nr_fork_rules
    if rules:
        vmas = tuple(vma for vma in vmas if not vma.flags & VM_DONTCOPY)
    committed = oldmm.committed
    if rules:
        committed = sum(vma.end - vma.start for vma in vmas if vma.flags & VM_ACCOUNT)
    # without a limit each area is judged on its own, and mmap has done that
    if k.frames.commit_limited:
        security_vm_enough_memory(k, committed)
    else:
        k.frames.committed += committed
    if oldmm.locked_vm:
        vmas = tuple(vma.with_flags(vma.flags & ~_LOCKED) for vma in vmas)
    slots: list[int] = []
    try:
        slots = k.slabs["vm_area_struct"].alloc_bulk(len(vmas))
        slots.append(k.slabs["mm_struct"].alloc())
    except KernelError:
        k.slabs["vm_area_struct"].free_bulk(slots)
        k.frames.committed -= committed
        raise
    costs = k.costs
    k.now_ns += costs.copy_mm + costs.copy_vma * len(vmas)
    k.now_ns += costs.fork_cold * min(k.nr_dup_mm - oldmm.warm_at, COLD_FORKS) // COLD_FORKS
    if costs.fork_beside and k.load.busy_beside(k.cpu):
        k.now_ns += costs.fork_beside
    if rules or k.eager_fork:
        try:
            table = copy_page_tables(k, oldmm, vmas)
        except KernelError:
            k.slabs["mm_struct"].free(slots.pop())
            k.slabs["vm_area_struct"].free_bulk(slots)
            k.frames.committed -= committed
            raise
    else:
        _share_page_table(k, table)
    mm = MmStruct(table, vmas, oldmm.layout, slots)
    k.nr_dup_mm += 1
    oldmm.forked = oldmm.warm_at = mm.warm_at = k.nr_dup_mm
    mm.committed = committed
    if rules:
        mm.nr_fork_rules = sum(1 for vma in vmas if vma.flags & VM_WIPEONFORK)
    mm.dumpable = oldmm.dumpable
    if oldmm.nr_shared:
        for vma in vmas:
            if vma.flags & VM_SHARED and vma.pages is not None:
                mm.nr_shared += 1
                vma.pages.users += 1
    exe_file = oldmm.exe_file
    if exe_file is not None:
        exe_file.i_writecount -= 1
        mm.exe_file = exe_file
    if oldmm.locks is not None:
        mm.locks = {name: lock.fork() for name, lock in oldmm.locks.items()}
    return mm


def _share_page_table(k: "Kernel", table: PageTable) -> None:
    """Let one more address space use ``table``, in which nothing can be written any more.

    Source: mm/memory.c:copy_page_range(), copy_present_pte().
    """
    costs = k.costs
    ptes = table.ptes
    copied = len(ptes)
    k.now_ns += costs.copy_pte * copied
    k.stats.ptes_copied += copied
    writable = table.writable
    if writable:
        for vpn in writable:
            if vpn in ptes:  # it may have been unmapped since
                ptes[vpn] &= PROTECT_MASK
        table.writable = []
        k.now_ns += costs.tlb_flush
    table.users += 1


def mmget(mm: MmStruct) -> MmStruct:
    """Take part in ``mm`` (CLONE_VM); return it. Source: include/linux/sched/mm.h:mmget()."""
    mm.users += 1
    return mm


def mmput(k: "Kernel", mm: MmStruct) -> Path[None]:
    """Leave ``mm``; the last task to do so frees it.

    Source: kernel/fork.c:mmput().
    """
    # atomic_dec_and_test(): whoever frees it sees what the others did in it, and they left it
    yield "mmput.users", BARRIER, mm
    mm.users -= 1
    if mm.users < 0:
        raise InvariantError("an address space was left more often than it was entered")
    if not mm.users:
        exit_mmap(k, mm)


def exit_mmap(k: "Kernel", mm: MmStruct) -> None:
    """Free an address space that nobody runs in.

    Charges ``exit_per_vma``, ``free_pte`` and ``free_page`` for what is freed.

    Source: mm/mmap.c:exit_mmap(), kernel/fork.c:mmdrop().
    """
    frames = k.frames
    costs = k.costs
    vmas = mm.vmas
    table = mm.pt
    freed = 0
    frames.committed -= mm.committed
    table.users -= 1
    if table.fresh is not None:
        freed = nr_ptes = len(table.fresh.private)
        frames.cancel(freed)
    else:
        nr_ptes = len(table.filled)
        if not table.users:
            freed = frames.put_bulk([pte >> PTE_SHIFT for pte in table.filled.values()])
    if mm.text_mapped and mm.layout is not None:
        nr_ptes += len(mm.layout.text)
    local = mm.local
    if local:
        nr_ptes += len(local)
        freed += frames.put_bulk([pte >> PTE_SHIFT for pte in local.values()])
    if mm.nr_shared:
        for vma in vmas:
            if vma.flags & VM_SHARED:
                freed += drop_shared(k, vma)
    k.now_ns += costs.exit_per_vma * len(vmas) + costs.free_pte * nr_ptes + costs.free_page * freed
    if mm.exe_file is not None:
        mm.exe_file.i_writecount += 1
    slots = mm.slots
    k.slabs["mm_struct"].free(slots.pop())
    k.slabs["vm_area_struct"].free_bulk(slots)


def drop_shared(k: "Kernel", vma: VmArea) -> int:
    """Count one area less for the shared object of ``vma``; return the frames that freed."""
    return 0 if vma.pages is None else put_shared(k, vma.pages)


def put_shared(k: "Kernel", pages: SharedPages) -> int:
    """Count one area less for a shared object; return the frames that freed."""
    pages.users -= 1
    if pages.users or pages.keep:
        return 0
    k.frames.committed -= pages.committed
    pages.committed = 0
    freed: int = k.frames.put_bulk(pages.frames.values())
    pages.frames.clear()
    if pages.segment is not None:
        pages.segment.last_detach()
    return freed
