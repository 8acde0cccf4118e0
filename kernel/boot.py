"""Boot: the order in which a machine's kernel state comes up.

Memory first, then the caches that take their pages from it, the file tree, the pid map, and last
the first tasks: swapper, init, kthreadd.

Source: init/main.c:start_kernel(), rest_init().
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.state import KernelState


def boot_machine(k: "KernelState") -> None:
    """Bring up everything that exists before the first program starts."""
    del boot_tasks, boot_vfs, k
