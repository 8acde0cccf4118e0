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

from typing import TYPE_CHECKING, Any, Final

from kernel.errors import InvariantError, KernelError
from kernel.locking import Lock
from kernel.mm.frames import ZERO_PAGE
from kernel.mm.overcommit import security_vm_enough_memory
from kernel.uapi.mman import (
    PAGE_SHIFT,
    TASK_SIZE,
    VM_ACCOUNT,
    VM_DONTCOPY,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VM_READ,
    VM_SHARED,
    VM_WIPEONFORK,
    VM_WRITE,
)

if TYPE_CHECKING:
    from kernel.machine import ImageSpec
    from kernel.mm.frames import Frames

PTE_PRESENT: Final = 1
PTE_WRITE: Final = 2
PTE_EXCLUSIVE: Final = 4  # mapped by this table alone: PageAnonExclusive
PTE_DIRTY: Final = 8
PTE_SHIFT: Final = 4
PTE_NEW: Final = PTE_PRESENT | PTE_WRITE | PTE_EXCLUSIVE | PTE_DIRTY
PTE_SHARED: Final = PTE_PRESENT | PTE_WRITE
ZERO_PTE: Final = ZERO_PAGE << PTE_SHIFT | PTE_PRESENT
_PROTECT: Final = ~(PTE_WRITE | PTE_EXCLUSIVE)
_DATA: Final = VM_READ | VM_WRITE | VM_ACCOUNT
_LOCKED: Final = VM_LOCKED | VM_LOCKONFAULT

TEXT_START: Final = 0x400000 >> PAGE_SHIFT
HEAP_PAGES: Final = 33  # glibc's first brk: M_TOP_PAD and one page
STACK_TOP: Final = TASK_SIZE >> PAGE_SHIFT
STACK_PAGES: Final = 33  # setup_arg_pages: 128 KiB and the page in use
MMAP_BASE: Final = STACK_TOP - (128 << 20 >> PAGE_SHIFT)  # below the least gap for the stack


class SharedPages:
    """Pages that several address spaces map: a shared anonymous mapping, or a file's page cache.

    ``frames`` maps page index to frame and holds one reference of each. ``users`` counts the
    areas; a mapping without areas gives its pages back unless ``keep`` (page cache) is set.
    ``committed`` pages count against the commit limit as long as it lives.

    Source: mm/shmem.c:shmem_zero_setup(), include/linux/fs.h:struct address_space.
    """

    __slots__ = ("committed", "frames", "keep", "segment", "users")

    def __init__(self, *, keep: bool) -> None:
        self.committed = 0
        self.frames: dict[int, int] = {}
        self.users = 0
        self.keep = keep
        self.segment: Any = None  # kernel.ipc.shm.ShmidKernel, if they are one's


class VmArea:
    """One area of an address space (``vm_area_struct``): [start, end) in vpns. Immutable."""

    __slots__ = ("end", "flags", "name", "offset", "pages", "start")

    def __init__(
        self,
        start: int,
        end: int,
        flags: int,
        name: str,
        pages: SharedPages | None = None,
        offset: int = 0,
    ) -> None:
        self.start = start
        self.end = end
        self.flags = flags
        self.name = name  # as /proc/PID/maps shows it
        self.pages = pages  # None: private anonymous
        self.offset = offset  # page index in ``pages`` of the first page

    def with_flags(self, flags: int) -> "VmArea":
        """Return this area, or one that differs from it only in its flags."""
        if flags == self.flags:
            return self
        return VmArea(self.start, self.end, flags, self.name, self.pages, self.offset)

    def __repr__(self) -> str:
        return f"<vma {self.start:#x}-{self.end:#x} {self.flags:#x} {self.name}>"


NO_PTES: Final[dict[int, int]] = {}  # of a fresh table; never changed


class PageTable:
    """The PTEs that fork copies, held by ``users`` address spaces.

    ``fresh`` is the image whose first pages the table stands for as long as nobody has looked
    at ``ptes``. ``writable`` names the vpns whose PTEs got write permission since the last fork;
    it is valid once ``ptes`` has been looked at. ``nr_zero`` of the PTEs map the zero page.
    """

    __slots__ = ("filled", "fresh", "nr_zero", "users", "writable")

    def __init__(
        self, ptes: dict[int, int], writable: list[int], fresh: "Layout | None" = None
    ) -> None:
        self.filled = ptes
        self.writable = writable
        self.fresh = fresh
        self.nr_zero = 0
        self.users = 1

    @property
    def ptes(self) -> dict[int, int]:
        """The PTEs by vpn; looking at them fills a fresh table."""
        layout = self.fresh
        if layout is not None:
            self.fresh = None
            private = layout.private
            taken = layout.frames.take_reserved(len(private))
            self.filled = {
                vpn: frame << PTE_SHIFT | PTE_NEW for vpn, frame in zip(private, taken, strict=True)
            }
            self.writable = private[:]
        return self.filled

    @property
    def nr_reserved(self) -> int:
        """Frames set aside for the PTEs that a fresh table will have."""
        return 0 if self.fresh is None else len(self.fresh.private)


