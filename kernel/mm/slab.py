"""Slab caches: kernel structures of one kind packed into slabs of whole page frames.

A slab holds ``objperslab`` objects and is full, partial or empty. Allocation takes from the
cache's current slab, then from the partial slab used last, then from new frames. An object's
number is its slab's number times ``objperslab`` plus its place. A slab that becomes empty gives
its frames back if the cache keeps ``min_partial`` others.

The structures themselves are Python objects; the cache models where they would lie and
what ``/proc/slabinfo`` says about them.

Source: mm/slub.c (calculate_order, ___slab_alloc, __slab_free, discard_slab, slabinfo),
include/linux/slub_def.h.
Deviation: one current slab per cache instead of one per CPU; active_objs is exact.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import InvariantError
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.mm.frames import Frames

_MAX_ORDER: Final = 3  # PAGE_ALLOC_COSTLY_ORDER

# Object sizes with padding, as /proc/slabinfo of an x86-64 6.18 shows them.
# Deviation: structures are as large as that build's on every architecture and profile.
OBJECT_SIZES: Final[tuple[tuple[str, int], ...]] = (
    ("task_struct", 5824),
    ("signal_cache", 1152),
    ("sighand_cache", 2112),
    ("mm_struct", 1600),
    ("files_cache", 704),
    ("fs_cache", 64),
    ("cred_jar", 192),
    ("pid", 192),
    ("vm_area_struct", 192),
)


def calculate_order(size: int, cpus: int) -> int:
    """Return the order (log2 of frames) of the slabs for objects of ``size`` bytes.

    Enough objects for the number of CPUs, and as little waste as a small order allows.

    Source: mm/slub.c:calculate_order(), calc_slab_order() (6.12).
    """
    most = max((PAGE_SIZE << _MAX_ORDER) // size, 1)
    wanted = min(4 * (cpus.bit_length() + 1), most)
    least = _get_order(wanted * size)
    fraction = 16
    while fraction > 1:
        for order in range(least, _MAX_ORDER + 1):
            slab = PAGE_SIZE << order
            if slab % size <= slab // fraction:
                return order
        fraction //= 2
    return _get_order(size)


def _get_order(size: int) -> int:
    return ((size - 1) // PAGE_SIZE).bit_length()


class Slab:
    """One slab: its frames, and the places of its free objects (a stack)."""

    __slots__ = ("first", "frames", "free", "listed")

    def __init__(self, first: int, frames: list[int], objects: int) -> None:
        self.first = first  # number of its first object
        self.frames = frames
        self.free = list(range(first + objects - 1, first - 1, -1))
        self.listed = False  # on the partial list, or the current one


class SlabCache:
    """One cache (``kmem_cache``).

    Args:
        name: as in /proc/slabinfo.
        object_size: bytes per object, padding included.
        frames: where slabs come from.
        cpus: number of CPUs, which decides the size of slabs.
        packed: False: plain allocation; every object has whole frames of its own, and gives them
            back as soon as it is free (one is kept, as the page allocator's per-CPU list would).
    """

    __slots__ = (
        "current",
        "frames",
        "free_objs",
        "min_partial",
        "name",
        "numbers",
        "objperslab",
        "objsize",
        "pagesperslab",
        "partial",
        "slabs",
    )

    def __init__(
        self, name: str, object_size: int, frames: "Frames", cpus: int, *, packed: bool = True
    ) -> None:
        self.name = name
        self.objsize = object_size
        self.frames = frames
        self.pagesperslab = 1 << calculate_order(object_size, cpus)
        self.objperslab = self.pagesperslab * PAGE_SIZE // object_size
        self.min_partial = min(max((object_size.bit_length() - 1) // 2, 5), 10)
        if not packed:
            self.pagesperslab = 1 << _get_order(object_size)
            self.objperslab = 1
            self.min_partial = -1
        self.slabs: dict[int, Slab] = {}
        self.numbers: list[int] = []  # of slabs that are gone, to be used again
        self.partial: list[Slab] = []
        self.current: Slab | None = None
        self.free_objs: list[int] = []  # places of the current slab's free objects

    @property
    def active_objs(self) -> int:
        """Objects in use."""
        return self.num_objs - sum(len(slab.free) for slab in self.slabs.values())

    @property
    def num_objs(self) -> int:
        """Objects there is room for in the slabs the cache has."""
        return len(self.slabs) * self.objperslab

    @property
    def nr_pages(self) -> int:
        """Page frames the cache has."""
        return len(self.slabs) * self.pagesperslab

    def alloc(self) -> int:
        """Return the number of a free object, now in use.

        Raises:
            KernelError: ENOMEM, no frames for a new slab.

        Source: mm/slub.c:kmem_cache_alloc().
        """
        free = self.free_objs
        if not free:
            free = self._refill()
        return free.pop()

    def alloc_bulk(self, count: int) -> list[int]:
        """Return ``count`` objects, all or none. Source: mm/slub.c:kmem_cache_alloc_bulk().

        Raises:
            KernelError: ENOMEM, no frames for a new slab.
        """
        free = self.free_objs
        if len(free) >= count > 0:
            taken = free[-count:]
            del free[-count:]
            return taken
        taken = []
        try:
            for _ in range(count):
                taken.append(self.alloc())
        except BaseException:
            self.free_bulk(taken)
            raise
        return taken

    def free(self, number: int) -> None:
        """Give an object back. Source: mm/slub.c:kmem_cache_free()."""
        slab = self.slabs[number // self.objperslab]
        free = slab.free
        free.append(number)
        if not slab.listed or len(free) >= self.objperslab:
            self._retire(slab)

    def free_bulk(self, numbers: list[int]) -> None:
        """Give objects back. Source: mm/slub.c:kmem_cache_free_bulk()."""
        if not numbers:
            return
        objperslab = self.objperslab
        slab = self.slabs[numbers[0] // objperslab]
        first = slab.first
        end = first + objperslab
        whole = True  # mostly; min() and max() would be dearer than the loop
        for number in numbers:
            if number < first or number >= end:
                whole = False
                break
        if whole:
            free = slab.free
            free.extend(numbers)
            if not slab.listed or len(free) >= objperslab:
                self._retire(slab)
            return
        for number in numbers:
            if not first <= number < first + objperslab:
                slab = self.slabs[number // objperslab]
                first = slab.first
            free = slab.free
            free.append(number)
            if not slab.listed or len(free) >= objperslab:
                self._retire(slab)

    def _refill(self) -> list[int]:
        """Make a partial or a new slab the current one; return its free objects."""
        if self.current is not None:
            self.current.listed = False
        if self.partial:
            slab = self.partial.pop()
        else:
            taken = self.frames.alloc_bulk(self.pagesperslab)
            number = self.numbers.pop() if self.numbers else len(self.slabs)
            slab = Slab(number * self.objperslab, taken, self.objperslab)
            slab.listed = True
            self.slabs[number] = slab
        self.current = slab
        self.free_objs = slab.free
        return slab.free

    def _retire(self, slab: Slab) -> None:
        """List a slab that just stopped being full; drop one that just became empty."""
        if len(slab.free) > self.objperslab:
            raise InvariantError(f"{self.name}: an object of slab {slab.first} was freed twice")
        if slab is self.current:
            return
        if not slab.listed:
            slab.listed = True
            self.partial.append(slab)
        if len(slab.free) == self.objperslab and len(self.partial) > self.min_partial:
            self.partial.remove(slab)
            self._discard(slab)

    def _discard(self, slab: Slab) -> None:
        number = slab.first // self.objperslab
        del self.slabs[number]
        self.numbers.append(number)
        self.frames.put_bulk(slab.frames)

    def recount(self) -> dict[int, int]:
        """Return ``{frame: 1}`` for the frames of the cache, for the ledger of frames.

        Raises:
            InvariantError: an object is free twice.
        """
        for slab in self.slabs.values():
            if len(set(slab.free)) != len(slab.free):
                raise InvariantError(f"{self.name}: an object of slab {slab.first} is free twice")
        return {frame: 1 for slab in self.slabs.values() for frame in slab.frames}


def boot_slabs(frames: "Frames", cpus: int, *, packed: bool) -> dict[str, SlabCache]:
    """Return the caches of the process-management structures, by name, all empty.

    Source: kernel/fork.c:proc_caches_init(), fork_init(); kernel/cred.c, kernel/pid.c.
    """
    return {name: SlabCache(name, size, frames, cpus, packed=packed) for name, size in OBJECT_SIZES}
