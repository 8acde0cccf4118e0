"""Credentials: who a task is, and the calls that change it.

A ``Cred`` is never changed once a task uses it: tasks share it, and a change makes a new one
(prepare_creds, commit_creds). Its ``user`` counts the threads of a real uid, for RLIMIT_NPROC.

The system calls change every thread of the process, because C libraries do: the kernel's own calls
act on one thread, and glibc repeats them in all others (``kernel.cred.setxid``).

The ids are the machine's, in a nested user namespace (``kernel.ns.user_namespace``) too.

Source: kernel/sys.c (setuid family), kernel/cred.c, kernel/user.c; glibc nptl/nptl_setxid.c.
Deviation: capabilities are all or nothing: effective uid 0 has every one, nobody else has any.
fsuid and supplementary groups are not there.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.uidgid import (
    KEEP,
    from_kgid_munged,
    from_kuid_munged,
    kgid_argument,
    kuid_argument,
    make_kuid,
)
from kernel.errors import KernelError
from kernel.process.limits import nproc_exceeded, rlimit
from kernel.task import PF_NPROC_EXCEEDED, TaskStruct, mm_of
from kernel.uapi.errno_ import EAGAIN, EINVAL, EPERM
from kernel.uapi.rlimit import RLIMIT_NPROC

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.ns.user_namespace import UserNamespace

SUID_DUMP_DISABLE: Final = 0
SUID_DUMP_USER: Final = 1


class UserStruct:
    """Accounting of one real uid (``user_struct``, ``ucounts``)."""

    __slots__ = ("processes", "uid")

    def __init__(self, uid: int) -> None:
        self.uid = uid
        self.processes = 0  # threads, zombies included until they are released


_Ids = tuple[int, int, int]  # real, effective and saved


class Cred:
    """Real, effective and saved ids (``struct cred``). Immutable by contract."""

    __slots__ = ("egid", "euid", "gid", "ns_capable", "sgid", "suid", "uid", "user", "user_ns")

    def __init__(
        self, user: UserStruct, euid: int, suid: int, gid: int, egid: int, sgid: int
    ) -> None:
        self.user_ns: UserNamespace | None = None  # the user namespace; None: that of boot
        self.ns_capable = False  # in a nested one: it has capabilities there
        self.user = user
        self.uid = user.uid
        self.euid = euid
        self.suid = suid
        self.gid = gid
        self.egid = egid
        self.sgid = sgid


def capable(cred: Cred) -> bool:
    """Tell whether ``cred`` has capabilities. Source: kernel/capability.c:capable()."""
    return cred.euid == 0 and cred.user_ns is None


def ns_capable(cred: Cred, user_ns: "UserNamespace | None") -> bool:
    """Tell whether ``cred`` has capabilities over what belongs to ``user_ns``.

    Args:
        user_ns: a user namespace; None: that of boot.

    Source: kernel/capability.c:ns_capable(), security/commoncap.c:cap_capable().
    """
    if cred.user_ns is None and cred.euid == 0:
        return True
    while user_ns is not None:
        if user_ns is cred.user_ns:
            return cred.ns_capable
        if user_ns.parent is cred.user_ns and user_ns.owner == cred.euid:
            return True
        user_ns = user_ns.parent
    return False


def exempt_from_nproc(cred: Cred) -> bool:
    """Tell whether RLIMIT_NPROC does not bind ``cred``: root's processes, and CAP_SYS_RESOURCE.

    Source: kernel/fork.c:copy_process().
    """
    return cred.uid == 0 or capable(cred)


def check_nproc(k: "Kernel", task: TaskStruct, cred: Cred, charged: bool) -> None:
    """See that ``task`` may have a child of ``cred``'s user, whose threads it counts.

    Args:
        charged: the child is counted already. Then two that fork at the same time may both be
            refused, and never both be let through where only one may.

    Raises:
        KernelError: EAGAIN.

    Source: kernel/fork.c:copy_process().
    """
    most = rlimit(k, task.signal, RLIMIT_NPROC)
    if cred.user.processes + (not charged) > most and not exempt_from_nproc(cred):
        raise KernelError(EAGAIN)


def alloc_uid(k: "Kernel", uid: int) -> UserStruct:
    """Return the accounting of ``uid``, made at first use. Source: kernel/user.c:alloc_uid()."""
    users = k.tasks.users
    user = users.get(uid)
    if user is None:
        users[uid] = user = UserStruct(uid)
    return user


def kill_ok_by_cred(cred: Cred, target: Cred) -> bool:
    """Tell whether ``cred`` may signal a task with ``target``.

    Source: kernel/signal.c:kill_ok_by_cred().
    """
    return (
        cred.euid in (target.suid, target.uid)
        or cred.uid in (target.suid, target.uid)
        or ns_capable(cred, target.user_ns)
    )


def commit_creds(k: "Kernel", task: TaskStruct, new: Cred) -> None:
    """Give every thread of ``task``'s process the identity ``new`` and move its NPROC charges.

    One that changes its effective ids dumps no core from then on and has no pdeath_signal.

    Source: kernel/cred.c:commit_creds(), kernel/sys.c:flag_nproc_exceeded().
    """
    if task.cred.user_ns is not None:
        cap_emulate_setxuid(task.cred, new)
    for thread in task.signal.threads:
        old: Cred = thread.cred
        if old.user is not new.user:
            if new.uid != 0 and nproc_exceeded(k, thread, new):
                thread.flags |= PF_NPROC_EXCEEDED
            else:
                thread.flags &= ~PF_NPROC_EXCEEDED
            new.user.processes += 1
            old.user.processes -= 1
        if old.euid != new.euid or old.egid != new.egid:
            if thread.mm is not None:
                thread.mm.dumpable = SUID_DUMP_DISABLE
            thread.pdeath_signal = 0
        thread.cred = new


def bprm_creds(k: "Kernel", task: TaskStruct) -> None:
    """Do what exec does with ids: the effective ones are saved.

    A program that starts with other effective than real ids may not be dumped and loses its
    pdeath_signal. In a nested user namespace only uid 0 of it keeps capabilities.

    Source: security/commoncap.c:cap_bprm_creds_from_file(), fs/exec.c:begin_new_exec().
    """
    cred: Cred = task.cred
    if cred.suid != cred.euid or cred.sgid != cred.egid or cred.user_ns is not None:
        new = Cred(cred.user, cred.euid, cred.euid, cred.gid, cred.egid, cred.egid)
        if cred.user_ns is not None:
            new.user_ns = cred.user_ns
            new.ns_capable = cred.euid == make_kuid(cred.user_ns, 0)
        task.cred = new
    if cred.uid != cred.euid or cred.gid != cred.egid:
        mm_of(task).dumpable = SUID_DUMP_DISABLE
        task.pdeath_signal = 0


def cap_emulate_setxuid(old: Cred, new: Cred) -> None:
    """Let ``new`` be in ``old``'s nested user namespace, with capabilities as its ids there say.

    Whoever leaves the namespace's uid 0 with all three ids, or with the effective one, loses them;
    whoever gets that one back has them again.

    Source: security/commoncap.c:cap_emulate_setxuid().
    """
    new.user_ns = old.user_ns
    root = make_kuid(old.user_ns, 0)
    mine, theirs = (old.uid, old.euid, old.suid), (new.uid, new.euid, new.suid)
    if new.euid == root and old.euid != root:
        new.ns_capable = root in mine or old.ns_capable
    elif (root in mine and root not in theirs) or (old.euid == root and new.euid != root):
        new.ns_capable = False
    else:
        new.ns_capable = old.ns_capable


def sys_getuid(k: "Kernel") -> int:
    """Return the real uid. Source: kernel/sys.c:getuid()."""
    cred: Cred = k.current.cred
    return from_kuid_munged(cred.user_ns, cred.uid)


def sys_geteuid(k: "Kernel") -> int:
    """Return the effective uid. Source: kernel/sys.c:geteuid()."""
    cred: Cred = k.current.cred
    return from_kuid_munged(cred.user_ns, cred.euid)


def sys_getgid(k: "Kernel") -> int:
    """Return the real gid. Source: kernel/sys.c:getgid()."""
    cred: Cred = k.current.cred
    return from_kgid_munged(cred.user_ns, cred.gid)


def sys_getegid(k: "Kernel") -> int:
    """Return the effective gid. Source: kernel/sys.c:getegid()."""
    cred: Cred = k.current.cred
    return from_kgid_munged(cred.user_ns, cred.egid)


def sys_getresuid(k: "Kernel") -> tuple[int, int, int]:
    """Return ``(ruid, euid, suid)``. Source: kernel/sys.c:getresuid()."""
    cred: Cred = k.current.cred
    ns = cred.user_ns
    if ns is None:
        return cred.uid, cred.euid, cred.suid
    return (
        from_kuid_munged(ns, cred.uid),
        from_kuid_munged(ns, cred.euid),
        from_kuid_munged(ns, cred.suid),
    )


def sys_setuid(k: "Kernel", uid: int) -> None:
    """Set the effective uid; with privilege the real and saved one too.

    Raises:
        KernelError: EINVAL for -1; EPERM if unprivileged and ``uid`` is neither real nor saved.

    Source: kernel/sys.c:__sys_setuid().
    """
    old: Cred = k.current.cred
    uid = kuid_argument(old.user_ns, uid)
    if uid == KEEP:
        raise KernelError(EINVAL)
    if ns_capable(old, old.user_ns):
        new = Cred(alloc_uid(k, uid), uid, uid, old.gid, old.egid, old.sgid)
    elif uid in (old.uid, old.suid):
        new = Cred(old.user, uid, old.suid, old.gid, old.egid, old.sgid)
    else:
        raise KernelError(EPERM)
    commit_creds(k, k.current, new)


def sys_setgid(k: "Kernel", gid: int) -> None:
    """Set the effective gid; with privilege the real and saved one too.

    Raises:
        KernelError: EINVAL for -1; EPERM if unprivileged and ``gid`` is neither real nor saved.

    Source: kernel/sys.c:__sys_setgid().
    """
    old: Cred = k.current.cred
    gid = kgid_argument(old.user_ns, gid)
    if gid == KEEP:
        raise KernelError(EINVAL)
    if ns_capable(old, old.user_ns):
        new = Cred(old.user, old.euid, old.suid, gid, gid, gid)
    elif gid in (old.gid, old.sgid):
        new = Cred(old.user, old.euid, old.suid, old.gid, gid, old.sgid)
    else:
        raise KernelError(EPERM)
    commit_creds(k, k.current, new)


def sys_setreuid(k: "Kernel", ruid: int, euid: int) -> None:
    """Set the real and effective uid; -1 keeps one. The saved uid follows the effective one.

    Raises:
        KernelError: EPERM, unprivileged and not one of the ids the caller has.

    Source: kernel/sys.c:__sys_setreuid().
    """
    old: Cred = k.current.cred
    ruid, euid = kuid_argument(old.user_ns, ruid), kuid_argument(old.user_ns, euid)
    ids = _set_real_effective(old, (old.uid, old.euid, old.suid), ruid, euid)
    user = old.user if ruid == KEEP else alloc_uid(k, ids[0])
    commit_creds(k, k.current, Cred(user, *ids[1:], old.gid, old.egid, old.sgid))


def sys_setregid(k: "Kernel", rgid: int, egid: int) -> None:
    """Set the real and effective gid; -1 keeps one. The saved gid follows the effective one.

    Raises:
        KernelError: EPERM, unprivileged and not one of the ids the caller has.

    Source: kernel/sys.c:__sys_setregid().
    """
    old: Cred = k.current.cred
    rgid, egid = kgid_argument(old.user_ns, rgid), kgid_argument(old.user_ns, egid)
    ids = _set_real_effective(old, (old.gid, old.egid, old.sgid), rgid, egid)
    commit_creds(k, k.current, Cred(old.user, old.euid, old.suid, *ids))


def _set_real_effective(old: Cred, had: _Ids, real: int, effective: int) -> _Ids:
    """Return the ids after setreuid() or setregid(), or raise EPERM.

    Args:
        had: real, effective and saved id, of users or of groups.
    """
    privileged = ns_capable(old, old.user_ns)
    if real != KEEP and not privileged and real not in had[:2]:
        raise KernelError(EPERM)
    if effective != KEEP and not privileged and effective not in had:
        raise KernelError(EPERM)
    new_real = had[0] if real == KEEP else real
    new_effective = had[1] if effective == KEEP else effective
    saved = had[2]
    if real != KEEP or (effective != KEEP and effective != had[0]):
        saved = new_effective
    return new_real, new_effective, saved


def sys_setresuid(k: "Kernel", ruid: int, euid: int, suid: int) -> None:
    """Set real, effective and saved uid; -1 keeps one.

    Raises:
        KernelError: EPERM, unprivileged and not one of the ids the caller has.

    Source: kernel/sys.c:__sys_setresuid().
    """
    old: Cred = k.current.cred
    wanted = [kuid_argument(old.user_ns, value) for value in (ruid, euid, suid)]
    ids = _set_all(old, (old.uid, old.euid, old.suid), wanted)
    user = alloc_uid(k, ids[0])
    commit_creds(k, k.current, Cred(user, *ids[1:], old.gid, old.egid, old.sgid))


def _set_all(old: Cred, had: _Ids, wanted: list[int]) -> _Ids:
    """Return the ids after setresuid() or setresgid(), or raise EPERM; ``had`` as above."""
    if not ns_capable(old, old.user_ns) and any(
        value != KEEP and value not in had for value in wanted
    ):
        raise KernelError(EPERM)
    real, effective, saved = (have if want == KEEP else want for have, want in zip(had, wanted))
    return real, effective, saved


def sys_getresgid(k: "Kernel") -> tuple[int, int, int]:
    """Return ``(rgid, egid, sgid)``. Source: kernel/sys.c:getresgid()."""
    cred: Cred = k.current.cred
    ns = cred.user_ns
    if ns is None:
        return cred.gid, cred.egid, cred.sgid
    return (
        from_kgid_munged(ns, cred.gid),
        from_kgid_munged(ns, cred.egid),
        from_kgid_munged(ns, cred.sgid),
    )


def sys_setresgid(k: "Kernel", rgid: int, egid: int, sgid: int) -> None:
    """Set real, effective and saved gid; -1 keeps one.

    Raises:
        KernelError: EPERM, unprivileged and not one of the ids the caller has.

    Source: kernel/sys.c:__sys_setresgid().
    """
    old: Cred = k.current.cred
    wanted = [kgid_argument(old.user_ns, value) for value in (rgid, egid, sgid)]
    ids = _set_all(old, (old.gid, old.egid, old.sgid), wanted)
    commit_creds(k, k.current, Cred(old.user, old.euid, old.suid, *ids))
