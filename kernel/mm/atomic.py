"""Accesses of guest programs to 32-bit words of memory whose order is defined, and barriers.

A word of a shared mapping is a field of shared memory like those of the kernel: its accesses are
LOAD, STORE and UPDATE points, and what they order depends on the machine's memory model
(``kernel.drive.memory``). What a program gets by an ordinary access: ``kernel.mm.access``.

Source: include/linux/compiler.h (READ_ONCE), include/linux/atomic.h,
Documentation/memory-barriers.txt.
Deviation: a word of a private page is sequentially consistent, whatever the memory model. A
cmpxchg() that fails is a full barrier, too.
"""

from typing import TYPE_CHECKING, Final

from kernel.mm.access import shared_cell
from kernel.mm.fault import handle_mm_fault, lookup_pte
from kernel.mm.mm_types import PTE_SHIFT, PTE_WRITE
from kernel.points import (
    BARRIER,
    LOAD,
    LOAD_ACQUIRE,
    READ_BARRIER,
    STORE,
    STORE_RELEASE,
    UPDATE,
    WRITE_BARRIER,
    Path,
)
from kernel.task import mm_of
from kernel.uapi.atomic import (
    ATOMIC_ADD,
    ATOMIC_CMPXCHG,
    ATOMIC_LOAD_ACQUIRE,
    ATOMIC_READ_ONCE,
    ATOMIC_STORE_RELEASE,
    ATOMIC_WRITE_ONCE,
    MB_READ,
    MB_WRITE,
)
from kernel.uapi.mman import PAGE_SHIFT, PAGE_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_LOADS: Final[tuple[int, ...]] = (ATOMIC_READ_ONCE, ATOMIC_LOAD_ACQUIRE)
_ORDINARY: Final[tuple[int, ...]] = (
    *_LOADS,
    ATOMIC_WRITE_ONCE,
    ATOMIC_STORE_RELEASE,
)  # read or write, not both


def sys_atomic(k: "Kernel", op: int, address: int, value: int, expected: int) -> Path[int]:
    """Do one access to the word at ``address``, a multiple of 4.

    Args:
        op: ATOMIC_*.
        value: what is stored or added; not used by loads.
        expected: for ATOMIC_CMPXCHG, what the word must be for ``value`` to be stored.

    Returns:
        The old value. What only stores gives what memory held when it was offered, for traces.

    Raises:
        FaultSignal: see handle_mm_fault.
    """
    k.now_ns += k.costs.memory_access
    mm = mm_of(k.current)
    vpn = address >> PAGE_SHIFT
    inside = address & (PAGE_SIZE - 1)
    write = op not in _LOADS
    in_order = op in _ORDINARY
    while True:
        pte = lookup_pte(mm, vpn)
        while not pte or (write and not pte & PTE_WRITE):
            yield from handle_mm_fault(k, mm, vpn, write)
            pte = lookup_pte(mm, vpn)
        word = shared_cell(k, pte, inside, 4)
        if word is not None or in_order:
            break
        yield "atomic.private_word", BARRIER, None  # which word is not told
        in_order = True  # but the page may be another one now
    data = b""
    if word is None:
        frame = pte >> PTE_SHIFT
        data = k.frames.read(frame, inside, 4)
        if write:
            k.frames.write(frame, inside, _new_word(op, data, value, expected))
    elif op == ATOMIC_READ_ONCE:
        data = yield "atomic.read_once", LOAD, (word, "data")
    elif op == ATOMIC_LOAD_ACQUIRE:
        data = yield "atomic.load_acquire", LOAD_ACQUIRE, (word, "data")
    elif op == ATOMIC_WRITE_ONCE:
        data = word.data
        yield "atomic.write_once", STORE, (word, "data", value.to_bytes(4, "little"))
    elif op == ATOMIC_STORE_RELEASE:
        data = word.data
        yield "atomic.store_release", STORE_RELEASE, (word, "data", value.to_bytes(4, "little"))
    else:
        data = yield "atomic.update", UPDATE, (word, "data")
        word.data = _new_word(op, data, value, expected)
    return int.from_bytes(data, "little")


def _new_word(op: int, data: bytes, value: int, expected: int) -> bytes:
    """Return what an operation that writes leaves where it found ``data``."""
    old = int.from_bytes(data, "little")
    if op == ATOMIC_CMPXCHG and old != expected:
        return data
    new = old + value if op == ATOMIC_ADD else value
    return (new & 0xFFFFFFFF).to_bytes(4, "little")


def sys_smp_barrier(k: "Kernel", kind: int) -> Path[None]:
    """Order the accesses before and after: MB_FULL, MB_READ, MB_WRITE.

    Source: include/asm-generic/barrier.h:smp_mb(), smp_rmb(), smp_wmb().
    """
    k.now_ns += k.costs.memory_access
    if kind == MB_READ:
        yield "smp_barrier.smp_rmb", READ_BARRIER, None
    elif kind == MB_WRITE:
        yield "smp_barrier.smp_wmb", WRITE_BARRIER, None
    else:
        yield "smp_barrier.smp_mb", BARRIER, None
    return None
