"""The directory of a process in /proc, and of a thread below its ``task``.

The tables ``TGID_ENTRIES`` and ``TID_ENTRIES`` say what is in them; what stat and status say is in
``kernel.proc.array``.

Source: fs/proc/base.c, fs/proc/fd.c.
Deviation: only what has content here is listed. What ``fd`` holds leads to the open file itself, as
a symbolic link that is followed would.
"""

from typing import TYPE_CHECKING, Final

from kernel.cgroup.cgroup import has_cgroup2
from kernel.cgroup.members import proc_cgroup_show
from kernel.errors import KernelError
from kernel.fs.inode import Inode
from kernel.points import Path
from kernel.proc.array import children_seq_show, proc_pid_status, proc_tgid_stat, proc_tid_stat
from kernel.proc.inode import Entry, get_proc_task, need_task, proc_pid_make_inode
from kernel.proc.links import (
    d_name,
    proc_cwd_link,
    proc_exe_link,
    proc_root_link,
    proc_self_get_link,
)
from kernel.proc.namespaces import (
    proc_gid_map_show,
    proc_gid_map_write,
    proc_ns_dir_lookup,
    proc_ns_dir_names,
    proc_setgroups_show,
    proc_setgroups_write,
    proc_uid_map_show,
    proc_uid_map_write,
)
from kernel.proc.sched import proc_pid_schedstat, proc_sched_show_task, sched_write
from kernel.proc.task_mmu import proc_pid_statm, show_map
from kernel.proc.timerslack import timerslack_ns_show, timerslack_ns_write
from kernel.process.pid import find_task_by_pid_ns
from kernel.process.prctl import set_task_comm
from kernel.process.tasklist import for_each_process
from kernel.smp.autogroup import (
    has_autogroup,
    proc_sched_autogroup_set_nice,
    proc_sched_autogroup_show_task,
)
from kernel.task import TaskStruct
from kernel.uapi.errno_ import EACCES, EINVAL, ERANGE
from kernel.uapi.rlimit import RLIM_INFINITY

if TYPE_CHECKING:
    from kernel.kernel import Kernel

OOM_SCORE_ADJ_MAX: Final = 1000
_NUMBER_DIGITS: Final = 10

# Source: fs/proc/base.c:lnames
_LIMITS: Final = (
    ("Max cpu time", "seconds"),
    ("Max file size", "bytes"),
    ("Max data size", "bytes"),
    ("Max stack size", "bytes"),
    ("Max core file size", "bytes"),
    ("Max resident set", "bytes"),
    ("Max processes", "processes"),
    ("Max open files", "files"),
    ("Max locked memory", "bytes"),
    ("Max address space", "bytes"),
    ("Max file locks", "locks"),
    ("Max pending signals", "signals"),
    ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""),
    ("Max realtime priority", ""),
    ("Max realtime timeout", "us"),
)


# -- files ---------------------------------------------------------------------------------------


def comm_show(k: "Kernel", task: TaskStruct) -> str:
    """Return the task's name. Source: fs/proc/base.c:comm_show()."""
    return f"{task.comm}\n"


def comm_write(k: "Kernel", task: TaskStruct, data: bytes) -> Path[int]:
    """Give a thread of the caller's process a name; what is too long is cut off.

    Raises:
        KernelError: EINVAL, another process's thread.

    Source: fs/proc/base.c:comm_write().
    """
    if task.signal is not k.current.signal:
        raise KernelError(EINVAL)
    yield from set_task_comm(k, task, bytes(data[:32]).decode("utf-8", "surrogateescape"))
    return len(data)


def proc_pid_cmdline_read(k: "Kernel", task: TaskStruct) -> bytes:
    """Return the arguments of the program, each with a NUL; nothing for zombies and kthreads.

    Source: fs/proc/base.c:proc_pid_cmdline_read().
    """
    if task.mm is None:
        return b""
    args: tuple[str, ...] = task.signal.args
    return b"".join(arg.encode("utf-8", "surrogateescape") + b"\0" for arg in args)


