"""Nested pid namespaces: numbers of their own, an init of their own, and what its death does.

A task is born into the namespace that ``nsproxy.pid_ns_for_children`` of its parent names and
stays there; unshare(CLONE_NEWPID) changes only where future children go. It has one number in its
namespace and one in each above, so it can be named from above but never from below or beside.

The first task of a namespace, number 1, is its init (``child_reaper``): orphans become its
children, and like the machine's init it is SIGNAL_UNKILLABLE: signals whose default action would
end or stop it are dropped, except SIGKILL and SIGSTOP from an ancestor namespace. When it dies,
nobody is born into the namespace any more (ENOMEM), everybody in it and below is killed, and init
waits in its exit until all are gone: only then can it be reaped itself.

Source: kernel/pid_namespace.c, include/linux/pid_namespace.h, kernel/pid.c.
Deviation: limits are those of the machine (pid_max; as many namespaces of one kind as half of
max_threads), not per user; no reboot() inside a namespace.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import ns_capable
from kernel.errors import KernelError
from kernel.ns.common import PROC_PID_INIT_INO, Namespace, check_ns_limit, new_ino
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.pid import (
    Pid,
    PidMap,
    task_active_pid_ns,
)
from kernel.task import TaskStruct
from kernel.uapi.clone import CLONE_NEWPID
from kernel.uapi.errno_ import EEXIST, EINVAL, ENOMEM, ENOSPC, EPERM

if TYPE_CHECKING:
    from kernel.fs.file_table import File
    from kernel.kernel import Kernel
    from kernel.ns.user_namespace import UserNamespace

MAX_PID_NS_LEVEL: Final = 32
_FIRST_ROOM: Final = 256  # numbers a new namespace has room for; more as they are needed


class PidNamespace(Namespace):
    """One set of process numbers (``struct pid_namespace``)."""

    __slots__ = ("adding", "bacct", "child_reaper", "level", "parent", "pid_allocated", "pids")

    def __init__(
        self, ino: int, user_ns: "UserNamespace | None", parent: "PidNamespace | None", pids: PidMap
    ) -> None:
        super().__init__(CLONE_NEWPID, ino, user_ns)
        self.parent = parent
        self.level: int = 0 if parent is None else parent.level + 1
        self.child_reaper: TaskStruct | None = None  # tasklist_lock
        self.bacct: File | None = None  # that of acct()
        # pidmap_lock
        self.pids = pids
        self.pid_allocated = 0  # pids with a number here; not counted for the root
        self.adding = True  # PIDNS_ADDING: tasks may be born here


def boot_pid_ns(k: "Kernel") -> PidNamespace:
    """Return the root namespace; ``k.pids`` is there. Source: kernel/pid.c:init_pid_ns."""
    return PidNamespace(PROC_PID_INIT_INO, None, None, k.pids)


def create_pid_namespace(
    k: "Kernel", user_ns: "UserNamespace | None", parent: PidNamespace
) -> PidNamespace:
    """Return a new, empty namespace below ``parent``.

    Raises:
        KernelError: ENOSPC, nested more than 32 deep, or too many namespaces.

    Source: kernel/pid_namespace.c:create_pid_namespace().
    """
    if parent.level + 1 > MAX_PID_NS_LEVEL:
        raise KernelError(ENOSPC)
    check_ns_limit(k, CLONE_NEWPID)
    pids = PidMap(k.pids.pid_max, min(_FIRST_ROOM, k.pids.pid_max))
    ns = PidNamespace(new_ino(k), user_ns, parent, pids)
    parent.count += 1
    k.pids.kernel = k
    return ns


def copy_pid_ns(
    k: "Kernel", wanted: bool, user_ns: "UserNamespace | None", old_ns: PidNamespace
) -> PidNamespace:
    """Return the namespace for children, with a reference: a new one if ``wanted``.

    Raises:
        KernelError: EINVAL, an earlier unshare() has already chosen another one for children;
            ENOSPC.

    Source: kernel/pid_namespace.c:copy_pid_ns().
    """
    if not wanted:
        old_ns.count += 1
        return old_ns
    if task_active_pid_ns(k, k.current) is not old_ns:
        raise KernelError(EINVAL)
    return create_pid_namespace(k, user_ns, old_ns)


# -- numbers ---------------------------------------------------------------------------------------


def alloc_pid_ns(k: "Kernel", ns: PidNamespace, set_tid: tuple[int, ...]) -> Path[Pid]:
    """What alloc_pid() does for a nested namespace, or when the caller chooses numbers.

    Args:
        ns: where the task is to be born.
        set_tid: its numbers from the innermost level on; () or fewer than levels: the next ones.

    Raises:
        KernelError: EINVAL, more numbers than levels, one out of range, or one that is not 1 in
            a namespace without an init; EPERM, choosing needs privilege; EEXIST, a number is
            taken; EAGAIN, none is left; ENOMEM, the namespace's init has died.

    Source: kernel/pid.c:alloc_pid().
    """
    lock = k.pidmap_lock
    if len(set_tid) > ns.level + 1:
        raise KernelError(EINVAL)
    numbers: list[tuple[PidNamespace, int]] = []  # innermost first
    errno = 0
    where: PidNamespace | None = ns
    while where is not None:
        wanted = set_tid[len(numbers)] if len(numbers) < len(set_tid) else 0
        if len(numbers) < len(set_tid):
            if not 1 <= wanted < k.pids.pid_max or (wanted != 1 and where.child_reaper is None):
                errno = EINVAL
            elif not ns_capable(k.current.cred, where.user_ns):
                errno = EPERM
            if errno:
                break
        yield "alloc_pid_ns.pidmap_lock", ACQUIRE, lock
        k.now_ns += k.costs.alloc_pid
        if wanted:
            if not where.pids.take_number(wanted):
                wanted, errno = 0, EEXIST
        else:
            wanted = where.pids.next_number()
            if not wanted:
                errno = k.tasks.profile.pid_exhausted_errno
        yield "alloc_pid_ns.pidmap_unlock", RELEASE, lock
        if errno:
            break
        numbers.append((where, wanted))
        where = where.parent
    yield "alloc_pid_ns.publish_lock", ACQUIRE, lock
    if not errno and not ns.adding:
        errno = ENOMEM
    if errno:
        for level, number in numbers:
            level.pids.put_number(number)
        if not ns.pid_allocated:
            ns.pids.last = 0
        yield "alloc_pid_ns.publish_failed", RELEASE, lock
        raise KernelError(errno)
    pid = Pid(numbers[-1][1])
    k.pids.hash[pid.nr] = pid
    if ns.level:
        pid.numbers = tuple(reversed(numbers))
        for level, number in numbers[:-1]:
            level.pids.hash[number] = pid
            level.pid_allocated += 1
            level.count += 1
    yield "alloc_pid_ns.publish_unlock", RELEASE, lock
    return pid


def is_child_reaper(pid: Pid) -> bool:
    """Tell whether ``pid`` is number 1 of its namespace.

    Source: include/linux/pid.h:is_child_reaper().
    """
    return pid.nr == 1 if pid.numbers is None else pid.numbers[-1][1] == 1
