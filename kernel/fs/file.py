"""Descriptor tables.

A ``FilesStruct`` maps descriptors to files; the lowest free one is found in a bit mask, as in
Linux. ``close_on_exec`` is a property of the descriptor.

fork shares the map itself: it is copied when one of its ``sharers`` changes it (``own_fd``), and
then every file in it gets another reference. So a file's ``count`` is the number of *maps'*
entries that name it, and a map that others share can be left without a look at its files.

Source: fs/file.c.
Deviation: no file_lock points: a table shared by threads is changed in one step.
"""

from typing import TYPE_CHECKING

from kernel.bits import find_first_bit
from kernel.errors import KernelError
from kernel.fs.file_table import File, fput, release_file
from kernel.points import BARRIER, Path
from kernel.process.limits import rlimit
from kernel.task import files_of
from kernel.uapi.errno_ import EBADF, EINVAL, EMFILE
from kernel.uapi.rlimit import RLIMIT_NOFILE

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class FdSharers:
    """How many descriptor tables have one map in common."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 1


class FilesStruct:
    """A descriptor table (``files_struct``), shared by ``count`` tasks.

    ``open_fds`` and ``close_on_exec`` are bit masks over descriptors.
    """

    __slots__ = ("close_on_exec", "count", "fd", "open_fds", "reserved", "sharers", "slot")

    def __init__(
        self,
        fd: dict[int, File],
        open_fds: int,
        close_on_exec: int,
        slot: int,
        sharers: FdSharers | None = None,
    ) -> None:
        self.fd = fd
        self.open_fds = open_fds
        self.close_on_exec = close_on_exec
        # raised by who has it, lowered behind a BARRIER: who has it and reads 1 is alone
        self.count = 1
        self.sharers = FdSharers() if sharers is None else sharers  # of ``fd``
        self.reserved = 0  # descriptors taken by an open() in progress: in open_fds, not in fd
        self.slot = slot  # in the files_cache slab cache


def init_files(k: "Kernel") -> FilesStruct:
    """Return an empty descriptor table (init_files)."""
    return FilesStruct({}, 0, 0, k.slabs["files_cache"].alloc())


def dup_fd(k: "Kernel", oldf: FilesStruct) -> FilesStruct:
    """Return a copy of the table ``oldf``; the files themselves are shared.

    Charges ``copy_files_per_fd`` for each descriptor.

    Raises:
        KernelError: ENOMEM.

    Source: fs/file.c:dup_fd().
    """
    slot = k.slabs["files_cache"].alloc()
    fd = oldf.fd
    k.now_ns += k.costs.copy_files_per_fd * len(fd)
    sharers = oldf.sharers
    sharers.count += 1
    return FilesStruct(fd, oldf.open_fds & ~oldf.reserved, oldf.close_on_exec, slot, sharers)


def own_fd(files: FilesStruct) -> dict[int, File]:
    """Return the map of ``files`` to be changed, copied first if another table shares it."""
    fd = files.fd
    if files.sharers.count > 1:
        files.sharers.count -= 1
        files.sharers = FdSharers()
        fd = files.fd = fd.copy()
        for file in fd.values():
            file.count += 1
    return fd


def _drop_table(k: "Kernel", files: FilesStruct) -> None:
    """Free the table of the last task that leaves; its files are closed or somebody else's too."""
    files.sharers.count -= 1
    files.fd = {}
    files.open_fds = files.close_on_exec = 0
    k.slabs["files_cache"].free(files.slot)


def put_files_struct(k: "Kernel", files: FilesStruct) -> Path[None]:
    """Leave the table; the last task to do so closes everything, lowest descriptor first.

    Source: fs/file.c:put_files_struct(), close_files().
    """
    yield "put_files_struct.count", BARRIER, files  # atomic_dec_and_test()
    files.count -= 1
    if files.count:
        return
    if files.sharers.count == 1:
        table = files.fd
        for fd in sorted(table):
            file = table[fd]
            file.count -= 1
            if not file.count:
                yield from release_file(k, file)
    _drop_table(k, files)