def proc_pid_limits(k: "Kernel", task: TaskStruct) -> str:
    """Return the resource limits as a table. Source: fs/proc/base.c:proc_pid_limits()."""
    if task.signal is None:
        return ""
    lines = [f"{'Limit':<26}{'Soft Limit':<21}{'Hard Limit':<21}{'Units':<10}\n"]
    limits = task.signal.rlim
    for which, (name, unit) in enumerate(_LIMITS):
        values = limits.get(which, k.tasks.rlimits[which])
        shown = ["unlimited" if value == RLIM_INFINITY else str(value) for value in values]
        tail = f"{unit:<10}" if unit else ""
        lines.append(f"{name:<25} {shown[0]:<20} {shown[1]:<20} {tail}\n")
    return "".join(lines)


def oom_score_adj_read(k: "Kernel", task: TaskStruct) -> str:
    """Return the process's oom_score_adj. Source: fs/proc/base.c:oom_score_adj_read()."""
    return f"{task.signal.oom_score_adj}\n"


def oom_score_adj_write(k: "Kernel", task: TaskStruct, data: bytes) -> int:
    """Set the process's oom_score_adj, -1000 … 1000.

    Raises:
        KernelError: EINVAL, no number or out of range; EACCES, lower than it was set with
            privilege and the caller has none.

    Source: fs/proc/base.c:oom_score_adj_write(), __set_oom_adj().
    """
    value = kstrtoint(data)
    if abs(value) > OOM_SCORE_ADJ_MAX:
        raise KernelError(EINVAL)
    signal = task.signal
    if k.current.cred.euid != 0:
        if value < signal.oom_score_adj_min:
            raise KernelError(EACCES)
    else:
        signal.oom_score_adj_min = value
    signal.oom_score_adj = value
    return len(data)


def sched_autogroup_write(k: "Kernel", task: TaskStruct, data: bytes) -> int:
    """Give the session of ``task`` a nice value.

    Raises:
        KernelError: EINVAL, no number or out of range; EPERM, a lower one without privilege;
            EAGAIN, without privilege sooner than a tenth of a second after the last.

    Source: fs/proc/base.c:sched_autogroup_write().
    """
    proc_sched_autogroup_set_nice(k, task, kstrtoint(data))
    return len(data)


def kstrtoint(data: bytes) -> int:
    """Return the number in ``data``, decimal, 0x… or 0…; blanks around it are allowed.

    Raises:
        KernelError: EINVAL, there is none; ERANGE, it has more than 31 bits.

    Source: lib/kstrtox.c:kstrtoint(), after strstrip().
    """
    text = bytes(data).split(b"\0", 1)[0].strip().decode("latin-1").lower()
    digits = text[1:] if text[:1] in ("-", "+") else text
    base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    digits = digits[2:] if base == 16 else digits
    if not digits or any(digit not in "0123456789abcdef"[:base] for digit in digits):
        raise KernelError(EINVAL)
    value = int(digits, base)
    if value >> 31:
        raise KernelError(ERANGE)
    return -value if text[0] == "-" else value


def show_vfsmnt(k: "Kernel", task: TaskStruct) -> str:
    """Return the file systems and where they are mounted. Source: fs/proc_namespace.c.

    Deviation: /proc and the root are one file system here, and every mount namespace has the same.
    """
    lines = ["rootfs / rootfs rw 0 0\n", "proc /proc proc rw,relatime 0 0\n"]
    if has_cgroup2(k):
        lines.append("sysfs /sys sysfs rw,relatime 0 0\n")
        lines.append("cgroup2 /sys/fs/cgroup cgroup2 rw,relatime 0 0\n")
    return "".join(lines)


# -- directories ---------------------------------------------------------------------------------


def name_to_int(name: str) -> int:
    """Return the number a name spells in the one way readdir spells it, or -1.

    Source: fs/proc/util.c:name_to_int().
    """
    if not name.isascii() or not name.isdigit() or len(name) > _NUMBER_DIGITS:
        return -1
    if name[0] == "0" and len(name) > 1:
        return -1
    return int(name)


def _entry_lookup(
    k: "Kernel", directory: Inode, name: str, table: dict[str, Entry]
) -> Inode | None:
    """Source: fs/proc/base.c:proc_pident_lookup()."""
    task = get_proc_task(directory)
    entry = table.get(name)
    if task is None or entry is None or not entry.is_there(k):
        return None
    if entry.follow is not None:
        target: Inode | None = entry.follow(k, task)
        return target
    return proc_pid_make_inode(k, task, entry, directory, name)


