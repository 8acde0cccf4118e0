"""Page tables: which pages of an address space are there, and whose frames they are.

Source: mm/memory.c (copy_page_range), include/linux/mm_types.h.
"""

from typing import TYPE_CHECKING

from kernel.mm.frames import ZERO_PAGE
from kernel.mm.mm_types import (
    PROTECT_MASK,
    PTE_NEW,
    PTE_SHIFT,
    PTE_WRITE,
    MmStruct,
    PageTable,
    VmArea,
)
from kernel.uapi.mman import VM_WIPEONFORK

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm.frames import Frames


def copy_page_tables(k: "Kernel", oldmm: MmStruct, vmas: tuple[VmArea, ...]) -> PageTable:
    """Return a child's own page table of what ``vmas`` say it gets.

    Pages of areas that are not in ``vmas``, or are wiped, are left out and stay as they are in
    the parent. The others are shared copy-on-write or, where fork is eager, copied at once.

    Raises:
        KernelError: ENOMEM, no frames for the copies; nothing has changed.

    Source: mm/memory.c:copy_page_range(), copy_present_page().
    """
    frames: Frames = k.frames
    costs = k.costs
    table = oldmm.pt
    old = table.ptes
    keep = [(vma.start, vma.end) for vma in vmas if not vma.flags & VM_WIPEONFORK]
    ptes: dict[int, int] = {}
    place = 0
    for vpn in sorted(old):
        while place < len(keep) and keep[place][1] <= vpn:
            place += 1
        if place < len(keep) and keep[place][0] <= vpn:
            ptes[vpn] = old[vpn]
    k.now_ns += costs.copy_pte * len(ptes)
    k.stats.ptes_copied += len(ptes)
    copy = PageTable(ptes, [])
    copy.nr_zero = sum(1 for pte in ptes.values() if pte >> PTE_SHIFT == ZERO_PAGE)
    if k.eager_fork:
        vpns = [vpn for vpn, pte in ptes.items() if pte >> PTE_SHIFT != ZERO_PAGE]
        for vpn, frame in zip(vpns, frames.alloc_bulk(len(vpns))):
            frames.copy_content(ptes[vpn] >> PTE_SHIFT, frame)
            ptes[vpn] = frame << PTE_SHIFT | PTE_NEW
        copy.writable = vpns
        k.now_ns += costs.copy_page * len(vpns)
        k.stats.pages_copied_by_fork += len(vpns)
        return copy
    frames.get_bulk([pte >> PTE_SHIFT for pte in ptes.values()])
    protected = False
    for vpn, pte in ptes.items():
        if pte & ~PROTECT_MASK:
            old[vpn] = ptes[vpn] = pte & PROTECT_MASK
            protected = True
    if protected:
        table.writable = [vpn for vpn in table.writable if old.get(vpn, 0) & PTE_WRITE]
        k.now_ns += costs.tlb_flush
    return copy


def own_table(k: "Kernel", mm: MmStruct) -> PageTable:
    """Return the page table of ``mm``, copied first if another address space holds it too."""
    table = mm.pt
    if table.users > 1:
        table.users -= 1
        ptes = table.ptes.copy()
        k.frames.get_bulk([pte >> PTE_SHIFT for pte in ptes.values()])
        nr_zero = table.nr_zero
        table = mm.pt = PageTable(ptes, [])
        table.nr_zero = nr_zero
    elif table.fresh is not None:
        table.ptes  # noqa: B018  (fills it: callers use ``writable`` too)
    return table
