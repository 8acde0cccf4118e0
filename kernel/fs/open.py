"""open, close, and the calls of fs/open.c that take a path: access, chdir, chmod.

Source: fs/open.c, fs/namei.c (open_last_lookups, do_open).
Deviation: no O_PATH, O_TMPFILE, O_DIRECT.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError, RestartSyscall
from kernel.fs.file import close_fd, fd_install, fget, get_unused_fd
from kernel.fs.file_table import File, check_file_max
from kernel.fs.inode import (
    DIRECTORY,
    MAY_EXEC,
    MAY_READ,
    MAY_WRITE,
    PIDFD,
    REGULAR,
    get_write_access,
)
from kernel.fs.namei import check_path, create, inode_permission, lookup, lookup_inode
from kernel.fs.read_write import MAX_OFFSET, file_too_large
from kernel.points import Path
from kernel.process.limits import rlimit
from kernel.task import files_of, fs_of
from kernel.uapi.errno_ import (
    EACCES,
    EEXIST,
    EFBIG,
    EINVAL,
    EISDIR,
    ENOENT,
    ENOTDIR,
    EOPNOTSUPP,
    EPERM,
)
from kernel.uapi.fcntl import (
    F_OK,
    O_ACCMODE,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_PATH,
    O_TMPFILE,
    O_TRUNC,
    R_OK,
    W_OK,
    X_OK,
)
from kernel.uapi.rlimit import RLIMIT_FSIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.kernel import Kernel

_CREATION_FLAGS: Final = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC


def sys_open(k: "Kernel", path: str, flags: int, mode: int) -> int | Path[int]:
    """Open ``path`` and return a descriptor; of a FIFO a path that does.

    Raises:
        KernelError: with ``path``: ENOENT, ENAMETOOLONG, EMFILE, in this order; then as
            ``open_file``.

    Source: fs/open.c:do_sys_openat2(), build_open_flags().
    """
    k.now_ns += k.costs.file_op
    if flags & O_CREAT and flags & O_DIRECTORY:
        raise KernelError(EINVAL, path)
    check_path(path)
    files = files_of(k.current)
    try:
        fd = get_unused_fd(k, files)
    except KernelError as failed:
        raise KernelError(failed.errno, path) from None
    file = open_file(k, path, flags, mode)
    fop = file.inode.i_fop
    if fop is not None and fop.open is not None:
        return _open_special(k, path, file, fd, flags, fop.open)
    fd_install(files, fd, file, cloexec=bool(flags & O_CLOEXEC))
    return fd


def _open_special(
    k: "Kernel",
    path: str,
    file: File,
    fd: int,
    flags: int,
    opener: "Callable[[Kernel, File], Path[None]]",
) -> Path[int]:
    """Open a file that may make its opener wait; ``fd`` stays taken meanwhile.

    Source: fs/open.c:do_dentry_open().
    """
    files = files_of(k.current)
    files.reserved |= 1 << fd
    files.open_fds |= 1 << fd
    holds = k.vfs.holds
    holds[file] = 1
    failed: Exception | None = None
    try:
        yield from opener(k, file)
    except KernelError as error:
        failed = KernelError(error.errno, path)
    except RestartSyscall as interrupted:
        failed = interrupted
    del holds[file]
    files.reserved &= ~(1 << fd)
    if failed is not None:
        files.open_fds &= ~(1 << fd)
        k.vfs.nr_files -= 1
        raise failed
    fd_install(files, fd, file, cloexec=bool(flags & O_CLOEXEC))
    return fd


def open_file(k: "Kernel", path: str, flags: int, mode: int) -> File:
    """Return a new open file description of ``path``.

    Args:
        flags: O_* of the ABI.
        mode: permission bits of a file that O_CREAT makes, before the umask.

    Raises:
        KernelError: with ``path``. ENFILE; as ``lookup``; EEXIST, EISDIR, ENOTDIR, EACCES; ETXTBSY,
            open for writing while it is run; EPERM, O_NOATIME on somebody else's file; EOPNOTSUPP,
            O_TMPFILE; EINVAL, O_DIRECT and O_PATH, which are not there.

    Source: fs/namei.c:open_last_lookups(), do_open(), may_open(); fs/open.c:do_dentry_open().
    """
    if flags & O_TMPFILE == O_TMPFILE:
        raise KernelError(EOPNOTSUPP, path)
    if flags & (O_DIRECT | O_PATH):
        raise KernelError(EINVAL, path)
    check_path(path)
    try:
        check_file_max(k)
    except KernelError as full:
        raise KernelError(full.errno, path) from None
    place = lookup(k, path, creating=flags & O_CREAT != 0)
    inode = place.inode
    access = 0
    created = False
    if flags & O_CREAT:
        if inode is None:
            inode = create(k, place, REGULAR, mode & 0o7777, path)
            created = True
        elif flags & O_EXCL:
            raise KernelError(EEXIST, path)
        elif inode.kind == DIRECTORY:
            raise KernelError(EISDIR, path)
    if inode is None:
        raise KernelError(ENOENT, path)
    if flags & O_DIRECTORY and inode.kind != DIRECTORY:
        raise KernelError(ENOTDIR, path)
    file = File(inode, flags & ~_CREATION_FLAGS | O_LARGEFILE)  # counted when nothing can fail
    file.created = created
    if not created:
        if file.readable or flags & O_ACCMODE == O_ACCMODE:
            access |= MAY_READ
        if file.writable or flags & O_ACCMODE == O_ACCMODE or flags & O_TRUNC:
            access |= MAY_WRITE
        if inode.kind == DIRECTORY and access & MAY_WRITE:
            raise KernelError(EISDIR, path)
        cred = k.current.cred
        if not inode_permission(inode, access, cred.euid, cred.egid):
            raise KernelError(EACCES, path)
        if flags & O_NOATIME and cred.euid not in (0, inode.uid):
            raise KernelError(EPERM, path)
    if inode.kind == REGULAR:
        if file.writable:
            get_write_access(inode, path)
        if flags & O_TRUNC and not created:
            if not file.writable:  # for the moment of truncating
                get_write_access(inode, path)
                inode.i_writecount -= 1
            k.vfs.truncate(inode)
            inode.mtime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns
        inode.nr_open += 1
    k.vfs.nr_files += 1
    return file


def sys_close(k: "Kernel", fd: int) -> Path[None]:
    """Close a descriptor.

    Raises:
        KernelError: EBADF.

    Source: fs/open.c:close().
    """
    k.now_ns += k.costs.file_op
    return close_fd(k, files_of(k.current), fd)


def sys_ftruncate(k: "Kernel", fd: int, length: int) -> "Path[None] | None":
    """Cut an open file at ``length``, or make it longer by a hole; the offset stays.

    Raises:
        KernelError: EINVAL, negative, not open for writing, or no regular file; EBADF; EFBIG, with
            SIGXFSZ, beyond RLIMIT_FSIZE; EOPNOTSUPP, a pidfd.

    Source: fs/open.c:do_ftruncate(), do_truncate().
    """
    k.now_ns += k.costs.file_op
    if length < 0:
        raise KernelError(EINVAL)
    file = fget(files_of(k.current), fd)
    inode = file.inode
    if inode.kind == PIDFD:  # a regular file as far as this goes: pidfs_setattr()
        raise KernelError(EOPNOTSUPP)
    if inode.kind != REGULAR or not file.writable:
        raise KernelError(EINVAL)
    if length > inode.size:
        if length > MAX_OFFSET:
            raise KernelError(EFBIG)
        if length > rlimit(k, k.current.signal, RLIMIT_FSIZE):
            return file_too_large(k)
    k.vfs.truncate(inode, length)
    inode.mtime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns
    return None


def sys_access(k: "Kernel", path: str, mode: int) -> bool:
    """Tell whether the *real* uid and gid may access ``path`` (os.access: any error is False).

    Args:
        mode: F_OK or a sum of R_OK, W_OK, X_OK; any other bit is EINVAL, hence False.

    Source: fs/open.c:do_faccessat().
    """
    k.now_ns += k.costs.file_op
    if mode & ~(R_OK | W_OK | X_OK):
        return False
    cred = k.current.cred
    try:
        check_path(path)
        inode = lookup(k, path, cred.uid, cred.gid).inode
    except KernelError:
        return False
    if inode is None:
        return False
    return mode == F_OK or inode_permission(inode, mode, cred.uid, cred.gid)


def sys_chdir(k: "Kernel", path: str) -> None:
    """Change the working directory of every task that shares it.

    Raises:
        KernelError: as ``vfs.lookup_inode``; ENOTDIR, EACCES.

    Source: fs/open.c:chdir().
    """
    k.now_ns += k.costs.file_op
    inode = lookup_inode(k, path)
    if inode.kind != DIRECTORY:
        raise KernelError(ENOTDIR, path)
    cred = k.current.cred
    if not inode_permission(inode, MAY_EXEC, cred.euid, cred.egid):
        raise KernelError(EACCES, path)
    fs_of(k.current).cwd = inode


def sys_chmod(k: "Kernel", path: str, mode: int) -> None:
    """Set the permission bits of ``path``.

    Raises:
        KernelError: as ``vfs.lookup_inode``; EPERM, somebody else's file; EOPNOTSUPP, a pidfd.

    Source: fs/open.c:chmod_common(), fs/attr.c:setattr_prepare().
    """
    k.now_ns += k.costs.file_op
    inode = lookup_inode(k, path)
    cred = k.current.cred
    if inode.kind == PIDFD:
        raise KernelError(EOPNOTSUPP, path)
    if cred.euid not in (0, inode.uid) or (inode.i_op is not None and not inode.i_op.may_chmod):
        raise KernelError(EPERM, path)  # also the mode of a file of /proc (proc_setattr())
    mode &= 0o7777
    if cred.euid != 0 and cred.egid != inode.gid:
        mode &= ~0o2000
    inode.mode = inode.mode & ~0o7777 | mode
    k.vfs.programs.clear()
    inode.ctime_ns = k.vfs.epoch_ns + k.now_ns
