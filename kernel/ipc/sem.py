"""System V semaphores: the calls, undo lists, and what exit does about them.

semop() performs a list of operations on one set, or sleeps until somebody else has performed it
(``kernel.ipc.sem_queue``). With SEM_UNDO the opposite of each change is noted in the caller's undo
list, which threads share (CLONE_SYSVSEM), a forked child does not inherit, and exec keeps. When the
last sharer ends, between leaving its memory and closing its files, the notes are carried out;
values are cut to 0..32767 then.

Source: ipc/sem.c.
Deviation: see ``kernel.ipc.sem_queue``; GETALL, SETALL, semtimedop and the SEM_* queries of ipcs
are not there; IPC_STAT tells only whether it is allowed.
"""

from typing import TYPE_CHECKING, Any

from kernel.drive.lockdep import assert_held
from kernel.errors import KernelError
from kernel.ipc.sem_queue import (
    ASLEEP,
    BLOCKS,
    SemArray,
    SemBuf,
    SemQueue,
    SemUndo,
    SemUndoList,
    add_pending,
    count_semcnt,
    do_smart_update,
    perform_atomic_semop,
    serve,
    unlink_queue,
    unmerge_queues,
)
from kernel.ipc.util import (
    IpcIds,
    KernIpcPerm,
    current_ipc_ns,
    ipc_addid,
    ipc_obtain_object_check,
    ipc_rmid,
    ipcctl_obtain_check,
    ipcget,
    ipcperms,
)
from kernel.points import ACQUIRE, POINT, READ, RELEASE, SCHEDULE, Path
from kernel.process.pid import Pid, pid_vnr
from kernel.signal.pending import signal_pending
from kernel.smp.ttwu import set_current_state, wake_up_process
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING, TaskStruct
from kernel.uapi.errno_ import E2BIG, EACCES, EFBIG, EIDRM, EINTR, EINVAL, ENOSPC, ERANGE
from kernel.uapi.ipc import (
    GETNCNT,
    GETPID,
    GETVAL,
    GETZCNT,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    S_IRUGO,
    S_IRWXUGO,
    S_IWUGO,
    SEM_UNDO,
    SEMMNI,
    SEMMNS,
    SEMMSL,
    SEMOPM,
    SEMVMX,
    SETVAL,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def wake_up_q(k: "Kernel", wake_q: list[TaskStruct]) -> Path[None]:
    """Wake every task of ``wake_q``, in order. Source: kernel/sched/core.c:wake_up_q()."""
    for task in wake_q:
        yield from wake_up_process(k, task)


# -- semget --------------------------------------------------------------------------------------


def sys_semget(k: "Kernel", key: int, nsems: int, flags: int) -> Path[int]:
    """Return the id of the set with ``key``, made with ``nsems`` semaphores of value 0 if need be.

    Raises:
        KernelError: EINVAL, nsems negative, above 32000, 0 for a new set, or more than the set
            has; ENOSPC, too many sets or semaphores; and see ipcget().

    Source: ipc/sem.c:ksys_semget(), newary(), sem_more_checks().
    """
    if nsems < 0 or nsems > SEMMSL:
        raise KernelError(EINVAL)
    ids = current_ipc_ns(k).sem

    def newary() -> int:
        if not nsems:
            raise KernelError(EINVAL)
        if ids.used + nsems > SEMMNS:
            raise KernelError(ENOSPC)
        lock = k.new_lock("sem_perm")
        perm = KernIpcPerm(key, flags & S_IRWXUGO, k.current.cred, lock)
        id = ipc_addid(k, ids, SemArray(perm, nsems), SEMMNI)
        ids.used += nsems
        return id

    def sem_more_checks(sma: Any) -> bool:
        return nsems <= len(sma.sems)

    return ipcget(k, ids, key, flags, newary, sem_more_checks)


# -- semop ---------------------------------------------------------------------------------------


def sys_semop(k: "Kernel", semid: int, operations: tuple[tuple[int, int, int], ...]) -> Path[None]:
    """Perform all ``operations`` at once, sleeping until that can be done.

    Args:
        operations: ``(number of the semaphore, change, flags)`` of each; the flags are IPC_NOWAIT
            and SEM_UNDO.

    Raises:
        KernelError: E2BIG, more than 500; EINVAL, none, or no such set; EFBIG, no such semaphore;
            EACCES; ERANGE; EAGAIN, it cannot be done and IPC_NOWAIT was given; EIDRM, the set was
            removed; EINTR, a signal came, whatever it does.

    Source: ipc/sem.c:do_semtimedop(), __do_semtimedop().
    """
    current = k.current
    k.now_ns += k.costs.ipc_op
    if len(operations) > SEMOPM:
        raise KernelError(E2BIG)
    if not operations or semid < 0:
        raise KernelError(EINVAL)
    sops: tuple[SemBuf, ...] = tuple([(num, change, flags) for num, change, flags in operations])
    alter = undos = False
    largest = 0
    for num, change, flags in sops:
        alter = alter or change != 0
        undos = undos or flags & SEM_UNDO != 0
        largest = max(largest, num)
    ids = current_ipc_ns(k).sem
    un: SemUndo | None = None
    if undos:
        un = yield from find_alloc_undo(k, ids, semid)
    yield "semop.obtain", POINT, ids
    sma: SemArray = ipc_obtain_object_check(ids, semid)
    if largest >= len(sma.sems):
        raise KernelError(EFBIG)
    if ipcperms(k, sma.perm, S_IWUGO if alter else S_IRUGO):
        raise KernelError(EACCES)
    lock = sma.perm.lock
    yield "semop.sem_lock", ACQUIRE, lock
    wake_q: list[TaskStruct] = []
    q = SemQueue(current, sops, un, alter)
    if sma.perm.deleted or (un is not None and un.semid == -1):
        error = EIDRM
    else:
        error = perform_atomic_semop(sma, q)
        if not error and alter:
            do_smart_update(sma, sops, wake_q)
    if error == BLOCKS:
        yield from _sleep_until_done(k, sma, q)
        error = q.status
    else:
        unmerge_queues(sma)
        yield "semop.sem_unlock", RELEASE, lock
        yield from wake_up_q(k, wake_q)
    if error:
        raise KernelError(error)
    return None


def _sleep_until_done(k: "Kernel", sma: SemArray, q: SemQueue) -> Path[None]:
    """Sleep until somebody has performed ``q``, or a signal comes; ``q.status`` tells.

    Caller holds the set's lock, which is given up.

    Source: ipc/sem.c:__do_semtimedop().
    """
    current = k.current
    lock = sma.perm.lock
    assert_held(k, lock)
    add_pending(sma, q)
    while True:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        yield "semop.sem_unlock_wait", RELEASE, lock
        if not signal_pending(current):
            yield "semop.schedule", SCHEDULE, sma
        yield from set_current_state(k, TASK_RUNNING)
        if q.status != ASLEEP:
            break  # served: the waker has taken it off the queue
        yield "semop.sem_relock", ACQUIRE, lock
        if q.status == ASLEEP and signal_pending(current):
            q.status = EINTR
            unlink_queue(sma, q)
        if q.status != ASLEEP:
            unmerge_queues(sma)
            yield "semop.sem_unlock_interrupted", RELEASE, lock
            break


# -- semctl --------------------------------------------------------------------------------------


def sys_semctl(k: "Kernel", semid: int, semnum: int, cmd: int, arg: int) -> Path[int]:
    """Ask about or change one semaphore, or the whole set.

    Args:
        arg: SETVAL: the value; IPC_SET: the mode.

    Raises:
        KernelError: EINVAL, no such set, semaphore or command; EACCES; EPERM, IPC_RMID or IPC_SET
            of somebody else's set; ERANGE, SETVAL with no value of a semaphore; EIDRM.

    Source: ipc/sem.c:ksys_semctl().
    """
    k.now_ns += k.costs.ipc_op
    if semid < 0 or cmd not in _COMMANDS:
        raise KernelError(EINVAL)
    if cmd in (IPC_RMID, IPC_SET):
        return _semctl_down(k, semid, cmd, arg)
    if cmd == SETVAL:
        return _semctl_setval(k, semid, semnum, arg)
    return _semctl_main(k, semid, semnum, cmd)


_COMMANDS = (IPC_RMID, IPC_SET, IPC_STAT, GETPID, GETVAL, GETNCNT, GETZCNT, SETVAL)


def _semctl_main(k: "Kernel", semid: int, semnum: int, cmd: int) -> Path[int]:
    """Source: ipc/sem.c:semctl_main(), semctl_stat()."""
    sma: SemArray = ipc_obtain_object_check(current_ipc_ns(k).sem, semid)
    if ipcperms(k, sma.perm, S_IRUGO):
        raise KernelError(EACCES)
    if cmd == IPC_STAT:
        return 0
    if not 0 <= semnum < len(sma.sems):
        raise KernelError(EINVAL)
    yield "semctl_main.sem_lock", ACQUIRE, sma.perm.lock
    gone = sma.perm.deleted
    sem = sma.sems[semnum]
    if cmd == GETVAL:
        value = sem.semval
    elif cmd == GETPID:
        value = 0 if sem.sempid is None else pid_vnr(k, sem.sempid)
    else:
        value = count_semcnt(sma, semnum, cmd == GETZCNT)
    yield "semctl_main.sem_unlock", RELEASE, sma.perm.lock
    if gone:
        raise KernelError(EIDRM)
    return value


def _semctl_setval(k: "Kernel", semid: int, semnum: int, value: int) -> Path[int]:
    """Set one value; whatever was noted to be undone of it is forgotten.

    Source: ipc/sem.c:semctl_setval().
    """
    if not 0 <= value <= SEMVMX:
        raise KernelError(ERANGE)
    sma: SemArray = ipc_obtain_object_check(current_ipc_ns(k).sem, semid)
    if not 0 <= semnum < len(sma.sems):
        raise KernelError(EINVAL)
    if ipcperms(k, sma.perm, S_IWUGO):
        raise KernelError(EACCES)
    yield "semctl_setval.sem_lock", ACQUIRE, sma.perm.lock
    gone = sma.perm.deleted
    wake_q: list[TaskStruct] = []
    if not gone:
        for un in sma.list_id:
            un.semadj[semnum] = 0
        sem = sma.sems[semnum]
        sem.semval = value
        sem.sempid = k.current.group_leader.thread_pid
        do_smart_update(sma, None, wake_q)
        unmerge_queues(sma)
    yield "semctl_setval.sem_unlock", RELEASE, sma.perm.lock
    if gone:
        raise KernelError(EIDRM)
    yield from wake_up_q(k, wake_q)
    return 0


def _semctl_down(k: "Kernel", semid: int, cmd: int, arg: int) -> Path[int]:
    """Remove a set, or give it to the caller with another mode.

    Source: ipc/sem.c:semctl_down().
    Deviation: IPC_SET takes the new owner from the caller, not from a structure.
    """
    ids = current_ipc_ns(k).sem
    yield "semctl_down.rwsem", ACQUIRE, ids.rwsem
    wake_q: list[TaskStruct] = []
    sma: SemArray
    sma, errno = ipcctl_obtain_check(k, ids, semid)
    if not errno:
        yield "semctl_down.sem_lock", ACQUIRE, sma.perm.lock
        if cmd == IPC_RMID:
            freeary(k, ids, sma, wake_q)
        else:
            cred = k.current.cred
            sma.perm.uid = cred.euid
            sma.perm.gid = cred.egid
            sma.perm.mode = arg & S_IRWXUGO
        yield "semctl_down.sem_unlock", RELEASE, sma.perm.lock
    yield "semctl_down.rwsem_done", RELEASE, ids.rwsem
    if errno:
        raise KernelError(errno)
    yield from wake_up_q(k, wake_q)
    return 0


def freeary(k: "Kernel", ids: IpcIds, sma: SemArray, wake_q: list[TaskStruct]) -> None:
    """Remove a set: undo notes are dropped, sleepers fail with EIDRM. Caller holds both locks.

    Source: ipc/sem.c:freeary().
    """
    assert_held(k, ids.rwsem, exclusive=True)
    assert_held(k, sma.perm.lock)
    remove_array(ids, sma, wake_q)


def remove_array(ids: IpcIds, sma: SemArray, wake_q: list[TaskStruct]) -> None:
    """Remove a set that nobody else can get at; as freeary(), of which this is a part."""
    for un in sma.list_id:
        un.semid = -1
        un.ulp.list_proc.remove(un)
    sma.list_id = []
    queues = [sma.pending_const, sma.pending_alter]
    for sem in sma.sems:
        queues += [sem.pending_const, sem.pending_alter]
    for queue in queues:
        for q in tuple(queue):
            unlink_queue(sma, q)
            serve(q, EIDRM, wake_q)
    ipc_rmid(ids, sma.perm)
    ids.used -= len(sma.sems)


# -- undo ----------------------------------------------------------------------------------------


def get_undo_list(task: TaskStruct) -> SemUndoList:
    """Return ``task``'s undo list, made at first use. Source: ipc/sem.c:get_undo_list()."""
    ulp: SemUndoList | None = task.sysvsem
    if ulp is None:
        ulp = task.sysvsem = SemUndoList()
    return ulp


def find_alloc_undo(k: "Kernel", ids: IpcIds, semid: int) -> Path[SemUndo]:
    """Return the current task's notes about a set, made at first use.

    Raises:
        KernelError: EINVAL, no such set; EIDRM, it is being removed.

    Source: ipc/sem.c:find_alloc_undo().
    """
    ulp = get_undo_list(k.current)
    for un in ulp.list_proc:
        if un.semid == semid:
            return un
    sma: SemArray = ipc_obtain_object_check(ids, semid)
    lock = sma.perm.lock
    yield "find_alloc_undo.sem_lock", ACQUIRE, lock
    gone = sma.perm.deleted
    found: SemUndo | None = None
    if not gone:
        for un in ulp.list_proc:
            if un.semid == semid:
                found = un  # another thread was faster
        if found is None:
            found = SemUndo(ulp, semid, len(sma.sems))
            ulp.list_proc.append(found)
            sma.list_id.append(found)
    yield "find_alloc_undo.sem_unlock", RELEASE, lock
    if found is None:
        raise KernelError(EIDRM)
    return found


def copy_semundo(k: "Kernel", child: TaskStruct) -> None:
    """Let ``child`` share the current task's undo list (CLONE_SYSVSEM).

    Source: ipc/sem.c:copy_semundo().
    """
    ulp = get_undo_list(k.current)
    ulp.refcnt += 1
    child.sysvsem = ulp


def exit_sem(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Leave the undo list; its last sharer carries out what is noted there.

    Source: ipc/sem.c:exit_sem().
    """
    ulp = task.sysvsem
    if ulp is None:
        raise AssertionError(f"{task!r} has no undo list")
    task.sysvsem = None
    ulp.refcnt -= 1
    if ulp.refcnt:
        return
    ids = current_ipc_ns(k).sem
    while ulp.list_proc:
        un = ulp.list_proc[0]
        yield "exit_sem.obtain", READ, ids.rwsem
        sma: SemArray | None = ids.entries.get(un.semid & 0x7FFF)
        yield "exit_sem.obtained", RELEASE, ids.rwsem
        if sma is None or sma.perm.id != un.semid:
            if un in ulp.list_proc:
                ulp.list_proc.remove(un)  # a set of a namespace the task has left
            continue
        lock = sma.perm.lock
        yield "exit_sem.sem_lock", ACQUIRE, lock
        wake_q: list[TaskStruct] = []
        if not sma.perm.deleted and un.semid != -1:
            _adjust(sma, un, task.group_leader.thread_pid)
            ulp.list_proc.remove(un)
            sma.list_id.remove(un)
            do_smart_update(sma, None, wake_q)
            unmerge_queues(sma)
        yield "exit_sem.sem_unlock", RELEASE, lock
        yield from wake_up_q(k, wake_q)


def _adjust(sma: SemArray, un: SemUndo, pid: Pid | None) -> None:
    """Carry out one process's notes about one set; values stay within 0..SEMVMX."""
    for sem, change in zip(sma.sems, un.semadj, strict=True):
        if change:
            sem.semval = min(max(sem.semval + change, 0), SEMVMX)
            sem.sempid = pid
