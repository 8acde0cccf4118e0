"""Namespaces other than those of pids and users, and ``nsproxy``, which holds a task's set of them.

Most tasks share one ``NsProxy``, the one of boot, and nothing is counted for it. CLONE_NEW* and
unshare() make another with some namespaces new and the others shared. A namespace lives while an
``NsProxy`` (or a child namespace) names it; the last one to go takes its content along.

uts has the host's name, ipc the System V objects. A mount namespace is a copy of the view of
the file tree: with nothing to mount, all views show the one tree, and only which one a task is in
can be told. net, cgroup and time namespaces have an identity and nothing else.

Source: include/linux/nsproxy.h, kernel/nsproxy.c, ipc/namespace.c, kernel/utsname.c,
fs/namespace.c, net/core/net_namespace.c, kernel/cgroup/namespace.c, kernel/time/namespace.c.
Deviation: net, cgroup and time namespaces are names only: there is no network, all see the whole
tree of cgroups, and clocks have no offsets. Nothing can be mounted, so a mount namespace cannot
differ from the one it was copied from.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import ns_capable
from kernel.errors import KernelError
from kernel.ipc.namespace import free_ipc_ns
from kernel.ns.common import (
    PROC_CGROUP_INIT_INO,
    PROC_IPC_INIT_INO,
    PROC_MNT_INIT_INO,
    PROC_NET_INIT_INO,
    PROC_TIME_INIT_INO,
    PROC_UTS_INIT_INO,
    IpcNamespace,
    Namespace,
    UtsNamespace,
    check_ns_limit,
    new_ino,
)
from kernel.ns.pid_namespace import PidNamespace, copy_pid_ns
from kernel.process.pid import put_pid_ns
from kernel.task import nsproxy_of
from kernel.uapi.clone import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_SYSVSEM,
    CLONE_VM,
)
from kernel.uapi.errno_ import EINVAL, EPERM

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.ns.pid_namespace import PidNamespace
    from kernel.ns.user_namespace import UserNamespace
    from kernel.task import TaskStruct


CLONE_NEW_ANY: Final = (
    CLONE_NEWNS
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_NEWCGROUP
    | CLONE_NEWTIME
)


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
        "time_ns_for_children",
        "uts_ns",
    )

    def __init__(
        self,
        uts_ns: UtsNamespace,
        ipc_ns: IpcNamespace,
        mnt_ns: Namespace,
        pid_ns_for_children: "PidNamespace",
        net_ns: Namespace,
        time_ns: Namespace,
        time_ns_for_children: Namespace,
        cgroup_ns: Namespace,
    ) -> None:
        self.count = 1  # tasks; of the set of boot it is not kept
        self.uts_ns = uts_ns
        self.ipc_ns = ipc_ns
        self.mnt_ns = mnt_ns
        self.pid_ns_for_children = pid_ns_for_children
        self.net_ns = net_ns
        self.time_ns = time_ns
        self.time_ns_for_children = time_ns_for_children
        self.cgroup_ns = cgroup_ns


def boot_nsproxy(pid_ns: "PidNamespace") -> NsProxy:
    """Return the namespaces of boot. Source: kernel/nsproxy.c:init_nsproxy."""
    time_ns = Namespace(CLONE_NEWTIME, PROC_TIME_INIT_INO, None)
    return NsProxy(
        UtsNamespace(PROC_UTS_INIT_INO, None, "smplab"),
        IpcNamespace(PROC_IPC_INIT_INO, None),
        Namespace(CLONE_NEWNS, PROC_MNT_INIT_INO, None),
        pid_ns,
        Namespace(CLONE_NEWNET, PROC_NET_INIT_INO, None),
        time_ns,
        time_ns,
        Namespace(CLONE_NEWCGROUP, PROC_CGROUP_INIT_INO, None),
    )


def put_ns(k: "Kernel", ns: Namespace) -> None:
    """Drop a reference to a namespace of any kind but pid and user."""
    ns.count -= 1
    if not ns.count:
        k.ns_counts[ns.kind] -= 1
        if isinstance(ns, IpcNamespace) and ns.ids is not None:
            free_ipc_ns(k, ns)


def put_any_ns(k: "Kernel", ns: Namespace) -> None:
    """Drop a reference that get_any_ns() took."""
    if isinstance(ns, PidNamespace):
        put_pid_ns(k, ns)
    elif ns.kind != CLONE_NEWUSER:
        put_ns(k, ns)


def _copy_ns(k: "Kernel", flags: int, ns: Namespace, user_ns: "UserNamespace | None") -> Namespace:
    """Return ``ns`` with one more reference, or a new one of its kind if ``flags`` ask for it."""
    if not flags & ns.kind:
        ns.count += 1
        return ns
    check_ns_limit(k, ns.kind)
    return Namespace(ns.kind, new_ino(k), user_ns)


def _copy_uts_ns(
    k: "Kernel", flags: int, ns: UtsNamespace, user_ns: "UserNamespace | None"
) -> UtsNamespace:
    """Source: kernel/utsname.c:copy_utsname()."""
    if not flags & CLONE_NEWUTS:
        ns.count += 1
        return ns
    check_ns_limit(k, CLONE_NEWUTS)
    return UtsNamespace(new_ino(k), user_ns, ns.nodename)


def _copy_ipc_ns(
    k: "Kernel", flags: int, ns: IpcNamespace, user_ns: "UserNamespace | None"
) -> IpcNamespace:
    """Source: ipc/namespace.c:copy_ipcs()."""
    if not flags & CLONE_NEWIPC:
        ns.count += 1
        return ns
    check_ns_limit(k, CLONE_NEWIPC)
    return IpcNamespace(new_ino(k), user_ns)


def create_new_namespaces(
    k: "Kernel", flags: int, old: NsProxy, user_ns: "UserNamespace | None"
) -> NsProxy:
    """Return a set like ``old`` with new namespaces where ``flags`` ask for them.

    Raises:
        KernelError: ENOSPC, EINVAL.

    Source: kernel/nsproxy.c:create_new_namespaces().
    """
    pid_ns = copy_pid_ns(k, bool(flags & CLONE_NEWPID), user_ns, old.pid_ns_for_children)
    for_children = old.time_ns_for_children
    old.time_ns.count += 1
    return NsProxy(
        _copy_uts_ns(k, flags, old.uts_ns, user_ns),
        _copy_ipc_ns(k, flags, old.ipc_ns, user_ns),
        _copy_ns(k, flags, old.mnt_ns, user_ns),
        pid_ns,
        _copy_ns(k, flags, old.net_ns, user_ns),
        old.time_ns,
        _copy_ns(k, flags, for_children, user_ns),
        _copy_ns(k, flags, old.cgroup_ns, user_ns),
    )


def copy_namespaces(k: "Kernel", flags: int, child: "TaskStruct") -> None:
    """Give a child its set of namespaces: the parent's, or another as CLONE_NEW* say.

    Raises:
        KernelError: EPERM, no privilege; EINVAL, CLONE_NEWIPC with CLONE_SYSVSEM; ENOSPC.

    Source: kernel/nsproxy.c:copy_namespaces(), kernel/time/namespace.c:timens_on_fork().
    """
    old = nsproxy_of(child)
    child.nsproxy = None
    if not flags & CLONE_NEW_ANY and (flags & CLONE_VM or old.time_ns_for_children is old.time_ns):
        old.count += 1
        child.nsproxy = old
        return
    user_ns = child.cred.user_ns
    if flags & CLONE_NEW_ANY and not ns_capable(child.cred, user_ns):
        raise KernelError(EPERM)
    if flags & CLONE_NEWIPC and flags & CLONE_SYSVSEM:
        raise KernelError(EINVAL)
    new = create_new_namespaces(k, flags, old, user_ns)
    if not flags & CLONE_VM and new.time_ns is not new.time_ns_for_children:
        put_ns(k, new.time_ns)
        new.time_ns = new.time_ns_for_children
        new.time_ns.count += 1
    child.nsproxy = new


def put_nsproxy(k: "Kernel", nsproxy: NsProxy) -> None:
    """Drop one task's reference to its set; the last one drops the namespaces.

    Source: kernel/nsproxy.c:put_nsproxy(), free_nsproxy().
    """
    if nsproxy is k.init_nsproxy:
        return
    nsproxy.count -= 1
    if nsproxy.count:
        return
    put_ns(k, nsproxy.uts_ns)
    put_ns(k, nsproxy.ipc_ns)
    put_ns(k, nsproxy.mnt_ns)
    put_pid_ns(k, nsproxy.pid_ns_for_children)
    put_ns(k, nsproxy.net_ns)
    put_ns(k, nsproxy.time_ns)
    put_ns(k, nsproxy.time_ns_for_children)
    put_ns(k, nsproxy.cgroup_ns)


def exit_task_namespaces(k: "Kernel", task: "TaskStruct") -> None:
    """Leave the namespaces. Source: kernel/nsproxy.c:exit_task_namespaces()."""
    nsproxy, task.nsproxy = task.nsproxy, None
    if nsproxy is not None:
        put_nsproxy(k, nsproxy)