class Layout:
    """What exec maps for one image: made once, shared by all who run it."""

    __slots__ = (
        "cache",
        "committed",
        "frames",
        "loaded",
        "private",
        "resident",
        "text",
        "vmas",
        "zeroed",
    )

    def __init__(self, frames: "Frames", image: "ImageSpec") -> None:
        text_end = TEXT_START + image.text_pages
        data_end = text_end + image.data_pages
        bss_end = data_end + image.bss_pages
        file_pages = image.text_pages + image.data_pages
        self.frames = frames
        self.cache = cache = SharedPages(keep=True)
        cache.frames = dict(enumerate(frames.alloc_bulk(file_pages)))
        stack_pages = max(STACK_PAGES, image.stack_pages)
        areas = (
            VmArea(TEXT_START, text_end, VM_READ | VM_EXEC, image.program, cache),
            VmArea(text_end, data_end, _DATA, image.program, cache, image.text_pages),
            VmArea(data_end, bss_end, _DATA, ""),
            VmArea(bss_end, bss_end + HEAP_PAGES, _DATA, "[heap]"),
            VmArea(STACK_TOP - stack_pages, STACK_TOP, _DATA | VM_GROWSDOWN, "[stack]"),
        )
        self.vmas = tuple(area for area in areas if area.start < area.end)
        self.committed = sum(area.end - area.start for area in self.vmas if area.flags & VM_ACCOUNT)
        # exec's own accesses and the program's first ones: data, bss and the top of the stack
        self.private = [
            *range(text_end, bss_end),
            *range(STACK_TOP - image.stack_pages, STACK_TOP),
        ]
        self.zeroed = image.bss_pages + image.stack_pages
        self.loaded = file_pages
        self.text = {
            TEXT_START + index: cache.frames[index] << PTE_SHIFT | PTE_PRESENT
            for index in range(image.text_pages)
        }
        frames.get_bulk(pte >> PTE_SHIFT for pte in self.text.values())
        self.resident = len(self.private) + len(self.text)


class MmStruct:
    """One address space (``mm_struct``). ``users`` counts the tasks that run in it (mm_users)."""

    __slots__ = (
        "committed",
        "def_flags",
        "dumpable",
        "exe_file",
        "hiwater_rss",
        "layout",
        "local",
        "locked_vm",
        "locks",
        "mmap_lock",
        "nr_fork_rules",
        "nr_shared",
        "pt",
        "slots",
        "text_mapped",
        "users",
        "vmas",
    )

    def __init__(
        self,
        pt: PageTable,
        vmas: tuple[VmArea, ...],
        layout: Layout | None,
        slots: list[int],
    ) -> None:
        self.users = 1
        self.dumpable = 1  # SUID_DUMP_USER (kernel.cred.creds)
        # mmap_lock
        self.mmap_lock: Lock | None = None  # made at first use: see mmap_lock()
        self.vmas = vmas  # by address
        self.nr_shared = 0  # areas with VM_SHARED
        self.nr_fork_rules = 0  # areas with VM_DONTCOPY or VM_WIPEONFORK
        self.def_flags = 0  # of new areas: mlockall(MCL_FUTURE)
        self.committed = 0  # pages that count against the commit limit
        self.locked_vm = 0  # pages in areas with VM_LOCKED
        self.hiwater_rss = 0  # most resident pages before some were given back
        self.slots = slots  # of the vm_area_struct cache; the last one is the mm's own
        # page table lock
        self.pt = pt
        self.local: dict[int, int] | None = None
        self.layout = layout
        self.text_mapped = False
        # the file it runs: kernel.fs.inode.set_mm_exe_file
        self.exe_file: Any = None
        # futex words of the address space: kernel.ipc.futex
        self.locks: dict[int, Any] | None = None


