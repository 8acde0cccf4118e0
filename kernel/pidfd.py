"""pidfds: descriptors that stand for a process, whatever becomes of its number.

A pidfd holds the ``Pid``, not the number: once the process is reaped it names nobody, even if the
number has been given out again.

Source: kernel/pid.c (pidfd_open), kernel/signal.c (pidfd_send_signal), kernel/fork.c.
Deviation: no PIDFD_THREAD and no flags of pidfd_send_signal (both since 6.9): EINVAL. A thread
that is no leader gives EINVAL, as up to 6.14.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.fs.file import fd_install, fget, get_unused_fd
from kernel.fs.file_table import File, alloc_file, check_file_max
from kernel.fs.inode import PIDFD, FileOperations, Inode
from kernel.fs.select import PollWqueues, poll_wait
from kernel.pid import Pid, task_tgid_vnr
from kernel.points import Path
from kernel.sched.wait import WaitQueueHead
from kernel.signal import kill_pid_info
from kernel.uapi.errno_ import EBADF, EINVAL, ESRCH
from kernel.uapi.fcntl import O_NONBLOCK, O_RDWR
from kernel.uapi.poll import POLLHUP, POLLIN, POLLRDNORM
from kernel.uapi.signals import SI_USER

if TYPE_CHECKING:
    from kernel.state import KernelState

_MODE = 0o700


class PidfdInode(Inode):
    """The file behind a pidfd."""

    __slots__ = ("pid",)

    def __init__(self, ino: int, now_ns: int, pid: Pid) -> None:
        super().__init__(ino, PIDFD, _MODE, 0, 0, now_ns)
        self.i_fop = pidfs_file_operations
        self.pid = pid


def pidfd_poll(k: "KernelState", file: File, table: PollWqueues | None) -> Path:
    """Return the events of a pidfd: readable once the process is dead, hung up once it is reaped.

    A leader that died before its threads says nothing until the last of them is gone.

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
    if task.exit_state and len(task.signal.threads) == 1:
        return POLLIN | POLLRDNORM
    return 0


pidfs_file_operations: Final = FileOperations(poll=pidfd_poll)


def sys_pidfd_open(k: "KernelState", pid: int, flags: int) -> int:
    """Return a descriptor of the process ``pid``, close-on-exec.

    Args:
        pid: of a thread group leader, zombies included.
        flags: O_NONBLOCK (PIDFD_NONBLOCK) or 0.

    Raises:
        KernelError: EINVAL, other flags, ``pid`` < 1, not a leader; ESRCH; EMFILE.

    Source: kernel/pid.c:pidfd_open(), pidfd_create().
    """
    k.now_ns += k.costs.file_op
    if flags & ~O_NONBLOCK or pid <= 0:
        raise KernelError(EINVAL)
    found = k.pids.find_vpid(pid)
    if found is None:
        raise KernelError(ESRCH)
    if found.leader is None:
        raise KernelError(EINVAL if found.task is not None else ESRCH)
    return pidfd_create(k, found, flags)


def pidfd_create(k: "KernelState", pid: Pid, flags: int) -> int:
    """Return a new descriptor of the caller that stands for ``pid``, close-on-exec.

    Args:
        flags: O_NONBLOCK or 0.

    Raises:
        KernelError: EMFILE, ENFILE.

    Source: kernel/fork.c:pidfd_prepare(), kernel/pid.c:pidfd_create().
    """
    files = k.current.files
    fd = get_unused_fd(k, files)
    check_file_max(k)
    k.vfs.last_ino += 1
    inode = PidfdInode(k.vfs.last_ino, k.vfs.epoch_ns + k.now_ns, pid)
    fd_install(files, fd, alloc_file(k, inode, O_RDWR | flags), cloexec=True)
    return fd


def pidfd_pid(k: "KernelState", fd: int) -> tuple[Pid, int]:
    """Return what the caller's pidfd stands for, and its file's flags.

    Raises:
        KernelError: EBADF, not open or no pidfd.

    Source: kernel/pid.c:pidfd_get_pid(), pidfd_pid().
    """
    file = fget(k.current.files, fd)
    inode = file.inode
    if not isinstance(inode, PidfdInode):
        raise KernelError(EBADF)
    return inode.pid, file.flags


def sys_pidfd_send_signal(k: "KernelState", pidfd: int, signal: int, flags: int) -> Path:
    """Send a signal to the process of a pidfd; signal 0 only checks.

    Raises:
        KernelError: EINVAL, flags or no such signal; EBADF, no pidfd; ESRCH, it has been reaped;
            EPERM.

    Source: kernel/signal.c:pidfd_send_signal().
    """
    if flags:
        raise KernelError(EINVAL)
    pid, _ = pidfd_pid(k, pidfd)
    current = k.current
    info = (signal, SI_USER, task_tgid_vnr(k, current), current.cred.uid, 0)
    error = yield from kill_pid_info(k, signal, info, pid)
    if error:
        raise KernelError(error)
    return None
