"""read, write and lseek.

Calls on directories, regular files and the memory devices never sleep and are done here; other
kinds of files bring their own operations (``Inode.i_fop``).

Source: fs/read_write.c, drivers/char/mem.c, mm/filemap.c, mm/shmem.c.
Deviation: no f_pos_lock points; no asynchronous I/O.
"""

from typing import TYPE_CHECKING, Any, Final, NoReturn

from kernel.errors import KernelError, RestartSyscall
from kernel.fs.file import fget
from kernel.fs.file_table import File, fput
from kernel.fs.inode import CAPTURE, DIRECTORY, FULL, NULL, ZERO, Inode
from kernel.points import Path
from kernel.process.pid import PIDTYPE_PID, task_tgid_vnr
from kernel.signal.send import do_send_sig_info
from kernel.task import NO_RLIMITS, files_of
from kernel.uapi.errno_ import EBADF, EFBIG, EINVAL, EISDIR, ENOSPC, ENXIO, ESPIPE
from kernel.uapi.fcntl import (
    MAX_RW_COUNT,
    O_APPEND,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
)
from kernel.uapi.mman import PAGE_SIZE
from kernel.uapi.rlimit import RLIMIT_FSIZE
from kernel.uapi.signals import SI_USER, SIGXFSZ

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.kernel import Kernel

    FileOperation = Callable[[Kernel, File, Any], Path[Any]]

MAX_OFFSET: Final = (1 << 63) - 1
_ZERO_MAX: Final = 1 << 24
"""Deviation: one read of /dev/zero gives at most 16 MiB."""


def sys_read(k: "Kernel", fd: int, count: int) -> "Path[bytes] | bytes":
    """Read up to ``count`` bytes; b"" at the end of a file.

    Returns:
        bytes; of a pipe, a path that returns them.

    Raises:
        KernelError: EBADF, not open or not for reading; EISDIR; EINVAL, a negative count; of a
            pipe EAGAIN.

    Source: fs/read_write.c:ksys_read(), vfs_read().
    """
    file = fget(files_of(k.current), fd)
    if not file.readable:
        raise KernelError(EBADF)
    if count < 0:
        raise KernelError(EINVAL)
    inode = file.inode
    kind = inode.kind
    fop = inode.i_fop
    if fop is not None:
        if fop.read is None:
            raise KernelError(EINVAL)
        count = min(count, MAX_RW_COUNT)
        if files_of(k.current).count > 1:
            return with_file(k, file, fop.read, count)
        return fop.read(k, file, count)
    k.now_ns += k.costs.file_op
    if kind == DIRECTORY:
        raise KernelError(EISDIR)
    if kind == NULL:
        return b""
    if kind in (ZERO, FULL):
        data = bytes(min(count, _ZERO_MAX))
    else:
        data = k.vfs.read(inode, file.pos, min(count, MAX_RW_COUNT))
        file.pos += len(data)
    k.now_ns += len(data) * k.costs.copy_byte_x1000 // 1000
    return data


def with_file(k: "Kernel", file: File, operation: "FileOperation", argument: Any) -> Path[Any]:
    """Run ``operation(k, file, argument)`` with a reference on ``file``.

    Another thread may close the file meanwhile; a task whose table is its own needs none.

    Source: fs/file.c:fdget(), fdput().
    """
    file.count += 1
    holds = k.vfs.holds
    holds[file] = holds.get(file, 0) + 1
    failed: Exception | None = None
    result: Any = None
    try:
        result = yield from operation(k, file, argument)
    except (KernelError, RestartSyscall) as error:  # not finally: a dropped path must not yield
        failed = error
    holds[file] -= 1
    if not holds[file]:
        del holds[file]
    yield from fput(k, file)
    if failed is not None:
        raise failed
    return result


