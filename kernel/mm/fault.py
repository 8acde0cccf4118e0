"""Page faults: what happens when a task touches a page its tables do not let it touch.

Six outcomes, which the trace names: ``zero`` (read of untouched private memory maps the zero
page), ``anon`` (first write: a fresh zeroed frame), ``cow_copy`` and ``cow_reuse`` (write to a
write-protected private page), ``file`` (page cache), ``shared`` (page of a shared mapping).

A write to a write-protected private page may reuse the frame if nobody else maps it: the PTE's
exclusive bit says so, or the frame has one reference left. Otherwise it is copied: new frame,
copy, switch the PTE, flush the TLB, and only then drop the old reference, because from then on
another holder may reuse the old frame. Every address space takes its own fault, also when all
it finds is that the others are gone.

Source: mm/memory.c:handle_mm_fault(), do_anonymous_page(), do_wp_page(), wp_page_copy(),
do_read_fault(), do_shared_fault(); arch/x86/mm/fault.c.
Deviation: of the kernel's own versions only 6.x's rule for reuse (2.6.34 counts mappings; with
no swap and no pinned pages both decide alike).
"""

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from kernel.errors import FaultSignal, KernelError
from kernel.events import PAGE_FAULT_USER
from kernel.mm.frames import ZERO_PAGE
from kernel.mm.mm import mmap_lock
from kernel.mm.mm_types import (
    PTE_NEW,
    PTE_PRESENT,
    PTE_SHARED,
    PTE_SHIFT,
    PTE_WRITE,
    ZERO_PTE,
    MmStruct,
    VmArea,
)
from kernel.mm.oom_kill import pagefault_out_of_memory
from kernel.mm.page_table import own_table
from kernel.points import BARRIER, POINT, READ, RELEASE, Path
from kernel.uapi.mman import PAGE_SHIFT, VM_EXEC, VM_READ, VM_SHARED, VM_WRITE
from kernel.uapi.signals import SI_KERNEL, SIGSEGV

if TYPE_CHECKING:
    from kernel.kernel import Kernel

SEGV_MAPERR: Final = 1
SEGV_ACCERR: Final = 2

# the processor's error code for a fault in user mode
_PF_PROT: Final = 1
_PF_WRITE: Final = 2
_PF_USER: Final = 4

_START: Final = attrgetter("start")

FAULT_AROUND_PAGES: Final = 16
"""Source: mm/memory.c:fault_around_pages (64 KiB)."""


def find_vma(mm: MmStruct, vpn: int) -> VmArea | None:
    """Return the area that holds page ``vpn``, or None.

    Deviation: Linux's find_vma() returns the next area above if none holds the address; this
    is vma_lookup().
    """
    place = bisect_right(mm.vmas, vpn, key=_START)
    if place and vpn < mm.vmas[place - 1].end:
        return mm.vmas[place - 1]
    return None


def lookup_pte(mm: MmStruct, vpn: int) -> int:
    """Return the PTE of ``vpn``; 0 if nothing is mapped there."""
    pte = mm.pt.ptes.get(vpn)
    if pte is None and mm.local is not None:
        pte = mm.local.get(vpn)
    if pte is None and mm.text_mapped and mm.layout is not None:
        pte = mm.layout.text.get(vpn)
    return pte or 0


