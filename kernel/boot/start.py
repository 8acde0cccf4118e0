"""Boot: the order in which a machine's kernel state comes up.

Memory first, then the caches that take their pages from it, the kernel stacks, the file tree, the
pid map, and last the first tasks: swapper, init, kthreadd.

Source: init/main.c:start_kernel(), rest_init().
"""

from typing import TYPE_CHECKING

from kernel.arch import ppc, x86
from kernel.boot.rest_init import boot_tasks
from kernel.fs.initramfs import boot_vfs
from kernel.mm.frames import Frames
from kernel.mm.overcommit import OVERCOMMIT_NEVER
from kernel.mm.slab import boot_slabs
from kernel.proc.root import proc_root_init

if TYPE_CHECKING:
    from kernel.state import KernelState

_ARCHES = {"x86": x86, "ppc": ppc}


def boot_machine(k: "KernelState") -> None:
    """Bring up everything that exists before the first program starts."""

    spec = k.spec
    k.arch = _ARCHES[spec.arch]
    k.frames = Frames(
        spec.memory_bytes // spec.page_size,
        commit_limited=spec.overcommit_memory == OVERCOMMIT_NEVER,
    )
    k.slabs = boot_slabs(k.frames, spec.cpus)
    k.stacks = k.arch.boot_stacks(k)
    k.vfs = boot_vfs(k)
    proc_root_init(k)
    boot_tasks(k)
