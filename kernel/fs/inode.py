"""Inodes and the tree they stand in: a small file system in memory.

Directories, regular files, ``/dev/null``, ``/dev/zero``, ``/dev/full``, and capture files, which
hand what is written to them to the host side (``k.output``). An inode of any other kind (pipe,
pidfd, …) brings its own operations, ``i_fop``.

Regular files keep only pages that were written; holes read as zeros. Together they may fill half of
the machine's memory (tmpfs's default), then writes fail with ENOSPC.

``i_writecount`` works as in Linux: positive counts writers, negative counts address spaces that
run the file; one side keeps out the other (ETXTBSY).

Source: fs/inode.c, mm/shmem.c, include/linux/fs.h.
Deviation: one file system, no mounts, no symbolic or hard links, no ACLs, no supplementary groups;
file contents take no page frames; atime is not kept; directories have size 4096.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.uapi.errno_ import ENOSPC, ETXTBSY
from kernel.uapi.fcntl import S_IFCHR, S_IFDIR, S_IFMT
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.fs.file_table import File
    from kernel.fs.select import PollWqueues
    from kernel.ipc.pipe import Pipe
    from kernel.ipc.unix import UnixSock
    from kernel.kernel import Kernel
    from kernel.machine import ImageSpec
    from kernel.mm.mm_types import MmStruct
    from kernel.points import Path
    from kernel.proc.inode import Node
    from kernel.process.binprm import Binprm

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
PROC: Final = 7  # a file of /proc: kernel.proc.inode
FULL: Final = 8
EVENTFD: Final = 9
SOCKET: Final = 10
FEED: Final = 12  # standard input from the host side: kernel.fs.capture
NSFS: Final = 11  # a namespace: kernel.fs.nsfs


class FileOperations:
    """What can be done with an open file of one kind (``file_operations``); None: EINVAL.

    Attributes:
        read: ``read(k, file, count)``, a path that returns bytes.
        write: ``write(k, file, data)``, a path that returns the number of bytes written.
        release: ``release(k, file)``, a path run when the last reference of ``file`` is gone.
        llseek: ``llseek(k, file, offset, whence)``, returns the new offset; None: ESPIPE.
        open: ``open(k, file)``, a path run when a file of the tree is opened; may sleep.
        poll: ``poll(k, file, table)``, a path that returns the events that are there (POLL*) and
            calls ``kernel.fs.select.poll_wait`` for each queue it would tell of others; None:
            always ready.
    """

    __slots__ = ("llseek", "open", "poll", "read", "release", "write")

    def __init__(
        self,
        *,
        read: "Callable[[Kernel, File, int], Path[bytes]] | None" = None,
        write: "Callable[[Kernel, File, bytes], Path[int]] | None" = None,
        release: "Callable[[Kernel, File], Path[None]] | None" = None,
        llseek: "Callable[[Kernel, File, int, int], int] | None" = None,
        open: "Callable[[Kernel, File], Path[None]] | None" = None,
        poll: "Callable[[Kernel, File, PollWqueues | None], Path[int]] | None" = None,
    ) -> None:
        self.open = open
        self.poll = poll
        self.read = read
        self.write = write
        self.release = release
        self.llseek = llseek


class Inode:
    """One file (``struct inode``), with its directory entries or content."""

    __slots__ = (
        "ctime_ns",
        "entries",
        "gid",
        "i_fop",
        "i_op",
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
        self.i_fop: FileOperations | None = None  # None: kernel.fs.read_write knows the kind
        # of /proc: what it stands for and what else is in the directory (kernel.proc.inode.Node)
        self.i_op: Node | None = None
        # directories: parent is None once removed; the root is its own parent
        self.entries: dict[str, Inode] | None = None
        self.parent: Inode | None = None
        self.name = ""  # in the parent; of a capture file: the name the host side knows
        self.pages: dict[int, bytearray] | None = None  # regular files: what was written

    def __repr__(self) -> str:
        return f"<inode {self.ino} {self.mode:o} {self.name}>"


_NR_FILE: Final = 8192


class Vfs:
    """The file tree of one machine."""

    __slots__ = (
        "epoch_ns",
        "holds",
        "last_ino",
        "last_pidfs_ino",
        "max_files",
        "max_pages",
        "nr_files",
        "nr_pages",
        "null",
        "pipes",
        "programs",
        "root",
        "socks",
    )

    def __init__(self, epoch_ns: int, max_pages: int) -> None:
        self.epoch_ns = epoch_ns
        self.last_ino = 0
        self.last_pidfs_ino = 0
        self.max_pages = max_pages
        self.nr_pages = 0
        # a tenth of memory filled with files of 1 KiB each (files_maxfiles_init); max_pages is half
        self.max_files = max(max_pages * 2 * (PAGE_SIZE // 1024) // 10, _NR_FILE)
        self.nr_files = 0
        self.pipes: dict[int, Pipe] = {}  # that exist, by inode number
        self.socks: dict[int, UnixSock] = {}  # that are open, likewise
        self.holds: dict[File, int] = {}  # references of calls in progress: kernel.fs.read_write
        # what kernel.process.exec found, and how long that takes; empty after a change of the tree
        self.programs: dict[tuple[object, ...], tuple[Binprm, int]] = {}
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

    def truncate(self, inode: Inode, size: int = 0) -> None:
        """Cut a regular file at ``size``, or make it longer by a hole."""
        pages = inode.pages
        if pages is not None and size < inode.size:
            keep, odd = divmod(size, PAGE_SIZE)
            for index in [index for index in pages if index >= keep + (odd > 0)]:
                del pages[index]
                self.nr_pages -= 1
            last = pages.get(keep)
            if odd and last is not None:
                last[odd:] = bytes(PAGE_SIZE - odd)
        inode.size = size


def is_terminal(inode: Inode) -> bool:
    """Tell whether a file is a terminal: only standard files of the host side can be."""
    return inode.kind in (CAPTURE, FEED) and inode.mode & S_IFMT == S_IFCHR


def content(k: "Kernel", inode: Inode, count: int = 1 << 30) -> bytes:
    """Return the first ``count`` bytes of a regular file (kernel_read, for ``#!`` lines)."""
    return k.vfs.read(inode, 0, count)


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


def set_mm_exe_file(mm: "MmStruct", inode: Inode, path: str) -> None:
    """Note which file ``mm`` runs and keep writers out of it until the address space is gone.

    Raises:
        KernelError: ETXTBSY, somebody has it open for writing.

    Source: kernel/fork.c:set_mm_exe_file(), fs/exec.c:do_open_execat().
    """
    deny_write_access(inode, path)
    if mm.exe_file is not None:
        allow_write_access(mm.exe_file)
    mm.exe_file = inode
