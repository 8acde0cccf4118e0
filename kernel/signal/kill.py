"""The system calls that send signals: kill, tgkill.

Source: kernel/signal.c.
"""

from typing import TYPE_CHECKING

from kernel.drive.lockdep import assert_held
from kernel.errors import KernelError
from kernel.points import READ, RELEASE, Path
from kernel.process.pid import (
    PIDTYPE_MAX,
    PIDTYPE_PGID,
    PIDTYPE_PID,
    PIDTYPE_TGID,
    Pid,
    PidType,
    members_of,
    task_pid_vnr,
    task_tgid_vnr,
)
from kernel.process.tasklist import for_each_process
from kernel.signal.send import check_kill_permission, do_send_sig_info, from_afar
from kernel.task import SigInfo, TaskStruct
from kernel.uapi.errno_ import EINVAL, EPERM, ESRCH
from kernel.uapi.signals import SI_TKILL, SI_USER

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def group_send_sig_info(
    k: "Kernel", sig: int, info: SigInfo, task: TaskStruct, kind: PidType = PIDTYPE_TGID
) -> Path[int]:
    """Send ``sig`` to ``task``'s process if the current task may; return 0 or an errno.

    Signal 0 only checks. Zombies accept everything.

    Source: kernel/signal.c:group_send_sig_info().
    """
    error = check_kill_permission(k, sig, task)
    if not error and sig:
        error = yield from do_send_sig_info(k, sig, info, task, kind)
    return error


def kill_pid_info(
    k: "Kernel", sig: int, info: SigInfo, pid: Pid | None, kind: PidType = PIDTYPE_TGID
) -> Path[int]:
    """Send ``sig`` to the process of thread ``pid``, or to it alone; return 0 or an errno.

    Args:
        kind: PIDTYPE_TGID, the process; PIDTYPE_PID, the thread.

    An exec may swap the thread ids in between; then it looks again.

    Source: kernel/signal.c:kill_pid_info().
    """
    while True:
        task = None if pid is None else pid.task
        if task is None:
            return ESRCH
        error: int = yield from group_send_sig_info(k, sig, info, task, kind)
        if error != ESRCH or pid is None or pid.task is task:
            return error


def kill_pgrp(k: "Kernel", sig: int, info: SigInfo, pgrp: Pid | None) -> Path[int]:
    """Send ``sig`` to every process of a group, newest first; caller holds tasklist_lock.

    Returns:
        0 if any of them accepted it, else the last errno, ESRCH for an empty group.

    Source: kernel/signal.c:__kill_pgrp_info().
    """
    assert_held(k, k.tasklist_lock)
    error = ESRCH
    success = False
    for task in () if pgrp is None else members_of(pgrp, PIDTYPE_PGID):
        failed = yield from group_send_sig_info(k, sig, info, task, PIDTYPE_PGID)
        if k.pids.kernel is not None and not failed:
            info, _ = from_afar(k, info, task)  # Linux changes it in place, for the others too
        if failed:
            error = failed
        else:
            success = True
    return 0 if success else error


def sys_kill(k: "Kernel", pid: int, signal: int) -> Path[None]:
    """Send a signal to a process or to several.

    Args:
        pid: > 0 that process; 0 the caller's group; -1 everyone but init and the caller's
            process; < -1 group ``-pid``.
        signal: 0 only checks existence and permission.

    Raises:
        KernelError: EINVAL, no such signal; ESRCH, nobody there; EPERM, not allowed for any.

    Source: kernel/signal.c:kill(), kill_something_info().
    """
    current = k.current
    info = (signal, SI_USER, task_tgid_vnr(k, current), current.cred.uid, 0)
    if pid > 0:
        error = yield from kill_pid_info(k, signal, info, k.pids.find_vpid(pid))
    elif pid == -(1 << 31):
        error = ESRCH
    else:
        lock = k.tasklist_lock
        yield "kill_something_info.tasklist_lock", READ, lock
        if pid == -1:
            error = yield from _kill_everyone(k, signal, info)
        else:
            pgrp = k.pids.find_vpid(-pid) if pid else current.signal.pgrp
            error = yield from kill_pgrp(k, signal, info, pgrp)
        yield "kill_something_info.tasklist_unlock", RELEASE, lock
    if error:
        raise KernelError(error)
    return None


def _kill_everyone(k: "Kernel", sig: int, info: SigInfo) -> Path[int]:
    """Send ``sig`` to all processes but init and the caller's; return 0 or an errno."""
    current = k.current
    error = 0
    count = 0
    for task in for_each_process(k):
        if task_pid_vnr(k, task) <= 1 or task.signal is current.signal:
            continue
        count += 1
        failed = yield from group_send_sig_info(k, sig, info, task, PIDTYPE_MAX)
        if k.pids.kernel is not None and not failed:
            info, _ = from_afar(k, info, task)
        if failed != EPERM:
            error = failed
    return error if count else ESRCH


def sys_tgkill(k: "Kernel", tgid: int, tid: int, signal: int) -> Path[None]:
    """Send a signal to one thread of a given process.

    Raises:
        KernelError: EINVAL, an id is not positive or no such signal; ESRCH, no such thread in
            that process; EPERM; EAGAIN, over RLIMIT_SIGPENDING.

    Source: kernel/signal.c:tgkill(), do_send_specific().
    """
    if tgid <= 0 or tid <= 0:
        raise KernelError(EINVAL)
    task = k.pids.find_task_by_vpid(tid)
    if task is None or task_tgid_vnr(k, task) != tgid:
        raise KernelError(ESRCH)
    error = check_kill_permission(k, signal, task)
    if not error and signal:
        current = k.current
        info = (signal, SI_TKILL, task_tgid_vnr(k, current), current.cred.uid, 0)
        # a thread that died meanwhile is no error: the signal was as good as delivered
        error = yield from do_send_sig_info(k, signal, info, task, PIDTYPE_PID)
        if error == ESRCH:
            error = 0
    if error:
        raise KernelError(error)
    return None
