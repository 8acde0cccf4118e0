"""The file system of /proc: entries, the inodes that stand for them, reading and writing.

An ``Entry`` is one row of a table: a name, a mode, and what makes the content: for a file a
function that returns its text, for a directory functions that find and list what is in it. A
``Node`` joins an entry with the task it is about; it is the ``i_op`` of an inode. Inodes of
processes exist only while somebody holds them: every look-up makes new ones, with inode numbers
that follow from the pid and the entry.

A node names its task by ``struct pid``, so it never finds another task that was given the same
number later: once the task is released, look-ups in its directory fail with ENOENT and reads
of files opened before with ESRCH.

A file's text is made at the first read, or when it is read at offset 0 again, and is then handed
out piece by piece; whoever reads in small pieces sees one moment. Functions that make texts are
plain functions or paths, if they take locks.

Numbers are those of the pid namespace whose /proc it is: that of boot.

Source: fs/proc/inode.c, fs/proc/generic.c, fs/seq_file.c.
Deviation: one /proc, of the first pid namespace.
"""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, ClassVar, Final

from kernel.errors import KernelError
from kernel.fs.file_table import File
from kernel.fs.inode import DIRECTORY, PROC, FileOperations, Inode
from kernel.points import Path
from kernel.task import TaskStruct
from kernel.uapi.errno_ import EINVAL, EIO, ENOENT, EPERM, ESRCH
from kernel.uapi.fcntl import S_IFDIR, S_IFREG, SEEK_CUR, SEEK_SET

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.process.pid import Pid

_PID_INO: Final = 1 << 40  # inode numbers below it are those of static entries
_DIRECTORY_MODE: Final = 0o555  # a directory tells the effective ids of any process
_ENTRIES: Final = 64  # inode numbers of one task's directory
_MAX_OFFSET: Final = (1 << 63) - 1

Show = Callable[..., Any]


class Entry:
    """One name in a directory of /proc (``proc_dir_entry``, ``pid_entry``).

    Attributes:
        name: empty for the directory of a task, which is named by its number.
        mode: permission bits.
        show: ``show(k)``, or ``show(k, task)`` below a task's directory; returns the text as str or
            bytes, or is a path that does. None: a directory.
        write: ``write(k, data)`` or ``write(k, task, data)``; returns the number of bytes taken.
        lookup: ``lookup(k, directory, name)`` of a directory; returns an Inode or None.
        names: ``names(k, directory)``: what a directory holds, in the order of readdir.
        links: ``links(k, directory, name, inode)`` of a directory: the text of the symbolic link
            ``name``, which leads to ``inode``; None if it is none.
        follow: ``follow(k, task)`` of a symbolic link: the Inode it leads to, or None.
        there: ``there(k)``: whether this kernel has it; None: each has.
        number: its place among the inode numbers of a task.
    """

    __slots__ = (
        "follow",
        "links",
        "lookup",
        "mode",
        "name",
        "names",
        "number",
        "show",
        "there",
        "write",
    )

    def __init__(
        self,
        name: str,
        mode: int,
        *,
        show: Show | None = None,
        write: Show | None = None,
        lookup: Show | None = None,
        names: Show | None = None,
        links: Show | None = None,
        follow: Show | None = None,
        there: Show | None = None,
    ) -> None:
        self.name = name
        self.mode = mode
        self.show = show
        self.write = write
        self.lookup = lookup
        self.names = names
        self.links = links
        self.follow = follow
        self.there = there
        self.number = 0

    def is_there(self, k: "Kernel") -> bool:
        """Tell whether the kernel ``k`` has this file."""
        return self.there is None or bool(self.there(k))


class Node:
    """What an inode of /proc stands for: an entry, and below a task's directory the task."""

    __slots__ = ("entry", "pid")

    dev: ClassVar[int] = 0  # st_dev of its file system; 0: that of the machine's
    dead_nlink: ClassVar[int] = 0  # st_nlink of a directory that has been removed
    may_chmod: ClassVar[bool] = False
    takes_names: ClassVar[bool] = False  # of what may be made in it mkdir decides
    strict: ClassVar[bool] = False  # root may do no more than the mode says

    def __init__(self, entry: Entry, pid: "Pid | None") -> None:
        self.entry = entry
        self.pid = pid

    def mkdir(self, k: "Kernel", directory: Inode, name: str, mode: int) -> None:
        """Make a directory in ``directory``. Source: inode_operations.mkdir.

        Raises:
            KernelError: ENOENT, /proc has no room for it.
        """
        raise KernelError(ENOENT)

    def rmdir(self, k: "Kernel", inode: Inode) -> None:
        """Remove what a directory stands for; it is in this one. Source: inode_operations.rmdir.

        Raises:
            KernelError: EPERM.
        """
        raise KernelError(EPERM)

    def is_gone(self) -> bool:
        """Tell whether the task of a directory is released: nobody may look into it any more.

        Source: fs/proc/base.c:proc_pid_permission().
        """
        return self.pid is not None and self.pid.task is None

    def lookup(self, k: "Kernel", directory: Inode, name: str) -> Inode | None:
        """Return what ``name`` is in this directory, or None. Source: inode_operations.lookup."""
        if self.entry.lookup is None:
            return None
        found: Inode | None = self.entry.lookup(k, directory, name)
        return found

    def names(self, k: "Kernel", directory: Inode) -> list[str]:
        """Return the names in this directory beside its static entries, in readdir's order.

        Raises:
            KernelError: ENOENT, the task is gone.

        Source: file_operations.iterate_shared.
        """
        if self.entry.names is None:
            return []
        found: list[str] = self.entry.names(k, directory)
        return found


