"""The file tree: a small file system in memory.

Directories, regular files, ``/dev/null``, ``/dev/zero``, and capture files, which hand what
is written to them to the host side (``k.output``). The tree is built at boot from
``MachineSpec.files`` over a fixed skeleton (``/bin /usr/bin /dev /proc /tmp``).

A path is walked component by component with the caller's effective ids, as Linux does; a failing
call's error carries the path as the caller gave it, because CPython shows it.

Regular files keep only pages that were written; holes read as zeros. Together they may fill half of
the machine's memory (tmpfs's default), then writes fail with ENOSPC.

``i_writecount`` works as in Linux: positive counts writers, negative counts address spaces that
run the file; one side keeps out the other (ETXTBSY).

Source: fs/namei.c, fs/open.c, fs/inode.c, mm/shmem.c, drivers/char/mem.c.
Deviation: one file system, no mounts, no symbolic or hard links, no ACLs, no supplementary groups;
file contents take no page frames; atime is not kept; directories have size 4096.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.errors import KernelError
from kernel.uapi.errno_ import (
    EACCES,
    EEXIST,
    EISDIR,
    ENAMETOOLONG,
    ENOENT,
    ENOSPC,
    ENOTDIR,
    EPERM,
    ETXTBSY,
)
from kernel.uapi.fcntl import (
    NAME_MAX,
    PATH_MAX,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
    S_ISGID,
    S_ISVTX,
)
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.creds import Cred
    from kernel.ipc.pipe import Pipe
    from kernel.machine import FileSpec, ImageSpec
    from kernel.state import KernelState

MAY_EXEC: Final = 1
MAY_WRITE: Final = 2
MAY_READ: Final = 4

# what reading and writing an inode does
REGULAR: Final = 0
DIRECTORY: Final = 1
NULL: Final = 2
ZERO: Final = 3
CAPTURE: Final = 4
PIPE: Final = 5
PIDFD: Final = 6

_DEVICE: Final = 15  # st_dev of the one file system


class Inode:
    """One file (``struct inode``), with its directory entries or content."""

    __slots__ = (
        "ctime_ns",
        "entries",
        "gid",
        "i_writecount",
        "image",
        "ino",
        "kind",
        "mode",
        "mtime_ns",
        "name",
        "nlink",
        "nr_open",
        "pages",
        "parent",
        "pipe",
        "size",
        "uid",
    )

    def __init__(self, ino: int, kind: int, mode: int, uid: int, gid: int, time_ns: int) -> None:
        self.ino = ino
        self.kind = kind
        self.mode = mode  # type and permission bits
        self.uid = uid
        self.gid = gid
        self.nlink = 1
        self.size = 0
        self.mtime_ns = self.ctime_ns = time_ns
        self.i_writecount = 0
        self.nr_open = 0  # open file descriptions of a regular file
        self.image: ImageSpec | None = None
        self.pipe: Pipe | None = None
        # directories: parent is None once removed; the root is its own parent
        self.entries: dict[str, Inode] | None = None
        self.parent: Inode | None = None
        self.name = ""  # in the parent; of a capture file: the name the host side knows
        self.pages: dict[int, bytearray] | None = None  # regular files: what was written

    def __repr__(self) -> str:
        return f"<inode {self.ino} {self.mode:o} {self.name}>"


class Vfs:
    """The file tree of one machine."""

    __slots__ = (
        "epoch_ns",
        "holds",
        "last_ino",
        "max_pages",
        "nr_pages",
        "null",
        "pipes",
        "programs",
        "root",
    )

    def __init__(self, epoch_ns: int, max_pages: int) -> None:
        self.epoch_ns = epoch_ns
        self.last_ino = 0
        self.max_pages = max_pages
        self.nr_pages = 0
        self.pipes: dict[int, Pipe] = {}  # that exist, by inode number
        self.holds: dict[Any, int] = {}  # references of calls in progress: kernel.files
        # what kernel.exec found, and how long that takes; empty after any change of the tree
        self.programs: dict[tuple[Any, ...], tuple[Any, int]] = {}
        self.null = self.new_inode(NULL, S_IFCHR | 0o666, 0, 0, 0)
        self.root = self.new_inode(DIRECTORY, S_IFDIR | 0o755, 0, 0, 0)
        self.root.parent = self.root

    def new_inode(self, kind: int, mode: int, uid: int, gid: int, now_ns: int) -> Inode:
        """Return a new inode that no directory names yet. Source: fs/inode.c:new_inode()."""
        self.last_ino += 1
        inode = Inode(self.last_ino, kind, mode, uid, gid, self.epoch_ns + now_ns)
        if kind == DIRECTORY:
            inode.entries = {}
            inode.nlink = 2
        elif kind == REGULAR:
            inode.pages = {}
        return inode

    def link(self, directory: Inode, name: str, inode: Inode) -> None:
        """Enter ``inode`` into ``directory`` as ``name``, which is free."""
        if directory.entries is None:
            raise AssertionError(f"{directory!r} is not a directory")
        self.programs.clear()
        directory.entries[name] = inode
        inode.parent = directory
        inode.name = name
        if inode.kind == DIRECTORY:
            directory.nlink += 1

    def read(self, inode: Inode, offset: int, count: int) -> bytes:
        """Return up to ``count`` bytes of a regular file at ``offset``; fewer at its end."""
        end = min(inode.size, offset + count)
        if end <= offset or inode.pages is None:
            return b""
        parts = []
        while offset < end:
            inside = offset % PAGE_SIZE
            part = min(PAGE_SIZE - inside, end - offset)
            page = inode.pages.get(offset // PAGE_SIZE)
            parts.append(bytes(part) if page is None else bytes(page[inside : inside + part]))
            offset += part
        return b"".join(parts)

    def write(self, inode: Inode, offset: int, data: bytes) -> int:
        """Store ``data`` in a regular file at ``offset``; return the number of bytes stored.

        Raises:
            KernelError: ENOSPC, not even the first byte fits.
        """
        if inode.pages is None:
            raise AssertionError(f"{inode!r} is not a regular file")
        done = 0
        while done < len(data):
            index, inside = divmod(offset + done, PAGE_SIZE)
            part = min(PAGE_SIZE - inside, len(data) - done)
            page = inode.pages.get(index)
            if page is None:
                if self.nr_pages >= self.max_pages:
                    if done:
                        break
                    raise KernelError(ENOSPC)
                self.nr_pages += 1
                page = inode.pages[index] = bytearray(PAGE_SIZE)
            page[inside : inside + part] = data[done : done + part]
            done += part
        inode.size = max(inode.size, offset + done)
        return done

    def truncate(self, inode: Inode) -> None:
        """Drop the content of a regular file."""
        if inode.pages is not None:
            self.nr_pages -= len(inode.pages)
            inode.pages.clear()
        inode.size = 0


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
    if directory.parent is None:
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
    k.vfs.programs.clear()
    del directory.entries[place.name]
    inode.nlink -= 1
    inode.parent = None
    directory.mtime_ns = directory.ctime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns
    return inode


def vfs_getattr(k: "KernelState", inode: Inode) -> tuple[int, ...]:
    """Return the ten fields of os.stat_result: mode, ino, dev, nlink, uid, gid, size, times in s.

    Source: fs/stat.c:generic_fillattr().
    """
    mtime = inode.mtime_ns // 1_000_000_000
    size = PAGE_SIZE if inode.kind == DIRECTORY else inode.size
    return (
        inode.mode,
        inode.ino,
        _DEVICE,
        inode.nlink,
        inode.uid,
        inode.gid,
        size,
        mtime,
        mtime,
        inode.ctime_ns // 1_000_000_000,
    )


def d_path(k: "KernelState", directory: Inode) -> str:
    """Return the absolute path of ``directory``.

    Raises:
        KernelError: ENOENT, it has been removed.

    Source: fs/d_path.c:getcwd().
    """
    parts: list[str] = []
    root = k.current.fs.root
    while directory is not root:
        if directory.parent is None:
            raise KernelError(ENOENT)
        if directory.parent is directory:
            break
        parts.append(directory.name)
        directory = directory.parent
    return "/" + "/".join(reversed(parts))


def get_write_access(inode: Inode, path: str) -> None:
    """Count one more writer.

    Raises:
        KernelError: ETXTBSY, the file is being run.

    Source: include/linux/fs.h:get_write_access().
    """
    if inode.i_writecount < 0:
        raise KernelError(ETXTBSY, path)
    inode.i_writecount += 1


def deny_write_access(inode: Inode, path: str) -> None:
    """Keep writers out while the file is run.

    Raises:
        KernelError: ETXTBSY, somebody has it open for writing.

    Source: include/linux/fs.h:deny_write_access().
    """
    if inode.i_writecount > 0:
        raise KernelError(ETXTBSY, path)
    inode.i_writecount -= 1


def allow_write_access(inode: Inode) -> None:
    """Undo ``deny_write_access``. Source: include/linux/fs.h:allow_write_access()."""
    inode.i_writecount += 1


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


def content(k: "KernelState", inode: Inode, count: int = 1 << 30) -> bytes:
    """Return the first ``count`` bytes of a regular file (kernel_read, for ``#!`` lines)."""
    return k.vfs.read(inode, 0, count)


def capture_inode(k: "KernelState", name: str) -> Inode:
    """Return a write-only file without a path whose data go to ``k.output(name, data)``.

    To the guest it is a pipe that never fills and always has a reader.
    """
    inode: Inode = k.vfs.new_inode(CAPTURE, S_IFIFO | 0o600, 0, 0, k.now_ns)
    inode.name = name
    return inode


def boot_vfs(k: "KernelState") -> Vfs:
    """Return the file tree of ``k.spec``; the caller keeps it as ``k.vfs``.

    Directories on the way to a configured file are made as needed, mode 755 of root.

    Raises:
        ValueError: a configured path is not absolute, names a directory of the skeleton, or goes
            through a file.
    """
    spec = k.spec
    vfs = Vfs(spec.epoch_ns, spec.memory_bytes // 2 // PAGE_SIZE)
    for path, mode in (
        ("/bin", 0o755),
        ("/dev", 0o755),
        ("/proc", 0o555),
        ("/tmp", 0o1777),
        ("/usr", 0o755),
        ("/usr/bin", 0o755),
    ):
        directory, name = _boot_place(vfs, path)
        vfs.link(directory, name, vfs.new_inode(DIRECTORY, S_IFDIR | mode, 0, 0, 0))
    directory, name = _boot_place(vfs, "/dev/null")
    vfs.link(directory, name, vfs.null)
    directory, name = _boot_place(vfs, "/dev/zero")
    vfs.link(directory, name, vfs.new_inode(ZERO, S_IFCHR | 0o666, 0, 0, 0))
    for path in sorted(spec.files):
        file = spec.files[path]
        directory, name = _boot_place(vfs, path)
        mode = file.mode
        if mode & S_IFMT == S_IFDIR:
            _boot_directory(vfs, directory, name, file)
            continue
        if directory.entries is None or name in directory.entries:
            raise ValueError(f"{path}: the file tree has a directory or device of this name")
        if mode & S_IFMT not in (0, S_IFREG):
            raise ValueError(f"{path}: mode {mode:#o} is not that of a regular file")
        inode = vfs.new_inode(REGULAR, S_IFREG | (mode & 0o7777), file.uid, file.gid, 0)
        inode.image = file.image
        if file.content:
            vfs.write(inode, 0, file.content)
        vfs.link(directory, name, inode)
    return vfs


def _boot_directory(vfs: Vfs, parent: Inode, name: str, file: "FileSpec") -> None:
    """Make a configured directory; one that is there already keeps its mode and owner."""
    assert parent.entries is not None
    there = parent.entries.get(name)
    if there is None:
        inode = vfs.new_inode(DIRECTORY, file.mode, file.uid, file.gid, 0)
        vfs.link(parent, name, inode)
    elif there.entries is None:
        raise ValueError(f"{name}: a configured directory is a file in the file tree")


def _boot_place(vfs: Vfs, path: str) -> tuple[Inode, str]:
    """Return the directory of ``path``, made if need be, and the last component."""
    parts = [part for part in path.split("/") if part]
    if not path.startswith("/") or not parts or "." in parts or ".." in parts:
        raise ValueError(f"{path}: not an absolute path without . and ..")
    where = vfs.root
    for part in parts[:-1]:
        if where.entries is None:
            raise ValueError(f"{path}: goes through a file")
        inode = where.entries.get(part)
        if inode is None:
            inode = vfs.new_inode(DIRECTORY, S_IFDIR | 0o755, 0, 0, 0)
            vfs.link(where, part, inode)
        where = inode
    if where.entries is None:
        raise ValueError(f"{path}: goes through a file")
    return where, parts[-1]
