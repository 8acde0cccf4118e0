"""/proc itself: what stands in it beside the processes.

Source: fs/proc/root.c, and the fs_initcalls of fs/proc/*.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.fs.inode import Inode
from kernel.proc import sched, system
from kernel.proc.base import proc_pid_lookup, proc_pid_names, proc_root_links
from kernel.proc.inode import Entry, Node, proc_create
from kernel.proc.proc_sysctl import proc_sys_entries
from kernel.proc.sysctl_file import register_sysctl
from kernel.smp.psi import psi_show

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_ROOT: Final = Entry(
    "proc", 0o555, lookup=proc_pid_lookup, names=proc_pid_names, links=proc_root_links
)
_FILES: Final = (
    Entry("cpuinfo", 0o444, show=system.show_cpuinfo),
    Entry("loadavg", 0o444, show=system.loadavg_proc_show),
    Entry("meminfo", 0o444, show=system.meminfo_proc_show),
    Entry("schedstat", 0o444, show=sched.show_schedstat),
    Entry("slabinfo", 0o400, show=system.slabinfo_show),
    Entry("stat", 0o444, show=system.show_stat),
    Entry("uptime", 0o444, show=system.uptime_proc_show),
    Entry("version", 0o444, show=system.version_proc_show),
    Entry("vmstat", 0o444, show=system.vmstat_show),
)
_PRESSURE: Final = (
    Entry("io", 0o666, show=sched.psi_no_stall, write=sched.psi_write),
    Entry("memory", 0o666, show=sched.psi_no_stall, write=sched.psi_write),
    Entry("cpu", 0o666, show=psi_show, write=sched.psi_write),
)


def proc_root_init(k: "Kernel") -> None:
    """Put everything static into /proc, which the file tree already has.

    Source: fs/proc/root.c:proc_root_init().
    """
    entries = k.vfs.root.entries
    if entries is None:
        raise AssertionError("the root is no directory")
    proc = entries["proc"]
    proc.i_op = Node(_ROOT, None)
    for entry in _FILES:
        proc_create(k, proc, entry)
    if k.psi is not None:
        pressure = proc_create(k, proc, Entry("pressure", 0o555))
        for entry in _PRESSURE:
            proc_create(k, pressure, entry)
    directories: dict[str, Inode] = {"": proc_create(k, proc, Entry("sys", 0o555))}
    for path, entry in proc_sys_entries(k):
        if path not in directories:
            directories[path] = proc_create(k, directories[""], Entry(path, 0o555))
        register_sysctl(k, directories[path], entry)