def _entry_links(k: "Kernel", directory: Inode, name: str, inode: Inode | None) -> str | None:
    """Return the text of exe, cwd and root. Source: fs/proc/base.c:proc_pid_readlink()."""
    entry = TGID_ENTRIES.get(name)
    if entry is None or entry.follow is None or inode is None:
        return None
    return d_name(inode)


def proc_fd_links(k: "Kernel", directory: Inode, name: str, inode: Inode | None) -> str | None:
    """Return the text of a descriptor's link. Source: fs/proc/fd.c:proc_fd_link()."""
    return None if inode is None else d_name(inode)


def proc_root_links(k: "Kernel", directory: Inode, name: str, inode: Inode | None) -> str | None:
    """Return the text of self, thread-self and mounts. Source: fs/proc/self.c, fs/proc/root.c."""
    if name == "mounts":
        return "self/mounts"
    return proc_self_get_link(k, name) if name in ("self", "thread-self") else None


def proc_tgid_base_lookup(k: "Kernel", directory: Inode, name: str) -> Inode | None:
    """Find ``name`` in a process's directory. Source: fs/proc/base.c."""
    return _entry_lookup(k, directory, name, TGID_ENTRIES)


def proc_tgid_base_names(k: "Kernel", directory: Inode) -> list[str]:
    """Return what is in a process's directory. Source: fs/proc/base.c:proc_pident_readdir()."""
    need_task(directory)
    return [name for name, entry in TGID_ENTRIES.items() if entry.is_there(k)]


def proc_tid_base_lookup(k: "Kernel", directory: Inode, name: str) -> Inode | None:
    """Find ``name`` in a thread's directory. Source: fs/proc/base.c."""
    return _entry_lookup(k, directory, name, TID_ENTRIES)


def proc_tid_base_names(k: "Kernel", directory: Inode) -> list[str]:
    """Return what is in a thread's directory. Source: fs/proc/base.c:proc_pident_readdir()."""
    need_task(directory)
    return [name for name, entry in TID_ENTRIES.items() if entry.is_there(k)]


def proc_task_lookup(k: "Kernel", directory: Inode, name: str) -> Inode | None:
    """Find a thread of the process. Source: fs/proc/base.c:proc_task_lookup()."""
    leader = get_proc_task(directory)
    task = find_task_by_pid_ns(name_to_int(name), k.init_pid_ns)
    if leader is None or task is None or task.signal is not leader.signal:
        return None
    return proc_pid_make_inode(k, task, TID_DIRECTORY, directory, name)


def proc_task_names(k: "Kernel", directory: Inode) -> list[str]:
    """Return the process's threads, oldest first. Source: fs/proc/base.c:proc_task_readdir()."""
    leader = get_proc_task(directory)
    if leader is None:
        return []
    return [str(thread.thread_pid.nr) for thread in leader.signal.threads]


def proc_lookupfd(k: "Kernel", directory: Inode, name: str) -> Inode | None:
    """Return the file that a descriptor of the task stands for.

    Source: fs/proc/fd.c:proc_lookupfd(), proc_fd_link().
    """
    task = get_proc_task(directory)
    if task is None or task.files is None:
        return None
    file = task.files.fd.get(name_to_int(name))
    if file is None:
        return None
    inode: Inode = file.inode
    return inode


def proc_readfd_names(k: "Kernel", directory: Inode) -> list[str]:
    """Return the task's open descriptors. Source: fs/proc/fd.c:proc_readfd()."""
    task = need_task(directory)
    return [] if task.files is None else [str(fd) for fd in sorted(task.files.fd)]


# -- /proc's own directory: the processes --------------------------------------------------------


