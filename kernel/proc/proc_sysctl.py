"""/proc/sys: the kernel's parameters as files.

``SYSCTLS`` says what there is: a path below /proc/sys, its mode, and how it is read and written. A
part of the kernel that gets a parameter adds a row.

Source: fs/proc/proc_sysctl.c, kernel/sysctl.c, kernel/pid.c, kernel/utsname_sysctl.c.
Deviation: one value at a time, written in one piece. What the configuration decides (pid_max,
sched_rt_runtime_us, the policies of vm) can only be read.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.errors import KernelError
from kernel.proc.base import kstrtoint
from kernel.proc.inode import Entry
from kernel.proc.system import linux_version
from kernel.process.limits import FUTEX_TID_MASK
from kernel.process.pid import task_active_pid_ns
from kernel.sched.classes import tunables_of
from kernel.sched.rt import rt_sched_class
from kernel.sched.rt_rq import RtTunables
from kernel.task import nsproxy_of
from kernel.uapi.errno_ import EINVAL
from kernel.uapi.mman import MAX_MAP_COUNT

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_NODENAME_MAX: Final = 64  # __NEW_UTS_LEN


def _value(read: Any) -> Any:
    """Return what shows the value that ``read(k)`` returns."""
    return lambda k: f"{read(k)}\n"


def proc_dointvec_minmax(data: bytes, least: int, most: int) -> int:
    """Return the number written to a parameter.

    Raises:
        KernelError: EINVAL, no number or out of range.

    Source: kernel/sysctl.c:proc_dointvec_minmax().
    """
    value = kstrtoint(data)
    if not least <= value <= most:
        raise KernelError(EINVAL)
    return value


def _rt(k: "Kernel") -> RtTunables:
    """Return the tunables of real-time tasks, as by default if their class is another."""
    tunables: RtTunables = tunables_of(k.spec, rt_sched_class)
    return tunables


def _write_threads_max(k: "Kernel", data: bytes) -> int:
    """Source: kernel/fork.c:sysctl_max_threads()."""
    k.tasks.max_threads = proc_dointvec_minmax(data, 1, FUTEX_TID_MASK)
    return len(data)


def _write_hostname(k: "Kernel", data: bytes) -> int:
    """Source: kernel/utsname_sysctl.c:proc_do_uts_string()."""
    name = bytes(data).split(b"\n", 1)[0].split(b"\0", 1)[0][:_NODENAME_MAX]
    nsproxy_of(k.current).uts_ns.nodename = name.decode("utf-8", "surrogateescape")
    return len(data)


# path -> (mode, show, write)
SYSCTLS: Final[dict[str, tuple[int, Any, Any]]] = {
    "kernel/ostype": (0o444, _value(lambda k: "Linux"), None),
    "kernel/osrelease": (0o444, _value(linux_version), None),
    "kernel/version": (0o444, _value(lambda k: "#1 SMP"), None),
    "kernel/hostname": (
        0o644,
        _value(lambda k: k.current.nsproxy.uts_ns.nodename),
        _write_hostname,
    ),
    "kernel/pid_max": (0o444, _value(lambda k: k.pids.pid_max), None),
    "kernel/sched_autogroup_enabled": (
        0o444,
        _value(lambda k: int(k.groups.autogroup)),
        None,
    ),
    "kernel/ns_last_pid": (
        0o444,
        _value(lambda k: task_active_pid_ns(k, k.current).pids.last),
        None,
    ),
    "kernel/sched_rt_period_us": (0o444, _value(lambda k: _rt(k).period_ns // 1000), None),
    "kernel/sched_rt_runtime_us": (
        0o444,
        _value(lambda k: max(_rt(k).runtime_ns // 1000, -1)),
        None,
    ),
    "kernel/threads-max": (0o644, _value(lambda k: k.tasks.max_threads), _write_threads_max),
    "vm/overcommit_memory": (0o444, _value(lambda k: k.spec.overcommit_memory), None),
    "vm/overcommit_ratio": (0o444, _value(lambda k: k.spec.overcommit_ratio), None),
    "vm/max_map_count": (0o444, _value(lambda k: MAX_MAP_COUNT), None),
}


def proc_sys_entries() -> list[tuple[str, Entry]]:
    """Return every parameter as (directory below /proc/sys, entry)."""
    entries = []
    for path, (mode, show, write) in SYSCTLS.items():
        directory, _, name = path.rpartition("/")
        entries.append((directory, Entry(name, mode, show=show, write=write)))
    return entries