def handle_mm_fault(k: "Kernel", mm: MmStruct, vpn: int, write: bool) -> Path[str]:
    """Make page ``vpn`` readable (``write``: writable) for the current task, or signal it.

    Counts and traces one minor fault and charges its cost.

    Returns:
        The kind of fault: "zero", "anon", "cow_copy", "cow_reuse", "file" or "shared"; "oom" if
        no frame was free, and somebody is being killed for that: the access must be tried again.

    Raises:
        FaultSignal: SIGSEGV, no area there (SEGV_MAPERR) or it forbids the access (SEGV_ACCERR);
            SIGKILL, no frame is free and the current task is the one to go.

    Source: mm/memory.c:handle_mm_fault(), arch/x86/mm/fault.c:do_user_addr_fault().
    Deviation: areas are guarded by mmap_lock alone, without the per-area locks of 6.4 and later.
    """
    k.now_ns += k.costs.page_fault
    shared_mm = mm.users > 1
    lock = mmap_lock(k, mm) if shared_mm else None
    if lock is not None:
        yield "do_user_addr_fault.mmap_lock", READ, lock
    failed: FaultSignal | None = None
    kind = ""
    pte = lookup_pte(mm, vpn)
    try:
        vma = find_vma(mm, vpn)
        if vma is None:
            raise FaultSignal(SIGSEGV, SEGV_MAPERR, vpn << PAGE_SHIFT)
        if not vma.flags & (VM_WRITE if write else VM_READ | VM_EXEC):
            raise FaultSignal(SIGSEGV, SEGV_ACCERR, vpn << PAGE_SHIFT)
        if vma.flags & VM_SHARED:
            kind = _do_shared_fault(k, mm, vma, vpn, write)
        elif vpn in mm.pt.ptes:
            kind = (yield from _do_wp_page(k, mm, vpn)) if write else "zero"
        elif vma.pages is not None:
            kind = _do_file_fault(k, mm, vma, vpn, write)
        else:
            kind = _do_anonymous_page(k, mm, vpn, write)
    except KernelError:
        kind = "oom"
    except FaultSignal as fault:
        failed = fault
    if lock is not None:  # not in a finally: a path that is dropped must not yield
        yield "do_user_addr_fault.mmap_unlock", RELEASE, lock
    if failed is not None:
        k.stats.segfaults += 1
        raise failed
    if kind == "oom":
        yield from pagefault_out_of_memory(k, vpn << PAGE_SHIFT)
        return kind
    code = _PF_USER | (_PF_WRITE if write else 0) | (_PF_PROT if pte & PTE_PRESENT else 0)
    if k.tracing:
        k.emit(PAGE_FAULT_USER, (k.current.pid, vpn << PAGE_SHIFT, code, kind))
    k.current.min_flt += 1
    return kind


def fixup_user_fault(k: "Kernel", mm: MmStruct, vpn: int, write: bool, errno: int) -> Path[None]:
    """As ``handle_mm_fault``, for the kernel's own sake: what would be a signal is ``errno``.

    Source: mm/gup.c:fixup_user_fault(), faultin_page().
    """
    failed = False
    try:
        yield from handle_mm_fault(k, mm, vpn, write)
    except FaultSignal:
        failed = True
    if failed:
        raise KernelError(errno)


def _do_anonymous_page(k: "Kernel", mm: MmStruct, vpn: int, write: bool) -> str:
    """First access to a private anonymous page. Source: mm/memory.c:do_anonymous_page()."""
    if not write:
        table = own_table(k, mm)
        table.ptes[vpn] = ZERO_PTE
        table.nr_zero += 1
        k.stats.faults_zero += 1
        return "zero"
    frame = k.frames.alloc()
    table = own_table(k, mm)
    table.ptes[vpn] = frame << PTE_SHIFT | PTE_NEW
    table.writable.append(vpn)
    k.now_ns += k.costs.zero_page
    k.stats.faults_anon += 1
    return "anon"


def _do_wp_page(k: "Kernel", mm: MmStruct, vpn: int) -> Path[str]:
    """Write to a present private page without write permission; returns the kind of fault.

    Source: mm/memory.c:do_wp_page(), wp_page_reuse(), wp_page_copy().
    """
    frames = k.frames
    while True:
        table = own_table(k, mm)
        pte = table.ptes.get(vpn, 0)
        if pte & PTE_WRITE or not pte:
            # somebody else in this address space was faster; an unmapped page faults again
            return "cow_reuse"
        old = pte >> PTE_SHIFT
        if old == ZERO_PAGE:
            kind = "anon"
        elif frames.refs[old] == 1:
            table.ptes[vpn] = pte | PTE_NEW
            table.writable.append(vpn)
            k.stats.cow_reused += 1
            if mm.forked and k.left_by_copy.pop(old, 0) < mm.forked:
                k.stats.cow_saved += 1
            return "cow_reuse"
        else:
            kind = "cow_copy"
        new = frames.alloc()
        if kind == "cow_copy":
            frames.copy_content(old, new)
            k.now_ns += k.costs.copy_page
        else:
            k.now_ns += k.costs.zero_page
        yield "wp_page_copy.copied", POINT, mm
        same = True
        yield "wp_page_copy.pte_same", POINT, mm
        # under the page table lock again: has it all stayed as it was?
        same = mm.pt is table and table.users == 1 and table.ptes.get(vpn) == pte
        if not same:
            frames.put(new)
            continue
        table.ptes[vpn] = new << PTE_SHIFT | PTE_NEW
        table.writable.append(vpn)
        k.now_ns += k.costs.tlb_flush
        yield "wp_page_copy.flush", BARRIER, mm
        if kind == "anon":
            table.nr_zero -= 1
            k.stats.faults_anon += 1
        else:
            frames.put(old)
            if frames.refs[old] == 1:
                k.left_by_copy[old] = k.nr_dup_mm
            k.stats.cow_copied += 1
        return kind


