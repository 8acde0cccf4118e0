"""The symbolic links of /proc: self, thread-self, exe, cwd, root, and what is in fd.

A path through a link goes to what it stands for, whatever its text says: a file that has been
removed, or a pipe, can be reached too. ``sys_readlink`` returns the text.

Source: fs/proc/base.c (proc_exe_link, proc_cwd_link, proc_root_link), fs/proc/self.c,
fs/proc/thread_self.c, fs/proc/fd.c, fs/stat.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.fs.d_path import file_path
from kernel.fs.inode import CAPTURE, EVENTFD, NSFS, PIDFD, PIPE, SOCKET, Inode
from kernel.fs.namei import check_path, lookup
from kernel.ptrace.access import ptrace_may_access
from kernel.task import TaskStruct
from kernel.uapi.errno_ import EACCES, EINVAL, ENOENT

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_NAMES: Final = {
    PIPE: "pipe:[{}]",
    CAPTURE: "pipe:[{}]",  # a guest takes it for one
    SOCKET: "socket:[{}]",
    EVENTFD: "anon_inode:[eventfd]",
    PIDFD: "anon_inode:[pidfd]",
}


def _allowed(k: "Kernel", task: TaskStruct) -> None:
    """Source: fs/proc/base.c:proc_fd_access_allowed()."""
    if not ptrace_may_access(k, task):
        raise KernelError(EACCES)


def proc_exe_link(k: "Kernel", task: TaskStruct) -> Inode | None:
    """Return the program's file; None without an address space. Source: fs/proc/base.c."""
    _allowed(k, task)
    inode: Inode | None = None if task.mm is None else task.mm.exe_file
    return inode


def proc_cwd_link(k: "Kernel", task: TaskStruct) -> Inode | None:
    """Return the working directory; None for a zombie. Source: fs/proc/base.c."""
    _allowed(k, task)
    inode: Inode | None = None if task.fs is None else task.fs.cwd
    return inode


def proc_root_link(k: "Kernel", task: TaskStruct) -> Inode | None:
    """Return the root directory; None for a zombie. Source: fs/proc/base.c."""
    _allowed(k, task)
    inode: Inode | None = None if task.fs is None else task.fs.root
    return inode


def d_name(inode: Inode) -> str:
    """Return the path of a file, or the name that Linux gives to one without a path.

    Source: fs/d_path.c:d_path(), simple_dname().
    """
    pattern = _NAMES.get(inode.kind)
    if pattern is not None and inode.parent is None:
        return pattern.format(inode.ino)
    if inode.kind == NSFS:
        return inode.name
    return file_path(inode) if inode.name else "/"


def proc_self_get_link(k: "Kernel", name: str) -> str:
    """Return what self or thread-self says. Source: fs/proc/self.c, fs/proc/thread_self.c."""
    current = k.current
    tgid = current.group_leader.thread_pid.nr
    return str(tgid) if name == "self" else f"{tgid}/task/{current.thread_pid.nr}"


def sys_readlink(k: "Kernel", path: str) -> str:
    """Return the text of a symbolic link.

    Raises:
        KernelError: with ``path``: EINVAL, it is no link; EACCES, the task it is about may not be
            looked into; as ``namei.lookup``.

    Source: fs/stat.c:do_readlinkat(), fs/proc/base.c:proc_pid_readlink().
    Deviation: there are no symbolic links outside /proc; those of /proc/PID/ns cannot be read.
    """
    k.now_ns += k.costs.file_op
    check_path(path)
    place = lookup(k, path)
    above = place.directory.i_op
    if above is not None and place.name and not place.slashes and above.entry.links is not None:
        text: str | None = above.entry.links(k, place.directory, place.name, place.inode)
        if text is not None:
            return text
    if place.inode is None:
        raise KernelError(ENOENT, path)
    raise KernelError(EINVAL, path)
