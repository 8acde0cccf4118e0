"""Changing part of an area: splitting and merging areas, and taking pages out of the tables.

Areas are immutable, so a change of a range puts new areas in the place of old ones: those that
cross an end of the range are cut there (``split_vma``), and neighbours that have become alike are
joined again (``vma_merge``). Each area costs one ``vm_area_struct``; each area of a shared object
counts as one user of it.

Source: mm/vma.c (mm/mmap.c before 6.12), mm/memory.c.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel.errors import KernelError
from kernel.mm.frames import ZERO_PAGE
from kernel.mm.mm import drop_shared
from kernel.mm.mm_types import PTE_SHIFT, MmStruct, VmArea
from kernel.mm.page_table import own_table
from kernel.mm.rss import update_hiwater_rss
from kernel.uapi.errno_ import ENOMEM
from kernel.uapi.mman import (
    MAX_MAP_COUNT,
    VM_ACCOUNT,
    VM_DONTCOPY,
    VM_LOCKED,
    VM_SHARED,
    VM_WIPEONFORK,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def split_vma(k: "Kernel", mm: MmStruct, vpn: int) -> None:
    """Cut the area that holds ``vpn`` before it, unless it begins there. The lock is held.

    Raises:
        KernelError: ENOMEM, too many areas or no memory for another.

    Source: mm/vma.c:split_vma().
    """
    for place, vma in enumerate(mm.vmas):
        if vma.start < vpn < vma.end:
            if len(mm.vmas) >= MAX_MAP_COUNT:
                raise KernelError(ENOMEM)
            mm.slots.insert(0, k.slabs["vm_area_struct"].alloc())
            low = VmArea(vma.start, vpn, vma.flags, vma.name, vma.pages, vma.offset)
            offset = vma.offset + vpn - vma.start
            high = VmArea(vpn, vma.end, vma.flags, vma.name, vma.pages, offset)
            mm.vmas = (*mm.vmas[:place], low, high, *mm.vmas[place + 1 :])
            _count_area(mm, vma, 1)
            return


def vma_merge(k: "Kernel", mm: MmStruct, start: int, end: int) -> None:
    """Join areas that touch [start, end) and are parts of one whole. The lock is held.

    Source: mm/vma.c:vma_merge_existing_range().
    """
    kept: list[VmArea] = []
    for vma in mm.vmas:
        last = kept[-1] if kept else None
        if last is not None and vma.start >= start and last.end <= end and _alike(last, vma):
            kept[-1] = VmArea(last.start, vma.end, vma.flags, vma.name, vma.pages, last.offset)
            k.slabs["vm_area_struct"].free(mm.slots.pop(0))
            _count_area(mm, vma, -1)
        else:
            kept.append(vma)
    mm.vmas = tuple(kept)


def _alike(low: VmArea, high: VmArea) -> bool:
    """Tell whether two areas may become one. Source: mm/vma.c:is_mergeable_vma()."""
    return (
        low.end == high.start
        and low.flags == high.flags
        and low.name == high.name
        and low.pages is high.pages
        and (low.pages is None or low.offset + low.end - low.start == high.offset)
    )


def _count_area(mm: MmStruct, vma: VmArea, change: int) -> None:
    """Count one area more or less of what ``vma`` maps."""
    if vma.flags & VM_SHARED:
        mm.nr_shared += change
        if vma.pages is not None:
            vma.pages.users += change


def change_areas(
    k: "Kernel", mm: MmStruct, start: int, end: int, change: Callable[[VmArea], int]
) -> bool:
    """Give the areas in [start, end) the flags that ``change`` returns for each. The lock is held.

    Returns:
        Whether areas cover the whole range; where there is none, nothing is changed.

    Raises:
        KernelError: ENOMEM, no room for another area.
        KernelError: what ``change`` raises; areas before that one keep their new flags.

    Source: mm/madvise.c:madvise_walk_vmas(), mm/mlock.c:apply_vma_lock_flags().
    """
    place = start
    covered = True
    for vma in [vma for vma in mm.vmas if vma.start < end and vma.end > start]:
        covered = covered and vma.start <= place
        place = vma.end
        flags = change(vma)
        if flags != vma.flags:
            split_vma(k, mm, max(start, vma.start))
            split_vma(k, mm, min(end, vma.end))
            low = max(start, vma.start)
            mm.vmas = tuple(
                part.with_flags(flags) if part.start == low else part for part in mm.vmas
            )
    vma_merge(k, mm, start, end)
    return covered and place >= end


def do_vmi_munmap(k: "Kernel", mm: MmStruct, start: int, end: int) -> None:
    """Unmap [start, end), cutting the areas that cross an end of it. The lock is held.

    Raises:
        KernelError: ENOMEM, no room for another area; nothing has changed but cuts.

    Source: mm/vma.c:do_vmi_munmap(), do_vmi_align_munmap().
    """
    split_vma(k, mm, start)
    split_vma(k, mm, end)
    gone = [vma for vma in mm.vmas if start <= vma.start < end]
    if not gone:
        return
    mm.vmas = tuple(vma for vma in mm.vmas if not start <= vma.start < end)
    slab = k.slabs["vm_area_struct"]
    freed = 0
    for vma in gone:
        zap_page_range(k, mm, vma.start, vma.end)
        if vma.flags & VM_ACCOUNT:
            mm.committed -= vma.end - vma.start
            k.frames.committed -= vma.end - vma.start
        if vma.flags & VM_LOCKED:
            mm.locked_vm -= vma.end - vma.start
        if vma.flags & (VM_DONTCOPY | VM_WIPEONFORK):
            mm.nr_fork_rules -= 1
        if vma.flags & VM_SHARED:
            mm.nr_shared -= 1
            freed += drop_shared(k, vma)
        slab.free(mm.slots.pop(0))
    k.now_ns += k.costs.free_page * freed


def zap_page_range(k: "Kernel", mm: MmStruct, start: int, end: int) -> None:
    """Take the pages [start, end) out of the page tables and charge for it. The lock is held.

    Source: mm/memory.c:zap_page_range_single(), unmap_page_range().
    """
    frames, costs = k.frames, k.costs
    update_hiwater_rss(mm)
    cleared = 0
    freed = 0
    in_pt = _within(mm.pt.ptes, start, end)
    if in_pt:
        table = own_table(k, mm)
        gone = [table.ptes.pop(vpn) >> PTE_SHIFT for vpn in in_pt]
        table.nr_zero -= gone.count(ZERO_PAGE)
        cleared += len(in_pt)
        freed += frames.put_bulk(gone)
    local = mm.local
    if local:
        in_local = _within(local, start, end)
        cleared += len(in_local)
        freed += frames.put_bulk([local.pop(vpn) >> PTE_SHIFT for vpn in in_local])
    k.now_ns += costs.free_pte * cleared + costs.free_page * freed
    if cleared:
        k.now_ns += costs.tlb_flush


def _within(table: dict[int, int], start: int, end: int) -> list[int]:
    """Return the vpns of ``table`` in [start, end)."""
    if end - start < len(table):
        return [vpn for vpn in range(start, end) if vpn in table]
    return [vpn for vpn in table if start <= vpn < end]
