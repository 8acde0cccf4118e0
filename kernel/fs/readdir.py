"""What a directory holds. Source: fs/readdir.c."""

from typing import TYPE_CHECKING

from kernel.errors import KernelError
from kernel.fs.inode import Inode
from kernel.uapi.errno_ import ENOTDIR

if TYPE_CHECKING:
    from kernel.state import KernelState


def iterate_dir(k: "KernelState", directory: Inode) -> list[str]:
    """Return the names in ``directory`` without ``.`` and ``..``, in the order of readdir.

    Raises:
        KernelError: ENOTDIR; ENOENT, it is the directory of a process that is gone.

    Source: fs/readdir.c:iterate_dir(), fs/libfs.c:dcache_readdir(), fs/proc/root.c.
    """
    if directory.entries is None:
        raise KernelError(ENOTDIR)
    names = list(directory.entries)
    if directory.i_op is not None:
        names += directory.i_op.names(k, directory)
    return names
