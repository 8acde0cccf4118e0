"""fcntl. Source: fs/fcntl.c.
Deviation: no locks, leases, owners and signals of files, seals.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.fs.file import fd_install, fget, get_unused_fd
from kernel.ipc.pipe_size import pipe_fcntl
from kernel.points import Path
from kernel.process.limits import rlimit
from kernel.task import files_of
from kernel.uapi.errno_ import EINVAL
from kernel.uapi.fcntl import (
    F_CREATED_QUERY,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_DUPFD_QUERY,
    F_GETFD,
    F_GETFL,
    F_GETPIPE_SZ,
    F_SETFD,
    F_SETFL,
    F_SETPIPE_SZ,
    FD_CLOEXEC,
    O_APPEND,
    O_NOATIME,
    O_NONBLOCK,
)
from kernel.uapi.rlimit import RLIMIT_NOFILE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_SETFL_MASK: Final = O_APPEND | O_NONBLOCK | O_NOATIME


def sys_fcntl(k: "Kernel", fd: int, command: int, argument: int) -> int | Path[int]:
    """F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_SETPIPE_SZ, F_GETPIPE_SZ.

    F_DUPFD_QUERY (6.10): do two descriptors share one description? F_CREATED_QUERY (6.12): did
    opening it make the file?

    Returns:
        int; for the pipes' two a path that returns it.

    Raises:
        KernelError: EBADF; EINVAL, another command or a descriptor out of range; EMFILE.

    Source: fs/fcntl.c:do_fcntl(), setfl().
    """
    k.now_ns += k.costs.file_op
    files = files_of(k.current)
    file = fget(files, fd)
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        if not 0 <= argument < rlimit(k, k.current.signal, RLIMIT_NOFILE):
            raise KernelError(EINVAL)
        new = get_unused_fd(k, files, argument)
        file.count += 1
        fd_install(files, new, file, cloexec=command == F_DUPFD_CLOEXEC)
        return new
    if command == F_GETFD:
        return files.close_on_exec >> fd & FD_CLOEXEC
    if command == F_SETFD:
        files.close_on_exec &= ~(1 << fd)
        files.close_on_exec |= (argument & FD_CLOEXEC) << fd
        return 0
    if command == F_GETFL:
        return file.flags
    if command == F_SETFL:
        file.flags = file.flags & ~_SETFL_MASK | argument & _SETFL_MASK
        return 0
    if command == F_DUPFD_QUERY and k.tasks.profile.fcntl_queries:
        return int(fget(files, argument) is file)
    if command == F_CREATED_QUERY and k.tasks.profile.fcntl_queries:
        return int(file.created)
    if command in (F_SETPIPE_SZ, F_GETPIPE_SZ):
        return pipe_fcntl(k, file, command, argument)
    raise KernelError(EINVAL)


def sys_dup(k: "Kernel", fd: int) -> int | Path[int]:
    """Return a new descriptor for the file of ``fd``, close-on-exec: CPython's dup (PEP 446).

    Raises:
        KernelError: EBADF, EMFILE.

    Source: fs/fcntl.c:f_dupfd() (CPython calls fcntl with F_DUPFD_CLOEXEC).
    """
    return sys_fcntl(k, fd, F_DUPFD_CLOEXEC, 0)
