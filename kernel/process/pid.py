"""``struct pid``: process numbers, who uses them, and how the next one is chosen.

A ``Pid`` outlives its task: the same number names a thread (PIDTYPE_PID), a process (TGID), a
process group (PGID) and a session (SID), and it stays reserved while any of the four links is in
use. So a reaped shell's number cannot be handed out again while a background job still belongs to
its group.

Numbers go round: the search starts after the last number given, up to pid_max (exclusive), and
then again from RESERVED_PIDS, so 1..299 are used in the first pass only, and a number that was just
freed comes back a full lap later. ``used`` has one byte per number, which lets the search for a
free one run at memchr() speed; the search of a full range is avoided by counting.

Members of a group or session are a dict from the leader's pid: leaving is O(1), and the order is
known (Linux chains are newest first, so readers go backwards).

``nr`` is the number at the root of the machine, by which kernel, CPUs and messages know a task
whatever namespace it is in. A process in a nested pid namespace (``kernel.ns.pid_namespace``) has a
further number in each namespace on the way down; ``numbers`` then has all of them. Once such a
namespace has been made, ``PidMap.kernel`` is set, and a number that comes from or goes to a guest
is looked up in the namespace of the caller.

Source: kernel/pid.c, include/linux/pid.h, include/linux/threads.h.
Deviation: the members of a thread group are in ``signal.threads``.
"""

from typing import TYPE_CHECKING, Final, Literal

from kernel.drive.lockdep import assert_held
from kernel.errors import KernelError
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.smp.ttwu import wake_up_process
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.ns.pid_namespace import PidNamespace
    from kernel.process.pidfd import PidfdInode
    from kernel.smp.wait import WaitQueueHead

RESERVED_PIDS: Final = 300
PID_MAX_LIMIT: Final = 4 * 1024 * 1024
PID_MAX_MIN: Final = RESERVED_PIDS + 1

# A closed type: a bool where a PIDTYPE belongs is found by mypy. Not a NewType, whose constants
# would be no literals when compiled.
PidType = Literal[0, 1, 2, 3, 4]

PIDTYPE_PID: Final = 0
PIDTYPE_TGID: Final = 1
PIDTYPE_PGID: Final = 2
PIDTYPE_SID: Final = 3
PIDTYPE_MAX: Final = 4


class Pid:
    """One number and its four kinds of users (``struct pid``)."""

    __slots__ = ("leader", "nr", "numbers", "pgrp", "session", "stashed", "task", "wait_pidfd")

    def __init__(self, nr: int) -> None:
        self.nr = nr
        # of a task in a nested namespace: (namespace, number) of every level, the root's first
        self.numbers: tuple[tuple[PidNamespace, int], ...] | None = None
        # tasklist_lock
        self.task: TaskStruct | None = None  # PIDTYPE_PID
        self.leader: TaskStruct | None = None  # PIDTYPE_TGID
        self.pgrp: dict[int, TaskStruct] | None = None  # PIDTYPE_PGID: leaders by pid
        self.session: dict[int, TaskStruct] | None = None  # PIDTYPE_SID
        self.wait_pidfd: WaitQueueHead | None = None  # pollers of its pidfds
        self.stashed: PidfdInode | None = None  # the file of its pidfds

    def __repr__(self) -> str:
        return f"<pid {self.nr}>"

    def in_use(self) -> bool:
        """Tell whether any of the four links keeps the number reserved."""
        return bool(self.task is not None or self.leader is not None or self.pgrp or self.session)