def node_of(inode: Inode) -> Node:
    """Return what an inode of /proc stands for."""
    node = inode.i_op
    if node is None:
        raise AssertionError(f"{inode!r} is not of /proc")
    return node


def get_proc_task(inode: Inode) -> TaskStruct | None:
    """Return the task that ``inode`` is about, zombies too; None once it is released.

    Source: fs/proc/internal.h:get_proc_task().
    """
    pid = node_of(inode).pid
    task: TaskStruct | None = None if pid is None else pid.task
    return task


def proc_pid_make_inode(
    k: "Kernel", task: TaskStruct, entry: Entry, parent: Inode, name: str
) -> Inode:
    """Return an inode for ``entry`` of ``task``, owned by the task's effective ids.

    Source: fs/proc/base.c:proc_pid_make_inode(), task_dump_owner().
    """
    directory = entry.show is None
    ino = _PID_INO + task.thread_pid.nr * _ENTRIES + entry.number
    kind = S_IFDIR if directory else S_IFREG
    cred = task.cred
    uid, gid = cred.euid, cred.egid
    mm = task.mm
    if entry.mode != _DIRECTORY_MODE and mm is not None and not mm.dumpable:
        uid = gid = 0
    inode = Inode(ino, DIRECTORY if directory else PROC, kind | entry.mode, uid, gid, 0)
    inode.mtime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns
    inode.i_op = Node(entry, task.thread_pid)
    inode.parent = parent
    inode.name = name
    if directory:
        inode.entries = {}
        inode.nlink = 2
    else:
        inode.i_fop = PROC_FILE_OPERATIONS
    return inode


def proc_create(k: "Kernel", directory: Inode, entry: Entry) -> Inode:
    """Enter ``entry`` into a static directory; return its inode. Source: proc_create_data()."""
    is_directory = entry.show is None
    kind = S_IFDIR if is_directory else S_IFREG
    inode = k.vfs.new_inode(DIRECTORY if is_directory else PROC, kind | entry.mode, 0, 0, 0)
    inode.i_op = Node(entry, None)
    if not is_directory:
        inode.i_fop = PROC_FILE_OPERATIONS
    k.vfs.link(directory, entry.name, inode)
    return inode


# -- reading and writing -------------------------------------------------------------------------


class SeqFile:
    """The text an open file is handing out (``seq_file``), and up to where it has."""

    __slots__ = ("read_pos", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.read_pos = 0


def seq_read(k: "Kernel", file: File, count: int) -> Path[bytes]:
    """Read up to ``count`` bytes of a file of /proc; the text is made if there is none yet.

    Raises:
        KernelError: ESRCH, the task is gone and the text has to be made.

    Source: fs/seq_file.c:seq_read_iter(), fs/proc/base.c:proc_single_show().
    """
    k.now_ns += k.costs.file_op
    seq: SeqFile | None = file.private_data
    if seq is None or file.pos == 0 or file.pos != seq.read_pos:
        node = node_of(file.inode)
        show = node.entry.show
        if show is None:
            raise AssertionError(f"{file.inode!r} is a directory")
        if node.pid is None:
            made = show(k)
        else:
            task = node.pid.task
            if task is None:
                raise KernelError(ESRCH)
            made = show(k, task)
        if isinstance(made, Generator):
            made = yield from made
        text = made.encode("utf-8", "surrogateescape") if isinstance(made, str) else made
        seq = SeqFile(text)
        file.private_data = seq
    data = seq.text[file.pos : file.pos + count]
    file.pos += len(data)
    seq.read_pos = file.pos
    k.now_ns += len(data) * k.costs.copy_byte_x1000 // 1000
    return data


def proc_write(k: "Kernel", file: File, data: bytes) -> Path[int]:
    """Write to a file of /proc.

    Raises:
        KernelError: EIO (a file of /proc itself) or EINVAL (a task's), it cannot be written;
            ESRCH, the task is gone; what the entry's function raises.

    Source: fs/proc/inode.c:pde_write(), fs/read_write.c:vfs_write().
    """
    k.now_ns += k.costs.file_op + len(data) * k.costs.copy_byte_x1000 // 1000
    node = node_of(file.inode)
    write = node.entry.write
    if write is None:
        raise KernelError(EIO if node.pid is None else EINVAL)
    if node.pid is None:
        taken = write(k, data)
    else:
        task = node.pid.task
        if task is None:
            raise KernelError(ESRCH)
        taken = write(k, task, data)
    if isinstance(taken, Generator):
        taken = yield from taken
    size: int = taken
    file.pos += size
    return size


def seq_lseek(k: "Kernel", file: File, offset: int, whence: int) -> int:
    """Move the offset; only from the start or from where it is.

    Raises:
        KernelError: EINVAL.

    Source: fs/seq_file.c:seq_lseek().
    """
    if whence == SEEK_CUR:
        offset += file.pos
    elif whence != SEEK_SET:
        raise KernelError(EINVAL)
    if not 0 <= offset <= _MAX_OFFSET:
        raise KernelError(EINVAL)
    file.pos = offset
    return offset


PROC_FILE_OPERATIONS: Final = FileOperations(read=seq_read, write=proc_write, llseek=seq_lseek)


def need_task(inode: Inode) -> TaskStruct:
    """Return the task of a directory that is being looked into.

    Raises:
        KernelError: ENOENT, it is gone.
    """
    task = get_proc_task(inode)
    if task is None:
        raise KernelError(ENOENT)
    return task