def proc_pid_lookup(k: "Kernel", directory: Inode, name: str) -> Inode | None:
    """Find ``self``, ``thread-self``, ``mounts`` or the thread with this number.

    Source: fs/proc/base.c:proc_pid_lookup(), fs/proc/self.c, fs/proc/thread_self.c.
    """
    current = k.current
    if name == "self":
        name = str(current.group_leader.thread_pid.nr)
    elif name == "mounts":
        process = proc_pid_lookup(k, directory, "self")
        return None if process is None else proc_tgid_base_lookup(k, process, name)
    elif name == "thread-self":
        process = proc_pid_lookup(k, directory, "self")
        tasks = None if process is None else proc_tgid_base_lookup(k, process, "task")
        return None if tasks is None else proc_task_lookup(k, tasks, str(current.thread_pid.nr))
    task = find_task_by_pid_ns(name_to_int(name), k.init_pid_ns)
    if task is None:
        return None
    inode = proc_pid_make_inode(k, task, TGID_DIRECTORY, directory, name)
    return inode


def proc_pid_names(k: "Kernel", directory: Inode) -> list[str]:
    """Return self, thread-self, mounts and the processes by number.

    Source: fs/proc/base.c:proc_pid_readdir(), next_tgid().
    """
    numbers = sorted(task.thread_pid.nr for task in for_each_process(k))
    return ["self", "thread-self", "mounts", *map(str, numbers)]


_COMMON: Final = (
    Entry("fd", 0o500, lookup=proc_lookupfd, names=proc_readfd_names, links=proc_fd_links),
    Entry("cwd", 0o777, follow=proc_cwd_link),
    Entry("root", 0o777, follow=proc_root_link),
    Entry("exe", 0o777, follow=proc_exe_link),
    Entry("status", 0o444, show=proc_pid_status),
    Entry("limits", 0o444, show=proc_pid_limits),
    Entry("comm", 0o644, show=comm_show, write=comm_write),
    Entry("cmdline", 0o444, show=proc_pid_cmdline_read),
    Entry("statm", 0o444, show=proc_pid_statm),
    Entry("maps", 0o444, show=show_map),
    Entry("oom_score_adj", 0o644, show=oom_score_adj_read, write=oom_score_adj_write),
    Entry("ns", 0o511, lookup=proc_ns_dir_lookup, names=proc_ns_dir_names),
    Entry("sched", 0o644, show=proc_sched_show_task, write=sched_write),
    Entry("schedstat", 0o444, show=proc_pid_schedstat),
    Entry("uid_map", 0o644, show=proc_uid_map_show, write=proc_uid_map_write),
    Entry("gid_map", 0o644, show=proc_gid_map_show, write=proc_gid_map_write),
    Entry("setgroups", 0o644, show=proc_setgroups_show, write=proc_setgroups_write),
)
_LATER: Final = (
    Entry("cgroup", 0o444, show=proc_cgroup_show, there=has_cgroup2),
    Entry("mounts", 0o444, show=show_vfsmnt),
)
TGID_ENTRIES: Final[dict[str, Entry]] = {
    entry.name: entry
    for entry in (
        Entry("task", 0o555, lookup=proc_task_lookup, names=proc_task_names),
        *_COMMON,
        Entry("stat", 0o444, show=proc_tgid_stat),
        Entry(
            "autogroup",
            0o644,
            show=proc_sched_autogroup_show_task,
            write=sched_autogroup_write,
            there=has_autogroup,
        ),
        *_LATER,
        Entry("timerslack_ns", 0o666, show=timerslack_ns_show, write=timerslack_ns_write),
    )
}
TID_ENTRIES: Final[dict[str, Entry]] = {
    entry.name: entry
    for entry in (
        *_COMMON,
        Entry("stat", 0o444, show=proc_tid_stat),
        Entry("children", 0o444, show=children_seq_show),
        *_LATER,
    )
}
TGID_DIRECTORY: Final = Entry(
    "", 0o555, lookup=proc_tgid_base_lookup, names=proc_tgid_base_names, links=_entry_links
)
TID_DIRECTORY: Final = Entry(
    "", 0o555, lookup=proc_tid_base_lookup, names=proc_tid_base_names, links=_entry_links
)
for _number, _entry in enumerate(
    dict.fromkeys((TGID_DIRECTORY, TID_DIRECTORY, *TGID_ENTRIES.values(), *TID_ENTRIES.values()))
):
    _entry.number = _number