def do_close_on_exec(k: "Kernel", files: FilesStruct) -> Path[None]:
    """Close every descriptor that is marked close-on-exec. Source: fs/file.c:do_close_on_exec()."""
    while files.close_on_exec:
        fd = find_first_bit(files.close_on_exec)
        yield from fput(k, fd_uninstall(files, fd))


def fget(files: FilesStruct, fd: int) -> File:
    """Return the file of descriptor ``fd``.

    Raises:
        KernelError: EBADF.

    Source: fs/file.c:fdget().
    """
    file = files.fd.get(fd)
    if file is None:
        raise KernelError(EBADF)
    return file


def get_unused_fd(k: "Kernel", files: FilesStruct, start: int = 0) -> int:
    """Return the lowest free descriptor that is at least ``start``; it is not taken yet.

    Raises:
        KernelError: EMFILE, it would be RLIMIT_NOFILE or more.

    Source: fs/file.c:alloc_fd(), __get_unused_fd_flags().
    """
    taken = files.open_fds >> start
    fd = start + (~taken & (taken + 1)).bit_length() - 1
    if fd >= rlimit(k, k.current.signal, RLIMIT_NOFILE):
        raise KernelError(EMFILE)
    return fd


def fd_install(files: FilesStruct, fd: int, file: File, *, cloexec: bool) -> None:
    """Give the free descriptor ``fd`` the file; its reference passes to the table.

    Source: fs/file.c:fd_install().
    """
    own_fd(files)[fd] = file
    files.open_fds |= 1 << fd
    if cloexec:
        files.close_on_exec |= 1 << fd


def fd_uninstall(files: FilesStruct, fd: int) -> File:
    """Free descriptor ``fd`` and return its file, whose reference passes to the caller.

    Raises:
        KernelError: EBADF.

    Source: fs/file.c:file_close_fd().
    """
    if fd not in files.fd:
        raise KernelError(EBADF)
    file = own_fd(files).pop(fd)
    files.open_fds &= ~(1 << fd)
    files.close_on_exec &= ~(1 << fd)
    return file


def close_fd(k: "Kernel", files: FilesStruct, fd: int) -> Path[None]:
    """Close ``fd`` of ``files``.

    Raises:
        KernelError: EBADF.

    Source: fs/file.c:close_fd().
    """
    return fput(k, fd_uninstall(files, fd))


def do_dup2(
    k: "Kernel", files: FilesStruct, fd: int, fd2: int, *, cloexec: bool, dup3: bool
) -> Path[int]:
    """Make ``fd2`` stand for the file of ``fd``, closing what it stood for; return ``fd2``.

    Args:
        cloexec: mark the copy close-on-exec.
        dup3: an equal pair is EINVAL, as in dup3(); else it is left as it is, as in dup2().

    Raises:
        KernelError: EINVAL; EBADF, ``fd`` is not open or ``fd2`` is out of range.

    Source: fs/file.c:ksys_dup3(), do_dup2(), dup2().
    """
    if fd == fd2:
        if dup3:
            raise KernelError(EINVAL)
        fget(files, fd)
        return fd
    if not 0 <= fd2 < rlimit(k, k.current.signal, RLIMIT_NOFILE):
        raise KernelError(EBADF)
    file = fget(files, fd)
    old = fd_uninstall(files, fd2) if fd2 in files.fd else None
    file.count += 1
    fd_install(files, fd2, file, cloexec=cloexec)
    if old is not None:
        yield from fput(k, old)
    return fd2


def sys_dup2(k: "Kernel", fd: int, fd2: int, inheritable: bool) -> Path[int]:
    """Make ``fd2`` stand for the file of ``fd``; return ``fd2``.

    ``inheritable`` is dup2(); otherwise it is dup3() with O_CLOEXEC, which refuses an equal pair.

    Raises:
        KernelError: EBADF, EINVAL.

    Source: fs/file.c:dup2(), dup3(); CPython Modules/posixmodule.c:os_dup2_impl().
    """
    k.now_ns += k.costs.file_op
    return do_dup2(k, files_of(k.current), fd, fd2, cloexec=not inheritable, dup3=not inheritable)
