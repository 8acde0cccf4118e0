"""FIFOs: pipes with a name. What is special about them is how they are opened.

A reader waits for a writer and the other way round; O_RDWR never waits; O_NONBLOCK lets a reader in
and turns a writer away (ENXIO). The ring is made by the first who opens and lost with the last.

Source: fs/pipe.c (fifo_open, wait_for_partner, wake_up_partner).
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError, RestartSyscall
from kernel.fs.file_table import File
from kernel.fs.inode import FileOperations
from kernel.ipc.pipe import Pipe, pipe_poll, pipe_read, pipe_release, pipe_write, put_pipe_info
from kernel.points import ACQUIRE, RELEASE, SCHEDULE, Path
from kernel.signal.pending import signal_pending
from kernel.smp.wait import finish_wait, prepare_to_wait, wake_up_all
from kernel.task import TASK_INTERRUPTIBLE
from kernel.uapi.errno_ import EINVAL, ENXIO
from kernel.uapi.fcntl import O_NONBLOCK

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def fifo_open(k: "Kernel", file: File) -> Path[None]:
    """Open one end of a FIFO, or both; sleeps until the other end has been opened too.

    Raises:
        KernelError: ENXIO, for writing with O_NONBLOCK and there is no reader; EINVAL, neither
            for reading nor for writing.
        RestartSyscall: a signal came first.

    Source: fs/pipe.c:fifo_open().
    """
    k.now_ns += k.costs.pipe_op
    inode = file.inode
    pipe = inode.pipe
    if pipe is None:
        pipe = inode.pipe = k.vfs.pipes[inode.ino] = Pipe(k.new_lock("pipe_mutex"), 0)
    pipe.files += 1
    nonblock = file.flags & O_NONBLOCK
    errno = 0
    interrupted = False
    yield "fifo_open.mutex_lock", ACQUIRE, pipe.mutex
    if file.readable and file.writable:
        pipe.readers += 1
        pipe.writers += 1
        pipe.r_counter += 1
        pipe.w_counter += 1
        if pipe.readers == 1 or pipe.writers == 1:
            yield from _wake_up_partner(k, pipe)
    elif file.readable:
        pipe.r_counter += 1
        pipe.readers += 1
        if pipe.readers == 1:
            yield from _wake_up_partner(k, pipe)
        if not pipe.writers:
            if nonblock:
                file.private_data = pipe.w_counter  # no POLLHUP until there has been a writer
            else:
                interrupted = yield from _wait_for_partner(k, pipe, for_writer=True)
                if interrupted:
                    pipe.readers -= 1
                    if not pipe.readers and pipe.wr_wait.active():
                        yield from wake_up_all(k, pipe.wr_wait)
    elif file.writable:
        if nonblock and not pipe.readers:
            errno = ENXIO
        else:
            pipe.w_counter += 1
            pipe.writers += 1
            if pipe.writers == 1:
                yield from _wake_up_partner(k, pipe)
            if not pipe.readers:
                interrupted = yield from _wait_for_partner(k, pipe, for_writer=False)
                if interrupted:
                    pipe.writers -= 1
                    if not pipe.writers and pipe.rd_wait.active():
                        yield from wake_up_all(k, pipe.rd_wait)
    else:
        errno = EINVAL
    if errno or interrupted:
        put_pipe_info(k, inode, pipe)
    yield "fifo_open.mutex_unlock", RELEASE, pipe.mutex
    if interrupted:
        raise RestartSyscall
    if errno:
        raise KernelError(errno)


def _wait_for_partner(k: "Kernel", pipe: Pipe, *, for_writer: bool) -> Path[bool]:
    """Sleep until somebody has opened the other end; return True if a signal came first.

    Called and left with ``pipe.mutex`` held.

    Source: fs/pipe.c:wait_for_partner().
    """
    before = pipe.w_counter if for_writer else pipe.r_counter
    while (pipe.w_counter if for_writer else pipe.r_counter) == before:
        yield from prepare_to_wait(k, pipe.rd_wait, TASK_INTERRUPTIBLE)
        yield "wait_for_partner.mutex_unlock", RELEASE, pipe.mutex
        if not signal_pending(k.current):
            yield "wait_for_partner.schedule", SCHEDULE, pipe
        yield from finish_wait(k, pipe.rd_wait)
        yield "wait_for_partner.mutex_lock", ACQUIRE, pipe.mutex
        if signal_pending(k.current):
            break
    return (pipe.w_counter if for_writer else pipe.r_counter) == before


def _wake_up_partner(k: "Kernel", pipe: Pipe) -> Path[None]:
    """Source: fs/pipe.c:wake_up_partner()."""
    if pipe.rd_wait.active():
        yield from wake_up_all(k, pipe.rd_wait)


fifo_fops: Final = FileOperations(
    open=fifo_open, read=pipe_read, write=pipe_write, release=pipe_release, poll=pipe_poll
)
