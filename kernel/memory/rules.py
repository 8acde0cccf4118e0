"""The rules of store buffers, which the machines of litmus tests and of the kernel have in common.

A CPU's buffer holds, oldest first, the stores that others do not see yet. Under ``tso`` they become
visible in their order. Under ``pso`` those to one location do; others may change places, unless a
store barrier stood between them: what comes behind one is of a later *epoch*, and waits until
everything of earlier ones is visible. What orders loads alone does nothing, as loads are not late.

Source: Owens, Sarkar, Sewell, A better x86 memory model: x86-TSO, 2009; SPARC V9 for PSO.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

Entry = TypeVar("Entry")

# model -> its stores keep their order for each location only
BUFFERED: Final = {"tso": False, "pso": True}

# what stands between two accesses
STORE_BARRIER: Final = 0  # smp_wmb(), or that the second is a release
LOAD_BARRIER: Final = 1  # smp_rmb(), or that the first is an acquire; barrier()
FULL_BARRIER: Final = 2  # smp_mb(), an atomic read-modify-write, a lock


def drainable(
    buffer: Sequence[Entry],
    by_location: bool,
    epoch: Callable[[Entry], int],
    overlap: Callable[[Entry, Entry], bool],
) -> Iterator[int]:
    """Yield the places in ``buffer`` of the stores that may become visible next.

    Args:
        epoch: of an entry.
        overlap: whether two entries are to the same bytes, in part at least.
    """
    if not buffer:
        return
    if not by_location:
        yield 0
        return
    first = epoch(buffer[0])
    for at, entry in enumerate(buffer):
        if epoch(entry) != first:
            return
        if not any(overlap(buffer[before], entry) for before in range(at)):
            yield at


def must_be_empty(barrier: int) -> bool:
    """Tell whether a CPU's buffer must have been drained at ``barrier``."""
    return barrier == FULL_BARRIER


def epoch_behind(last: int | None, now: int, barrier: int) -> int:
    """Return the epoch of stores behind ``barrier``.

    Args:
        last: the epoch of the newest store of the buffer; None if the buffer is empty.
        now: the epoch before the barrier.
    """
    if last is None:
        return 0
    return last + 1 if barrier == STORE_BARRIER else now
