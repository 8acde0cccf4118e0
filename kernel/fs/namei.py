"""Names: from a path to an inode, and the calls that make and remove names.

A path is walked component by component with the caller's effective ids, as Linux does; a failing
call's error carries the path as the caller gave it, because CPython shows it.

Source: fs/namei.c.
"""

from typing import TYPE_CHECKING

from kernel.errors import KernelError
from kernel.fs.file_table import iput
from kernel.fs.inode import DIRECTORY, MAY_EXEC, MAY_WRITE, REGULAR, Inode
from kernel.uapi.errno_ import EACCES, EEXIST, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, ETXTBSY
from kernel.uapi.fcntl import NAME_MAX, PATH_MAX, S_IFDIR, S_IFREG, S_ISGID, S_ISVTX

if TYPE_CHECKING:
    from kernel.creds import Cred
    from kernel.state import KernelState


def inode_permission(inode: Inode, mask: int, uid: int, gid: int) -> bool:
    """Tell whether ``uid``/``gid`` may access ``inode`` as ``mask`` (MAY_*) says.

    Uid 0 may do anything but run a file that nobody may run.

    Source: fs/namei.c:inode_permission(), generic_permission().
    """
    mode = inode.mode
    if uid == 0:
        return not mask & MAY_EXEC or inode.kind == DIRECTORY or bool(mode & 0o111)
    if uid == inode.uid:
        mode >>= 6
    elif gid == inode.gid:
        mode >>= 3
    return mask & ~mode & 7 == 0


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


def lookup(
    k: "KernelState",
    path: str,
    uid: int | None = None,
    gid: int | None = None,
    *,
    creating: bool = False,
) -> Lookup:
    """Walk ``path`` from the current task's root or working directory.

    Args:
        path: as the caller gave it; ``check_path`` has passed.
        uid, gid: whose permissions count; default: the current task's effective ids.
        creating: the last component is to be a file (O_CREAT).

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
    fs = task.fs
    where: Inode = fs.root if path[0] == "/" else fs.cwd
    parts = [part for part in path.split("/") if part]
    slashes = path[-1] == "/"
    k.now_ns += k.costs.path_component * len(parts)
    directory = where
    name = ""
    inode: Inode | None = where
    for part in parts:
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
            # a removed directory still leads to the one it was in; here that one is forgotten
            inode = inode if inode is fs.root or inode.parent is None else inode.parent
        else:
            if (
                len(part) > NAME_MAX // 4
                and len(part.encode("utf-8", "surrogateescape")) > NAME_MAX
            ):
                raise KernelError(ENAMETOOLONG, path)
            name = part
            inode = entries.get(part)
            if inode is None and directory.i_op is not None:
                inode = directory.i_op.lookup(k, directory, part)
    if slashes and creating and name:
        raise KernelError(EISDIR, path)
    if slashes and inode is not None and inode.entries is None:
        raise KernelError(ENOTDIR, path)
    return Lookup(directory, name, inode, slashes)


def lookup_inode(k: "KernelState", path: str) -> Inode:
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


def _may_create(directory: Inode, cred: "Cred", path: str) -> None:
    """Source: fs/namei.c:may_create()."""
    if directory.parent is None or directory.i_op is not None:  # /proc has no room for it
        raise KernelError(ENOENT, path)
    if not inode_permission(directory, MAY_WRITE | MAY_EXEC, cred.euid, cred.egid):
        raise KernelError(EACCES, path)


def create(k: "KernelState", place: Lookup, kind: int, mode: int, path: str) -> Inode:
    """Make the file or directory that ``place`` looked for and did not find.

    Args:
        mode: permission bits; the umask is applied here.

    Raises:
        KernelError: EACCES, no write permission in the directory; ENOENT, it has been removed.

    Source: fs/namei.c:vfs_create(), vfs_mkdir(); fs/inode.c:inode_init_owner().
    """
    task = k.current
    cred = task.cred
    directory = place.directory
    _may_create(directory, cred, path)
    mode &= ~task.fs.umask
    gid = cred.egid
    if directory.mode & S_ISGID:
        gid = directory.gid
        if kind == DIRECTORY:
            mode |= S_ISGID
    kind_bits = S_IFDIR if kind == DIRECTORY else S_IFREG
    inode = k.vfs.new_inode(kind, kind_bits | mode, cred.euid, gid, k.now_ns)
    k.vfs.link(directory, place.name, inode)
    directory.mtime_ns = directory.ctime_ns = inode.mtime_ns
    return inode


def vfs_mkdir(k: "KernelState", path: str, mode: int) -> None:
    """Make a directory.

    Raises:
        KernelError: EEXIST before EACCES; as ``lookup`` and ``create``.

    Source: fs/namei.c:do_mkdirat(), filename_create().
    """
    check_path(path)
    place = lookup(k, path)
    if place.inode is not None:
        raise KernelError(EEXIST, path)
    create(k, place, DIRECTORY, mode & 0o1777, path)


def vfs_unlink(k: "KernelState", path: str) -> Inode:
    """Remove a directory entry that is not a directory; return what it named.

    Raises:
        KernelError: EISDIR, ENOTDIR, ENOENT; EACCES, no write permission in the directory; EPERM,
            the directory is sticky and neither it nor the file is the caller's.

    Source: fs/namei.c:do_unlinkat(), may_delete().
    """
    check_path(path)
    place = lookup(k, path)
    if not place.name:
        raise KernelError(EISDIR, path)
    inode, directory = place.inode, place.directory
    if inode is None or directory.entries is None:
        raise KernelError(ENOENT, path)
    cred = k.current.cred
    if not inode_permission(directory, MAY_WRITE | MAY_EXEC, cred.euid, cred.egid):
        raise KernelError(EACCES, path)
    if directory.mode & S_ISVTX and cred.euid not in (0, inode.uid, directory.uid):
        raise KernelError(EPERM, path)
    if inode.kind == DIRECTORY:
        raise KernelError(EISDIR, path)
    if directory.i_op is not None:
        raise KernelError(EPERM, path)
    k.vfs.programs.clear()
    del directory.entries[place.name]
    inode.nlink -= 1
    inode.parent = None
    directory.mtime_ns = directory.ctime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns
    return inode


def path_lookup_exec(k: "KernelState", path: str) -> Inode:
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


def sys_mkdir(k: "KernelState", path: str, mode: int) -> None:
    """Make a directory. See ``vfs.vfs_mkdir``. Source: fs/namei.c:do_mkdirat()."""
    k.now_ns += k.costs.file_op
    vfs_mkdir(k, path, mode)


def sys_unlink(k: "KernelState", path: str) -> None:
    """Remove a file's name. See ``vfs.vfs_unlink``. Source: fs/namei.c:do_unlinkat()."""
    k.now_ns += k.costs.file_op
    iput(k, vfs_unlink(k, path))