class PidMap:
    """Which numbers are taken, and the hash from number to ``Pid``."""

    __slots__ = ("hash", "kernel", "last", "pid_max", "taken", "used")

    def __init__(self, pid_max: int, size: int = 0) -> None:
        """Make a map of the numbers below ``pid_max``; ``size``: how many to have room for."""
        if not PID_MAX_MIN <= pid_max <= PID_MAX_LIMIT:
            raise ValueError(f"pid_max {pid_max} is not in {PID_MAX_MIN}..{PID_MAX_LIMIT}")
        self.pid_max = pid_max
        self.kernel: Kernel | None = None  # set when the first nested namespace is made
        # pidmap_lock
        self.last = 0
        self.taken = 0
        self.used = bytearray(size or pid_max)
        self.used[0] = 1
        self.hash: dict[int, Pid] = {}

    def next_number(self) -> int:
        """Take and return the next free number, or 0 if there is none.

        Source: lib/idr.c:idr_alloc_cyclic() as kernel/pid.c:alloc_pid() calls it.
        """
        used = self.used
        cursor = self.last + 1
        number = used.find(0, cursor) if self.taken < self.pid_max - 1 else -1
        while number < 0 and len(used) < self.pid_max and self.taken < self.pid_max - 1:
            used += bytes(min(len(used), self.pid_max - len(used)))
            number = used.find(0, cursor)
        if number < 0:
            start = RESERVED_PIDS if cursor > RESERVED_PIDS else 1
            number = used.find(0, start, cursor)
            if number < 0:
                return 0
        used[number] = 1
        self.taken += 1
        self.last = number
        return number

    def take_number(self, number: int) -> bool:
        """Take this very number; return whether it was free. ``last`` stays where it is."""
        if number >= len(self.used):
            self.used += bytes(number + 1 - len(self.used))
        if self.used[number]:
            return False
        self.used[number] = 1
        self.taken += 1
        return True

    def put_number(self, number: int) -> None:
        """Give ``number`` back."""
        self.used[number] = 0
        self.taken -= 1

    def unpublish(self, k: "Kernel", pid: Pid) -> None:
        """Take ``pid`` out of the hash and give its number back. Caller holds pidmap_lock."""
        assert_held(k, k.pidmap_lock)
        del self.hash[pid.nr]
        self.put_number(pid.nr)

    def find_vpid(self, number: int) -> Pid | None:
        """Return the published ``Pid`` that the current task knows by this number.

        Source: kernel/pid.c:find_vpid().
        """
        if self.kernel is not None:
            return task_active_pid_ns(self.kernel, self.kernel.current).pids.hash.get(number)
        return self.hash.get(number)

    def find_task_by_vpid(self, number: int) -> TaskStruct | None:
        """Return the thread whose id is ``number`` to the current task, zombies included.

        Source: kernel/pid.c:find_task_by_vpid().
        """
        pid = self.hash.get(number) if self.kernel is None else self.find_vpid(number)
        return None if pid is None else pid.task


# -- the same task by different numbers ------------------------------------------------------------


def task_active_pid_ns(k: "Kernel", task: TaskStruct) -> "PidNamespace":
    """Return the pid namespace that ``task`` was born into.

    Source: kernel/pid.c:task_active_pid_ns(), include/linux/pid.h:ns_of_pid().
    """
    pid: Pid | None = task.thread_pid
    if pid is None or pid.numbers is None:
        return k.init_pid_ns
    return pid.numbers[-1][0]


def find_task_by_pid_ns(number: int, ns: "PidNamespace") -> TaskStruct | None:
    """Return the thread whose id is ``number`` in ``ns``, zombies included.

    Source: kernel/pid.c:find_task_by_pid_ns().
    """
    pid = ns.pids.hash.get(number)
    return None if pid is None else pid.task


def pid_nr_ns(pid: Pid | None, ns: "PidNamespace") -> int:
    """Return the number of ``pid`` in ``ns``; 0 if it has none there.

    Source: kernel/pid.c:pid_nr_ns().
    """
    if pid is None:
        return 0
    level = ns.level
    if not level:
        return pid.nr
    numbers = pid.numbers
    if numbers is None or level >= len(numbers) or numbers[level][0] is not ns:
        return 0
    return numbers[level][1]


def pid_vnr(k: "Kernel", pid: Pid) -> int:
    """Return the number of ``pid`` as the current task knows it; 0 if it does not.

    Source: kernel/pid.c:pid_vnr().
    """
    if k.pids.kernel is None:
        return pid.nr
    return pid_nr_ns(pid, task_active_pid_ns(k, k.current))


def task_pid_vnr(k: "Kernel", task: TaskStruct) -> int:
    """Return ``task``'s thread id as the current task knows it; 0 if it does not.

    Source: include/linux/pid.h:task_pid_vnr().
    """
    if k.pids.kernel is None:
        return task.pid
    return pid_nr_ns(task.thread_pid, task_active_pid_ns(k, k.current))


def task_tgid_vnr(k: "Kernel", task: TaskStruct) -> int:
    """Return ``task``'s process id as the current task knows it; 0 if it does not.

    Source: include/linux/pid.h:task_tgid_vnr().
    """
    if k.pids.kernel is None:
        return task.tgid
    return pid_nr_ns(task.group_leader.thread_pid, task_active_pid_ns(k, k.current))


def task_tgid_nr_ns(task: TaskStruct, ns: "PidNamespace") -> int:
    """Return ``task``'s process id in ``ns``; 0 if it has none there.

    Source: include/linux/pid.h:task_tgid_nr_ns().
    """
    return task.tgid if not ns.level else pid_nr_ns(task.group_leader.thread_pid, ns)


