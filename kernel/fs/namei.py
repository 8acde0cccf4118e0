"""Names: from a path to an inode, and the permissions on the way.

A path is walked component by component with the caller's effective ids, as Linux does; a failing
call's error carries the path as the caller gave it, because CPython shows it.

Source: fs/namei.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.uidgid import ids_mapped
from kernel.errors import KernelError
from kernel.fs.inode import DIRECTORY, MAY_EXEC, MAY_WRITE, PIPE, REGULAR, Inode
from kernel.ipc.fifo import fifo_fops
from kernel.task import fs_of
from kernel.uapi.errno_ import (
    EACCES,
    EISDIR,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    EOVERFLOW,
    EPERM,
    ESRCH,
    ETXTBSY,
)
from kernel.uapi.fcntl import NAME_MAX, PATH_MAX, S_IFDIR, S_IFIFO, S_IFREG, S_ISGID

if TYPE_CHECKING:
    from kernel.cred.creds import Cred
    from kernel.kernel import Kernel


def inode_permission(inode: Inode, mask: int, uid: int, gid: int) -> bool:
    """Tell whether ``uid``/``gid`` may access ``inode`` as ``mask`` (MAY_*) says.

    Uid 0 may do anything but run a file that nobody may run, and what a file of /proc/sys does not
    let it.

    Source: fs/namei.c:inode_permission(), generic_permission(); fs/proc/proc_sysctl.c:
        proc_sys_permission().
    """
    mode = inode.mode
    if uid == 0:
        if inode.i_op is not None and inode.i_op.strict:
            return mask & ~(mode >> 6) & 7 == 0
        return not mask & MAY_EXEC or inode.kind == DIRECTORY or bool(mode & 0o111)
    if uid == inode.uid:
        mode >>= 6
    elif gid == inode.gid:
        mode >>= 3
    return mask & ~mode & 7 == 0


_TYPE_BITS: Final = {REGULAR: S_IFREG, DIRECTORY: S_IFDIR, PIPE: S_IFIFO}


class Lookup:
    """Where a path leads: the directory of the last component, its name, and the inode if any.

    ``name`` is "" if the path ends in ``.``, ``..`` or ``/``: then ``inode`` is there and has no
    entry of its own to make or remove. ``slashes``: the path ends in a slash.
    """

    __slots__ = ("directory", "inode", "name", "slashes")

    def __init__(self, directory: Inode, name: str, inode: Inode | None, slashes: bool) -> None:
        self.directory = directory
        self.name = name
        self.inode = inode
        self.slashes = slashes


def check_path(path: str) -> None:
    """Check what the kernel checks when it copies a path in.

    Raises:
        KernelError: ENOENT, the path is empty; ENAMETOOLONG, 4096 bytes or more.

    Source: fs/namei.c:getname_flags().
    """
    if not path:
        raise KernelError(ENOENT, path)
    if len(path) * 4 >= PATH_MAX and len(path.encode("utf-8", "surrogateescape")) >= PATH_MAX:
        raise KernelError(ENAMETOOLONG, path)


def is_too_long(directory: Inode, name: str) -> bool:
    """Tell whether a name has more bytes than those in ``directory`` may have: 255.

    Source: mm/shmem.c via fs/libfs.c:simple_lookup(); /proc and /sys have no limit.
    """
    return directory.i_op is None and len(name.encode("utf-8", "surrogateescape")) > NAME_MAX


def lookup(
    k: "Kernel",
    path: str,
    uid: int | None = None,
    gid: int | None = None,
    *,
    creating: bool = False,
    parent: bool = False,
) -> Lookup:
    """Walk ``path`` from the current task's root or working directory.

    Args:
        path: as the caller gave it; ``check_path`` has passed.
        uid, gid: whose permissions count; default: the current task's effective ids.
        creating: the last component is to be a file (O_CREAT).
        parent: what the last component is, and how long, does not matter (LOOKUP_PARENT).

    Raises:
        KernelError: with ``path`` as file name. ENOENT, a directory on the way does not exist;
            ENOTDIR, it is no directory, or a trailing slash follows something else; EISDIR, a
            trailing slash when ``creating``; EACCES, no search permission; ENAMETOOLONG, a
            component of more than 255 bytes.

    Source: fs/namei.c:link_path_walk(), walk_component(), open_last_lookups().
    """
    task = k.current
    if uid is None or gid is None:
        uid, gid = task.cred.euid, task.cred.egid
    fs = fs_of(task)
    where: Inode = fs.root if path[0] == "/" else fs.cwd
    parts = [part for part in path.split("/") if part]
    slashes = path[-1] == "/"
    k.now_ns += k.costs.path_component * len(parts)
    directory = where
    name = ""
    inode: Inode | None = where
    left = len(parts)
    for part in parts:
        left -= 1
        if inode is None:
            raise KernelError(ENOENT, path)
        entries = inode.entries
        if entries is None:
            raise KernelError(ENOTDIR, path)
        if not inode_permission(inode, MAY_EXEC, uid, gid):
            raise KernelError(EACCES, path)
        directory = inode
        if part == ".":
            name = ""
        elif part == "..":
            name = ""
            if inode is not fs.root and inode.parent is not None:
                inode = inode.parent
        else:
            if len(part) > NAME_MAX // 4 and is_too_long(inode, part) and (left or not parent):
                raise KernelError(ENAMETOOLONG, path)
            name = part
            inode = entries.get(part)
            if inode is None and directory.i_op is not None:
                if directory.i_op.is_gone():
                    raise KernelError(ESRCH, path)
                inode = directory.i_op.lookup(k, directory, part)
    if slashes and creating and name:
        raise KernelError(EISDIR, path)
    if slashes and not parent and inode is not None and inode.entries is None:
        raise KernelError(ENOTDIR, path)
    return Lookup(directory, name, inode, slashes)


def lookup_inode(k: "Kernel", path: str) -> Inode:
    """Return the inode that ``path`` names, for the current task's effective ids.

    Raises:
        KernelError: as ``lookup``; ENOENT, there is none.

    Source: fs/namei.c:user_path_at().
    """
    check_path(path)
    found = lookup(k, path).inode
    if found is None:
        raise KernelError(ENOENT, path)
    return found


def may_create(directory: Inode, cred: "Cred", path: str) -> None:
    """Check that a name can be made in ``directory``.

    Raises:
        KernelError: ENOENT, it has been removed; EACCES.

    Source: fs/namei.c:may_create().
    """
    if not directory.nlink:
        raise KernelError(ENOENT, path)
    if directory.i_op is not None and not directory.i_op.takes_names:  # /proc has no room for it
        raise KernelError(ENOENT, path)
    if not inode_permission(directory, MAY_WRITE | MAY_EXEC, cred.euid, cred.egid):
        raise KernelError(EACCES, path)


def create(k: "Kernel", place: Lookup, kind: int, mode: int, path: str) -> Inode:
    """Make the file, directory or FIFO that ``place`` looked for and did not find.

    Args:
        kind: REGULAR, DIRECTORY or PIPE.
        mode: permission bits; the umask is applied here.

    Raises:
        KernelError: EACCES, no write permission in the directory; ENOENT, it has been removed;
            EOVERFLOW, the caller's ids are not mapped in its user namespace.

    Source: fs/namei.c:vfs_create(), vfs_mkdir(), vfs_mknod();
    fs/inode.c:inode_init_owner(), init_special_inode().
    """
    task = k.current
    cred = task.cred
    directory = place.directory
    may_create(directory, cred, path)
    if cred.user_ns is not None and not ids_mapped(cred.user_ns, cred.euid, cred.egid):
        raise KernelError(EOVERFLOW, path)
    mode &= ~fs_of(task).umask
    if directory.i_op is not None:
        return _create_by(k, place, kind, mode, path)
    gid = cred.egid
    if directory.mode & S_ISGID:
        gid = directory.gid
        if kind == DIRECTORY:
            mode |= S_ISGID
    inode = k.vfs.new_inode(kind, _TYPE_BITS[kind] | mode, cred.euid, gid, k.now_ns)
    if kind == PIPE:
        inode.i_fop = fifo_fops
    k.vfs.link(directory, place.name, inode)
    directory.mtime_ns = directory.ctime_ns = inode.mtime_ns
    return inode


def _create_by(k: "Kernel", place: Lookup, kind: int, mode: int, path: str) -> Inode:
    """Make a directory in a file system that has nothing else that could be made.

    Raises:
        KernelError: EACCES, a file; EPERM, a FIFO; what the file system's mkdir raises.

    Source: fs/namei.c:vfs_create(), vfs_mkdir(), vfs_mknod().
    """
    directory = place.directory
    if kind != DIRECTORY:
        raise KernelError(EACCES if kind == REGULAR else EPERM, path)
    if directory.i_op is None or directory.entries is None:
        raise AssertionError(f"{directory!r} is not a directory of another file system")
    try:
        directory.i_op.mkdir(k, directory, place.name, mode)
    except KernelError as failed:
        raise KernelError(failed.errno, path) from None
    made = directory.entries[place.name]
    directory.mtime_ns = directory.ctime_ns = made.mtime_ns
    return made


def path_lookup_exec(k: "Kernel", path: str) -> Inode:
    """Return the file that execve of ``path`` would run: ``image``, ``mode``, owner and content.

    The caller keeps writers out with ``deny_write_access`` for as long as it uses the file.

    Raises:
        KernelError: as ``lookup_inode``; EACCES, not a regular file, or no execute permission;
            ETXTBSY, open for writing.

    Source: fs/exec.c:do_open_execat(), fs/namei.c:may_open().
    """
    inode = lookup_inode(k, path)
    cred = k.current.cred
    if inode.kind != REGULAR or not inode_permission(inode, MAY_EXEC, cred.euid, cred.egid):
        raise KernelError(EACCES, path)
    if inode.i_writecount > 0:
        raise KernelError(ETXTBSY, path)
    return inode
