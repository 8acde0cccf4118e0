"""The ledger of page frames: reference counts worked out again from everything that holds frames.

The allocator's counts are kept by increments; here they are counted from the page tables, the
page cache, shared mappings, slabs and whatever else the caller knows of. The two must agree.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from kernel.errors import InvariantError
from kernel.mm.frames import ZERO_PAGE, Frames
from kernel.mm.mm_types import PTE_EXCLUSIVE, PTE_SHIFT, PTE_WRITE, MmStruct, SharedPages
from kernel.uapi.mman import VM_ACCOUNT, VM_DONTCOPY, VM_LOCKED, VM_SHARED, VM_WIPEONFORK


def recount(mms: Iterable[MmStruct]) -> dict[int, int]:
    """Return ``{frame: references}`` as the page tables and shared mappings of ``mms`` hold them.

    A page table that several address spaces hold is counted once, as the allocator does. The zero
    page is left out. The page cache's own references are in ``recount_cache``.

    Raises:
        InvariantError: a page table's number of holders is wrong, a shared mapping's number of
            areas is wrong, or a PTE is writable in a table with several holders.
    """
    refs: Counter[int] = Counter()
    tables: dict[int, tuple[Any, int]] = {}
    shared: dict[int, tuple[SharedPages, int]] = {}
    for mm in mms:
        table = mm.pt
        seen = tables.get(id(table))
        tables[id(table)] = (table, seen[1] + 1 if seen else 1)
        if mm.local:
            refs.update(pte >> PTE_SHIFT for pte in mm.local.values())
        for vma in mm.vmas:
            pages = vma.pages
            if pages is not None and not pages.keep:
                counted = shared.get(id(pages))
                shared[id(pages)] = (pages, counted[1] + 1 if counted else 1)
        _check_counters(mm)
    for table, holders in tables.values():
        if table.nr_zero != sum(
            1 for pte in table.filled.values() if pte >> PTE_SHIFT == ZERO_PAGE
        ):
            raise InvariantError(f"page table counts {table.nr_zero} PTEs of the zero page")
        if table.users != holders:
            raise InvariantError(f"page table has {table.users} holders, {holders} found")
        refs.update(pte >> PTE_SHIFT for pte in table.filled.values())
        if holders > 1:
            for vpn, pte in table.filled.items():
                if pte & (PTE_WRITE | PTE_EXCLUSIVE):
                    raise InvariantError(f"page {vpn:#x} is writable in a table of {holders}")
    for pages, areas in shared.values():
        if pages.users != areas:
            raise InvariantError(f"shared mapping counts {pages.users} areas, {areas} found")
        refs.update(pages.frames.values())
    refs.pop(ZERO_PAGE, None)
    return dict(refs)


def _check_counters(mm: MmStruct) -> None:
    """Compare what ``mm`` counts of its areas with the areas."""
    want = {"nr_shared": 0, "nr_fork_rules": 0, "locked_vm": 0, "committed": 0}
    for vma in mm.vmas:
        pages = vma.end - vma.start
        want["nr_shared"] += 1 if vma.flags & VM_SHARED else 0
        want["nr_fork_rules"] += 1 if vma.flags & (VM_DONTCOPY | VM_WIPEONFORK) else 0
        want["locked_vm"] += pages if vma.flags & VM_LOCKED else 0
        want["committed"] += pages if vma.flags & VM_ACCOUNT else 0
    have = {
        "nr_shared": mm.nr_shared,
        "nr_fork_rules": mm.nr_fork_rules,
        "locked_vm": mm.locked_vm,
        "committed": mm.committed,
    }
    if have != want:
        raise InvariantError(f"an address space counts {have}, its areas are {want}")
    if len(mm.slots) != len(mm.vmas) + 1:
        raise InvariantError(f"{len(mm.slots) - 1} vm_area_structs for {len(mm.vmas)} areas")


def check_committed(
    frames: Frames, mms: Iterable[MmStruct], others: Iterable[SharedPages] = ()
) -> None:
    """Compare the pages promised with those that address spaces and shared objects stand for.

    Args:
        others: shared objects that may be mapped nowhere.

    Raises:
        InvariantError: they differ.
    """
    shared = {id(pages): pages for pages in others}
    found = 0
    for mm in mms:
        found += mm.committed
        for vma in mm.vmas:
            if vma.pages is not None:
                shared[id(vma.pages)] = vma.pages
    found += sum(pages.committed for pages in shared.values())
    if frames.committed != found:
        raise InvariantError(f"{frames.committed} pages are committed, {found} found")


def recount_reserved(mms: Iterable[MmStruct]) -> int:
    """Return how many frames are reserved for page tables nobody has looked at."""
    tables = {id(mm.pt): mm.pt for mm in mms}
    return sum(table.nr_reserved for table in tables.values())


def recount_cache(frames: Frames) -> dict[int, int]:
    """Return ``{frame: references}`` of the page cache and of the text tables of images."""
    refs: Counter[int] = Counter()
    for layout in frames.layouts.values():
        refs.update(layout.cache.frames.values())
        refs.update(pte >> PTE_SHIFT for pte in layout.text.values())
    return dict(refs)


def check_frames(frames: Frames, owners: Iterable[dict[int, int]], reserved: int) -> None:
    """Compare the allocator's reference counts with those that ``owners`` add up to.

    Args:
        frames: the allocator.
        owners: references by frame, of everybody who holds some.
        reserved: frames set aside by number only, of everybody who has some.

    Raises:
        InvariantError: names the frames that differ, at most eight.
    """
    if not reserved == frames.reserved <= len(frames.free):
        raise InvariantError(
            f"{frames.reserved} frames reserved, {reserved} found, {len(frames.free)} free"
        )
    want: Counter[int] = Counter()
    for owner in owners:
        want.update(owner)
    wrong = [
        f"frame {frame}: {refs} counted, {want[frame]} found"
        for frame, refs in enumerate(frames.refs)
        if frame != ZERO_PAGE and refs != want[frame]
    ]
    if wrong:
        raise InvariantError("; ".join(wrong[:8]) + (" …" if len(wrong) > 8 else ""))
    free = Counter(frames.free)
    if len(free) != len(frames.free) or any(frames.refs[frame] for frame in free):
        raise InvariantError("the free list names a frame twice, or one in use")
