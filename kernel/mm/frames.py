"""Page frames: who uses which, and what is in those that a guest program can read back.

A frame is a number; its reference count is ``refs[frame]``, one for every page table that maps
it and one for every other owner (page cache, slab, pipe buffer, shared-memory object). Page tables
that several address spaces hold in common count once (see ``kernel.mm.mm``), so a fork
costs the allocator nothing.

Free frames form a stack: the frame freed last is given out first, as a CPU's page lists do, and
a frame number never used before only when the stack is empty. So the order is deterministic,
``refs`` is as long as the peak of frames in use, and a large machine costs memory only for what
it uses at once.

Who needs frames but not yet their numbers reserves them (``reserve``): kernel stacks, and the
pages exec maps, which a short program never touches. Reserved frames count as used; which ones
they are is open until ``take_reserved``. At least as many lie on the stack of free frames.

Frame 0 is the zero page. It belongs to nobody: its count is pinned and means nothing.

Content exists only for frames that a guest stored into; every other frame reads as zeros.

Source: mm/page_alloc.c, include/linux/page_ref.h, mm/memory.c (ZERO_PAGE).
Deviation: no zones, no buddy orders and no reclaim: memory that is in use stays in use, and when
none is free the allocation fails.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from kernel.errors import InvariantError, KernelError
from kernel.uapi.errno_ import ENOMEM
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.mm.mm_types import Layout

ZERO_PAGE: Final = 0
_PINNED: Final = 1 << 40


class Frames:
    """The page frames of one machine.

    Args:
        total: number of frames, the zero page included; at least 2.
        commit_limited: overcommit policy 2: ``kernel.mm.overcommit``.
    """

    __slots__ = (
        "commit_limited",
        "committed",
        "content",
        "free",
        "layouts",
        "refs",
        "reserved",
        "total",
    )

    def __init__(self, total: int, *, commit_limited: bool = False) -> None:
        if total < 2:
            raise ValueError(f"a machine needs at least 2 page frames, got {total}")
        self.total = total
        self.refs: list[int] = [_PINNED]  # of every frame ever used
        self.free: list[int] = []  # stack; never shorter than ``reserved``
        self.reserved = 0
        self.commit_limited = commit_limited
        self.committed = 0  # pages promised to address spaces: vm_committed_as
        self.content: dict[int, bytearray] = {}
        self.layouts: dict[tuple[object, ...], Layout] = {}  # page cache of executed images

    @property
    def nr_used(self) -> int:
        """Frames in use now, without the zero page."""
        return len(self.refs) - 1 - len(self.free) + self.reserved

    @property
    def nr_free(self) -> int:
        """Frames that can still be given out."""
        return self.total - len(self.refs) + len(self.free) - self.reserved

    @property
    def peak(self) -> int:
        """Most frames ever in use at once, without the zero page."""
        return len(self.refs) - 1

    def alloc(self) -> int:
        """Return a frame with one reference, reading as zeros.

        Raises:
            KernelError: ENOMEM, no frame is free.

        Source: mm/page_alloc.c:alloc_pages().
        """
        if len(self.free) > self.reserved:
            frame = self.free.pop()
            self.refs[frame] = 1
            return frame
        frame = len(self.refs)
        if frame >= self.total:
            raise KernelError(ENOMEM)
        self.refs.append(1)
        return frame

    def alloc_bulk(self, count: int) -> list[int]:
        """Return ``count`` frames with one reference each; all or none.

        Raises:
            KernelError: ENOMEM, fewer than ``count`` are free.

        Source: mm/page_alloc.c:alloc_pages_bulk().
        """
        free, refs = self.free, self.refs
        if not count:
            return []
        spare = len(free) - self.reserved
        if spare >= count:
            taken = free[-count:]
            del free[-count:]
            for frame in taken:
                refs[frame] = 1
            return taken
        first = len(refs)
        fresh = count - spare
        if first + fresh > self.total:
            raise KernelError(ENOMEM)
        taken = free[self.reserved :]
        del free[self.reserved :]
        for frame in taken:
            refs[frame] = 1
        refs += [1] * fresh
        taken += range(first, first + fresh)
        return taken

    def reserve(self, count: int) -> None:
        """Put ``count`` frames aside without saying which; all or none.

        Raises:
            KernelError: ENOMEM, fewer than ``count`` are free.
        """
        reserved = self.reserved + count
        short = reserved - len(self.free)
        if short > 0:
            first = len(self.refs)
            if first + short > self.total:
                raise KernelError(ENOMEM)
            self.refs += [0] * short
            self.free += range(first, first + short)
        self.reserved = reserved

    def cancel(self, count: int) -> None:
        """Give back ``count`` frames that were reserved and not taken."""
        self.reserved -= count
        if self.reserved < 0:
            raise InvariantError(f"{count} reserved frames were freed twice")

    def take_reserved(self, count: int) -> list[int]:
        """Return ``count`` of the reserved frames, with one reference each."""
        self.cancel(count)
        return self.alloc_bulk(count)

    def get(self, frame: int) -> None:
        """Take another reference. ``frame`` is in use and not the zero page.

        Source: include/linux/mm.h:get_page().
        """
        refs = self.refs
        refs[frame] = refs[frame] + 1

    def put(self, frame: int) -> None:
        """Drop a reference; the last one frees the frame and forgets its content.

        Source: include/linux/mm.h:put_page().
        """
        left = self.refs[frame] - 1
        self.refs[frame] = left
        if left <= 0:
            if left < 0:
                raise InvariantError(f"frame {frame} was freed twice ({left} references)")
            self.free.append(frame)
            if self.content:
                self.content.pop(frame, None)

    def get_bulk(self, frames: Iterable[int]) -> None:
        """Take one more reference of each frame; the zero page may be among them."""
        refs = self.refs
        for frame in frames:
            refs[frame] = refs[frame] + 1
        refs[ZERO_PAGE] = _PINNED

    def put_bulk(self, frames: Iterable[int]) -> int:
        """Drop one reference of each frame; return how many were freed.

        The zero page may be among them.
        """
        refs, free, content = self.refs, self.free, self.content
        before = len(free)
        for frame in frames:
            left = refs[frame] - 1
            refs[frame] = left
            if not left:
                free.append(frame)
                if content:
                    content.pop(frame, None)
            elif left < 0:
                raise InvariantError(f"frame {frame} was freed twice ({left} references)")
        refs[ZERO_PAGE] = _PINNED
        return len(free) - before

    def copy_content(self, source: int, target: int) -> None:
        """Make ``target`` read as ``source`` does.

        Source: mm/memory.c:copy_user_highpage().
        """
        data = self.content.get(source)
        if data is not None:
            self.content[target] = bytearray(data)

    def read(self, frame: int, offset: int, length: int) -> bytes:
        """Return ``length`` bytes at ``offset``; the range lies inside the page."""
        data = self.content.get(frame)
        if data is None:
            return bytes(length)
        return bytes(data[offset : offset + length])

    def page(self, frame: int) -> bytearray:
        """Return what the page holds, to read and write; not the zero page."""
        page = self.content.get(frame)
        if page is None:
            if frame == ZERO_PAGE:
                raise InvariantError("a store went to the zero page")
            page = self.content[frame] = bytearray(PAGE_SIZE)
        return page

    def write(self, frame: int, offset: int, data: bytes) -> None:
        """Store ``data`` at ``offset``; the range lies inside the page."""
        self.page(frame)[offset : offset + len(data)] = data
