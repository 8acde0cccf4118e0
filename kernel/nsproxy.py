"""Namespaces other than those of pids and users, and ``nsproxy``, which holds a task's set of them.

Most tasks share one ``NsProxy``, the one of boot, and nothing is counted for it. CLONE_NEW* and
unshare() make another with some namespaces new and the others shared. A namespace lives while an
``NsProxy`` (or a child namespace) names it; the last one to go takes its content along.

uts has the host's name, ipc the System V objects. A mount namespace is a copy of the view of
the file tree: with nothing to mount, all views show the one tree, and only which one a task is in
can be told. net, cgroup and time namespaces have an identity and nothing else.

Source: include/linux/nsproxy.h, kernel/nsproxy.c, ipc/namespace.c, kernel/utsname.c,
fs/namespace.c, net/core/net_namespace.c, kernel/cgroup/namespace.c, kernel/time/namespace.c.
Deviation: net, cgroup and time namespaces are names only: there is no network, there are no
cgroups, and clocks have no offsets. Nothing can be mounted, so a mount namespace cannot differ
from the one it was copied from.
"""

from typing import Any, Final

from kernel.uapi.clone import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUTS,
)

# Source: include/linux/proc_ns.h
PROC_IPC_INIT_INO: Final = 0xEFFFFFFF
PROC_UTS_INIT_INO: Final = 0xEFFFFFFE
PROC_USER_INIT_INO: Final = 0xEFFFFFFD
PROC_PID_INIT_INO: Final = 0xEFFFFFFC
PROC_CGROUP_INIT_INO: Final = 0xEFFFFFFB
PROC_TIME_INIT_INO: Final = 0xEFFFFFFA
PROC_NET_INIT_INO: Final = 0xF0000000
PROC_MNT_INIT_INO: Final = 0xF0000001
FIRST_INO: Final = 0xF0000002  # of a namespace made later

CLONE_NEW_ANY: Final = (
    CLONE_NEWNS
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_NEWCGROUP
    | CLONE_NEWTIME
)


class Namespace:
    """What every namespace has: its kind (CLONE_NEW*), its number in /proc/PID/ns, its owner."""

    __slots__ = ("count", "ino", "kind", "user_ns")

    def __init__(self, kind: int, ino: int, user_ns: Any) -> None:
        self.kind = kind
        self.ino = ino
        self.user_ns = user_ns  # whose capabilities count for it
        self.count = 1

    def __repr__(self) -> str:
        return f"<namespace {self.kind:#x} {self.ino}>"


class UtsNamespace(Namespace):
    """The name of the host (``struct uts_namespace``)."""

    __slots__ = ("nodename",)

    def __init__(self, ino: int, user_ns: Any, nodename: str) -> None:
        super().__init__(CLONE_NEWUTS, ino, user_ns)
        self.nodename = nodename


class IpcNamespace(Namespace):
    """The System V objects that have keys of their own (``struct ipc_namespace``).

    ``ids`` is filled at first use by the modules that own the objects.
    """

    __slots__ = ("ids",)

    def __init__(self, ino: int, user_ns: Any) -> None:
        super().__init__(CLONE_NEWIPC, ino, user_ns)
        self.ids: Any = None


class NsProxy:
    """One set of namespaces, shared by the tasks that are in it (``struct nsproxy``)."""

    __slots__ = (
        "cgroup_ns",
        "count",
        "ipc_ns",
        "mnt_ns",
        "net_ns",
        "pid_ns_for_children",
        "time_ns",
        "uts_ns",
    )

    def __init__(
        self,
        uts_ns: UtsNamespace,
        ipc_ns: IpcNamespace,
        mnt_ns: Namespace,
        pid_ns_for_children: Any,
        net_ns: Namespace,
        time_ns: Namespace,
        cgroup_ns: Namespace,
    ) -> None:
        self.count = 1
        self.uts_ns = uts_ns
        self.ipc_ns = ipc_ns
        self.mnt_ns = mnt_ns
        self.pid_ns_for_children = pid_ns_for_children
        self.net_ns = net_ns
        self.time_ns = time_ns
        self.cgroup_ns = cgroup_ns


def boot_nsproxy(pid_ns: Any, user_ns: Any) -> NsProxy:
    """Return the namespaces of boot. Source: kernel/nsproxy.c:init_nsproxy."""
    return NsProxy(
        UtsNamespace(PROC_UTS_INIT_INO, user_ns, "smplab"),
        IpcNamespace(PROC_IPC_INIT_INO, user_ns),
        Namespace(CLONE_NEWNS, PROC_MNT_INIT_INO, user_ns),
        pid_ns,
        Namespace(CLONE_NEWNET, PROC_NET_INIT_INO, user_ns),
        Namespace(CLONE_NEWTIME, PROC_TIME_INIT_INO, user_ns),
        Namespace(CLONE_NEWCGROUP, PROC_CGROUP_INIT_INO, user_ns),
    )
