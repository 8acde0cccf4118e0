"""stat and fstat. Source: fs/stat.c."""

from typing import TYPE_CHECKING, Final

from kernel.cred.uidgid import from_kgid_munged, from_kuid_munged
from kernel.fs.file import fget
from kernel.fs.inode import DIRECTORY, PIDFD, Inode
from kernel.fs.namei import lookup_inode
from kernel.task import files_of
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_DEVICE: Final = 15  # st_dev of the one file system
_PIDFS: Final = 11  # of that of pidfds


def vfs_getattr(k: "Kernel", inode: Inode) -> tuple[int, ...]:
    """Return the ten fields of os.stat_result: mode, ino, dev, nlink, uid, gid, size, times in s.

    Source: fs/stat.c:generic_fillattr().
    """
    mtime = inode.mtime_ns // NSEC_PER_SEC
    size = PAGE_SIZE if inode.kind == DIRECTORY and inode.i_op is None else inode.size
    uid, gid = inode.uid, inode.gid
    user_ns = k.current.cred.user_ns
    if user_ns is not None:
        uid, gid = from_kuid_munged(user_ns, uid), from_kgid_munged(user_ns, gid)
    return (
        inode.mode,
        inode.ino,
        _PIDFS if inode.kind == PIDFD else _device(inode),
        inode.nlink if inode.nlink or inode.i_op is None else inode.i_op.dead_nlink,
        uid,
        gid,
        size,
        mtime,
        mtime,
        inode.ctime_ns // NSEC_PER_SEC,
    )


def _device(inode: Inode) -> int:
    """Return the st_dev of an inode of the tree."""
    return _DEVICE if inode.i_op is None else inode.i_op.dev or _DEVICE


def sys_stat(k: "Kernel", path: str) -> tuple[int, ...]:
    """Return the ten fields of os.stat_result for ``path``.

    Raises:
        KernelError: as ``vfs.lookup_inode``.

    Source: fs/stat.c:vfs_statx().
    """
    k.now_ns += k.costs.file_op
    return vfs_getattr(k, lookup_inode(k, path))


def sys_fstat(k: "Kernel", fd: int) -> tuple[int, ...]:
    """Return the ten fields of os.stat_result for an open file.

    Raises:
        KernelError: EBADF.

    Source: fs/stat.c:vfs_fstat().
    """
    k.now_ns += k.costs.file_op
    return vfs_getattr(k, fget(files_of(k.current), fd).inode)
