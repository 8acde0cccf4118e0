"""poll and select: wait until one of many files is ready.

A caller asks every file for its state (``FileOperations.poll``). The first time round it also
leaves an entry on each wait queue the file names, so any change from then on sets ``triggered`` and
wakes it; then it asks again. ``triggered`` is what makes the many queues safe: an event between the
question and the sleep is not lost, because the sleeper looks at it after publishing its state.

As soon as one file is ready there is no need to wait, and no more entries are made.

A thread that shares its descriptor table keeps a reference of each file while it waits: another
thread can close the descriptor, and the file stays until poll returns.

Source: fs/select.c, include/linux/poll.h.
Deviation: no busy polling, no epoll, no signal masks (ppoll, pselect). With timer slack each sleep
of one call has it for the time that is left, not for the whole.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.errors import KernelError, RestartNoHand
from kernel.fs.file import FilesStruct
from kernel.fs.file_table import File, fput
from kernel.fs.inode import CAPTURE
from kernel.points import LOAD, STORE, Path
from kernel.process.limits import rlimit
from kernel.signal.pending import signal_pending
from kernel.smp.ttwu import set_current_state, wake_up_process
from kernel.smp.wait import WaitQueueEntry, WaitQueueHead, add_wait_queue, remove_wait_queue
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING, TaskStruct, files_of
from kernel.time.slack import select_estimate_accuracy
from kernel.time.timeout import FOREVER, schedule_timeout
from kernel.uapi.errno_ import EBADF, EINVAL
from kernel.uapi.poll import (
    DEFAULT_POLLMASK,
    FD_SETSIZE,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from kernel.uapi.rlimit import RLIMIT_NOFILE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_POLLIN_SET: Final = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL
_POLLOUT_SET: Final = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL
_POLLEX_SET: Final = POLLPRI | POLLNVAL


class PollWqueues:
    """One poll() or select() in progress (``poll_wqueues``).

    Attributes:
        task: who waits.
        triggered: something has happened since the task last began to look.
        key: the events of the descriptor being asked for now.
        entries: where it stands: ``(queue, entry)``.
    """

    __slots__ = ("entries", "key", "task", "triggered")

    def __init__(self, task: TaskStruct) -> None:
        self.task = task
        self.triggered = False
        self.key = 0
        self.entries: list[tuple[WaitQueueHead, WaitQueueEntry]] = []


def poll_wait(k: "Kernel", queue: WaitQueueHead, table: PollWqueues | None) -> Path[None]:
    """Leave an entry of ``table`` on ``queue``; nothing if there is no table.

    Source: include/linux/poll.h:poll_wait(), fs/select.c:__pollwait().
    """
    if table is not None:
        entry = WaitQueueEntry(pollwake, table.key, table)
        table.entries.append((queue, entry))
        yield from add_wait_queue(k, queue, entry)


def pollwake(k: "Kernel", entry: WaitQueueEntry, sync: bool) -> Path[None]:
    """An event came: note it, then wake the task if it sleeps.

    Source: fs/select.c:pollwake(), __pollwake().
    """
    table: PollWqueues = entry.private
    yield "pollwake.triggered", STORE, (table, "triggered", True)
    yield from wake_up_process(k, table.task, sync)


def _poll_freewait(k: "Kernel", table: PollWqueues) -> Path[None]:
    """Leave all queues. Source: fs/select.c:poll_freewait()."""
    for queue, entry in table.entries:
        yield from remove_wait_queue(k, queue, entry)
    table.entries.clear()


def vfs_poll(k: "Kernel", file: File, table: PollWqueues | None) -> Path[int]:
    """Return the poll mask of ``file``. Source: include/linux/poll.h:vfs_poll()."""
    inode = file.inode
    fop = inode.i_fop
    if fop is not None and fop.poll is not None:
        mask: int = yield from fop.poll(k, file, table)
        return mask
    if inode.kind == CAPTURE:
        return POLLOUT | POLLWRNORM
    return DEFAULT_POLLMASK


def _poll_schedule_timeout(k: "Kernel", table: PollWqueues, until_ns: int) -> Path[bool]:
    """Sleep until something happens; return whether the time is up.

    Source: fs/select.c:poll_schedule_timeout().
    """
    yield from set_current_state(k, TASK_INTERRUPTIBLE)
    triggered: bool = yield "poll_schedule_timeout.triggered", LOAD, (table, "triggered")
    timed_out = 0 <= until_ns <= k.now_ns
    if not triggered and not timed_out:
        slack_ns = select_estimate_accuracy(k, table.task, until_ns)
        awake = signal_pending(table.task)
        yield from schedule_timeout(k, until_ns, table, awake=awake, slack_ns=slack_ns)
        timed_out = 0 <= until_ns <= k.now_ns and not table.triggered
    yield from set_current_state(k, TASK_RUNNING)
    table.triggered = False  # what happens from here on is seen by the next round of questions
    return timed_out


def _do_poll(
    k: "Kernel", fds: list[tuple[int, int]], timeout_ns: int, until_ns: int
) -> Path[list[int]]:
    """Ask and wait until a file is ready, a signal comes or the time is up.

    Args:
        fds: pairs (descriptor, events that end the wait).
        timeout_ns: how long to wait; 0 not at all, negative for ever.
        until_ns: when an interrupted call was to end; 0 for a first call.

    Returns:
        A mask for each pair, all 0 if the time was up.

    Raises:
        RestartNoHand: a signal is pending and no file was ready.

    Source: fs/select.c:do_poll(), do_select().
    """
    task = k.current
    files = files_of(task)
    restart_ns, task.restart_ns = task.restart_ns, 0
    timed_out = timeout_ns == 0
    if timeout_ns > 0:
        until_ns = until_ns or restart_ns or k.now_ns + timeout_ns
    else:
        until_ns = FOREVER
    waiting = None if timed_out else PollWqueues(task)
    table = waiting
    held: list[File] = []
    if waiting is not None and files.count > 1:
        held = _hold_all(k, files, fds)
    interrupted = False
    while True:
        masks: list[int] = yield from _ask_all(k, files, fds, table)
        table = None
        ready = any(masks)
        if not ready and signal_pending(task):
            interrupted = True
        if ready or interrupted or timed_out or waiting is None:
            break
        timed_out = yield from _poll_schedule_timeout(k, waiting, until_ns)
    if waiting is not None:
        yield from _poll_freewait(k, waiting)
    yield from _let_go(k, held)
    if interrupted:
        task.restart_ns = max(until_ns, 0)
        raise RestartNoHand
    return masks


def _ask_all(
    k: "Kernel", files: FilesStruct, fds: list[tuple[int, int]], table: PollWqueues | None
) -> Path[list[int]]:
    """Return the mask of every pair; leave an entry of ``table`` on queues up to the first ready.

    Source: fs/select.c:do_poll(), do_pollfd().
    """
    masks = []
    for fd, events in fds:
        mask = 0
        if fd >= 0:
            file = files.fd.get(fd)
            if file is None:
                mask = POLLNVAL
            else:
                if table is not None:
                    table.key = events
                mask = yield from vfs_poll(k, file, table)
            mask &= events
        if mask:
            table = None
        masks.append(mask)
    return masks


def _let_go(k: "Kernel", held: list[File]) -> Path[None]:
    """Give back what ``_hold_all`` took. Source: fs/select.c:free_poll_entry()."""
    holds = k.vfs.holds
    for file in held:
        holds[file] -= 1
        if not holds[file]:
            del holds[file]
        yield from fput(k, file)


def _hold_all(k: "Kernel", files: FilesStruct, fds: list[tuple[int, int]]) -> list[File]:
    """Take a reference of every file that is polled. Source: fs/select.c:__pollwait()."""
    held = []
    holds = k.vfs.holds
    for fd, _ in fds:
        file = files.fd.get(fd)
        if file is not None:
            file.count += 1
            holds[file] = holds.get(file, 0) + 1
            held.append(file)
    return held


def sys_poll(
    k: "Kernel", fds: tuple[tuple[int, int], ...], timeout_ns: int, until_ns: int = 0
) -> Path[tuple[int, ...]]:
    """Wait for events on files; return the events that are there, one mask for each descriptor.

    Args:
        fds: pairs (descriptor, events); a negative descriptor is passed over.
        timeout_ns: how long to wait; 0 not at all, negative for ever.
        until_ns: when a call that a handler interrupted was to end; 0 for a first call.

    Raises:
        KernelError: EINVAL, more descriptors than RLIMIT_NOFILE.
        RestartNoHand: a signal came first.

    Source: fs/select.c:do_sys_poll().
    """
    task = k.current
    if len(fds) > rlimit(k, task.signal, RLIMIT_NOFILE):
        raise KernelError(EINVAL)
    k.now_ns += k.costs.file_op
    always = POLLERR | POLLHUP | POLLNVAL
    pairs = [(fd, events | always) for fd, events in fds]
    masks = yield from _do_poll(k, pairs, timeout_ns, until_ns)
    return tuple(masks)


def sys_select(
    k: "Kernel",
    inp: tuple[int, ...],
    outp: tuple[int, ...],
    exp: tuple[int, ...],
    timeout_ns: int,
    until_ns: int = 0,
) -> Path[tuple[tuple[int, ...], ...]]:
    """Wait until a descriptor can be read, written, or has something exceptional.

    Returns:
        The ready ones of each set, ascending.

    Raises:
        KernelError: EBADF, one of them is not open; EINVAL, one is out of range.
        RestartNoHand: a signal came first.

    Source: fs/select.c:core_sys_select(), do_select(), max_select_fd().
    Deviation: EBADF also for a closed descriptor beyond the end of the kernel's table, which Linux
    passes over and leaves marked as ready.
    """
    k.now_ns += k.costs.file_op
    table: dict[int, Any] = files_of(k.current).fd
    chosen = sorted({*inp, *outp, *exp})
    for fd in chosen:
        if not 0 <= fd < FD_SETSIZE:
            raise KernelError(EINVAL)
        if fd not in table:
            raise KernelError(EBADF)
    sets = ((set(inp), _POLLIN_SET), (set(outp), _POLLOUT_SET), (set(exp), _POLLEX_SET))
    pairs = []
    for fd in chosen:
        wanted = 0
        for members, events in sets:
            if fd in members:
                wanted |= events
        pairs.append((fd, wanted))
    masks = yield from _do_poll(k, pairs, timeout_ns, until_ns)
    return tuple(
        [
            tuple([fd for fd, mask in zip(chosen, masks) if fd in members and mask & events])
            for members, events in sets
        ]
    )
