"""Which tasks leave the busiest queue for another CPU, and how they are taken off it.

Source: kernel/sched/fair.c (can_migrate_task, task_hot, detach_tasks) of Linux 6.1.
"""

from typing import TYPE_CHECKING, Final

from kernel.messages import MIGRATE_LOAD
from kernel.sched.sched_class import DEQUEUE_MOVE
from kernel.uapi.policy import SCHED_IDLE

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.rq import Rq

SYSCTL_SCHED_MIGRATION_COST_NS: Final = 500_000  # ran more recently than this: cache-hot
CACHE_NICE_TRIES: Final = 1  # passes that fail before cache-hot tasks may go
SCHED_NR_MIGRATE: Final = 32  # how many tasks one balancing pass looks at


def may_run_on(p: "CpuTask", cpu: int) -> bool:
    """Tell whether the affinity of ``p`` has ``cpu`` in it."""
    return p.cpus_allowed is None or cpu in p.cpus_allowed


def task_hot(rq: "Rq", p: "CpuTask", dest_runs: bool) -> bool:
    """Tell whether much of ``p`` is probably still in the cache of its CPU.

    Args:
        dest_runs: the other CPU has something to run; then those who should be next here are hot.

    Source: kernel/sched/fair.c:task_hot().
    """
    if p.policy == SCHED_IDLE:
        return False
    if dest_runs and (p is rq.cfs.next or p is rq.cfs.last):
        return True
    return rq.clock_ns - p.exec_start_ns < SYSCTL_SCHED_MIGRATION_COST_NS


def detach_tasks(
    rq: "Rq", dest: int, dest_idle: bool, kind: int, imbalance: int, nr_balance_failed: int
) -> tuple[list["CpuTask"], bool]:
    """Take waiting fair tasks worth ``imbalance`` off ``rq`` for CPU ``dest``.

    At most 32 are looked at, the one that ran longest ago first; who has been looked at and stays
    is looked at last the next time. Not taken are: the running one, those whose affinity forbids it
    (per-CPU kernel threads are among them), the cache-hot until enough passes have failed, and a
    task heavier than the imbalance, halved for each failed pass. An idle CPU leaves one task.

    Args:
        kind: MIGRATE_LOAD, ``imbalance`` is in load; MIGRATE_TASK, in tasks.

    Returns:
        The tasks, dequeued and on no queue; and whether there was none that may run on ``dest``.

    Source: kernel/sched/fair.c:detach_tasks(), can_migrate_task().
    """
    cfs = rq.cfs
    tasks = cfs.tasks
    force = nr_balance_failed > CACHE_NICE_TRIES
    detached: list[CpuTask] = []
    all_pinned = True
    for _ in range(min(SCHED_NR_MIGRATE, rq.nr_running)):
        if not tasks or (dest_idle and rq.nr_running <= 1):
            break
        p = next(iter(tasks))
        tasks.move_to_end(p)
        if not may_run_on(p, dest):
            continue
        all_pinned = False
        if p is rq.curr or (not force and task_hot(rq, p, not dest_idle)):
            continue
        if kind == MIGRATE_LOAD:
            if p.weight >> nr_balance_failed > imbalance:
                continue
            imbalance -= p.weight
        else:
            imbalance -= 1
        p.sched_class.dequeue_task(rq, p, DEQUEUE_MOVE)  # type: ignore[union-attr]
        detached.append(p)
        if imbalance <= 0:
            break
    return detached, all_pinned
