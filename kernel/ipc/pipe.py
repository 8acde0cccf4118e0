"""Pipes and FIFOs: a ring of page buffers, usually 16, between readers and writers.

Space is handed out by whole pages: a write merges into the last page if all of its odd bytes fit
there, otherwise it takes a new page, and a page is free again only when its last byte is read.
So a pipe can be full with far less than 64 KiB in it, and writes of up to a page are atomic.

Readers and writers sleep exclusively: one event wakes one of them, and a reader (writer) that
slept wakes the next one if it leaves data (room) behind. When the last end of one side closes,
everybody wakes. ``mutex`` guards the ring and is never held over a sleep.

A FIFO is a pipe that has a name: its ring exists while somebody has it open (``files`` counts them,
those that are still opening it included). Opening one end waits for the other: ``r_counter`` and
``w_counter`` count opens, so a partner that came and left again is not missed. Where the kernel
puts up a sleeper that is not exclusive (an opener), everybody on the queue is woken.

Every page in the ring is a page frame.

Source: fs/pipe.c (6.12), include/linux/pipe_fs_i.h.
Deviation: one way of waking in every profile (2.6.34 keeps one queue and wakes all); no splice, no
packet mode; no per-user limit of pages.
"""

from collections import deque
from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError, RestartSyscall
from kernel.fs.file import fd_install, get_unused_fd
from kernel.fs.file_table import File, alloc_file, check_file_max
from kernel.fs.inode import PIPE, FileOperations, Inode
from kernel.fs.select import poll_wait
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.pid import PIDTYPE_PID, task_tgid_vnr
from kernel.signal.pending import signal_pending
from kernel.signal.send import do_send_sig_info
from kernel.smp.wait import (
    WaitQueueHead,
    wait_event,
    wake_up,
    wake_up_all,
)
from kernel.task import files_of
from kernel.uapi.errno_ import EAGAIN, EINVAL, EPIPE
from kernel.uapi.fcntl import O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_WRONLY, S_IFIFO
from kernel.uapi.mman import PAGE_SIZE
from kernel.uapi.poll import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM
from kernel.uapi.signals import SI_USER, SIGPIPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.fs.file_table import File
    from kernel.fs.select import PollWqueues
    from kernel.kernel import Kernel
    from kernel.locking import Lock

PIPE_DEF_BUFFERS: Final = 16


class PipeBuffer:
    """One page of the ring (``pipe_buffer``): ``data[offset:]`` is still to be read."""

    __slots__ = ("data", "frame", "offset")

    def __init__(self, frame: int, data: bytearray) -> None:
        self.frame = frame
        self.data = data
        self.offset = 0


class Pipe:
    """A pipe (``pipe_inode_info``). ``readers`` and ``writers`` count open file descriptions.

    ``max_usage``: pages of the ring. ``files``: descriptions that are open or being opened, of a
    FIFO.
    """

    __slots__ = (
        "bufs",
        "files",
        "max_usage",
        "mutex",
        "r_counter",
        "rd_wait",
        "readers",
        "w_counter",
        "wr_wait",
        "writers",
    )

    def __init__(self, mutex: "Lock", ends: int) -> None:
        self.mutex = mutex
        self.bufs: deque[PipeBuffer] = deque()
        self.max_usage = PIPE_DEF_BUFFERS
        self.readers = ends
        self.writers = ends
        self.r_counter = ends
        self.w_counter = ends
        self.files = 2 * ends
        self.rd_wait = WaitQueueHead()  # exclusive sleepers
        self.wr_wait = WaitQueueHead()


def get_pipe_inode(k: "Kernel") -> Inode:
    """Return the inode of a new pipe with one reader and one writer.

    Source: fs/pipe.c:get_pipe_inode(), alloc_pipe_info().
    """
    cred = k.current.cred
    inode: Inode = k.vfs.new_inode(PIPE, S_IFIFO | 0o600, cred.euid, cred.egid, k.now_ns)
    inode.i_fop = pipefifo_fops
    inode.pipe = Pipe(k.new_lock("pipe_mutex"), 1)
    k.vfs.pipes[inode.ino] = inode.pipe
    return inode


def pipe_of(file: File) -> Pipe:
    """Return the ring of an open end."""
    pipe = file.inode.pipe
    if pipe is None:
        raise AssertionError(f"{file.inode!r} is open and has no ring")
    return pipe


def recount_pipes(k: "Kernel") -> dict[int, int]:
    """Return ``{frame: 1}`` for the pages in all pipes, for the ledger of frames."""
    return {buf.frame: 1 for pipe in k.vfs.pipes.values() for buf in pipe.bufs}


