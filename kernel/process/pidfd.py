"""pidfds: descriptors that stand for a process or a thread, whatever becomes of its number.

A pidfd holds the ``Pid``, not the number: once the process is reaped it names nobody, even if the
number has been given out again. All pidfds of one process are files of one inode, of a file system
of their own (6.9), so programs can tell whether two of them mean the same. One opened with
PIDFD_THREAD (6.9) stands for a thread.

Source: fs/pidfs.c, kernel/pid.c (pidfd_open), kernel/signal.c (pidfd_send_signal), kernel/fork.c.
Deviation: numbers of inodes count up from 1 in the order in which pidfds are first made. Without
PIDFD_THREAD a thread that is no leader gives EINVAL (ENOENT since 6.15), a number that only a
group or session has gives ESRCH (EINVAL up to 6.14). No ioctls; directories of /proc are no pidfds.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.fs.file import fd_install, fget, get_unused_fd
from kernel.fs.file_table import File, alloc_file, check_file_max
from kernel.fs.inode import PIDFD, FileOperations, Inode
from kernel.fs.select import PollWqueues, poll_wait
from kernel.points import READ, RELEASE, Path
from kernel.process.pid import PIDTYPE_PID, PIDTYPE_TGID, Pid, PidType, task_tgid_vnr
from kernel.signal.kill import kill_pgrp, kill_pid_info
from kernel.smp.wait import WaitQueueHead
from kernel.task import files_of
from kernel.uapi.errno_ import EBADF, EINVAL, ESRCH
from kernel.uapi.fcntl import O_EXCL, O_NONBLOCK, O_RDWR
from kernel.uapi.poll import POLLHUP, POLLIN, POLLRDNORM
from kernel.uapi.signals import SI_TKILL, SI_USER

if TYPE_CHECKING:
    from kernel.kernel import Kernel

PIDFD_THREAD: Final = O_EXCL
PIDFD_SIGNAL_THREAD: Final = 1
PIDFD_SIGNAL_THREAD_GROUP: Final = 2
PIDFD_SIGNAL_PROCESS_GROUP: Final = 4

_MODE = 0o700


class PidfdInode(Inode):
    """The file behind all pidfds of one ``Pid``. Its mode has no type: pidfs hides it from stat."""

    __slots__ = ("pid",)

    def __init__(self, ino: int, now_ns: int, pid: Pid) -> None:
        super().__init__(ino, PIDFD, _MODE, 0, 0, now_ns)
        self.i_fop = pidfs_file_operations
        self.pid = pid


def pidfd_poll(k: "Kernel", file: File, table: PollWqueues | None) -> Path[int]:
    """Return the events of a pidfd: readable once the process is dead, hung up once it is reaped.

    A leader that died before its threads says nothing until the last of them is gone, but to
    those who look at it as a thread.

    Source: fs/pidfs.c:pidfd_poll(), kernel/exit.c:do_notify_pidfd().
    """
    inode = file.inode
    if not isinstance(inode, PidfdInode):
        raise AssertionError(f"{inode!r} is no pidfd")
    pid = inode.pid
    if pid.wait_pidfd is None:
        pid.wait_pidfd = WaitQueueHead()
    yield from poll_wait(k, pid.wait_pidfd, table)
    task = pid.task
    if task is None:
        return POLLIN | POLLRDNORM | POLLHUP
    if task.exit_state and (file.flags & PIDFD_THREAD or len(task.signal.threads) == 1):
        return POLLIN | POLLRDNORM
    return 0


pidfs_file_operations: Final = FileOperations(poll=pidfd_poll)


def sys_pidfd_open(k: "Kernel", pid: int, flags: int) -> int:
    """Return a descriptor of the process ``pid``, close-on-exec.

    Args:
        pid: of a thread group leader, zombies included; with PIDFD_THREAD of any thread.
        flags: O_NONBLOCK (PIDFD_NONBLOCK), O_EXCL (PIDFD_THREAD), or 0.

    Raises:
        KernelError: EINVAL, other flags, ``pid`` < 1, not a leader; ESRCH; EMFILE.

    Source: kernel/pid.c:pidfd_open(), pidfd_create().
    """
    k.now_ns += k.costs.file_op
    if flags & ~(O_NONBLOCK | PIDFD_THREAD) or pid <= 0:
        raise KernelError(EINVAL)
    found = k.pids.find_vpid(pid)
    if found is None or found.task is None:
        raise KernelError(ESRCH)
    if found.leader is None and not flags & PIDFD_THREAD:
        raise KernelError(EINVAL)
    return pidfd_create(k, found, flags)


def pidfd_create(k: "Kernel", pid: Pid, flags: int) -> int:
    """Return a new descriptor of the caller that stands for ``pid``, close-on-exec.

    Args:
        flags: O_NONBLOCK, PIDFD_THREAD, or 0.

    Raises:
        KernelError: EMFILE, ENFILE.

    Source: kernel/fork.c:pidfd_prepare(), fs/pidfs.c:pidfs_alloc_file(), fs/libfs.c:
        path_from_stashed().
    """
    files = files_of(k.current)
    fd = get_unused_fd(k, files)
    check_file_max(k)
    inode = pid.stashed
    if inode is None:
        k.vfs.last_pidfs_ino += 1
        inode = PidfdInode(k.vfs.last_pidfs_ino, k.vfs.epoch_ns + k.now_ns, pid)
        pid.stashed = inode
    fd_install(files, fd, alloc_file(k, inode, O_RDWR | flags), cloexec=True)
    return fd


def pidfd_pid(k: "Kernel", fd: int) -> tuple[Pid, int]:
    """Return what the caller's pidfd stands for, and its file's flags.

    Raises:
        KernelError: EBADF, not open or no pidfd.

    Source: kernel/pid.c:pidfd_get_pid(), pidfd_pid().
    """
    file = fget(files_of(k.current), fd)
    inode = file.inode
    if not isinstance(inode, PidfdInode):
        raise KernelError(EBADF)
    return inode.pid, file.flags


def sys_pidfd_send_signal(k: "Kernel", pidfd: int, signal: int, flags: int) -> Path[None]:
    """Send a signal to the process or thread of a pidfd; signal 0 only checks.

    Args:
        flags: PIDFD_SIGNAL_*, to whom; 0: to what the pidfd stands for.

    Raises:
        KernelError: EINVAL, flags or no such signal; EBADF, no pidfd; ESRCH, it has been reaped, or
            there is no such group; EPERM.

    Source: kernel/signal.c:pidfd_send_signal().
    """
    if flags not in _SIGNAL_FLAGS:
        raise KernelError(EINVAL)
    pid, file_flags = pidfd_pid(k, pidfd)
    if not flags:
        flags = PIDFD_SIGNAL_THREAD if file_flags & PIDFD_THREAD else PIDFD_SIGNAL_THREAD_GROUP
    current = k.current
    code = SI_TKILL if flags == PIDFD_SIGNAL_THREAD else SI_USER
    info = (signal, code, task_tgid_vnr(k, current), current.cred.uid, 0)
    if flags == PIDFD_SIGNAL_PROCESS_GROUP:
        yield "pidfd_send_signal.tasklist_lock", READ, k.tasklist_lock
        error = yield from kill_pgrp(k, signal, info, pid)
        yield "pidfd_send_signal.tasklist_unlock", RELEASE, k.tasklist_lock
    else:
        kind: PidType = PIDTYPE_PID if flags == PIDFD_SIGNAL_THREAD else PIDTYPE_TGID
        error = yield from kill_pid_info(k, signal, info, pid, kind)
    if error:
        raise KernelError(error)
    return None


_SIGNAL_FLAGS: Final[tuple[int, ...]] = (
    0,
    PIDFD_SIGNAL_THREAD,
    PIDFD_SIGNAL_THREAD_GROUP,
    PIDFD_SIGNAL_PROCESS_GROUP,
)
