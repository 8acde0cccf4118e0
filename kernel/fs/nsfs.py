"""Namespaces as files: what the entries of /proc/PID/ns lead to.

Source: fs/nsfs.c.
Deviation: st_dev is that of the one file system.
"""

from typing import TYPE_CHECKING, Final

from kernel.fs.file import fget
from kernel.fs.file_table import File
from kernel.fs.inode import NSFS, FileOperations, Inode
from kernel.ns.common import Namespace, get_any_ns
from kernel.ns.nsproxy import put_any_ns
from kernel.points import Path
from kernel.task import files_of
from kernel.uapi.fcntl import S_IFREG

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class NsInode(Inode):
    """A namespace as a file (nsfs); ``ns`` is None for the user namespace of boot."""

    __slots__ = ("ns",)

    def __init__(self, ino: int, now_ns: int, ns: Namespace | None) -> None:
        super().__init__(ino, NSFS, S_IFREG | 0o444, 0, 0, now_ns)
        self.ns = ns
        self.i_fop = NS_FILE_OPERATIONS


def _open(k: "Kernel", file: File) -> Path[None]:
    """Keep the namespace alive."""
    inode = file.inode
    yield from ()
    if isinstance(inode, NsInode) and inode.ns is not None:
        get_any_ns(inode.ns)


def _release(k: "Kernel", file: File) -> Path[None]:
    """Let the namespace go. Source: fs/nsfs.c:nsfs_evict()."""
    inode = file.inode
    yield from ()
    if isinstance(inode, NsInode) and inode.ns is not None:
        put_any_ns(k, inode.ns)


NS_FILE_OPERATIONS: Final = FileOperations(open=_open, release=_release)


def proc_ns_file(k: "Kernel", fd: int) -> NsInode | None:
    """Return the namespace file behind a descriptor of the caller; None: another kind of file.

    Raises:
        KernelError: EBADF.

    Source: fs/nsfs.c:proc_ns_file().
    """
    inode = fget(files_of(k.current), fd).inode
    return inode if isinstance(inode, NsInode) else None
