"""What an address space is made of: areas, layouts, the page table, and mm_struct itself.

Source: include/linux/mm_types.h.
"""

from typing import TYPE_CHECKING, Final

from kernel.locking import Lock
from kernel.mm.frames import ZERO_PAGE
from kernel.uapi.mman import (
    PAGE_SHIFT,
    TASK_SIZE,
    VM_ACCOUNT,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_READ,
    VM_WRITE,
)

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.ipc.futex import UserLock
    from kernel.ipc.shm import ShmidKernel
    from kernel.machine import ImageSpec
    from kernel.mm.frames import Frames

PTE_PRESENT: Final = 1
PTE_WRITE: Final = 2
PTE_EXCLUSIVE: Final = 4  # mapped by this table alone: PageAnonExclusive
PTE_DIRTY: Final = 8
PTE_SHIFT: Final = 4
PTE_NEW: Final = PTE_PRESENT | PTE_WRITE | PTE_EXCLUSIVE | PTE_DIRTY
PTE_SHARED: Final = PTE_PRESENT | PTE_WRITE
# of the bits of a writable page those that tell private (exclusive) from shared
PTE_KIND_MASK: Final = PTE_WRITE | PTE_EXCLUSIVE
ZERO_PTE: Final = ZERO_PAGE << PTE_SHIFT | PTE_PRESENT
PROTECT_MASK: Final = ~(PTE_WRITE | PTE_EXCLUSIVE)  # what fork leaves of an entry
DATA_FLAGS: Final = VM_READ | VM_WRITE | VM_ACCOUNT

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
        self.segment: ShmidKernel | None = None  # if they are one's


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
            VmArea(text_end, data_end, DATA_FLAGS, image.program, cache, image.text_pages),
            VmArea(data_end, bss_end, DATA_FLAGS, ""),
            VmArea(bss_end, bss_end + HEAP_PAGES, DATA_FLAGS, "[heap]"),
            VmArea(STACK_TOP - stack_pages, STACK_TOP, DATA_FLAGS | VM_GROWSDOWN, "[stack]"),
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
        "forked",
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
        "stacks",
        "text_mapped",
        "users",
        "vmas",
        "warm_at",
    )

    def __init__(
        self,
        pt: PageTable,
        vmas: tuple[VmArea, ...],
        layout: Layout | None,
        slots: list[int],
    ) -> None:
        # raised by a task that runs in it, lowered behind a BARRIER (mmput): who runs in it and
        # reads 1 is alone, and nobody else can come before it has gone on to its next clone
        self.users = 1
        self.dumpable = 1  # SUID_DUMP_USER (kernel.cred.creds)
        # mmap_lock
        self.mmap_lock: Lock | None = None  # made at first use: see mmap_lock()
        self.vmas = vmas  # by address
        self.nr_shared = 0  # areas with VM_SHARED
        self.nr_fork_rules = 0  # areas with VM_DONTCOPY or VM_WIPEONFORK
        self.warm_at = 0  # number of the last fork that copied it, or made it
        self.def_flags = 0  # of new areas: mlockall(MCL_FUTURE)
        self.forked = 0  # number of the last fork that copied it: Kernel.nr_dup_mm
        self.committed = 0  # pages that count against the commit limit
        self.locked_vm = 0  # pages in areas with VM_LOCKED
        self.hiwater_rss = 0  # most resident pages before some were given back
        self.slots = slots  # of the vm_area_struct cache; the last one is the mm's own
        # page table lock
        self.pt = pt
        self.local: dict[int, int] | None = None
        self.layout = layout
        self.text_mapped = False
        self.stacks = 0  # of threads, in use or left: the C library keeps those that are free
        # the file it runs: kernel.fs.inode.set_mm_exe_file
        self.exe_file: Inode | None = None
        # futex words of the address space: kernel.ipc.futex
        self.locks: dict[int, UserLock] | None = None
