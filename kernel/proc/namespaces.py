"""/proc/PID/ns, and the maps of user namespaces beside it.

What stands in ns leads to the namespaces themselves: stat() tells which one it is by its inode
number, an open descriptor keeps it alive and is what setns() takes.

Source: fs/proc/namespaces.c, fs/proc/base.c (uid_map, gid_map, setgroups).
Deviation: the links are followed at once and cannot be read.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.fs.inode import Inode
from kernel.fs.nsfs import NsInode
from kernel.ns.common import PROC_USER_INIT_INO, Namespace
from kernel.ns.user_namespace import show_id_map, write_id_map, write_setgroups
from kernel.proc.inode import need_task
from kernel.process.pid import task_active_pid_ns
from kernel.ptrace.access import ptrace_may_access
from kernel.task import TaskStruct
from kernel.uapi.errno_ import EACCES, EINVAL, EPERM
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_NAMES: Final = (
    *("cgroup", "ipc", "mnt", "net", "pid", "pid_for_children"),
    *("time", "time_for_children", "user", "uts"),
)


def proc_ns_dir_names(k: "Kernel", directory: Inode) -> list[str]:
    """Return the kinds of namespaces. Source: fs/proc/namespaces.c:proc_ns_dir_readdir()."""
    need_task(directory)
    return list(_NAMES)


def proc_ns_dir_lookup(k: "Kernel", directory: Inode, name: str) -> Inode | None:
    """Return the namespace of that kind that the task is in, or its children will be in.

    None: the task has left it, or nobody has been born into it yet (pid_for_children).

    Raises:
        KernelError: ENOENT, the task is gone; EACCES, the caller may not look into it.

    Source: fs/proc/namespaces.c:proc_ns_get_link(), the get() of each kind.
    """
    task = need_task(directory)
    if name not in _NAMES:
        return None
    if not ptrace_may_access(k, task):
        raise KernelError(EACCES)
    now_ns = k.vfs.epoch_ns + k.now_ns
    if name == "user":
        user_ns = task.cred.user_ns
        return NsInode(PROC_USER_INIT_INO if user_ns is None else user_ns.ino, now_ns, user_ns)
    ns: Namespace
    if name == "pid":
        ns = task_active_pid_ns(k, task)
    elif task.nsproxy is None:
        return None
    elif name == "pid_for_children":
        for_children = task.nsproxy.pid_ns_for_children
        if for_children.child_reaper is None:
            return None
        ns = for_children
    elif name == "time_for_children":
        ns = task.nsproxy.time_ns_for_children
    else:
        ns = getattr(task.nsproxy, f"{name}_ns")
    return NsInode(ns.ino, now_ns, ns)


# -- maps of user namespaces -----------------------------------------------------------------------


def proc_uid_map_show(k: "Kernel", task: TaskStruct) -> str:
    """Return the uid map of the task's user namespace. Source: proc_uid_seq_operations."""
    return show_id_map(task.cred.user_ns, k.current.cred.user_ns, groups=False)


def proc_gid_map_show(k: "Kernel", task: TaskStruct) -> str:
    """Return the gid map of the task's user namespace. Source: proc_gid_seq_operations."""
    return show_id_map(task.cred.user_ns, k.current.cred.user_ns, groups=True)


def _write_map(k: "Kernel", task: TaskStruct, data: bytes, groups: bool) -> int:
    """Source: kernel/user_namespace.c:proc_uid_map_write(), proc_gid_map_write()."""
    ns = task.cred.user_ns
    mine = k.current.cred.user_ns
    if ns is None or (mine is not ns and mine is not ns.parent):
        raise KernelError(EPERM)
    if len(data) >= PAGE_SIZE:
        raise KernelError(EINVAL)
    write_id_map(k, ns, bytes(data).decode("latin-1"), groups=groups)
    return len(data)


def proc_uid_map_write(k: "Kernel", task: TaskStruct, data: bytes) -> int:
    """Set the uid map of the task's user namespace, once.

    Raises:
        KernelError: EPERM, it is the one of boot, neither the caller's nor a child of it, or as
            write_id_map(); EINVAL, too long, or as write_id_map().
    """
    return _write_map(k, task, data, False)


def proc_gid_map_write(k: "Kernel", task: TaskStruct, data: bytes) -> int:
    """Set the gid map of the task's user namespace, once; errors as proc_uid_map_write()."""
    return _write_map(k, task, data, True)


def proc_setgroups_show(k: "Kernel", task: TaskStruct) -> str:
    """Return whether setgroups() is allowed. Source: proc_setgroups_show()."""
    ns = task.cred.user_ns
    return "allow\n" if ns is None or ns.setgroups else "deny\n"


def proc_setgroups_write(k: "Kernel", task: TaskStruct, data: bytes) -> int:
    """Allow or deny setgroups(); errors as write_setgroups(), EPERM for the namespace of boot."""
    ns = task.cred.user_ns
    if ns is None:
        raise KernelError(EPERM)
    write_setgroups(k, ns, bytes(data).decode("latin-1"))
    return len(data)
