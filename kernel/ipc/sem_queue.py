"""Semaphore sets: the structures, and who may go on after a value has changed.

An operation list is done as a whole or not at all. One that cannot be done sleeps on a queue:

- waits for zero (``const``) and changes (``alter``) have queues of their own, and waits for zero go
  first whenever a value becomes zero;
- a single change waits on its semaphore's own queue as long as no list of several operations
  waits; while one does (``complex_count``) all changes wait on the set's one queue, first come
  first served over all semaphores (``merge_queues``, ``unmerge_queues``).

A sleeper never looks at the values: whoever changes them performs the sleeper's operations for it,
notes the result in its ``status``, and wakes it once the lock is given up.

Source: ipc/sem.c.
Deviation: one lock per set, not one per semaphore; one way of performing a list (Linux scans lists
without duplicates twice in place of undoing). Times of the last semop and change are not kept.
"""

from typing import TYPE_CHECKING, Final

from kernel.ipc.util import KernIpcPerm
from kernel.task import TaskStruct
from kernel.uapi.errno_ import EAGAIN, ERANGE
from kernel.uapi.ipc import IPC_NOWAIT, SEM_UNDO, SEMAEM, SEMVMX

if TYPE_CHECKING:
    from kernel.process.pid import Pid
    from kernel.task import TaskStruct

BLOCKS: Final = -1  # an operation list must wait
ASLEEP: Final = -1  # status of a sleeper nobody has served

SemBuf = tuple[int, int, int]  # number of the semaphore, change, flags


class SemQueue:
    """One sleeper (``sem_queue``)."""

    __slots__ = ("alter", "blocking", "pid", "queue", "sleeper", "sops", "status", "undo")

    def __init__(
        self, sleeper: "TaskStruct", sops: tuple[SemBuf, ...], undo: "SemUndo | None", alter: bool
    ) -> None:
        self.sleeper = sleeper
        self.sops = sops
        self.undo = undo
        self.alter = alter
        self.pid: Pid | None = sleeper.group_leader.thread_pid
        self.status = ASLEEP
        self.blocking: SemBuf = sops[0]  # the operation that cannot be done
        self.queue: list[SemQueue] = []  # the one it is on


class Sem:
    """One semaphore (``struct sem``)."""

    __slots__ = ("pending_alter", "pending_const", "sempid", "semval")

    def __init__(self) -> None:
        self.semval = 0
        self.sempid: Pid | None = None  # process of the last successful change
        self.pending_alter: list[SemQueue] = []
        self.pending_const: list[SemQueue] = []


class SemArray:
    """A set of semaphores (``sem_array``). Its ``perm.lock`` guards all of it."""

    __slots__ = ("complex_count", "list_id", "pending_alter", "pending_const", "perm", "sems")

    def __init__(self, perm: KernIpcPerm, nsems: int) -> None:
        self.perm = perm
        self.sems = [Sem() for _ in range(nsems)]
        self.pending_alter: list[SemQueue] = []
        self.pending_const: list[SemQueue] = []
        self.list_id: list[SemUndo] = []  # adjustments that processes have registered
        self.complex_count = 0  # lists of several operations that sleep


class SemUndo:
    """What one process undoes of one set when it ends (``sem_undo``)."""

    __slots__ = ("semadj", "semid", "ulp")

    def __init__(self, ulp: "SemUndoList", semid: int, nsems: int) -> None:
        self.ulp = ulp
        self.semid = semid  # -1: the set is gone
        self.semadj = [0] * nsems


class SemUndoList:
    """The adjustments of one process, or of those that share them (``sem_undo_list``)."""

    __slots__ = ("list_proc", "refcnt")

    def __init__(self) -> None:
        self.refcnt = 1  # tasks: CLONE_SYSVSEM
        self.list_proc: list[SemUndo] = []


def perform_atomic_semop(sma: SemArray, q: SemQueue) -> int:
    """Do all operations of ``q``, or none.

    Returns:
        0: done; BLOCKS: it must wait; else an errno: EAGAIN, it must wait and has IPC_NOWAIT;
        ERANGE, a value or an adjustment would be out of range.

    Source: ipc/sem.c:perform_atomic_semop_slow().
    """
    sems = sma.sems
    un = q.undo
    result = 0
    done = 0
    for sop in q.sops:
        num, change, flags = sop
        sem = sems[num]
        value = sem.semval + change
        if value < 0 or (not change and value):
            q.blocking = sop
            result = EAGAIN if flags & IPC_NOWAIT else BLOCKS
            break
        if value > SEMVMX:
            result = ERANGE
            break
        if flags & SEM_UNDO and un is not None:
            adjustment = un.semadj[num] - change
            if not -SEMAEM - 1 <= adjustment <= SEMAEM:
                result = ERANGE
                break
            un.semadj[num] = adjustment
        sem.semval = value
        done += 1
    if not result:
        for num, _change, _flags in q.sops:
            sems[num].sempid = q.pid
        return 0
    for num, change, flags in q.sops[:done]:
        sems[num].semval -= change
        if flags & SEM_UNDO and un is not None:
            un.semadj[num] += change
    return result


