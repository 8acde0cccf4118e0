"""Working directory, root and umask of a process. Source: fs/fs_struct.c."""

from typing import TYPE_CHECKING

from kernel.fs.inode import Inode
from kernel.points import BARRIER, Path
from kernel.task import fs_of

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class FsStruct:
    """Working directory, root and umask (``fs_struct``), shared by ``users`` tasks."""

    __slots__ = ("cwd", "in_exec", "root", "slot", "umask", "users")

    def __init__(self, root: Inode, cwd: Inode, umask: int, slot: int) -> None:
        self.root = root
        self.cwd = cwd
        self.umask = umask
        self.users = 1  # as ``count`` of a FilesStruct
        self.in_exec = False  # one of its users is in exec, and it may not get more of them
        self.slot = slot


def init_fs(k: "Kernel") -> FsStruct:
    """Return the first task's file-system context: root directory, umask 022 (init_fs)."""
    return FsStruct(k.vfs.root, k.vfs.root, 0o022, k.slabs["fs_cache"].alloc())


def copy_fs_struct(k: "Kernel", old: FsStruct) -> FsStruct:
    """Return a copy of ``old`` with one user. Source: fs/fs_struct.c:copy_fs_struct().

    Raises:
        KernelError: ENOMEM.
    """
    return FsStruct(old.root, old.cwd, old.umask, k.slabs["fs_cache"].alloc())


def put_fs_struct(k: "Kernel", fs: FsStruct) -> Path[None]:
    """Leave ``fs``; the last task to do so frees it.

    Source: fs/fs_struct.c:exit_fs().
    Deviation: ``users`` is an atomic, where Linux takes the lock of ``fs``.
    """
    yield "put_fs_struct.users", BARRIER, fs
    fs.users -= 1
    if not fs.users:
        k.slabs["fs_cache"].free(fs.slot)


def sys_umask(k: "Kernel", mask: int) -> int:
    """Set the umask; return the old one. Source: kernel/sys.c:umask()."""
    fs = fs_of(k.current)
    old = fs.umask
    fs.umask = mask & 0o777
    return old
