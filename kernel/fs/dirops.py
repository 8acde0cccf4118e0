"""The calls that change directories: mkdir, mknod, unlink, rmdir, rename.

Which errno wins follows the kernel's order: first the walk to the parents, then what the last
components are, then permissions, then whether directories are empty.

Source: fs/namei.c, fs/libfs.c (simple_rmdir, simple_rename), mm/shmem.c.
Deviation: no hard and symbolic links; only renameat2 flag 0; /dev and /proc are no mount points.
"""

from typing import TYPE_CHECKING

from kernel.errors import KernelError
from kernel.fs.d_path import file_path
from kernel.fs.file_table import iput
from kernel.fs.inode import DIRECTORY, MAY_EXEC, MAY_WRITE, PIPE, REGULAR, Inode
from kernel.fs.namei import (
    Lookup,
    check_path,
    create,
    inode_permission,
    is_too_long,
    lookup,
    may_create,
)
from kernel.uapi.errno_ import (
    EACCES,
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
    EXDEV,
)
from kernel.uapi.fcntl import S_IFIFO, S_IFMT, S_IFREG, S_ISVTX

if TYPE_CHECKING:
    from kernel.cred.creds import Cred
    from kernel.kernel import Kernel


def _last_component(path: str) -> str:
    """Return the last component of a path, "" for the root."""
    return path.rstrip("/").rpartition("/")[2]


def _lookup_parent(k: "Kernel", path: str) -> Lookup:
    """Return where the last component of ``path`` is or could be made.

    Source: fs/namei.c:filename_parentat(), lookup_one_qstr_excl().
    """
    check_path(path)
    place = lookup(k, path, parent=True)
    if is_too_long(place.directory, place.name):
        raise KernelError(ENAMETOOLONG, path)
    return place


def _touch(k: "Kernel", *inodes: Inode) -> None:
    for inode in inodes:
        inode.mtime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns


def _may_delete(directory: Inode, victim: Inode, cred: "Cred", *, isdir: bool) -> int:
    """Return the errno that keeps ``victim`` from being taken out of ``directory``, or 0.

    Args:
        isdir: it must be a directory; else it must not be one.

    Source: fs/namei.c:may_delete(), check_sticky().
    """
    if not inode_permission(directory, MAY_WRITE | MAY_EXEC, cred.euid, cred.egid):
        return EACCES
    if directory.i_op is not None and not directory.i_op.takes_names:
        return EPERM  # /proc
    if directory.mode & S_ISVTX and cred.euid not in (0, victim.uid, directory.uid):
        return EPERM
    if isdir:
        if victim.kind != DIRECTORY:
            return ENOTDIR
        if victim.parent is victim:
            return EBUSY
    elif victim.kind == DIRECTORY:
        return EISDIR
    return 0 if directory.nlink else ENOENT


def _device(inode: Inode) -> int:
    """Return which file system an inode is of; 0: that of the machine, with /proc."""
    return 0 if inode.i_op is None else inode.i_op.dev


def _drop_entry(k: "Kernel", directory: Inode, name: str, inode: Inode) -> None:
    """Take ``inode`` out of ``directory``; an empty directory is dead then (S_DEAD: nlink 0)."""
    if directory.entries is None:
        raise AssertionError(f"{directory!r} is not a directory")
    k.vfs.programs.clear()
    del directory.entries[name]
    if inode.kind == DIRECTORY:
        inode.nlink = 0
        directory.nlink -= 1
    else:
        inode.nlink -= 1
        inode.name = file_path(inode)[1:]  # what /proc/PID/fd still says of it
        inode.parent = None
    _touch(k, directory)
    inode.ctime_ns = directory.ctime_ns


# -- making ---------------------------------------------------------------------------------------


def sys_mkdir(k: "Kernel", path: str, mode: int) -> None:
    """Make a directory.

    Raises:
        KernelError: EEXIST before EACCES; as ``lookup`` and ``create``.

    Source: fs/namei.c:do_mkdirat(), filename_create().
    """
    k.now_ns += k.costs.file_op
    place = _lookup_parent(k, path)
    if place.inode is not None:
        raise KernelError(EEXIST, path)
    create(k, place, DIRECTORY, mode & 0o1777, path)


def sys_mknod(k: "Kernel", path: str, mode: int) -> None:
    """Make a FIFO or a regular file.

    Args:
        mode: the type and permission bits, before the umask.

    Raises:
        KernelError: EEXIST; ENOENT, a slash at the end; EPERM, another type; as ``lookup`` and
            ``create``.

    Source: fs/namei.c:do_mknodat(), may_mknod().
    Deviation: no device nodes and sockets, not even for root: EPERM.
    """
    k.now_ns += k.costs.file_op
    kind = {S_IFIFO: PIPE, S_IFREG: REGULAR, 0: REGULAR}.get(mode & S_IFMT, DIRECTORY)
    if kind == DIRECTORY:
        raise KernelError(EPERM, path)
    place = _lookup_parent(k, path)
    if place.inode is not None:
        raise KernelError(EEXIST, path)
    if place.slashes:
        raise KernelError(ENOENT, path)
    create(k, place, kind, mode & 0o7777, path)


# -- removing -------------------------------------------------------------------------------------