def add_pending(sma: SemArray, q: SemQueue) -> None:
    """Put a sleeper on its queue. Source: ipc/sem.c:__do_semtimedop()."""
    if len(q.sops) == 1:
        sem = sma.sems[q.sops[0][0]]
        if not q.alter:
            queue = sem.pending_const
        else:
            queue = sma.pending_alter if sma.complex_count else sem.pending_alter
    else:
        if not sma.complex_count:
            merge_queues(sma)
        queue = sma.pending_alter if q.alter else sma.pending_const
        sma.complex_count += 1
    q.queue = queue
    queue.append(q)


def unlink_queue(sma: SemArray, q: SemQueue) -> None:
    """Take a sleeper off its queue. Source: ipc/sem.c:unlink_queue()."""
    q.queue.remove(q)
    if len(q.sops) > 1:
        sma.complex_count -= 1


def merge_queues(sma: SemArray) -> None:
    """Move all waiting changes to the set's queue. Source: ipc/sem.c:merge_queues()."""
    queue = sma.pending_alter
    for sem in sma.sems:
        for q in sem.pending_alter:
            q.queue = queue
        queue += sem.pending_alter
        sem.pending_alter = []


def unmerge_queues(sma: SemArray) -> None:
    """Give each semaphore its own queue back once only single operations wait.

    Source: ipc/sem.c:unmerge_queues().
    """
    if sma.complex_count or not sma.pending_alter:
        return
    for q in sma.pending_alter:
        queue = sma.sems[q.sops[0][0]].pending_alter
        q.queue = queue
        queue.append(q)
    sma.pending_alter = []


def serve(q: SemQueue, status: int, wake_q: list[TaskStruct]) -> None:
    """Tell a sleeper how its call ends. Source: ipc/sem.c:wake_up_sem_queue_prepare()."""
    q.status = status
    wake_q.append(q.sleeper)


def wake_const_ops(sma: SemArray, queue: list[SemQueue], wake_q: list[TaskStruct]) -> None:
    """Let the waits for zero on ``queue`` that are over go on. Source: ipc/sem.c:wake_const_ops."""
    for q in tuple(queue):
        error = perform_atomic_semop(sma, q)
        if error != BLOCKS:
            unlink_queue(sma, q)
            serve(q, error, wake_q)


def do_smart_wakeup_zero(
    sma: SemArray, sops: tuple[SemBuf, ...] | None, wake_q: list[TaskStruct]
) -> None:
    """Look after the waits for zero on the semaphores of ``sops`` (None: on all).

    Source: ipc/sem.c:do_smart_wakeup_zero().
    """
    sems = sma.sems
    got_zero = False
    for sem in sems if sops is None else [sems[num] for num, _change, _flags in sops]:
        if not sem.semval:
            got_zero = True
            if sem.pending_const:
                wake_const_ops(sma, sem.pending_const, wake_q)
    if got_zero and sma.pending_const:
        wake_const_ops(sma, sma.pending_const, wake_q)


def update_queue(sma: SemArray, sem: Sem | None, wake_q: list[TaskStruct]) -> None:
    """Perform what can be done of the changes that wait on ``sem``'s queue (None: the set's).

    Every success starts again at the head if it may have made an earlier one possible.

    Source: ipc/sem.c:update_queue(), check_restart().
    """
    again = True
    while again:
        again = False
        for q in tuple(sma.pending_alter if sem is None else sem.pending_alter):
            if sem is not None and not sem.semval:
                break
            error = perform_atomic_semop(sma, q)
            if error == BLOCKS:
                continue
            unlink_queue(sma, q)
            if not error:
                do_smart_wakeup_zero(sma, q.sops, wake_q)
                again = bool(sma.pending_alter) or len(q.sops) > 1
            serve(q, error, wake_q)
            if again:
                break


def do_smart_update(
    sma: SemArray, sops: tuple[SemBuf, ...] | None, wake_q: list[TaskStruct]
) -> None:
    """Let everybody go on who can, now that ``sops`` have been done (None: anything may be new).

    Args:
        wake_q: gets the tasks to wake once the lock is given up.

    Source: ipc/sem.c:do_smart_update().
    """
    do_smart_wakeup_zero(sma, sops, wake_q)
    if sma.pending_alter:
        update_queue(sma, None, wake_q)
    elif sops is None:
        for sem in sma.sems:
            if sem.pending_alter:
                update_queue(sma, sem, wake_q)
    else:
        for num, change, _flags in sops:
            if change > 0:
                update_queue(sma, sma.sems[num], wake_q)


def count_semcnt(sma: SemArray, semnum: int, count_zero: bool) -> int:
    """Return how many tasks wait for semaphore ``semnum`` to become zero, or to grow.

    A list of several operations counts for the one that blocks it.

    Source: ipc/sem.c:count_semcnt(), check_qop().
    """
    sem = sma.sems[semnum]
    count = len(sem.pending_const if count_zero else sem.pending_alter)
    queues = [sma.pending_alter]
    if count_zero:
        queues.append(sma.pending_const)
    for queue in queues:
        for q in queue:
            num, change, _flags = q.blocking
            if num == semnum and (change == 0 if count_zero else change < 0):
                count += 1
    return count
