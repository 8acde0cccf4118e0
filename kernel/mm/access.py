"""Reading and writing another task's memory.

Source: mm/memory.c.
"""

from typing import TYPE_CHECKING

from kernel.errors import FaultSignal, KernelError
from kernel.mm.fault import handle_mm_fault, lookup_pte
from kernel.mm.mm_types import PTE_SHIFT, PTE_WRITE
from kernel.points import Path
from kernel.uapi.errno_ import EIO
from kernel.uapi.mman import PAGE_SHIFT, PAGE_SIZE, TASK_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct


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
    result = b""
    done = 0
    while done < length:
        place = address + done
        vpn = place >> PAGE_SHIFT
        pte = lookup_pte(mm, vpn)
        while not pte or (data is not None and not pte & PTE_WRITE):
            try:
                yield from handle_mm_fault(k, mm, vpn, data is not None)
            except FaultSignal:
                raise KernelError(EIO) from None
            pte = lookup_pte(mm, vpn)
        inside = place & (PAGE_SIZE - 1)
        part = min(PAGE_SIZE - inside, length - done)
        if data is None:
            result += k.frames.read(pte >> PTE_SHIFT, inside, part)
        else:
            k.frames.write(pte >> PTE_SHIFT, inside, data[done : done + part])
        done += part
    return result
