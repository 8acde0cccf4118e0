"""setns(): join a namespace that an open file of /proc/PID/ns stands for.

Source: kernel/nsproxy.c (setns, validate_ns, commit_nsset).
Deviation: no pidfd as the first argument (EINVAL), so one namespace at a time. Every mount
namespace shows the one file tree, so root and working directory stay.
"""

from typing import TYPE_CHECKING, Any

from kernel.cred.creds import Cred, ns_capable
from kernel.errors import KernelError
from kernel.fs.nsfs import proc_ns_file
from kernel.ipc.sem import exit_sem
from kernel.ns.common import Namespace, get_any_ns
from kernel.ns.nsproxy import NsProxy, create_new_namespaces, put_any_ns, put_nsproxy
from kernel.points import POINT, Path
from kernel.process.pid import task_active_pid_ns
from kernel.task import fs_of, nsproxy_of
from kernel.uapi.clone import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)
from kernel.uapi.errno_ import EINVAL, EPERM, EUSERS

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.ns.user_namespace import UserNamespace

_FIELDS = {
    CLONE_NEWUTS: "uts_ns",
    CLONE_NEWIPC: "ipc_ns",
    CLONE_NEWNS: "mnt_ns",
    CLONE_NEWPID: "pid_ns_for_children",
    CLONE_NEWNET: "net_ns",
    CLONE_NEWCGROUP: "cgroup_ns",
}


def sys_setns(k: "Kernel", fd: int, nstype: int) -> Path[None]:
    """Move the caller into a namespace (its future children, for a pid namespace).

    Args:
        fd: an open file of /proc/PID/ns.
        nstype: CLONE_NEW* it must be of, or 0 for any.

    Raises:
        KernelError: EBADF; EINVAL, another file, another kind, a pid namespace that is not the
            caller's or below it, the caller's own user namespace, or other threads share what
            would change; EPERM, no privilege over it; EUSERS, a time namespace and other threads.

    Source: kernel/nsproxy.c:setns().
    """
    inode = proc_ns_file(k, fd)
    if inode is None:
        raise KernelError(EINVAL)
    ns: Any = inode.ns
    kind = CLONE_NEWUSER if ns is None else ns.kind
    if nstype and nstype != kind:
        raise KernelError(EINVAL)
    current = k.current
    cred: Cred = current.cred
    if kind == CLONE_NEWUSER:
        yield "setns.user", POINT, current
        current.cred = _join_user_ns(k, ns)
        return None
    if not ns_capable(cred, ns.user_ns) or not ns_capable(cred, cred.user_ns):
        raise KernelError(EPERM)
    if kind == CLONE_NEWPID:
        active = task_active_pid_ns(k, current)
        above = ns
        while above is not None and above is not active:
            above = above.parent
        if above is None:
            raise KernelError(EINVAL)
    elif kind == CLONE_NEWTIME and len(current.signal.threads) > 1:
        raise KernelError(EUSERS)
    elif kind == CLONE_NEWNS and fs_of(current).users > 1:
        raise KernelError(EINVAL)
    new = create_new_namespaces(k, 0, nsproxy_of(current), cred.user_ns)
    if kind == CLONE_NEWTIME:
        for field in ("time_ns", "time_ns_for_children"):
            _replace(k, new, field, ns)
    else:
        _replace(k, new, _FIELDS[kind], ns)
    if kind == CLONE_NEWIPC and current.sysvsem is not None:
        yield from exit_sem(k, current)
    yield "setns.switch", POINT, current
    old = nsproxy_of(current)
    current.nsproxy = new
    put_nsproxy(k, old)
    return None


def _replace(k: "Kernel", nsproxy: NsProxy, field: str, ns: Namespace) -> None:
    get_any_ns(ns)
    put_any_ns(k, getattr(nsproxy, field))
    setattr(nsproxy, field, ns)


def _join_user_ns(k: "Kernel", ns: "UserNamespace | None") -> Cred:
    """Return the caller's credentials in user namespace ``ns``.

    Source: kernel/user_namespace.c:userns_install().
    """
    current = k.current
    old: Cred = current.cred
    if ns is old.user_ns:
        raise KernelError(EINVAL)
    if len(current.signal.threads) > 1 or fs_of(current).users > 1:
        raise KernelError(EINVAL)
    if ns is None or not ns_capable(old, ns):
        raise KernelError(EPERM)
    new = Cred(old.user, old.euid, old.suid, old.gid, old.egid, old.sgid)
    new.user_ns = ns
    new.ns_capable = True
    return new