def pipe_read(k: "Kernel", file: File, count: int) -> Path[bytes]:
    """Read up to ``count`` bytes; returns b"" at end of file (no writer left, nothing in the ring).

    Sleeps while the pipe is empty and has a writer.

    Raises:
        KernelError: EAGAIN, it would sleep and the file is O_NONBLOCK.
        RestartSyscall: a signal came before any byte.

    Source: fs/pipe.c:pipe_read().
    """
    k.now_ns += k.costs.pipe_op
    if not count:
        return b""
    pipe = pipe_of(file)
    parts: list[bytes] = []
    wanted = count
    wake_writer = False
    wake_next_reader = False
    while True:
        yield "pipe_read.mutex_lock", ACQUIRE, pipe.mutex
        bufs = pipe.bufs
        while bufs and wanted:
            buf = bufs[0]
            part = bytes(buf.data[buf.offset : buf.offset + wanted])
            parts.append(part)
            buf.offset += len(part)
            wanted -= len(part)
            if buf.offset == len(buf.data):
                wake_writer = wake_writer or len(bufs) >= pipe.max_usage
                bufs.popleft()
                k.frames.put(buf.frame)
        if parts or not pipe.writers or file.flags & O_NONBLOCK:
            break
        yield "pipe_read.mutex_unlock_wait", RELEASE, pipe.mutex
        interrupted = yield from _wait(k, pipe, pipe.rd_wait, _readable)
        if interrupted:
            raise RestartSyscall
        wake_next_reader = True
    if not bufs:
        wake_next_reader = False
    k.now_ns += (count - wanted) * k.costs.copy_byte_x1000 // 1000
    would_block = not parts and pipe.writers
    yield "pipe_read.mutex_unlock", RELEASE, pipe.mutex
    if wake_writer:
        yield from wake_up(k, pipe.wr_wait, key=POLLOUT | POLLWRNORM, sync=True)
    if wake_next_reader:
        yield from wake_up(k, pipe.rd_wait, key=POLLIN | POLLRDNORM, sync=True)
    if would_block:
        raise KernelError(EAGAIN)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def pipe_write(k: "Kernel", file: File, data: bytes) -> Path[int]:
    """Write ``data``; returns how many bytes were written. Sleeps while there is no room.

    Writes of up to 4096 bytes are not torn. Without readers the caller gets SIGPIPE.

    Raises:
        KernelError: EPIPE, no reader and nothing written; EAGAIN, O_NONBLOCK and nothing written;
            ENOMEM, no frame for a page and nothing written.
        RestartSyscall: a signal came before any byte.

    Source: fs/pipe.c:pipe_write().
    """
    k.now_ns += k.costs.pipe_op
    total = len(data)
    if not total:
        return 0
    pipe = pipe_of(file)
    done = 0
    failed: Exception | None = None
    broken = False
    wake_next_writer = False
    yield "pipe_write.mutex_lock", ACQUIRE, pipe.mutex
    bufs = pipe.bufs
    was_empty = not bufs
    if pipe.readers and bufs:
        done = _merge(bufs[-1], data)
    while done < total:
        if not pipe.readers:
            broken = True
            failed = KernelError(EPIPE)
            break
        if len(bufs) < pipe.max_usage:
            try:
                frame = k.frames.alloc()
            except KernelError as nomem:
                failed = nomem
                break
            page = bytearray(data[done : done + PAGE_SIZE])
            bufs.append(PipeBuffer(frame, page))
            done += len(page)
            continue
        if file.flags & O_NONBLOCK:
            failed = KernelError(EAGAIN)
            break
        if signal_pending(k.current):
            failed = RestartSyscall()
            break
        yield "pipe_write.mutex_unlock_wait", RELEASE, pipe.mutex
        if was_empty:
            yield from wake_up(k, pipe.rd_wait, key=POLLIN | POLLRDNORM, sync=True)
        yield from _wait(k, pipe, pipe.wr_wait, _writable)
        yield "pipe_write.mutex_relock", ACQUIRE, pipe.mutex
        bufs = pipe.bufs
        was_empty = not bufs
        wake_next_writer = True
    if len(bufs) >= pipe.max_usage:
        wake_next_writer = False
    k.now_ns += done * k.costs.copy_byte_x1000 // 1000
    yield "pipe_write.mutex_unlock", RELEASE, pipe.mutex
    if was_empty:
        yield from wake_up(k, pipe.rd_wait, key=POLLIN | POLLRDNORM, sync=True)
    if wake_next_writer:
        yield from wake_up(k, pipe.wr_wait, key=POLLOUT | POLLWRNORM, sync=True)
    if broken:
        yield from _send_sigpipe(k)
    if failed is not None and not done:
        raise failed
    return done


def _merge(buf: PipeBuffer, data: bytes) -> int:
    """Put what of ``data`` fills no page into the last page, if all of it fits; return its size."""
    odd = len(data) % PAGE_SIZE
    if not odd or len(buf.data) + odd > PAGE_SIZE:
        return 0
    buf.data += data[:odd]
    return odd