def _do_file_fault(k: "Kernel", mm: MmStruct, vma: VmArea, vpn: int, write: bool) -> str:
    """First access to a page of a private file mapping.

    Source: mm/memory.c:do_read_fault(), do_cow_fault().
    """
    if vma.pages is None:
        raise AssertionError(f"{vma!r} maps no file")
    local = mm.local
    k.stats.faults_file += 1
    if not write:
        _fault_around(k, mm, vma, vpn, PTE_PRESENT)
        return "file"
    frames = k.frames
    cached = vma.pages.frames[vma.offset + vpn - vma.start]
    frame = frames.alloc()
    frames.copy_content(cached, frame)
    k.now_ns += k.costs.copy_page
    table = own_table(k, mm)
    table.ptes[vpn] = frame << PTE_SHIFT | PTE_NEW
    table.writable.append(vpn)
    if local is not None and vpn in local:
        del local[vpn]
        frames.put(cached)
        k.now_ns += k.costs.tlb_flush
    return "file"


def _do_shared_fault(k: "Kernel", mm: MmStruct, vma: VmArea, vpn: int, write: bool) -> str:
    """First access of this address space to a page of a shared mapping.

    Source: mm/memory.c:do_shared_fault(), do_read_fault(); mm/shmem.c:shmem_fault().
    """
    pages = vma.pages
    if pages is None:
        raise AssertionError(f"{vma!r} is shared and maps nothing")
    index = vma.offset + vpn - vma.start
    frame = pages.frames.get(index)
    k.stats.faults_shared += 1
    if frame is None:
        frame = pages.frames[index] = k.frames.alloc()
        k.now_ns += k.costs.zero_page
    if not write:
        _fault_around(k, mm, vma, vpn, PTE_SHARED)
        return "shared"
    if mm.local is None:
        mm.local = {}
    if vpn in mm.local:
        return "shared"  # another thread was faster
    mm.local[vpn] = frame << PTE_SHIFT | PTE_SHARED
    k.frames.get(frame)
    return "shared"


def _fault_around(k: "Kernel", mm: MmStruct, vma: VmArea, vpn: int, flags: int) -> None:
    """Map ``vpn`` and those of its neighbours whose pages are there already.

    Source: mm/memory.c:do_fault_around(), mm/filemap.c:filemap_map_pages().
    """
    pages = vma.pages
    if pages is None:
        raise AssertionError(f"{vma!r} maps nothing")
    if mm.local is None:
        mm.local = {}
    local = mm.local
    private = mm.pt.ptes
    first = vpn - vpn % FAULT_AROUND_PAGES
    for page in range(max(first, vma.start), min(first + FAULT_AROUND_PAGES, vma.end)):
        frame = pages.frames.get(vma.offset + page - vma.start)
        if frame is not None and page not in local and page not in private:
            local[page] = frame << PTE_SHIFT | flags
            k.frames.get(frame)


def sys_hlt(k: "Kernel") -> None:
    """Execute an instruction that only the kernel may: a general protection fault.

    If a handler lets the task go on it is at the same instruction again.

    Raises:
        FaultSignal: SIGSEGV, always.

    Source: arch/x86/kernel/traps.c:exc_general_protection().
    """
    k.now_ns += k.costs.page_fault
    raise FaultSignal(SIGSEGV, SI_KERNEL, 0)
