"""From a directory back to its path. Source: fs/d_path.c."""

from typing import TYPE_CHECKING

from kernel.errors import KernelError
from kernel.fs.inode import Inode
from kernel.task import fs_of
from kernel.uapi.errno_ import ENOENT

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def d_path(k: "Kernel", directory: Inode) -> str:
    """Return the absolute path of ``directory``.

    Raises:
        KernelError: ENOENT, it has been removed.

    Source: fs/d_path.c:getcwd().
    """
    parts: list[str] = []
    root = fs_of(k.current).root
    while directory is not root:
        if directory.parent is None or not directory.nlink:
            raise KernelError(ENOENT)
        if directory.parent is directory:
            break
        parts.append(directory.name)
        directory = directory.parent
    return "/" + "/".join(reversed(parts))


def sys_getcwd(k: "Kernel") -> str:
    """Return the working directory.

    Raises:
        KernelError: ENOENT, it has been removed.

    Source: fs/d_path.c:getcwd().
    """
    k.now_ns += k.costs.file_op
    return d_path(k, fs_of(k.current).cwd)


def file_path(inode: Inode) -> str:
    """Return the absolute path of a file, or the one it had with " (deleted)".

    Source: fs/d_path.c:d_path().
    """
    parts = [inode.name]
    above = inode.parent
    while above is not None and above.parent is not above:
        parts.append(above.name)
        above = above.parent
    path = "/" + "/".join(reversed(parts))
    return path if inode.parent is not None else f"{path} (deleted)"