def sys_unlink(k: "Kernel", path: str) -> None:
    """Remove a directory entry that is not a directory.

    Raises:
        KernelError: EISDIR, ENOTDIR, ENOENT; EACCES, no write permission in the directory; EPERM,
            the directory is sticky and neither it nor the file is the caller's.

    Source: fs/namei.c:do_unlinkat(), vfs_unlink().
    """
    k.now_ns += k.costs.file_op
    place = _lookup_parent(k, path)
    if not place.name:
        raise KernelError(EISDIR, path)
    inode = place.inode
    if inode is None:
        raise KernelError(ENOENT, path)
    if place.slashes:
        raise KernelError(EISDIR if inode.kind == DIRECTORY else ENOTDIR, path)
    errno = _may_delete(place.directory, inode, k.current.cred, isdir=False)
    if not errno and place.directory.i_op is not None:
        errno = EPERM
    if errno:
        raise KernelError(errno, path)
    _drop_entry(k, place.directory, place.name, inode)
    iput(k, inode)


def sys_rmdir(k: "Kernel", path: str) -> None:
    """Remove an empty directory, which may be somebody's working directory.

    Raises:
        KernelError: ENOTEMPTY, also of ``..``; EINVAL of ``.``; EBUSY of ``/``; ENOENT, ENOTDIR,
            EACCES, EPERM.

    Source: fs/namei.c:do_rmdir(), vfs_rmdir(); fs/libfs.c:simple_rmdir().
    """
    k.now_ns += k.costs.file_op
    place = _lookup_parent(k, path)
    inode = place.inode
    if not place.name:
        last = _last_component(path)
        raise KernelError({"..": ENOTEMPTY, ".": EINVAL}.get(last, EBUSY), path)
    if inode is None:
        raise KernelError(ENOENT, path)
    above = place.directory.i_op
    errno = _may_delete(place.directory, inode, k.current.cred, isdir=True)
    if not errno and _device(inode) != _device(place.directory):
        errno = EBUSY
    if not errno and above is not None:
        try:
            above.rmdir(k, inode)
        except KernelError as failed:
            errno = failed.errno
    elif not errno and inode.entries:
        errno = ENOTEMPTY
    if errno:
        raise KernelError(errno, path)
    _drop_entry(k, place.directory, place.name, inode)


# -- renaming -------------------------------------------------------------------------------------


def _is_ancestor(above: Inode, below: Inode) -> bool:
    """Tell whether ``above`` is ``below`` or a directory above it."""
    while below is not above:
        if below.parent is None or below.parent is below:
            return False
        below = below.parent
    return True


def _may_rename(k: "Kernel", source: Lookup, target: Lookup) -> int:
    """Return the errno that forbids a rename, or 0. Source: fs/namei.c:do_renameat2()."""
    if _device(source.directory) != _device(target.directory):
        return EXDEV
    if not source.name or not target.name:
        return EBUSY
    old, new = source.inode, target.inode
    if is_too_long(source.directory, source.name):
        return ENAMETOOLONG
    if old is None:
        return ENOENT
    if is_too_long(target.directory, target.name):
        return ENAMETOOLONG
    isdir = old.kind == DIRECTORY
    if not isdir and (source.slashes or target.slashes):
        return ENOTDIR
    if isdir and _is_ancestor(old, target.directory):
        return EINVAL
    if new is not None and new.kind == DIRECTORY and _is_ancestor(new, source.directory):
        return ENOTEMPTY
    if old is new:
        return 0
    cred = k.current.cred
    errno = _may_delete(source.directory, old, cred, isdir=isdir)
    if errno:
        return errno
    if new is None:
        may_create(target.directory, cred, "")
    else:
        errno = _may_delete(target.directory, new, cred, isdir=isdir)
        if errno:
            return errno
    moves = isdir and source.directory is not target.directory  # then its ".." changes
    if moves and not inode_permission(old, MAY_WRITE, cred.euid, cred.egid):
        return EACCES
    if new is not None and new.entries:
        return ENOTEMPTY
    return 0 if source.directory.i_op is None else EPERM


def sys_rename(k: "Kernel", old: str, new: str) -> None:
    """Give a file or directory another name, in place of what had it.

    Raises:
        KernelError: with both names. ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, ENOTEMPTY; EXDEV;
            EBUSY, an end in ``.``, ``..`` or ``/``; EINVAL, a directory into itself.

    Source: fs/namei.c:do_renameat2(), vfs_rename(); fs/libfs.c:simple_rename().
    """
    k.now_ns += k.costs.file_op
    try:
        check_path(old)
        source = lookup(k, old, parent=True)
        check_path(new)
        target = lookup(k, new, parent=True)
        errno = _may_rename(k, source, target)
    except KernelError as failed:
        errno = failed.errno
    if errno:
        raise KernelError(errno, old, new)
    moved, replaced = source.inode, target.inode
    if moved is None or moved is replaced:
        return
    if replaced is not None:
        _drop_entry(k, target.directory, target.name, replaced)
        iput(k, replaced)
    entries = source.directory.entries
    if entries is None:
        raise AssertionError(f"{source.directory!r} is not a directory")
    del entries[source.name]
    if moved.kind == DIRECTORY:
        source.directory.nlink -= 1
    k.vfs.link(target.directory, target.name, moved)
    _touch(k, source.directory, target.directory)
    moved.ctime_ns = source.directory.ctime_ns
