"""Accesses of guest programs to 32-bit words of memory whose order is defined, and barriers.

Each access is one step: nobody sees half of it, and at granularity ``step`` others may run before
it. A read-modify-write orders everything, as locked instructions do.

Source: include/linux/compiler.h (READ_ONCE), include/linux/atomic.h,
Documentation/memory-barriers.txt.
Deviation: memory is sequentially consistent, so acquire, release and the barriers order nothing
that is not in order already.
"""

from typing import TYPE_CHECKING, Final

from kernel.mm.fault import handle_mm_fault, lookup_pte
from kernel.mm.mm_types import PTE_SHIFT, PTE_WRITE
from kernel.points import BARRIER, POINT, Path
from kernel.task import mm_of
from kernel.uapi.atomic import (
    ATOMIC_ADD,
    ATOMIC_CMPXCHG,
    ATOMIC_LOAD_ACQUIRE,
    ATOMIC_READ_ONCE,
    ATOMIC_STORE_RELEASE,
    ATOMIC_WRITE_ONCE,
)
from kernel.uapi.mman import PAGE_SHIFT, PAGE_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_LOADS: Final = (ATOMIC_READ_ONCE, ATOMIC_LOAD_ACQUIRE)
_STORES: Final = (ATOMIC_WRITE_ONCE, ATOMIC_STORE_RELEASE)


def sys_atomic(k: "Kernel", op: int, address: int, value: int, expected: int) -> Path[int]:
    """Do one access to the word at ``address``, a multiple of 4; return its old value.

    Args:
        op: ATOMIC_*.
        value: what is stored or added; not used by loads.
        expected: for ATOMIC_CMPXCHG, what the word must be for ``value`` to be stored.

    Raises:
        FaultSignal: see handle_mm_fault.
    """
    k.now_ns += k.costs.memory_access
    mm = mm_of(k.current)
    if op in _LOADS or op in _STORES:
        yield "atomic.access", POINT, mm
    else:
        yield "atomic.read_modify_write", BARRIER, mm
    vpn = address >> PAGE_SHIFT
    write = op not in _LOADS
    pte = lookup_pte(mm, vpn)
    while not pte or (write and not pte & PTE_WRITE):
        yield from handle_mm_fault(k, mm, vpn, write)
        pte = lookup_pte(mm, vpn)
    frame = pte >> PTE_SHIFT
    inside = address & (PAGE_SIZE - 1)
    old = int.from_bytes(k.frames.read(frame, inside, 4), "little")
    if write and (op != ATOMIC_CMPXCHG or old == expected):
        new = old + value if op == ATOMIC_ADD else value
        k.frames.write(frame, inside, (new & 0xFFFFFFFF).to_bytes(4, "little"))
    return old


def sys_smp_barrier(k: "Kernel", kind: int) -> Path[None]:
    """Order the accesses before and after: MB_FULL, MB_READ, MB_WRITE.

    Source: include/asm-generic/barrier.h:smp_mb(), smp_rmb(), smp_wmb().
    """
    k.now_ns += k.costs.memory_access
    yield "smp_barrier.order", BARRIER, kind
    return None
