"""A task goes from one group to another.

Source: kernel/sched/core.c:sched_move_task().
"""

from typing import TYPE_CHECKING

from kernel.cpu.task import CpuTask
from kernel.sched.core import class_of, dequeue_task, enqueue_task
from kernel.sched.sched_class import DEQUEUE_MOVE

if TYPE_CHECKING:
    from kernel.sched.rq import Rq


def sched_move_task(rq: "Rq", p: CpuTask, group: tuple[int, ...]) -> None:
    """Let ``p``, which is on ``rq`` or sleeps there, belong to another group.

    Source: kernel/sched/core.c:sched_move_task().
    """
    if p.group == group:
        return
    cls = class_of(rq, p)
    if not cls.takes_groups:
        p.group = group
        return
    running = rq.curr is p
    queued = p.on_rq
    if queued:
        dequeue_task(rq, p, DEQUEUE_MOVE)
    else:
        cls.leave_group(rq, p)
    if running:
        cls.put_prev_task(rq, p)
    p.group = group
    if queued:
        enqueue_task(rq, p, 0)
    else:
        cls.join_group(rq, p)
    if running:
        cls.set_next_task(rq, p)
        rq.need_resched = True
    elif rq.curr is rq.idle and rq.nr_running:
        rq.need_resched = True  # its group was throttled, and it is free now
