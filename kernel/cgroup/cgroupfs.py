"""/sys/fs/cgroup: control groups as directories.

A directory is a group; mkdir() makes one, with all its files, and rmdir() removes it. Whoever has
a file of it open then gets ENODEV. Only the files of a controller come and go.

Source: kernel/cgroup/cgroup.c (cgroup_mkdir, cgroup_rmdir, cgroup_file_write), fs/kernfs.
Deviation: nothing but this stands in /sys. Names come in the order of creation, files first.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, ClassVar, Final

from kernel.cgroup.access import check_attach_permissions, may_write
from kernel.cgroup.cgroup import (
    Cgroup,
    CgroupHierarchy,
    cgroup_create,
    cgroup_destroy,
    cgroup_of,
    descendants,
    has_cgroup2,
    within_limits,
)
from kernel.cgroup.files import CFTYPES, Cftype
from kernel.errors import KernelError
from kernel.fs.file import fget
from kernel.fs.file_table import File
from kernel.fs.inode import DIRECTORY, PROC, FileOperations, Inode
from kernel.fs.select import PollWqueues, poll_wait
from kernel.points import POINT, Path
from kernel.proc.inode import Entry, Node, SeqFile
from kernel.task import files_of
from kernel.uapi.errno_ import (
    E2BIG,
    EACCES,
    EAGAIN,
    EBADF,
    EINVAL,
    ENODEV,
    ENOENT,
    ENXIO,
    EPERM,
)
from kernel.uapi.fcntl import S_IFDIR, S_IFREG, SEEK_CUR, SEEK_END, SEEK_SET
from kernel.uapi.mman import PAGE_SIZE
from kernel.uapi.poll import DEFAULT_POLLMASK, POLLERR, POLLPRI

if TYPE_CHECKING:
    from kernel.cred.creds import Cred
    from kernel.kernel import Kernel

_DEVICE: Final = 26  # st_dev of the file system
_SYSFS: Final = 22
_INO: Final = 1 << 41  # inode numbers above it: not those of another file of the machine
_MAX_OFFSET: Final = (1 << 63) - 1
_DIRECTORY_ENTRY: Final = Entry("", 0o755)
_FILE_ENTRY: Final = Entry("", 0o644)


class SysNode(Node):
    """What a directory of /sys stands for: nothing can be made in it."""

    __slots__ = ()

    dev: ClassVar[int] = _SYSFS
    takes_names: ClassVar[bool] = True

    def mkdir(self, k: "Kernel", directory: Inode, name: str, mode: int) -> None:
        """Source: fs/kernfs/dir.c:kernfs_iop_mkdir(), without a syscall operation."""
        raise KernelError(EPERM)


class CgroupNode(Node):
    """What an inode of the file system stands for: a group, or a file of one (``kernfs_node``)."""

    __slots__ = ("cft", "cgroup")

    dev: ClassVar[int] = _DEVICE
    dead_nlink: ClassVar[int] = 2
    may_chmod: ClassVar[bool] = True
    takes_names: ClassVar[bool] = True

    def __init__(self, cgroup: Cgroup, cft: Cftype | None) -> None:
        super().__init__(_DIRECTORY_ENTRY if cft is None else _FILE_ENTRY, None)
        self.cgroup = cgroup
        self.cft = cft

    def mkdir(self, k: "Kernel", directory: Inode, name: str, mode: int) -> None:
        """Make a group; its files belong to the caller.

        Raises:
            KernelError: EINVAL, a newline in its name; EAGAIN, too many or too deep.

        Source: kernel/cgroup/cgroup.c:cgroup_mkdir().
        """
        if "\n" in name:
            raise KernelError(EINVAL)
        if not within_limits(self.cgroup):
            raise KernelError(EAGAIN)
        _populate(k, directory, cgroup_create(k, self.cgroup, name), mode)

    def rmdir(self, k: "Kernel", inode: Inode) -> None:
        """Remove the group that ``inode`` is the directory of.

        Raises:
            KernelError: EBUSY, somebody is in it, or another group.

        Source: kernel/cgroup/cgroup.c:cgroup_rmdir().
        """
        cgroup = _node(inode).cgroup
        cgroup_destroy(k, cgroup)
        for each in (inode.entries or {}).values():
            each.parent = None
        inode.entries = {}


def _node(inode: Inode) -> CgroupNode:
    node = inode.i_op
    if not isinstance(node, CgroupNode):
        raise AssertionError(f"{inode!r} is not of the file system of cgroups")
    return node


class OpenCgroupFile(SeqFile):
    """What an open file keeps: who opened it, the text it hands out, which change it has seen."""

    __slots__ = ("cred", "seen")

    def __init__(self, cred: "Cred") -> None:
        super().__init__(b"")
        self.cred = cred
        self.read_pos = -1  # there is no text yet
        self.seen = 0


# -- open, read, write ---------------------------------------------------------------------------


def cgroup_file_open(k: "Kernel", file: File) -> Path[None]:
    """Note whose credentials count. Source: fs/kernfs/file.c:kernfs_fop_open()."""
    yield "kernfs_fop_open", POINT, file
    file.private_data = OpenCgroupFile(k.current.cred)


def _changes(node: CgroupNode) -> int:
    """Return what there is to be seen. Source: fs/kernfs/file.c:kernfs_open_node.event."""
    return node.cgroup.changes if node.cft is not None and node.cft.events else 1


def _alive(file: File) -> tuple[CgroupNode, Cftype]:
    """Return what ``file`` is. Raises KernelError(ENODEV): its group has been removed."""
    node = _node(file.inode)
    if node.cft is None or node.cgroup.dead or file.inode.parent is None:
        raise KernelError(ENODEV)
    return node, node.cft


def cgroup_file_read(k: "Kernel", file: File, count: int) -> Path[bytes]:
    """Read a file; its text is made at the first read, and at offset 0.

    Raises:
        KernelError: ENODEV, the group is gone; EINVAL, it cannot be read; as the file's function.

    Source: fs/kernfs/file.c:kernfs_fop_read_iter(), fs/seq_file.c:seq_read_iter().
    """
    yield "kernfs_fop_read_iter", POINT, file
    k.now_ns += k.costs.file_op
    of: OpenCgroupFile = file.private_data
    node, cft = _alive(file)
    if cft.show is None:
        raise KernelError(EINVAL)
    if file.pos == 0 or file.pos != of.read_pos:
        of.seen = _changes(node)
        of.text = cft.show(k, node.cgroup).encode()
    data = of.text[file.pos : file.pos + count]
    file.pos += len(data)
    of.read_pos = file.pos
    k.now_ns += len(data) * k.costs.copy_byte_x1000 // 1000
    return data


def cgroup_file_write(k: "Kernel", file: File, data: bytes) -> Path[int]:
    """Write to a file, all at once.

    Raises:
        KernelError: E2BIG, more than a page; ENODEV, the group is gone; EINVAL, it cannot be
            written; as the file's function.

    Source: fs/kernfs/file.c:kernfs_fop_write_iter(), kernel/cgroup/cgroup.c:cgroup_file_write().
    """
    yield "kernfs_fop_write_iter", POINT, file
    k.now_ns += k.costs.file_op + len(data) * k.costs.copy_byte_x1000 // 1000
    if len(data) > PAGE_SIZE:
        raise KernelError(E2BIG)
    node, cft = _alive(file)
    if not data:
        return 0
    if cft.write is None:
        raise KernelError(EINVAL)
    of: OpenCgroupFile = file.private_data
    done = cft.write(k, node.cgroup, bytes(data).split(b"\0", 1)[0], of.cred)
    if isinstance(done, Generator):
        yield from done
    elif done:
        _update_files(k, done)
    file.pos += len(data)
    return len(data)


def cgroup_file_llseek(k: "Kernel", file: File, offset: int, whence: int) -> int:
    """Move the offset; the size is 0. Source: fs/read_write.c:generic_file_llseek()."""
    if whence == SEEK_CUR:
        offset += file.pos
    elif whence not in (SEEK_SET, SEEK_END):
        raise KernelError(ENXIO)
    if not 0 <= offset <= _MAX_OFFSET:
        raise KernelError(EINVAL)
    file.pos = offset
    return offset


def cgroup_file_poll(k: "Kernel", file: File, table: PollWqueues | None) -> Path[int]:
    """Return the events of a file: POLLPRI if it may say something else than what was read.

    Source: fs/kernfs/file.c:kernfs_fop_poll(), kernfs_generic_poll().
    """
    node = _node(file.inode)
    if node.cft is not None and node.cft.events:
        yield from poll_wait(k, node.cgroup.events_wait, table)
    of: OpenCgroupFile = file.private_data
    if node.cgroup.dead or of.seen != _changes(node):
        return DEFAULT_POLLMASK | POLLERR | POLLPRI
    return DEFAULT_POLLMASK


CGROUP_FILE_OPERATIONS: Final = FileOperations(
    open=cgroup_file_open,
    read=cgroup_file_read,
    write=cgroup_file_write,
    llseek=cgroup_file_llseek,
    poll=cgroup_file_poll,
)


# -- the tree ------------------------------------------------------------------------------------


def _new_inode(k: "Kernel", kind: int, mode: int, uid: int, gid: int) -> Inode:
    """Return a new inode of this file system, with a number of its own."""
    table: CgroupHierarchy = k.cgroups
    table.last_ino += 1
    time_ns = k.vfs.epoch_ns + k.now_ns
    inode = Inode(_INO + table.last_ino, kind, mode, uid, gid, time_ns)
    if kind == DIRECTORY:
        inode.entries = {}
        inode.nlink = 2
    return inode


def _populate(k: "Kernel", parent: Inode, cgroup: Cgroup, mode: int) -> None:
    """Make the directory of a group and its files. Source: css_populate_dir().

    Args:
        mode: permission bits of the directory.
    """
    cred = k.current.cred
    directory = _new_inode(k, DIRECTORY, S_IFDIR | mode, cred.euid, cred.egid)
    _fill(k, directory, cgroup)
    k.vfs.link(parent, cgroup.name, directory)


def _fill(k: "Kernel", directory: Inode, cgroup: Cgroup) -> None:
    """Make the files of a group that are not there yet, and remove those it has no more."""
    cgroup.inode = directory
    directory.i_op = CgroupNode(cgroup, None)
    if directory.entries is None:
        raise AssertionError(f"{directory!r} is not a directory")
    for cft in CFTYPES:
        there = directory.entries.get(cft.name)
        if not cft.is_of(cgroup):
            # a group may have the name that a file would have
            if there is not None and there.kind != DIRECTORY:
                there.parent = None
                del directory.entries[cft.name]
        elif there is None:
            inode = _new_inode(k, PROC, S_IFREG | cft.mode, directory.uid, directory.gid)
            inode.i_op = CgroupNode(cgroup, cft)
            inode.i_fop = CGROUP_FILE_OPERATIONS
            k.vfs.link(directory, cft.name, inode)


def _update_files(k: "Kernel", cgroups: list[Cgroup]) -> None:
    """The cpu controller comes to these groups, or no more. Source: cgroup_apply_control()."""
    for cgroup in cgroups:
        if cgroup.inode is not None:
            _fill(k, cgroup.inode, cgroup)


def cgroup_init(k: "Kernel") -> None:
    """Mount the file system at /sys/fs/cgroup, with the groups that there are.

    Source: kernel/cgroup/cgroup.c:cgroup_init(), cgroup_get_tree().
    """
    if not has_cgroup2(k):
        return
    where = k.vfs.root
    for name in ("sys", "fs"):
        directory = _new_inode(k, DIRECTORY, S_IFDIR | 0o555, 0, 0)
        directory.i_op = SysNode(_DIRECTORY_ENTRY, None)
        there = (where.entries or {}).get(name)  # a configured file is on the way
        if there is None:
            k.vfs.link(where, name, directory)
            there = directory
        where = there
    root = k.cgroups.root
    for cgroup in descendants(root):
        above = where if cgroup.parent is None else cgroup.parent.inode
        if above is None:
            raise AssertionError(f"{cgroup!r} comes before the one it is in")
        directory = _new_inode(k, DIRECTORY, S_IFDIR | 0o755, 0, 0)
        _fill(k, directory, cgroup)
        k.vfs.link(above, cgroup.name or "cgroup", directory)


# -- clone3 --------------------------------------------------------------------------------------


def cgroup_css_set_fork(k: "Kernel", fd: int, threadgroup: bool) -> Cgroup:
    """Return the group of CLONE_INTO_CGROUP, which the caller may put a child into.

    Args:
        threadgroup: the child is a process, no thread.

    Raises:
        KernelError: EBADF, not the directory of a group; ENOENT, it has been removed; EACCES, and
            as ``check_attach``.

    Source: kernel/cgroup/cgroup.c:cgroup_css_set_fork(), cgroup_get_from_file().
    """
    node = fget(files_of(k.current), fd).inode.i_op
    if not isinstance(node, CgroupNode) or node.cft is not None:
        raise KernelError(EBADF)
    cgroup = node.cgroup
    if cgroup.dead:
        raise KernelError(ENOENT)
    current = k.current
    if not may_write(cgroup, current.cred):
        raise KernelError(EACCES)
    check_attach_permissions(cgroup_of(k, current), cgroup, current.cred, threadgroup)
    return cgroup