def _send_sigpipe(k: "Kernel") -> Path[None]:
    """Source: fs/pipe.c:pipe_write(), send_sig(SIGPIPE, current, 0)."""
    task = k.current
    info = (SIGPIPE, SI_USER, task_tgid_vnr(k, task), task.cred.uid, 0)
    yield from do_send_sig_info(k, SIGPIPE, info, task, PIDTYPE_PID)


def pipe_release(k: "Kernel", file: File) -> Path[None]:
    """One end is closed for good; the last end of a side wakes all who sleep on the pipe.

    Source: fs/pipe.c:pipe_release(), put_pipe_info().
    """
    pipe = pipe_of(file)
    yield "pipe_release.mutex_lock", ACQUIRE, pipe.mutex
    if file.readable:
        pipe.readers -= 1
    if file.writable:
        pipe.writers -= 1
    wake = (not pipe.readers) != (not pipe.writers)
    put_pipe_info(k, file.inode, pipe)
    yield "pipe_release.mutex_unlock", RELEASE, pipe.mutex
    if wake:
        for queue in (pipe.rd_wait, pipe.wr_wait):
            if queue.active():
                yield from wake_up_all(k, queue)


def put_pipe_info(k: "Kernel", inode: Inode, pipe: Pipe) -> None:
    """One open file description less; the last one takes the ring along.

    Source: fs/pipe.c:put_pipe_info(), free_pipe_info().
    """
    pipe.files -= 1
    if not pipe.files:
        for buf in pipe.bufs:
            k.frames.put(buf.frame)
        pipe.bufs.clear()
        inode.pipe = None
        del k.vfs.pipes[inode.ino]


def pipe_poll(k: "Kernel", file: File, table: "PollWqueues | None") -> Path[int]:
    """Return the events of one end.

    A FIFO opened for reading before it had a writer does not hang up until one came and left.

    Source: fs/pipe.c:pipe_poll().
    """
    pipe = pipe_of(file)
    if file.readable:
        yield from poll_wait(k, pipe.rd_wait, table)
    if file.writable:
        yield from poll_wait(k, pipe.wr_wait, table)
    mask = 0
    if file.readable:
        if pipe.bufs:
            mask |= POLLIN | POLLRDNORM
        if not pipe.writers and file.private_data != pipe.w_counter:
            mask |= POLLHUP
    if file.writable:
        if len(pipe.bufs) < pipe.max_usage:
            mask |= POLLOUT | POLLWRNORM
        if not pipe.readers:
            mask |= POLLERR
    return mask


def _readable(pipe: Pipe) -> bool:
    """Source: fs/pipe.c:pipe_readable()."""
    return bool(pipe.bufs) or not pipe.writers


def _writable(pipe: Pipe) -> bool:
    """Source: fs/pipe.c:pipe_writable()."""
    return len(pipe.bufs) < pipe.max_usage or not pipe.readers


def _wait(
    k: "Kernel", pipe: Pipe, queue: WaitQueueHead, ready: "Callable[[Pipe], bool]"
) -> Path[bool]:
    """Sleep on ``queue`` unless ``ready(pipe)``; return True if a signal came first.

    Source: include/linux/wait.h:wait_event_interruptible_exclusive().
    """
    if ready(pipe):
        return False
    interrupted = yield from wait_event(k, queue, ready, pipe)
    return interrupted


def sys_pipe2(k: "Kernel", flags: int) -> tuple[int, int]:
    """Make a pipe; return ``(read fd, write fd)``.

    Args:
        flags: O_CLOEXEC and O_NONBLOCK.

    Raises:
        KernelError: EINVAL, other flags; ENFILE; EMFILE, fewer than two descriptors are left.

    Source: fs/pipe.c:do_pipe2(), create_pipe_files().
    Deviation: no packet mode (O_DIRECT) and no O_NOTIFICATION_PIPE: EINVAL.
    """
    k.now_ns += k.costs.pipe_op
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise KernelError(EINVAL)
    check_file_max(k, 2)
    files = files_of(k.current)
    read_fd = get_unused_fd(k, files)
    write_fd = get_unused_fd(k, files, read_fd + 1)
    inode = get_pipe_inode(k)
    cloexec = bool(flags & O_CLOEXEC)
    extra = flags & O_NONBLOCK
    fd_install(files, read_fd, alloc_file(k, inode, O_RDONLY | extra), cloexec=cloexec)
    fd_install(files, write_fd, alloc_file(k, inode, O_WRONLY | extra), cloexec=cloexec)
    return read_fd, write_fd


pipefifo_fops: Final = FileOperations(
    read=pipe_read, write=pipe_write, release=pipe_release, poll=pipe_poll
)
