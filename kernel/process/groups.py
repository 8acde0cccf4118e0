"""Process groups and sessions.

Source: kernel/sys.c (setpgid, getpgid, getsid, setsid).
"""

from typing import TYPE_CHECKING

from kernel.errors import KernelError
from kernel.events import TASK_CHANGE
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.pid import (
    PIDTYPE_PGID,
    PIDTYPE_SID,
    Pid,
    change_pid,
    free_pid,
    members_of,
    move_to_pid,
    pid_vnr,
)
from kernel.smp.task_groups import sched_autogroup_create_attach
from kernel.task import PF_FORKNOEXEC, TaskStruct
from kernel.uapi.errno_ import EACCES, EINVAL, EPERM, ESRCH

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def is_session_leader(task: TaskStruct) -> bool:
    """Tell whether ``task``'s process leads its session (``signal->leader``)."""
    return task.signal.session is task.group_leader.thread_pid


def sys_setpgid(k: "Kernel", pid: int, pgid: int) -> Path[None]:
    """Put the caller or a child that has not exec'd into a process group.

    Args:
        pid: the process; 0 the caller.
        pgid: the group; 0 or ``pid`` makes a new one (or joins the one it leads).

    Raises:
        KernelError: in this order: EINVAL, negative group; ESRCH, no such process; EINVAL, a
            thread that is no leader; EPERM, a child in another session; EACCES, the child has
            exec'd; ESRCH, neither caller nor child; EPERM, a session leader; EPERM, no such
            group in the caller's session.

    Source: kernel/sys.c:setpgid().
    """
    current = k.current
    leader = current.group_leader
    if not pid:
        pid = pid_vnr(k, leader.thread_pid)
    if not pgid:
        pgid = pid
    if pgid < 0:
        raise KernelError(EINVAL)
    lock = k.tasklist_lock
    yield "setpgid.tasklist_lock", ACQUIRE, lock
    task = k.pids.find_task_by_vpid(pid)
    error = _may_setpgid(k, leader, task, pid, pgid)
    unused: Pid | None = None
    if not error and task is not None:
        pgrp = task.thread_pid if pgid == pid else k.pids.find_vpid(pgid)
        if task.signal.pgrp is not pgrp and pgrp is not None:
            unused = change_pid(k, task, PIDTYPE_PGID, pgrp)
            if k.tracing:
                k.emit(TASK_CHANGE, (task.pid, "pgid", pgrp.nr))
    yield "setpgid.tasklist_unlock", RELEASE, lock
    if unused is not None:
        yield from free_pid(k, unused)
    if error:
        raise KernelError(error)
    return None


def _may_setpgid(
    k: "Kernel", leader: TaskStruct, task: TaskStruct | None, pid: int, pgid: int
) -> int:
    """Return 0 or the errno with which setpgid fails, in Linux's order of tests."""
    if task is None:
        return ESRCH
    if task.group_leader is not task:
        return EINVAL
    if task.real_parent.signal is leader.signal:
        if task.signal.session is not leader.signal.session:
            return EPERM
        if not task.flags & PF_FORKNOEXEC:
            return EACCES
    elif task is not leader:
        return ESRCH
    if is_session_leader(task):
        return EPERM
    if pgid != pid:
        pgrp = k.pids.find_vpid(pgid)
        members = () if pgrp is None else members_of(pgrp, PIDTYPE_PGID)
        if not members or members[0].signal.session is not leader.signal.session:
            return EPERM
    return 0


def _process(k: "Kernel", pid: int) -> TaskStruct:
    """Return the task ``pid``, or the caller for 0.

    Raises:
        KernelError: ESRCH.
    """
    task = k.pids.find_task_by_vpid(pid) if pid else k.current
    if task is None:
        raise KernelError(ESRCH)
    return task


def sys_getpgid(k: "Kernel", pid: int) -> int:
    """Return the process group of ``pid`` (0: of the caller); 0 if the caller cannot name it.

    Raises:
        KernelError: ESRCH.

    Source: kernel/sys.c:do_getpgid().
    """
    return pid_vnr(k, _process(k, pid).signal.pgrp)


def sys_getpgrp(k: "Kernel") -> int:
    """Return the caller's process group. Source: kernel/sys.c:getpgrp()."""
    return pid_vnr(k, k.current.signal.pgrp)


def sys_getsid(k: "Kernel", pid: int) -> int:
    """Return the session of ``pid`` (0: of the caller); 0 if the caller cannot name it.

    Raises:
        KernelError: ESRCH.

    Source: kernel/sys.c:getsid().
    """
    return pid_vnr(k, _process(k, pid).signal.session)


def sys_setsid(k: "Kernel") -> Path[int]:
    """Make the caller the leader of a new session and of a new group in it; return its id.

    Raises:
        KernelError: EPERM, it leads a session, or a group has its pid as number.

    Source: kernel/sys.c:ksys_setsid().
    """
    leader = k.current.group_leader
    lock = k.tasklist_lock
    yield "setsid.tasklist_lock", ACQUIRE, lock
    denied = is_session_leader(leader) or bool(leader.thread_pid.pgrp)
    unused: tuple[Pid | None, ...] = ()
    if not denied:
        unused = set_special_pids(leader)
        if k.tracing:
            k.emit(TASK_CHANGE, (leader.pid, "sid", leader.pid))
    yield "setsid.tasklist_unlock", RELEASE, lock
    for pid in unused:
        if pid is not None:
            yield from free_pid(k, pid)
    if denied:
        raise KernelError(EPERM)
    sched_autogroup_create_attach(k, leader.signal)
    return pid_vnr(k, leader.thread_pid)


def set_special_pids(leader: TaskStruct) -> tuple[Pid | None, ...]:
    """Give ``leader`` a session and a group of its own; return the pids to free, if any.

    setsid() holds tasklist_lock for writing; the first programs of a machine get theirs in the same
    step in which they become visible.

    Source: kernel/sys.c:set_special_pids().
    """
    pid: Pid = leader.thread_pid
    return (
        move_to_pid(leader, PIDTYPE_SID, pid) if leader.signal.session is not pid else None,
        move_to_pid(leader, PIDTYPE_PGID, pid) if leader.signal.pgrp is not pid else None,
    )
