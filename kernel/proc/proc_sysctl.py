"""/proc/sys: the kernel's parameters as files.

``SYSCTLS`` says what there is: a path below /proc/sys, its mode, and how it is read and written. A
part of the kernel that gets a parameter adds a row.

Source: fs/proc/proc_sysctl.c, kernel/sysctl.c, kernel/pid.c, kernel/utsname_sysctl.c.
Deviation: what the configuration decides (pid_max, sched_rt_runtime_us, the policies of vm), and
ns_last_pid, cannot be changed: to write another value is refused.
"""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kernel.errors import GuestFault
from kernel.proc.sched_sysctl import (
    CFS_BANDWIDTH_SLICE_US,
    sched_rr_handler,
    write_cfs_bandwidth_slice,
    write_dl_period_max,
    write_dl_period_min,
)
from kernel.proc.sysctl_file import SysctlEntry, proc_dointvec_minmax
from kernel.proc.system import linux_version
from kernel.process.limits import FUTEX_TID_MASK
from kernel.process.pid import task_active_pid_ns
from kernel.sched.classes import tunables_of
from kernel.sched.rt import rt_sched_class
from kernel.sched.rt_rq import RtTunables
from kernel.smp.autogroup import has_autogroup
from kernel.task import nsproxy_of
from kernel.uapi.failure import refused
from kernel.uapi.mman import MAX_MAP_COUNT

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_NODENAME_MAX: Final = 64  # __NEW_UTS_LEN


class Sysctl(NamedTuple):
    """A parameter.

    Attributes:
        mode: permission bits.
        show: ``show(k)`` returns its value.
        write: ``write(k, data)`` returns the number of bytes taken; None: nobody may.
        text: it is a string.
        there: ``there(k)``: whether this kernel has it; None: each has.
    """

    mode: int
    show: Any
    write: Any = None
    text: bool = False
    there: Any = None


def _rt(k: "Kernel") -> RtTunables:
    """Return the tunables of real-time tasks, as by default if their class is another."""
    tunables: RtTunables = tunables_of(k.spec, rt_sched_class)
    return tunables


def _modern(k: "Kernel") -> bool:
    """Tell whether this is no 2.6.34."""
    return k.spec.linux != "2.6.34"


def _fixed(path: str, read: Any, where: str = "") -> Any:
    """Return what takes the value that ``read(k)`` returns, and refuses any other.

    Args:
        path: of the parameter.
        read: as of its row.
        where: the key of the configuration that sets it.
    """

    def write(k: "Kernel", data: bytes) -> int:
        value, taken = proc_dointvec_minmax(data)
        if value != read(k):
            what = f"{path} cannot be changed"
            raise GuestFault(refused(f"{what}: {where} sets it" if where else what))
        return taken

    return write


def _fixed_row(path: str, read: Any, where: str = "", mode: int = 0o644, there: Any = None) -> Any:
    return path, Sysctl(mode, read, _fixed(path, read, where), there=there)


def _write_threads_max(k: "Kernel", data: bytes) -> int:
    """Source: kernel/fork.c:sysctl_max_threads()."""
    k.tasks.max_threads, taken = proc_dointvec_minmax(data, 1, FUTEX_TID_MASK)
    return taken


def _write_hostname(k: "Kernel", data: bytes) -> int:
    """Source: kernel/utsname_sysctl.c:proc_do_uts_string()."""
    name = bytes(data).split(b"\n", 1)[0].split(b"\0", 1)[0][:_NODENAME_MAX]
    nsproxy_of(k.current).uts_ns.nodename = name.decode("utf-8", "surrogateescape")
    return len(data)


# path -> the parameter
SYSCTLS: Final[dict[str, Sysctl]] = {
    "kernel/ostype": Sysctl(0o444, lambda k: "Linux", text=True),
    "kernel/osrelease": Sysctl(0o444, linux_version, text=True),
    "kernel/version": Sysctl(0o444, lambda k: "#1 SMP", text=True),
    "kernel/hostname": Sysctl(
        0o644, lambda k: k.current.nsproxy.uts_ns.nodename, _write_hostname, text=True
    ),
    **dict(
        (
            _fixed_row("kernel/pid_max", lambda k: k.pids.pid_max, "machine.pid_max"),
            _fixed_row(
                "kernel/sched_autogroup_enabled",
                lambda k: int(k.groups.autogroup),
                "sched.autogroup",
                there=has_autogroup,
            ),
            _fixed_row(
                "kernel/ns_last_pid",
                lambda k: task_active_pid_ns(k, k.current).pids.last,
                mode=0o666,
            ),
            _fixed_row(
                "kernel/sched_rt_period_us", lambda k: _rt(k).period_ns // 1000, "sched.rt.period"
            ),
            _fixed_row(
                "kernel/sched_rt_runtime_us",
                lambda k: max(_rt(k).runtime_ns // 1000, -1),
                "sched.rt.runtime",
            ),
        )
    ),
    "kernel/sched_rr_timeslice_ms": Sysctl(
        0o644, lambda k: k.sched.sysctls.rr_ms, sched_rr_handler, there=_modern
    ),
    "kernel/sched_deadline_period_max_us": Sysctl(
        0o644, lambda k: k.sched.sysctls.dl_period_max_us, write_dl_period_max, there=_modern
    ),
    "kernel/sched_deadline_period_min_us": Sysctl(
        0o644, lambda k: k.sched.sysctls.dl_period_min_us, write_dl_period_min, there=_modern
    ),
    "kernel/sched_cfs_bandwidth_slice_us": Sysctl(
        0o644, lambda k: CFS_BANDWIDTH_SLICE_US, write_cfs_bandwidth_slice, there=_modern
    ),
    "kernel/threads-max": Sysctl(0o644, lambda k: k.tasks.max_threads, _write_threads_max),
    **dict(
        (
            _fixed_row(
                "vm/overcommit_memory", lambda k: k.spec.overcommit_memory, "vm.overcommit_memory"
            ),
            _fixed_row(
                "vm/overcommit_ratio", lambda k: k.spec.overcommit_ratio, "vm.overcommit_ratio"
            ),
            _fixed_row("vm/max_map_count", lambda k: MAX_MAP_COUNT),
        )
    ),
}


def _shown(read: Any) -> Any:
    """Return what shows the value that ``read(k)`` returns."""
    return lambda k: f"{read(k)}\n"


def proc_sys_entries(k: "Kernel") -> list[tuple[str, SysctlEntry]]:
    """Return every parameter of this kernel as (directory below /proc/sys, entry)."""
    entries = []
    for path, row in SYSCTLS.items():
        if row.there is None or row.there(k):
            directory, _, name = path.rpartition("/")
            entry = SysctlEntry(name, row.mode, _shown(row.show), row.write, row.text)
            entries.append((directory, entry))
    return entries
