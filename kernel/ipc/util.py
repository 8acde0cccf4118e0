"""What semaphores, message queues and shared memory have in common: ids, keys, permissions.

Every IPC namespace has one ``IpcIds`` per kind. An id is an index into the table of objects with a
sequence number above it (``seq << 15 | index``). Indices are given out cyclically within the first
64 places (more, if more are in use), and the sequence number grows when they wrap, so an id that
was removed names nothing for a long time.

Two locks: ``rwsem`` guards the table and the keys, the object's own lock its content. A path that
found an object and then waited for its lock must ask ``deleted`` again.

Source: ipc/util.c, ipc/util.h, include/linux/ipc.h, include/linux/ipc_namespace.h.
Deviation: objects are found without RCU's delays: one that was removed cannot be found any more.
Without kern.ipcmni_extend. No audit and no security modules.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from kernel.cred.creds import Cred, ns_capable
from kernel.drive.lockdep import assert_held
from kernel.errors import KernelError
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.task import nsproxy_of
from kernel.uapi.errno_ import EACCES, EEXIST, EINVAL, ENOENT, ENOSPC, EPERM
from kernel.uapi.ipc import IPC_CREAT, IPC_EXCL, IPC_PRIVATE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.locking import Lock
    from kernel.ns.common import IpcNamespace

IPCMNI_SHIFT: Final = 15
IPCMNI: Final = 1 << IPCMNI_SHIFT
IPCMNI_IDX_MASK: Final = IPCMNI - 1
IPCID_SEQ_MAX: Final = 0x7FFFFFFF >> IPCMNI_SHIFT
IPC_MIN_CYCLE: Final = 64


class KernIpcPerm:
    """What every IPC object begins with (``kern_ipc_perm``)."""

    __slots__ = ("cgid", "cuid", "deleted", "gid", "id", "key", "lock", "mode", "seq", "uid")

    def __init__(self, key: int, mode: int, cred: Cred, lock: "Lock") -> None:
        self.lock = lock
        self.key = key
        self.mode = mode
        self.uid = self.cuid = cred.euid
        self.gid = self.cgid = cred.egid
        self.deleted = False
        self.id = -1
        self.seq = 0


class IpcIds:
    """The objects of one kind in one namespace (``ipc_ids``)."""

    __slots__ = ("entries", "keys", "last_idx", "name", "next_idx", "rwsem", "seq", "used")

    def __init__(self, k: "Kernel", name: str) -> None:
        self.name = name
        self.rwsem = k.new_lock(f"{name}_ids.rwsem")
        self.entries: dict[int, Any] = {}  # index -> object, whose ``perm`` is a KernIpcPerm
        self.keys: dict[int, Any] = {}  # key -> object; IPC_PRIVATE has no entry
        self.seq = 0
        self.last_idx = -1
        self.next_idx = 0
        self.used = 0  # semaphores, or pages, in all objects


class IpcTables:
    """The three tables of one namespace, made at first use."""

    __slots__ = ("msg", "sem", "shm")

    def __init__(self, k: "Kernel") -> None:
        self.sem = IpcIds(k, "sem")
        self.msg = IpcIds(k, "msg")
        self.shm = IpcIds(k, "shm")


def current_ipc_ns(k: "Kernel") -> IpcTables:
    """Return the tables of the namespace the current task is in."""
    return ipc_tables(k, nsproxy_of(k.current).ipc_ns)


def ipc_tables(k: "Kernel", ns: "IpcNamespace") -> IpcTables:
    """Return the tables of ``ns``."""
    tables: IpcTables | None = ns.ids
    if tables is None:
        tables = ns.ids = IpcTables(k)
    return tables


def ipc_addid(k: "Kernel", ids: IpcIds, new: Any, limit: int) -> int:
    """Give ``new`` an id, and file it under its key unless that is IPC_PRIVATE.

    The caller holds ``ids.rwsem``.

    Raises:
        KernelError: ENOSPC, there are ``limit`` objects already.

    Source: ipc/util.c:ipc_addid(), ipc_idr_alloc().
    """
    assert_held(k, ids.rwsem, exclusive=True)
    entries = ids.entries
    if len(entries) >= min(limit, IPCMNI):
        raise KernelError(ENOSPC)
    cycle = min(max(len(entries) * 3 // 2, IPC_MIN_CYCLE), IPCMNI)
    idx = ids.next_idx if ids.next_idx < cycle else 0
    for _ in range(cycle):
        if idx not in entries:
            break
        idx = idx + 1 if idx + 1 < cycle else 0
    ids.next_idx = idx + 1
    if idx <= ids.last_idx:
        ids.seq += 1
        if ids.seq >= IPCID_SEQ_MAX:
            ids.seq = 0
    ids.last_idx = idx
    perm: KernIpcPerm = new.perm
    perm.seq = ids.seq
    perm.id = (perm.seq << IPCMNI_SHIFT) + idx
    entries[idx] = new
    if perm.key != IPC_PRIVATE:
        ids.keys[perm.key] = new
    return perm.id


def ipc_rmid(ids: IpcIds, perm: KernIpcPerm) -> None:
    """Take an object out of the table; whoever still holds it sees ``deleted``.

    Nobody else may look at the table or the object meanwhile: freeque() and freeary() check that
    their locks are held, and a segment goes with the last that has it attached.

    Source: ipc/util.c:ipc_rmid().
    """
    del ids.entries[perm.id & IPCMNI_IDX_MASK]
    ipc_set_key_private(ids, perm)
    perm.deleted = True


def ipc_set_key_private(ids: IpcIds, perm: KernIpcPerm) -> None:
    """Let nobody find the object by its key any more. Source: ipc/util.c:ipc_set_key_private()."""
    if perm.key != IPC_PRIVATE:
        del ids.keys[perm.key]
        perm.key = IPC_PRIVATE


def ipc_obtain_object_check(ids: IpcIds, id: int) -> Any:
    """Return the object with this id.

    Raises:
        KernelError: EINVAL, there is none.

    Source: ipc/util.c:ipc_obtain_object_check().
    """
    found = _find(ids, id)
    if found is None:
        raise KernelError(EINVAL)
    return found


def _find(ids: IpcIds, id: int) -> Any:
    found = ids.entries.get(id & IPCMNI_IDX_MASK) if id >= 0 else None
    return None if found is None or found.perm.id != id else found


def ipcperms(k: "Kernel", perm: KernIpcPerm, flag: int) -> bool:
    """Tell whether the current task is denied what ``flag`` (rwx bits, any class) asks for.

    Source: ipc/util.c:ipcperms().
    """
    cred: Cred = k.current.cred
    wanted = flag >> 6 | flag >> 3 | flag
    granted = perm.mode
    if cred.euid in (perm.cuid, perm.uid):
        granted >>= 6
    elif cred.egid in (perm.cgid, perm.gid):
        granted >>= 3
    return bool(wanted & ~granted & 0o7) and not _privileged(k)


def _privileged(k: "Kernel") -> bool:
    """Tell whether the current task has every right in its IPC namespace."""
    task = k.current
    return ns_capable(task.cred, nsproxy_of(task).ipc_ns.user_ns)


def ipcctl_obtain_check(k: "Kernel", ids: IpcIds, id: int) -> tuple[Any, int]:
    """Return the object that the caller is to change or remove, and 0; or None and an errno.

    Only its owner, its creator and the privileged may: EPERM. Caller holds ``ids.rwsem``, which it
    has to give up before the errno can be raised.

    Source: ipc/util.c:ipcctl_obtain_check().
    """
    assert_held(k, ids.rwsem, exclusive=True)
    found = _find(ids, id)
    if found is None:
        return None, EINVAL
    cred: Cred = k.current.cred
    if cred.euid not in (found.perm.cuid, found.perm.uid) and not _privileged(k):
        return None, EPERM
    return found, 0


def ipcget(
    k: "Kernel",
    ids: IpcIds,
    key: int,
    flags: int,
    getnew: Callable[[], int],
    more_checks: Callable[[Any], bool],
) -> Path[int]:
    """Return the id of the object with ``key``, made if there is none and ``flags`` allow it.

    Args:
        flags: IPC_CREAT, IPC_EXCL, and in the low 9 bits the permissions.
        getnew: makes an object and returns its id, or raises KernelError.
        more_checks: tells whether an object that is there already is good enough.

    Raises:
        KernelError: ENOENT, none and no IPC_CREAT; EEXIST, one and IPC_CREAT|IPC_EXCL; EINVAL, it
            is not good enough; EACCES, it does not grant what the flags ask for.

    Source: ipc/util.c:ipcget(), ipcget_new(), ipcget_public().
    """
    k.now_ns += k.costs.ipc_op
    yield "ipcget.rwsem", ACQUIRE, ids.rwsem
    errno = 0
    id = -1
    found = ids.keys.get(key) if key != IPC_PRIVATE else None
    try:
        if found is not None:
            if flags & IPC_CREAT and flags & IPC_EXCL:
                errno = EEXIST
            elif not more_checks(found):
                errno = EINVAL
            elif ipcperms(k, found.perm, flags):
                errno = EACCES
            else:
                id = found.perm.id
        elif key != IPC_PRIVATE and not flags & IPC_CREAT:
            errno = ENOENT
        else:
            id = getnew()
    except KernelError as failed:
        errno = failed.errno
    yield "ipcget.rwsem_done", RELEASE, ids.rwsem
    if errno:
        raise KernelError(errno)
    return id
