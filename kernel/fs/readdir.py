"""What a directory holds. Source: fs/readdir.c."""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.fs.file import fget
from kernel.fs.inode import Inode
from kernel.task import files_of
from kernel.uapi.errno_ import ENOENT, ENOTDIR

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_DIRENTS: Final = 1000  # names one getdents64() gives at most


def iterate_dir(k: "Kernel", directory: Inode) -> list[str]:
    """Return the names in ``directory`` without ``.`` and ``..``, in the order of readdir.

    Raises:
        KernelError: ENOTDIR; ENOENT, it has been removed, or its process is gone.

    Source: fs/readdir.c:iterate_dir(), fs/libfs.c:dcache_readdir(), fs/proc/root.c.
    """
    if directory.entries is None:
        raise KernelError(ENOTDIR)
    if not directory.nlink:
        raise KernelError(ENOENT)
    names = list(directory.entries)
    if directory.i_op is not None:
        names += directory.i_op.names(k, directory)
    return names


def sys_getdents64(k: "Kernel", fd: int) -> tuple[str, ...]:
    """Return the next names of an open directory, () at its end; "." and ".." are left out.

    Raises:
        KernelError: EBADF; ENOTDIR; ENOENT, it has been removed.

    Source: fs/readdir.c:getdents64(), iterate_dir().
    Deviation: the offset counts entries, so names that are removed meanwhile can hide others; the
    order is that of creation.
    """
    file = fget(files_of(k.current), fd)
    names = tuple(iterate_dir(k, file.inode)[file.pos : file.pos + _DIRENTS])
    k.now_ns += k.costs.file_op + k.costs.path_component * len(names)
    file.pos += len(names)
    return names
