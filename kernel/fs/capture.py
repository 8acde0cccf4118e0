"""Standard input, output and error of configured programs: files of the host side.

What is written to a capture file goes to the host side. Standard input is /dev/null, a regular
file or a pipe with all its data and no writer left, or a terminal: what that has comes from
``k.feed`` when it is read, and virtual time stands still meanwhile.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.fs.file import FilesStruct, fd_install, fget
from kernel.fs.file_table import File, alloc_file
from kernel.fs.inode import CAPTURE, FEED, REGULAR, FileOperations, Inode, is_terminal
from kernel.points import Path
from kernel.task import files_of
from kernel.uapi.errno_ import ENOTTY
from kernel.uapi.fcntl import O_RDONLY, O_WRONLY, S_IFCHR, S_IFIFO, S_IFREG

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.machine import SpawnSpec

_TTY_MODE: Final = S_IFCHR | 0o620


def capture_inode(k: "Kernel", name: str, terminal: bool = False) -> Inode:
    """Return a write-only file without a path whose data go to ``k.output(name, data)``.

    To the guest it is a pipe that never fills and always has a reader, or a terminal.
    """
    mode = _TTY_MODE if terminal else S_IFIFO | 0o600
    inode: Inode = k.vfs.new_inode(CAPTURE, mode, 0, 0, k.now_ns)
    inode.name = name
    return inode


class FeedInode(Inode):
    """Standard input with what is left of its data; a terminal gets more from ``k.feed``."""

    __slots__ = ("data", "done", "late")

    def __init__(self, k: "Kernel", mode: int, data: bytes, late: bool) -> None:
        vfs = k.vfs
        vfs.last_ino += 1
        super().__init__(vfs.last_ino, FEED, mode, 0, 0, vfs.epoch_ns + k.now_ns)
        self.i_fop = _feed_fops
        self.data = data
        self.done = 0  # bytes of ``data`` that have been read
        self.late = late  # the data of a pipe are still to come


def feed_read(k: "Kernel", file: File, count: int) -> Path[bytes]:
    """Take up to ``count`` bytes; of a terminal at most one line. b"" is the end."""
    inode = file.inode
    if not isinstance(inode, FeedInode):
        raise AssertionError(f"{inode!r} is no standard input")
    k.now_ns += k.costs.pipe_op
    if count and inode.done == len(inode.data) and (inode.late or is_terminal(inode)):
        inode.late = False
        inode.data = k.feed()
        inode.done = 0
    part = inode.data[inode.done : inode.done + count]
    inode.done += len(part)
    k.now_ns += len(part) * k.costs.copy_byte_x1000 // 1000
    yield from ()
    return part


_feed_fops: Final = FileOperations(read=feed_read)


def open_std(k: "Kernel", files: FilesStruct, label: str, spec: "SpawnSpec") -> None:
    """Open descriptors 0, 1, 2 of a configured program in ``files``, which is empty.

    What goes to the last two reaches ``k.output`` as ``label.stdout`` and ``label.stderr``.

    Raises:
        KernelError: ENOSPC, the data of standard input do not fit into the machine's memory.
    """
    fd_install(files, 0, alloc_file(k, _stdin_inode(k, spec), O_RDONLY), cloexec=False)
    for fd, name in ((1, "stdout"), (2, "stderr")):
        inode = capture_inode(k, f"{label}.{name}", bool(spec.terminals >> fd & 1))
        fd_install(files, fd, alloc_file(k, inode, O_WRONLY), cloexec=False)


def _stdin_inode(k: "Kernel", spec: "SpawnSpec") -> Inode:
    if spec.stdin_kind == "null":
        return k.vfs.null
    if spec.stdin_kind == "file":
        inode: Inode = k.vfs.new_inode(REGULAR, S_IFREG | 0o600, 0, 0, k.now_ns)
        inode.nlink = 0
        k.vfs.write(inode, 0, spec.stdin)
        return inode
    kind = spec.stdin_kind
    mode = _TTY_MODE if kind == "terminal" else S_IFIFO | 0o600
    return FeedInode(k, mode, spec.stdin, kind == "late")


TCGETS: Final = 0x5401


def sys_ioctl(k: "Kernel", fd: int, request: int) -> int:
    """TCGETS only, by which the C library asks whether a file is a terminal.

    Raises:
        KernelError: EBADF; ENOTTY, it is none, or another request.

    Source: fs/ioctl.c, drivers/tty/tty_ioctl.c.
    Deviation: of the terminal's settings nothing comes back.
    """
    k.now_ns += k.costs.file_op
    if request != TCGETS or not is_terminal(fget(files_of(k.current), fd).inode):
        raise KernelError(ENOTTY)
    return 0
