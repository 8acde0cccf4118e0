"""How much memory the kernel promises: the three overcommit policies.

A page is committed when a private writable mapping or a shared anonymous object may come to need
it, long before it has a frame. ``heuristic`` (0) refuses only what could never be had, ``always``
(1) nothing, ``never`` (2) what would go beyond the commit limit: then fork and mmap fail with
ENOMEM, and nobody has to be killed later. The count is kept under every policy.

Source: mm/util.c (__vm_enough_memory, vm_commit_limit), mm/mmap.c:accountable_mapping(),
Documentation/mm/overcommit-accounting.rst.
Deviation: one exact counter; Linux adds up per-CPU ones in batches. No swap.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.uapi.errno_ import ENOMEM
from kernel.uapi.mman import MAP_NORESERVE, PAGE_SHIFT

if TYPE_CHECKING:
    from kernel.kernel import Kernel

OVERCOMMIT_GUESS: Final = 0
OVERCOMMIT_NEVER: Final = 2

ADMIN_RESERVE_PAGES: Final = 8 << 20 >> PAGE_SHIFT
USER_RESERVE_PAGES: Final = 128 << 20 >> PAGE_SHIFT


def vm_commit_limit(k: "Kernel") -> int:
    """Return the pages that may be committed under policy 2. Source: mm/util.c."""
    return k.frames.total * k.spec.overcommit_ratio // 100


def accountable_mapping(k: "Kernel", flags: int) -> bool:
    """Tell whether a new anonymous mapping counts. Source: mm/mmap.c:accountable_mapping()."""
    return not flags & MAP_NORESERVE or k.spec.overcommit_memory == OVERCOMMIT_NEVER


def security_vm_enough_memory(k: "Kernel", pages: int) -> None:
    """Commit ``pages`` more, or refuse.

    Raises:
        KernelError: ENOMEM; nothing is charged.

    Source: mm/util.c:__vm_enough_memory().
    """
    frames = k.frames
    policy = k.spec.overcommit_memory
    if policy == OVERCOMMIT_NEVER:
        allowed = vm_commit_limit(k)
        current = k.current
        if current.cred.euid != 0:
            allowed -= ADMIN_RESERVE_PAGES
        mm = current.mm
        if mm is not None:
            total_vm = sum(vma.end - vma.start for vma in mm.vmas)
            allowed -= min(total_vm // 32, USER_RESERVE_PAGES)
        if frames.committed + pages >= allowed:
            raise KernelError(ENOMEM)
    elif policy == OVERCOMMIT_GUESS and pages > frames.total:
        raise KernelError(ENOMEM)
    frames.committed += pages