# -- giving and taking back ------------------------------------------------------------------------


def alloc_pid(k: "Kernel") -> Path[Pid]:
    """Reserve the next number; return its ``Pid``, published only when it is fully built.

    For a task in a nested namespace see ``kernel.ns.pid_namespace.alloc_pid_ns``.

    Raises:
        KernelError: no number is free: EAGAIN (2.6.34: ENOMEM).

    Source: kernel/pid.c:alloc_pid().
    """
    lock = k.pidmap_lock
    pids = k.pids
    yield "alloc_pid.pidmap_lock", ACQUIRE, lock
    k.now_ns += k.costs.alloc_pid
    number = pids.next_number()
    yield "alloc_pid.pidmap_unlock", RELEASE, lock
    if not number:
        raise KernelError(k.tasks.profile.pid_exhausted_errno)
    pid = Pid(number)
    yield "alloc_pid.publish_lock", ACQUIRE, lock
    pids.hash[number] = pid
    yield "alloc_pid.publish_unlock", RELEASE, lock
    return pid


def put_pid_ns(k: "Kernel", ns: "PidNamespace") -> None:
    """Drop a reference to ``ns``; the last one drops its parent's.

    Source: kernel/pid_namespace.c:put_pid_ns().
    """
    ns.count -= 1
    if not ns.count and ns.parent is not None:
        k.ns_counts[ns.kind] -= 1
        put_pid_ns(k, ns.parent)


def free_pid(k: "Kernel", pid: Pid) -> Path[None]:
    """Unpublish ``pid`` and give its numbers back. Nothing may use it any more.

    The init of a nested namespace is woken when it is nearly alone there: it may be waiting for
    that (zap_pid_ns_processes()).

    Source: kernel/pid.c:free_pid().
    """
    lock = k.pidmap_lock
    yield "free_pid.pidmap_lock", ACQUIRE, lock
    for ns, number in pid.numbers or ():
        if not ns.level:
            continue
        ns.pids.hash.pop(number, None)
        ns.pids.put_number(number)
        ns.pid_allocated -= 1
        if not ns.pid_allocated:
            ns.adding = False  # also if it was a fork of the first process that failed
            ns.child_reaper = None
        elif ns.pid_allocated <= 2 and ns.child_reaper is not None:
            yield from wake_up_process(k, ns.child_reaper)
        put_pid_ns(k, ns)
    k.pids.unpublish(k, pid)
    yield "free_pid.pidmap_unlock", RELEASE, lock


def attach_pid(k: "Kernel", task: TaskStruct, kind: PidType, pid: Pid) -> None:
    """Make ``task`` a user of ``pid``. Caller holds tasklist_lock for writing.

    Source: kernel/pid.c:attach_pid().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    _link(task, kind, pid)


def _link(task: TaskStruct, kind: PidType, pid: Pid) -> None:
    if kind == PIDTYPE_PID:
        task.thread_pid = pid
        pid.task = task
    elif kind == PIDTYPE_TGID:
        pid.leader = task
    elif kind == PIDTYPE_PGID:
        task.signal.pgrp = pid
        if pid.pgrp is None:
            pid.pgrp = {}
        pid.pgrp[task.pid] = task
    else:
        task.signal.session = pid
        if pid.session is None:
            pid.session = {}
        pid.session[task.pid] = task


def detach_pid(k: "Kernel", task: TaskStruct, kind: PidType) -> Pid | None:
    """End ``task``'s use of its ``kind`` number. Caller holds tasklist_lock for writing.

    Returns:
        The ``Pid`` if nothing uses it any more: the caller passes it to free_pid(). Else None.

    Source: kernel/pid.c:detach_pid(), __change_pid().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    return _unlink(task, kind)


def _unlink(task: TaskStruct, kind: PidType) -> Pid | None:
    pid: Pid
    if kind == PIDTYPE_PID:
        pid = task.thread_pid
        pid.task = None
    elif kind == PIDTYPE_TGID:
        pid = task.thread_pid
        pid.leader = None
    elif kind == PIDTYPE_PGID:
        pid = task.signal.pgrp
        members = pid.pgrp
        if members is None:
            raise AssertionError(f"{pid!r} is no process group")
        del members[task.pid]
        if not members:
            pid.pgrp = None
    else:
        pid = task.signal.session
        members = pid.session
        if members is None:
            raise AssertionError(f"{pid!r} is no session")
        del members[task.pid]
        if not members:
            pid.session = None
    return None if pid.in_use() else pid


