"""eventfd: a counter of 64 bits that can be waited for.

Writing adds, reading takes all of it (or 1, EFD_SEMAPHORE) and waits while it is 0. A writer waits
while the sum would reach 2**64 - 1. ``lock`` guards the counter.

Source: fs/eventfd.c.
"""

from functools import partial
from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError, RestartSyscall
from kernel.fs.file import fd_install, fget, get_unused_fd
from kernel.fs.file_table import File, alloc_file, check_file_max
from kernel.fs.inode import EVENTFD, FileOperations, Inode
from kernel.fs.read_write import sys_read, sys_write
from kernel.fs.select import PollWqueues, poll_wait
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.smp.wait import WaitQueueHead, wait_event, wake_up_all
from kernel.task import files_of
from kernel.uapi.errno_ import EAGAIN, EINVAL
from kernel.uapi.eventfd import EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE
from kernel.uapi.fcntl import O_NONBLOCK, O_RDWR
from kernel.uapi.poll import POLLERR, POLLIN, POLLOUT

if TYPE_CHECKING:
    from kernel.kernel import Kernel

ULLONG_MAX: Final = (1 << 64) - 1
_SIZE: Final = 8
_MODE: Final = 0o600


class EventfdInode(Inode):
    """The counter behind an eventfd (``eventfd_ctx``)."""

    __slots__ = ("count", "lock", "semaphore", "wqh")

    def __init__(self, k: "Kernel", count: int, semaphore: bool) -> None:
        vfs = k.vfs
        vfs.last_ino += 1
        super().__init__(vfs.last_ino, EVENTFD, _MODE, 0, 0, vfs.epoch_ns + k.now_ns)
        self.i_fop = _eventfd_fops
        self.count = count
        self.semaphore = semaphore
        self.lock = k.new_lock("eventfd_lock")
        self.wqh = WaitQueueHead()


def _ctx(file: File) -> EventfdInode:
    inode = file.inode
    if not isinstance(inode, EventfdInode):
        raise AssertionError(f"{inode!r} is no eventfd")
    return inode


def _has_room(value: int, ctx: EventfdInode) -> bool:
    return ULLONG_MAX - ctx.count > value


def _readable(ctx: EventfdInode) -> bool:
    return ctx.count > 0


def eventfd_read(k: "Kernel", file: File, count: int) -> Path[bytes]:
    """Take the counter, as 8 bytes.

    Raises:
        KernelError: EINVAL, fewer than 8 bytes wanted; EAGAIN, it is 0 and O_NONBLOCK is set.
        RestartSyscall: a signal came first.

    Source: fs/eventfd.c:eventfd_read(), eventfd_ctx_do_read().
    """
    k.now_ns += k.costs.pipe_op
    if count < _SIZE:
        raise KernelError(EINVAL)
    ctx = _ctx(file)
    while True:
        yield "eventfd_read.lock", ACQUIRE, ctx.lock
        value = min(ctx.count, 1) if ctx.semaphore else ctx.count
        ctx.count -= value
        yield "eventfd_read.unlock", RELEASE, ctx.lock
        if value:
            break
        if file.flags & O_NONBLOCK:
            raise KernelError(EAGAIN)
        interrupted = yield from wait_event(k, ctx.wqh, _readable, ctx)
        if interrupted:
            raise RestartSyscall
    if ctx.wqh.active():
        yield from wake_up_all(k, ctx.wqh, key=POLLOUT)
    return value.to_bytes(_SIZE, "little")


def eventfd_write(k: "Kernel", file: File, data: bytes) -> Path[int]:
    """Add the number in ``data`` to the counter.

    Raises:
        KernelError: EINVAL, not 8 bytes or 2**64 - 1; EAGAIN, no room and O_NONBLOCK is set.
        RestartSyscall: a signal came first.

    Source: fs/eventfd.c:eventfd_write().
    """
    k.now_ns += k.costs.pipe_op
    value = int.from_bytes(data, "little")
    if len(data) != _SIZE or value == ULLONG_MAX:
        raise KernelError(EINVAL)
    ctx = _ctx(file)
    while True:
        yield "eventfd_write.lock", ACQUIRE, ctx.lock
        room = _has_room(value, ctx)
        if room:
            ctx.count += value
        yield "eventfd_write.unlock", RELEASE, ctx.lock
        if room:
            break
        if file.flags & O_NONBLOCK:
            raise KernelError(EAGAIN)
        has_room = partial(_has_room, value)
        interrupted = yield from wait_event(k, ctx.wqh, has_room, ctx)
        if interrupted:
            raise RestartSyscall
    if ctx.wqh.active():
        yield from wake_up_all(k, ctx.wqh, key=POLLIN)
    return _SIZE


def eventfd_poll(k: "Kernel", file: File, table: PollWqueues | None) -> Path[int]:
    """Return the events of an eventfd. Source: fs/eventfd.c:eventfd_poll()."""
    ctx = _ctx(file)
    yield from poll_wait(k, ctx.wqh, table)
    mask = 0
    if ctx.count > 0:
        mask |= POLLIN
    if ctx.count == ULLONG_MAX:
        mask |= POLLERR
    if ctx.count < ULLONG_MAX - 1:
        mask |= POLLOUT
    return mask


def _noop_llseek(k: "Kernel", file: File, offset: int, whence: int) -> int:
    """Do nothing. Source: fs/read_write.c:noop_llseek()."""
    return file.pos


_eventfd_fops: Final = FileOperations(
    read=eventfd_read, write=eventfd_write, poll=eventfd_poll, llseek=_noop_llseek
)


def sys_eventfd2(k: "Kernel", count: int, flags: int) -> int:
    """Make an eventfd that begins with ``count``; return its descriptor.

    Raises:
        KernelError: EINVAL, flags other than EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE; EMFILE.

    Source: fs/eventfd.c:do_eventfd().
    """
    k.now_ns += k.costs.file_op
    if flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE):
        raise KernelError(EINVAL)
    files = files_of(k.current)
    fd = get_unused_fd(k, files)
    check_file_max(k)
    inode = EventfdInode(k, count, bool(flags & EFD_SEMAPHORE))
    file = alloc_file(k, inode, O_RDWR | flags & EFD_NONBLOCK)
    fd_install(files, fd, file, cloexec=bool(flags & EFD_CLOEXEC))
    return fd


def sys_eventfd_read(k: "Kernel", fd: int) -> "Path[bytes] | bytes":
    """Read 8 bytes; see ``eventfd_read``. The guest's run time does not begin it again after EINTR.

    Source: glibc sysdeps/unix/sysv/linux/eventfd_read.c.
    """
    fget(files_of(k.current), fd)
    return sys_read(k, fd, _SIZE)


def sys_eventfd_write(k: "Kernel", fd: int, data: bytes) -> "Path[int] | int":
    """Write 8 bytes; see ``eventfd_write`` and ``sys_eventfd_read``.

    Source: glibc sysdeps/unix/sysv/linux/eventfd_write.c.
    """
    fget(files_of(k.current), fd)
    return sys_write(k, fd, data)
