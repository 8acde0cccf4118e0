"""Recounting namespaces: who is in them, which numbers they have given out, and what is left over.

Source: the rules are those of kernel/nsproxy.c and kernel/pid_namespace.c.
"""

from typing import TYPE_CHECKING, Any

from kernel.fs.inode import NSFS
from kernel.fs.ledger import open_files
from kernel.ns.common import Namespace
from kernel.ns.nsproxy import NsProxy
from kernel.task import TaskStruct
from kernel.uapi.clone import CLONE_NEWUSER

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.ns.pid_namespace import PidNamespace

_FIELDS = ("uts_ns", "ipc_ns", "mnt_ns", "net_ns", "time_ns", "time_ns_for_children", "cgroup_ns")


def check_namespaces(k: "Kernel", tasks: list[TaskStruct], found: list[str]) -> None:
    """Reference counts of sets and namespaces, and the numbers of nested pid namespaces.

    Applies when no path is in progress.
    """
    if k.pids.kernel is None and not any(task.nsproxy is not k.init_nsproxy for task in tasks):
        if any(k.ns_counts.values()):
            found.append(f"namespaces: {k.ns_counts} counted, none found")
        return
    proxies: dict[NsProxy, int] = {}
    for task in tasks:
        if task.nsproxy is not None:
            proxies[task.nsproxy] = proxies.get(task.nsproxy, 0) + 1
    held: dict[Any, int] = {}
    for proxy, number in proxies.items():
        if proxy is not k.init_nsproxy and proxy.count != number:
            found.append(f"nsproxy: {proxy.count} tasks counted, {number} found")
        for field in _FIELDS:
            held[getattr(proxy, field)] = held.get(getattr(proxy, field), 0) + 1
        if proxy is not k.init_nsproxy:
            _hold(held, proxy.pid_ns_for_children)
    for pid in k.pids.hash.values():
        for ns, number in pid.numbers or ():
            if ns.level:
                _hold(held, ns)
                if ns.pids.hash.get(number) is not pid:
                    found.append(f"{ns!r}: {pid!r} is not filed under {number}")
    for ns in open_namespaces(tasks):
        if ns is not None and ns.kind != CLONE_NEWUSER:
            _hold(held, ns)
    for ns in list(held):
        parent = ns.parent if ns.kind == k.init_pid_ns.kind else None
        while parent is not None and parent not in held:
            held[parent] = 0
            parent = parent.parent
    kinds: dict[int, int] = {}
    for ns in held:
        if ns.kind == k.init_pid_ns.kind:
            _check_pid_ns(k, ns, held, found)
        elif not _of_boot(k, ns) and ns.count != held[ns]:
            found.append(f"{ns!r}: {ns.count} references counted, {held[ns]} found")
        if not _of_boot(k, ns):
            kinds[ns.kind] = kinds.get(ns.kind, 0) + 1
    counted = {kind: number for kind, number in k.ns_counts.items() if number}
    if counted != kinds:
        found.append(f"namespaces: {counted} counted by kind, {kinds} found")


def open_namespaces(tasks: list[TaskStruct]) -> list[Any]:
    """Return the namespace of every open file of /proc/PID/ns, once for each open()."""
    tables = dict.fromkeys(task.files for task in tasks if task.files is not None)
    inodes: list[Any] = [file.inode for file in open_files(tables)]
    return [inode.ns for inode in inodes if inode.kind == NSFS]


def _hold(held: dict[Any, int], ns: Namespace) -> None:
    held[ns] = held.get(ns, 0) + 1


def _of_boot(k: "Kernel", ns: Namespace) -> bool:
    return ns is k.init_pid_ns or any(ns is getattr(k.init_nsproxy, field) for field in _FIELDS)


def _check_pid_ns(k: "Kernel", ns: "PidNamespace", held: dict[Any, int], found: list[str]) -> None:
    """One nested pid namespace."""
    if not ns.level:
        return
    below = sum(
        1 for other in held if other.kind == ns.kind and getattr(other, "parent", None) is ns
    )
    if ns.count != held[ns] + below:
        found.append(f"{ns!r}: {ns.count} references counted, {held[ns] + below} found")
    numbers = len(ns.pids.hash)
    if ns.pid_allocated != numbers or ns.pids.taken != numbers or sum(ns.pids.used) - 1 != numbers:
        found.append(
            f"{ns!r}: {ns.pid_allocated} pids counted, {ns.pids.taken} taken, {numbers} filed"
        )
    reaper = ns.child_reaper
    if numbers > 1 and reaper is not None and reaper.signal is not None and reaper.exit_state:
        found.append(f"{ns!r}: its init {reaper!r} is dead and {numbers} numbers are in use")
