"""Nice values: getpriority, setpriority, nice.

Source: kernel/sys.c (getpriority, setpriority).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel.cred.creds import Cred, capable
from kernel.errors import KernelError
from kernel.points import ACQUIRE, READ, RELEASE, Path
from kernel.process.pid import PIDTYPE_PGID, members_of
from kernel.process.tasklist import for_each_thread
from kernel.smp.fair import can_nice
from kernel.task import TaskStruct
from kernel.uapi.errno_ import EACCES, EINVAL, EPERM, ESRCH
from kernel.uapi.prio import MAX_NICE, MIN_NICE, PRIO_PGRP, PRIO_PROCESS, PRIO_USER

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def _selected(k: "Kernel", which: int, who: int) -> Iterator[TaskStruct]:
    """Yield the threads that ``which`` and ``who`` name."""
    if which == PRIO_PROCESS:
        task = k.pids.find_task_by_vpid(who) if who else k.current
        if task is not None:
            yield task
    elif which == PRIO_PGRP:
        pgrp = k.pids.find_vpid(who) if who else k.current.signal.pgrp
        for leader in () if pgrp is None else members_of(pgrp, PIDTYPE_PGID):
            yield from leader.signal.threads
    else:
        uid = who or k.current.cred.uid
        for task in for_each_thread(k):
            if task.cred.uid == uid:
                yield task


def sys_getpriority(k: "Kernel", which: int, who: int) -> Path[int]:
    """Return the lowest nice value among the selected threads.

    Args:
        which: PRIO_PROCESS (a thread), PRIO_PGRP, PRIO_USER (a real uid).
        who: the number; 0 the caller's.

    Raises:
        KernelError: EINVAL, bad ``which``; ESRCH, nobody selected.

    Source: kernel/sys.c:getpriority().
    Deviation: the nice value itself, as C libraries return it (the raw call gives 20 - nice).
    """
    if not PRIO_PROCESS <= which <= PRIO_USER:
        raise KernelError(EINVAL)
    yield "getpriority.tasklist_lock", READ, k.tasklist_lock
    values = [task.nice for task in _selected(k, which, who)]
    yield "getpriority.tasklist_unlock", RELEASE, k.tasklist_lock
    if not values:
        raise KernelError(ESRCH)
    return min(values)


def set_user_nice(k: "Kernel", task: TaskStruct, nice: int) -> Path[None]:
    """Give ``task`` a nice value. Source: kernel/sched/core.c:set_user_nice()."""
    if nice == task.nice:
        return
    lock = k.pi_lock(task)
    yield "set_user_nice.pi_lock", ACQUIRE, lock
    k.set_nice(task, nice)
    yield "set_user_nice.pi_unlock", RELEASE, lock


def sys_setpriority(k: "Kernel", which: int, who: int, nice: int) -> Path[None]:
    """Set the nice value, clamped to -20..19, of the selected threads.

    Raises:
        KernelError: EINVAL, bad ``which``; ESRCH, nobody selected; EPERM, somebody else's;
            EACCES, lowering it needs privilege.

    Source: kernel/sys.c:setpriority(), set_one_prio().
    """
    if not PRIO_PROCESS <= which <= PRIO_USER:
        raise KernelError(EINVAL)
    nice = max(MIN_NICE, min(nice, MAX_NICE))
    error = ESRCH
    cred: Cred = k.current.cred
    yield "setpriority.tasklist_lock", READ, k.tasklist_lock
    for task in tuple(_selected(k, which, who)):
        theirs: Cred = task.cred
        if not (theirs.uid == cred.euid or theirs.euid == cred.euid or capable(cred)):
            error = EPERM
        elif nice < task.nice and not can_nice(k, task, nice):
            error = EACCES
        else:
            if error == ESRCH:
                error = 0
            yield from set_user_nice(k, task, nice)
    yield "setpriority.tasklist_unlock", RELEASE, k.tasklist_lock
    if error:
        raise KernelError(error)
    return None


def sys_nice(k: "Kernel", increment: int) -> Path[int]:
    """Add to the calling thread's nice value, within -20..19; return the new one.

    Raises:
        KernelError: EPERM, lowering it needs privilege.

    Source: kernel/sched/syscalls.c:nice().
    """
    current = k.current
    increment = max(-40, min(increment, 40))
    nice = max(MIN_NICE, min(current.nice + increment, MAX_NICE))
    if increment < 0 and not can_nice(k, current, nice):
        raise KernelError(EPERM)
    yield from set_user_nice(k, current, nice)
    return nice
