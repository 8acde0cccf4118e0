"""Which tasks leave the busiest queue for another CPU, and how they are taken off it.

Source: kernel/sched/fair.c (can_migrate_task, task_hot, detach_tasks) of Linux 6.1.
"""

from typing import TYPE_CHECKING, Final

from kernel.messages import (
    MIGRATE_H_LOAD,
    MIGRATE_LOAD,
    MIGRATE_TASK,
    MIGRATE_UTIL,
    PINNED_ALL,
    PINNED_SOME,
)
from kernel.sched.core import deactivate_task, is_cpu_allowed
from kernel.sched.sched_class import DEQUEUE_MOVE, SCHED_NR_MIGRATE
from kernel.uapi.policy import SCHED_NORMAL

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.rq import Rq

CACHE_NICE_TRIES: Final = 1  # passes that fail before cache-hot tasks may go


def detach_tasks(
    rq: "Rq",
    dest: int,
    dest_idle: int,
    kind: int,
    imbalance: int,
    nr_balance_failed: int,
    tries: int = CACHE_NICE_TRIES,
) -> tuple[list["CpuTask"], int]:
    """Take waiting fair tasks worth ``imbalance`` off ``rq`` for CPU ``dest``.

    At most 32 are looked at, the one that ran longest ago first; who has been looked at and stays
    is looked at last the next time. Not taken are: the running one, those whose affinity forbids it
    (per-CPU kernel threads are among them), the cache-hot until enough passes have failed, and a
    task heavier than the imbalance, halved for each failed pass. An idle CPU leaves one task.

    Args:
        dest_idle: 0 it runs something, 1 it idles, 2 it has just begun to: then one task goes.
        kind: MIGRATE_LOAD, MIGRATE_H_LOAD (the machine has groups), MIGRATE_UTIL, MIGRATE_TASK: in
            what ``imbalance`` counts. MIGRATE_MISFIT is about the running one.
        tries: so many passes fail before cache-hot tasks go.

    Returns:
        The tasks, dequeued and on no queue; and PINNED_ALL if there was none that may run on
        ``dest``, PINNED_SOME if there were some, and more should have gone.

    Source: kernel/sched/fair.c:detach_tasks(), can_migrate_task().
    """
    cls = rq.class_of[SCHED_NORMAL]
    force = nr_balance_failed > tries
    detached: list[CpuTask] = []
    all_pinned, some_pinned = True, False
    for _ in range(min(SCHED_NR_MIGRATE, rq.nr_running)):
        if dest_idle and rq.nr_running <= 1:
            break
        p = cls.migration_candidate(rq)
        if p is None:
            break
        if not is_cpu_allowed(p, dest):
            some_pinned = True
            continue
        all_pinned = False
        if p is rq.curr or (not force and cls.task_hot(rq, p, not dest_idle)):
            continue
        worth = _worth(rq, p, kind)
        if worth < 0 or (kind != MIGRATE_TASK and worth >> nr_balance_failed > imbalance):
            continue
        imbalance -= worth
        deactivate_task(rq, p, DEQUEUE_MOVE)
        detached.append(p)
        if imbalance <= 0 or dest_idle == 2:
            break
    if all_pinned:
        return detached, PINNED_ALL
    return detached, PINNED_SOME if some_pinned and imbalance > 0 else 0


def _worth(rq: "Rq", p: "CpuTask", kind: int) -> int:
    """Return what ``p`` counts in an imbalance of this kind; -1: it stays.

    Source: kernel/sched/fair.c:detach_tasks(), task_h_load().
    """
    if kind == MIGRATE_TASK:
        return 1
    if kind == MIGRATE_LOAD:
        if p.avg is not None:
            return max(1, p.avg.load_avg)
        return rq.class_of[SCHED_NORMAL].task_load(p)
    if kind == MIGRATE_H_LOAD:
        cls = rq.class_of[SCHED_NORMAL]
        load = cls.task_h_load(rq, p)
        if p.avg is not None:
            load = load * p.avg.load_avg // cls.task_load(p)
        return max(1, load)
    if kind == MIGRATE_UTIL:
        return 0 if p.avg is None else p.avg.util_avg
    return -1