def sys_write(k: "Kernel", fd: int, data: bytes) -> "Path[int] | int":
    """Write ``data`` and return how many bytes were written.

    Returns:
        int; of a pipe, a path that returns it.

    Raises:
        KernelError: EBADF, not open or not for writing; EFBIG (over RLIMIT_FSIZE: with SIGXFSZ),
            ENOSPC; of a pipe EAGAIN, EPIPE.

    Source: fs/read_write.c:ksys_write(), vfs_write(); mm/filemap.c:generic_write_checks().
    """
    file = fget(files_of(k.current), fd)
    if not file.writable:
        raise KernelError(EBADF)
    inode = file.inode
    kind = inode.kind
    fop = inode.i_fop
    if fop is not None:
        if fop.write is None:
            raise KernelError(EINVAL)
        if files_of(k.current).count > 1:
            return with_file(k, file, fop.write, data)
        return fop.write(k, file, data)
    count = len(data)
    k.now_ns += k.costs.file_op + count * k.costs.copy_byte_x1000 // 1000
    if kind == CAPTURE:
        if count:
            k.output(inode.name, bytes(data))
        return count
    if kind == FULL:
        raise KernelError(ENOSPC)  # even of nothing
    if kind in (NULL, ZERO) or not count:
        return count
    pos = inode.size if file.flags & O_APPEND else file.pos
    if pos + count > MAX_OFFSET:
        raise KernelError(EFBIG)
    limits = k.current.signal.rlim
    if limits is not NO_RLIMITS and RLIMIT_FSIZE in limits:
        limit = limits[RLIMIT_FSIZE][0]
        if pos >= limit:
            return file_too_large(k)
        data = data[: limit - pos]
    done: int = k.vfs.write(inode, pos, data)
    file.pos = pos + done
    inode.mtime_ns = inode.ctime_ns = k.vfs.epoch_ns + k.now_ns
    return done


def file_too_large(k: "Kernel") -> Path[NoReturn]:
    """The file may not grow: SIGXFSZ and EFBIG. Source: fs/read_write.c:generic_write_checks()."""
    task = k.current
    info = (SIGXFSZ, SI_USER, task_tgid_vnr(k, task), task.cred.uid, 0)
    yield from do_send_sig_info(k, SIGXFSZ, info, task, PIDTYPE_PID)
    raise KernelError(EFBIG)


def sys_lseek(k: "Kernel", fd: int, offset: int, whence: int) -> int:
    """Move the offset of a file and return it.

    Raises:
        KernelError: EBADF; EINVAL, unknown ``whence`` or a negative result; ESPIPE, a pipe;
            ENXIO, SEEK_DATA or SEEK_HOLE beyond the end.

    Source: fs/read_write.c:ksys_lseek(), generic_file_llseek(); drivers/char/mem.c:null_lseek().
    """
    k.now_ns += k.costs.file_op
    file = fget(files_of(k.current), fd)
    if not SEEK_SET <= whence <= SEEK_HOLE:
        raise KernelError(EINVAL)
    inode = file.inode
    fop = inode.i_fop
    if fop is not None and fop.llseek is not None:
        return fop.llseek(k, file, offset, whence)
    if fop is not None or inode.kind == CAPTURE:
        raise KernelError(ESPIPE)
    if inode.kind in (NULL, ZERO, FULL):
        file.pos = 0
        return 0
    size = PAGE_SIZE if inode.kind == DIRECTORY else inode.size
    if whence == SEEK_CUR:
        offset += file.pos
    elif whence == SEEK_END:
        offset += size
    elif whence in (SEEK_DATA, SEEK_HOLE):
        offset = _seek_extent(inode, offset, size, whence)
    if not 0 <= offset <= MAX_OFFSET:
        raise KernelError(EINVAL)
    file.pos = offset
    return offset


def _seek_extent(inode: Inode, offset: int, size: int, whence: int) -> int:
    """Return the first data or hole at or after ``offset``.

    Source: mm/shmem.c:shmem_file_llseek(), mm/filemap.c:mapping_seek_hole_data().
    """
    if not 0 <= offset < size:
        raise KernelError(ENXIO)
    pages = inode.pages or {}
    data = whence == SEEK_DATA
    if data and inode.kind == DIRECTORY:
        return offset  # all of it is data, as generic_file_llseek() says
    first = offset // PAGE_SIZE
    for index in [first, *sorted(page for page in pages if page > first)] if data else [first]:
        if data and index in pages:
            return max(offset, index * PAGE_SIZE)
    if data:
        raise KernelError(ENXIO)
    while first in pages:
        first += 1
    return min(size, max(offset, first * PAGE_SIZE))
