"""F_GETPIPE_SZ and F_SETPIPE_SZ: how many pages the ring of a pipe has.

Source: fs/pipe.c (pipe_fcntl, pipe_set_size, pipe_resize_ring).
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import capable
from kernel.errors import KernelError
from kernel.fs.file_table import File
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.smp.wait import wake_up
from kernel.uapi.errno_ import EBADF, EBUSY, EINVAL, EPERM
from kernel.uapi.fcntl import F_GETPIPE_SZ
from kernel.uapi.mman import PAGE_SIZE
from kernel.uapi.poll import POLLOUT, POLLWRNORM

if TYPE_CHECKING:
    from kernel.kernel import Kernel

PIPE_MAX_SIZE: Final = 1 << 20  # fs.pipe-max-size
_LARGEST: Final = 1 << 31


def pipe_fcntl(k: "Kernel", file: File, command: int, argument: int) -> Path[int]:
    """Return the size of a pipe in bytes, for F_SETPIPE_SZ after changing it.

    Args:
        argument: the wanted size, rounded up to a power of two pages.

    Raises:
        KernelError: EBADF, no pipe; EINVAL, more than 2 GiB; EPERM, more than 1 MiB and not
            root; EBUSY, what is in the pipe does not fit.

    Source: fs/pipe.c:pipe_fcntl(), pipe_set_size(), round_pipe_size().
    """
    pipe = file.inode.pipe
    if pipe is None:
        raise KernelError(EBADF)
    if command == F_GETPIPE_SZ:
        return pipe.max_usage * PAGE_SIZE
    if argument & 0xFFFF_FFFF > _LARGEST:
        raise KernelError(EINVAL)
    slots = 1 << (max(argument & 0xFFFF_FFFF, PAGE_SIZE) - 1 >> 12).bit_length()
    if slots > pipe.max_usage and slots * PAGE_SIZE > PIPE_MAX_SIZE and not capable(k.current.cred):
        raise KernelError(EPERM)
    yield "pipe_fcntl.mutex_lock", ACQUIRE, pipe.mutex
    busy = len(pipe.bufs) > slots
    grown = slots > pipe.max_usage
    if not busy:
        pipe.max_usage = slots
    yield "pipe_fcntl.mutex_unlock", RELEASE, pipe.mutex
    if busy:
        raise KernelError(EBUSY)
    if grown and pipe.wr_wait.active():
        yield from wake_up(k, pipe.wr_wait, key=POLLOUT | POLLWRNORM)
    return slots * PAGE_SIZE