def attach_leader(k: "Kernel", task: TaskStruct, pid: Pid, pgrp: Pid, session: Pid) -> None:
    """Make a new process a user of its number, its group's and its session's, all at once.

    Caller holds tasklist_lock for writing; group and session have members already.
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    nr = pid.nr
    pid.task = pid.leader = task
    task.thread_pid = pid
    signal = task.signal
    signal.pgrp = pgrp
    signal.session = session
    in_group, in_session = pgrp.pgrp, session.session
    if in_group is None or in_session is None:
        raise AssertionError(f"{pgrp!r} or {session!r} has no members")
    in_group[nr] = in_session[nr] = task


def detach_leader(k: "Kernel", task: TaskStruct) -> list[Pid]:
    """End a process's use of its four numbers; return those that nothing uses any more.

    Caller holds tasklist_lock for writing. The order is that of four detach_pid(): the process's
    own number, its group's, its session's.
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    pid: Pid = task.thread_pid
    signal = task.signal
    pgrp: Pid = signal.pgrp
    session: Pid = signal.session
    nr = pid.nr
    pid.task = pid.leader = None
    group, members = pgrp.pgrp, session.session
    if group is None or members is None:
        raise AssertionError(f"{task!r} is in no group {pgrp!r} or session {session!r}")
    del group[nr], members[nr]
    if not group:
        pgrp.pgrp = None
    if not members:
        session.session = None
    unused = []
    if pid.pgrp is None and pid.session is None:
        unused.append(pid)
    if not group and pgrp is not pid and not pgrp.in_use():
        unused.append(pgrp)
    if not members and session is not pid and session is not pgrp and not session.in_use():
        unused.append(session)
    return unused


def change_pid(k: "Kernel", task: TaskStruct, kind: PidType, pid: Pid) -> Pid | None:
    """Move ``task`` from its ``kind`` number to ``pid``; the result is detach_pid()'s.

    Caller holds tasklist_lock for writing.

    Source: kernel/pid.c:change_pid().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    return move_to_pid(task, kind, pid)


def move_to_pid(task: TaskStruct, kind: PidType, pid: Pid) -> Pid | None:
    """Do what change_pid() does where nobody can look meanwhile."""
    unused = _unlink(task, kind)
    _link(task, kind, pid)
    return unused


def exchange_tids(k: "Kernel", left: TaskStruct, right: TaskStruct) -> None:
    """Swap the thread ids of two threads of one group. Caller holds tasklist_lock for writing.

    Source: kernel/pid.c:exchange_tids().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    left.thread_pid, right.thread_pid = right.thread_pid, left.thread_pid
    left.thread_pid.task, right.thread_pid.task = left, right
    left.pid, right.pid = right.pid, left.pid


def transfer_pid(old: TaskStruct, new: TaskStruct) -> None:
    """Give a leader's TGID, PGID and SID links, with their places in the chains, to ``new``.

    Called right after exchange_tids(), so ``new`` already carries the number the links go by.

    Source: kernel/pid.c:transfer_pid(), called three times by fs/exec.c:de_thread().
    """
    pid = new.thread_pid
    pid.leader = new
    in_group, in_session = new.signal.pgrp.pgrp, new.signal.session.session
    if in_group is None or in_session is None:
        raise AssertionError(f"{new!r} is in no group or no session")
    in_group[pid.nr] = in_session[pid.nr] = new


def members_of(pid: Pid, kind: PidType) -> tuple[TaskStruct, ...]:
    """Return the leaders of all processes in a group or session, newest member first."""
    members = pid.pgrp if kind == PIDTYPE_PGID else pid.session
    return tuple(reversed(members.values())) if members else ()


def pid_has_task(pid: Pid, kind: PidType) -> bool:
    """Tell whether ``pid`` has a user of the given kind.

    Source: include/linux/pid.h:pid_has_task().
    """
    if kind == PIDTYPE_PID:
        return pid.task is not None
    if kind == PIDTYPE_TGID:
        return pid.leader is not None
    return bool(pid.pgrp if kind == PIDTYPE_PGID else pid.session)


def sys_getpid(k: "Kernel") -> int:
    """Return the process id: the caller's thread group id. Source: kernel/sys.c:getpid()."""
    return task_tgid_vnr(k, k.current)


def sys_gettid(k: "Kernel") -> int:
    """Return the caller's thread id. Source: kernel/sys.c:gettid()."""
    return task_pid_vnr(k, k.current)


def sys_getppid(k: "Kernel") -> int:
    """Return the parent process's id, 0 if it is outside the caller's pid namespace.

    No lock is taken.

    Source: kernel/sys.c:getppid().
    """
    return task_tgid_vnr(k, k.current.real_parent)
