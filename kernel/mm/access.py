"""Reading and writing memory of address spaces, the current task's or another's.

A page of a shared mapping is read and written by LOAD and STORE points (``kernel.points``), one for
what an access has in a page: other CPUs see those as the machine's memory model has it. What is in
a private page only threads of one process have in common; an access to it is one step.

Source: mm/memory.c.
Deviation: private pages are sequentially consistent, whatever the memory model. A copy of several
bytes is one access in each page it touches; a processor makes one of each word or cache line.
"""

from typing import TYPE_CHECKING

from kernel.drive.memory import Cell
from kernel.errors import FaultSignal, KernelError
from kernel.mm.fault import handle_mm_fault, lookup_pte
from kernel.mm.mm_types import PTE_KIND_MASK, PTE_SHIFT, PTE_WRITE, MmStruct
from kernel.points import LOAD, STORE, Path
from kernel.uapi.errno_ import EIO
from kernel.uapi.mman import PAGE_SHIFT, PAGE_SIZE, TASK_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct


def shared_cell(k: "Kernel", pte: int, start: int, length: int) -> Cell | None:
    """Return the bytes at ``start`` of a page if it is one of a shared mapping."""
    if pte & PTE_KIND_MASK != PTE_WRITE:
        return None
    frame = pte >> PTE_SHIFT
    return Cell(k.frames.page(frame), frame, start, length)


def load(k: "Kernel", mm: MmStruct, place: int, length: int) -> Path[bytes]:
    """Return ``length`` bytes at the address ``place``.

    Raises:
        FaultSignal: see handle_mm_fault.

    Source: arch/x86/lib/copy_user_64.S.
    """
    data = b""
    end = place + length
    while place < end:
        vpn = place >> PAGE_SHIFT
        pte = lookup_pte(mm, vpn)
        while not pte:
            yield from handle_mm_fault(k, mm, vpn, False)
            pte = lookup_pte(mm, vpn)
        inside = place & (PAGE_SIZE - 1)
        part = min(PAGE_SIZE - inside, end - place)
        cell = shared_cell(k, pte, inside, part)
        if cell is None:
            data += k.frames.read(pte >> PTE_SHIFT, inside, part)
        else:
            found: bytes = yield "load.bytes", LOAD, (cell, "data")
            data += found
        place += part
    return data


def store(k: "Kernel", mm: MmStruct, place: int, data: bytes) -> Path[None]:
    """Store ``data`` at the address ``place``.

    Raises:
        FaultSignal: see handle_mm_fault.

    Source: arch/x86/lib/copy_user_64.S.
    """
    done = 0
    while done < len(data):
        vpn = place >> PAGE_SHIFT
        pte = lookup_pte(mm, vpn)
        while not pte & PTE_WRITE:
            yield from handle_mm_fault(k, mm, vpn, True)
            pte = lookup_pte(mm, vpn)
        inside = place & (PAGE_SIZE - 1)
        part = min(PAGE_SIZE - inside, len(data) - done)
        cell = shared_cell(k, pte, inside, part)
        if cell is None:
            k.frames.write(pte >> PTE_SHIFT, inside, data[done : done + part])
        else:
            yield "store.bytes", STORE, (cell, "data", data[done : done + part])
        place += part
        done += part
    return None


def access_process_vm(
    k: "Kernel", child: "TaskStruct", address: int, length: int, data: bytes | None
) -> Path[bytes]:
    """Read ``length`` bytes of another task's memory, or write ``data`` there.

    Raises:
        KernelError: EIO, there is none.

    Source: mm/memory.c:ptrace_access_vm(), access_remote_vm().
    """
    mm = child.mm
    if mm is None or not 0 <= address <= TASK_SIZE - length:
        raise KernelError(EIO)
    try:
        if data is None:
            return (yield from load(k, mm, address, length))
        yield from store(k, mm, address, data)
    except FaultSignal:
        raise KernelError(EIO) from None
    return b""