def mmap_lock(k: Any, mm: MmStruct) -> Lock:
    """Return the lock that guards the areas of ``mm``.

    It is made when a second task may want it: an address space of one task has no rival.
    """
    lock = mm.mmap_lock
    if lock is None:
        lock = mm.mmap_lock = k.new_lock("mmap_lock")
    return lock


def image_layout(k: Any, image: "ImageSpec") -> Layout:
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


def mm_alloc(k: Any, image: "ImageSpec | None") -> MmStruct:
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


def dup_mm(k: Any, oldmm: MmStruct) -> MmStruct:
    """Return a copy of ``oldmm`` whose private pages are shared copy-on-write with it.

    Every writable private PTE of both loses its write permission; shared mappings keep theirs in
    the parent and are faulted in again by the child. Charges ``copy_mm``, and per area and
    per PTE, and one TLB flush if a PTE lost permission. Counts the PTEs in ``k.stats``.

    Raises:
        KernelError: ENOMEM, no memory for the structures.

    Source: kernel/fork.c:dup_mm(), dup_mmap(); mm/memory.c:copy_page_range(), copy_present_pte().
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
    if rules or k.eager_fork:
        try:
            table = _copy_table(k, oldmm, vmas)
        except KernelError:
            k.slabs["mm_struct"].free(slots.pop())
            k.slabs["vm_area_struct"].free_bulk(slots)
            k.frames.committed -= committed
            raise
    else:
        ptes = table.ptes
        copied = len(ptes)
        k.now_ns += costs.copy_pte * copied
        k.stats.ptes_copied += copied
        writable = table.writable
        if writable:
            for vpn in writable:
                if vpn in ptes:  # it may have been unmapped since
                    ptes[vpn] &= _PROTECT
            table.writable = []
            k.now_ns += costs.tlb_flush
        table.users += 1
    mm = MmStruct(table, vmas, oldmm.layout, slots)
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


def _copy_table(k: Any, oldmm: MmStruct, vmas: tuple[VmArea, ...]) -> PageTable:
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
        if pte & ~_PROTECT:
            old[vpn] = ptes[vpn] = pte & _PROTECT
            protected = True
    if protected:
        table.writable = [vpn for vpn in table.writable if old.get(vpn, 0) & PTE_WRITE]
        k.now_ns += costs.tlb_flush
    return copy


def get_mm_rss(mm: MmStruct) -> int:
    """Return how many pages of ``mm`` are resident; the zero page does not count.

    Source: include/linux/mm.h:get_mm_rss().
    """
    table = mm.pt
    rss = len(table.filled) - table.nr_zero + table.nr_reserved
    if mm.local is not None:
        rss += len(mm.local)
    if mm.text_mapped and mm.layout is not None:
        rss += len(mm.layout.text)
    return rss


def update_hiwater_rss(mm: MmStruct) -> None:
    """Remember how large ``mm`` was, before pages are given back.

    Source: include/linux/mm.h:update_hiwater_rss().
    """
    rss = get_mm_rss(mm)
    if rss > mm.hiwater_rss:
        mm.hiwater_rss = rss


def get_mm_hiwater_rss(mm: MmStruct) -> int:
    """Return the most pages that were ever resident. Source: include/linux/mm.h."""
    fresh = mm.pt.fresh
    # most processes end with just what exec gave them
    rss = get_mm_rss(mm) if fresh is None or mm.local is not None else fresh.resident
    return rss if rss > mm.hiwater_rss else mm.hiwater_rss


def own_table(k: Any, mm: MmStruct) -> PageTable:
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


def mmget(mm: MmStruct) -> MmStruct:
    """Take part in ``mm`` (CLONE_VM) and return it. Source: include/linux/sched/mm.h:mmget()."""
    mm.users += 1
    return mm


def mmput(k: Any, mm: MmStruct) -> None:
    """Leave ``mm``; the last task to do so frees it.

    Charges ``exit_per_vma``, ``free_pte`` and ``free_page`` for what is freed.

    Source: kernel/fork.c:mmput(), mm/mmap.c:exit_mmap().
    """
    mm.users -= 1
    if mm.users:
        if mm.users < 0:
            raise InvariantError("an address space was left more often than it was entered")
        return
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


def drop_shared(k: Any, vma: VmArea) -> int:
    """Count one area less for the shared object of ``vma``; return the frames that freed."""
    return 0 if vma.pages is None else put_shared(k, vma.pages)


def put_shared(k: Any, pages: SharedPages) -> int:
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
