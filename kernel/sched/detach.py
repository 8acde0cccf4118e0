"""Which tasks leave the busiest queue for another CPU, and how they are taken off it.

Source: kernel/sched/fair.c (can_migrate_task, task_hot, detach_tasks) of Linux 6.1.
"""

from typing import TYPE_CHECKING, Final

from kernel.messages import MIGRATE_LOAD
from kernel.sched.core import deactivate_task, is_cpu_allowed
from kernel.sched.sched_class import DEQUEUE_MOVE, SCHED_NR_MIGRATE
from kernel.uapi.policy import SCHED_NORMAL

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.rq import Rq

CACHE_NICE_TRIES: Final = 1  # passes that fail before cache-hot tasks may go


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
    cls = rq.class_of[SCHED_NORMAL]
    force = nr_balance_failed > CACHE_NICE_TRIES
    detached: list[CpuTask] = []
    all_pinned = True
    for _ in range(min(SCHED_NR_MIGRATE, rq.nr_running)):
        if dest_idle and rq.nr_running <= 1:
            break
        p = cls.migration_candidate(rq)
        if p is None:
            break
        if not is_cpu_allowed(p, dest):
            continue
        all_pinned = False
        if p is rq.curr or (not force and cls.task_hot(rq, p, not dest_idle)):
            continue
        if kind == MIGRATE_LOAD:
            load = cls.task_load(p)
            if load >> nr_balance_failed > imbalance:
                continue
            imbalance -= load
        else:
            imbalance -= 1
        deactivate_task(rq, p, DEQUEUE_MOVE)
        detached.append(p)
        if imbalance <= 0:
            break
    return detached, all_pinned
