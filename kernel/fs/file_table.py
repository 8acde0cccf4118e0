"""Open file descriptions.

A ``File`` is shared by every descriptor that dup and fork made from one open, with one offset and
one set of status flags. Releasing the last reference of a pipe end wakes tasks, so everything that
may close is a path.

Source: fs/file_table.c, fs/inode.c (iput).
"""

from typing import TYPE_CHECKING, Any

from kernel.cred.creds import capable
from kernel.errors import InvariantError, KernelError
from kernel.fs.inode import REGULAR, Inode
from kernel.points import Path
from kernel.uapi.errno_ import ENFILE
from kernel.uapi.fcntl import O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class File:
    """An open file description (``struct file``). ``count`` references; ``flags`` as F_GETFL."""

    __slots__ = (
        "count",
        "created",
        "flags",
        "inode",
        "pos",
        "private_data",
        "readable",
        "writable",
    )

    def __init__(self, inode: Inode, flags: int) -> None:
        self.inode = inode
        self.flags = flags
        self.pos = 0
        self.count = 1
        self.created = False  # opening it has made the file (FMODE_CREATED)
        self.private_data: Any = None  # what its i_fop keeps for this open file
        access = flags & O_ACCMODE
        self.readable = access in (O_RDONLY, O_RDWR)
        self.writable = access in (O_WRONLY, O_RDWR)


def check_file_max(k: "Kernel", count: int = 1) -> None:
    """Check that ``count`` more open file descriptions may exist; root may always have more.

    Raises:
        KernelError: ENFILE.

    Source: fs/file_table.c:alloc_empty_file().
    """
    vfs = k.vfs
    if vfs.nr_files + count > vfs.max_files and not capable(k.current.cred):
        raise KernelError(ENFILE)


def alloc_file(k: "Kernel", inode: Inode, flags: int) -> File:
    """Return a new open file description, counted; ``check_file_max`` has passed.

    Source: fs/file_table.c:alloc_file().
    """
    k.vfs.nr_files += 1
    if inode.kind == REGULAR:  # a standard input that is a file
        inode.nr_open += 1
    return File(inode, flags)


def fput(k: "Kernel", file: File) -> Path[None]:
    """Drop a reference; the last one releases what the file holds. Source: fs/file_table.c:fput().

    Raises:
        InvariantError: more references were dropped than taken.
    """
    file.count -= 1
    if not file.count:
        yield from release_file(k, file)
    elif file.count < 0:
        raise InvariantError(f"{file.inode!r} was closed more often than it was opened")


def release_file(k: "Kernel", file: File) -> Path[None]:
    """Release what ``file`` holds, whose last reference is gone.

    Source: fs/file_table.c:__fput().
    """
    k.vfs.nr_files -= 1
    inode = file.inode
    fop = inode.i_fop
    if fop is not None:
        if fop.release is not None:
            yield from fop.release(k, file)
    elif inode.kind == REGULAR:
        if file.writable:
            inode.i_writecount -= 1
        inode.nr_open -= 1
        iput(k, inode)


def iput(k: "Kernel", inode: Inode) -> None:
    """Free the content of a file that has no name any more and that nobody has open.

    Source: fs/inode.c:iput(), mm/shmem.c:shmem_evict_inode().
    """
    if not inode.nlink and not inode.nr_open:
        k.vfs.truncate(inode)
