"""Invariants of one runqueue."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.sched.rq import Rq


def check_rq(rq: "Rq", found: list[str]) -> None:
    """One runqueue: counts, order, weights, and that the tasks on it know it."""
    cfs = rq.cfs
    where = f"cpu {rq.cpu}"
    curr = cfs.curr if cfs.curr is not None and cfs.curr.on_rq else None
    queued = [task for _, _, task in cfs.timeline]
    runnable = queued if curr is None else [*queued, curr]
    if cfs.nr_running != len(runnable):
        found.append(f"{where}: nr_running of cfs is {cfs.nr_running}, {len(runnable)} tasks found")
    real_time = [task for queue in rq.rt.active.values() for task in queue] if rq.rt else []
    if rq.rt is not None and rq.rt.nr_running != len(real_time):
        found.append(f"{where}: nr_running of rt is {rq.rt.nr_running}, {len(real_time)} found")
    found += [
        f"{where}: {task!r} is in the wrong real-time list"
        for task in real_time
        if not task.on_rq or task not in rq.rt.active.get(task.rt_priority, ())  # type: ignore[union-attr]
    ]
    total = len(runnable) + len(real_time)
    if rq.nr_running != total:
        found.append(f"{where}: nr_running is {rq.nr_running}, {total} tasks found")
    load = sum(task.weight for task in runnable)
    if cfs.load_weight != load:
        found.append(f"{where}: load is {cfs.load_weight}, the weights add up to {load}")
    if cfs.tasks.keys() != dict.fromkeys(runnable).keys():
        found.append(f"{where}: the balancing list does not hold the tasks of the queue")
    for index, (vruntime, seq, task) in enumerate(cfs.timeline):
        if (task.vruntime, task.seq) != (vruntime, seq):
            found.append(f"{where}: {task!r} is queued at a vruntime it no longer has")
        if not task.on_rq:
            found.append(f"{where}: {task!r} is queued and not on_rq")
        if task is curr:
            found.append(f"{where}: {task!r} is queued and current at once")
        if index and cfs.timeline[index - 1][:2] >= (vruntime, seq):
            found.append(f"{where}: {task!r} is out of order")
    if rq.curr in real_time:
        if cfs.curr is not None:
            found.append(f"{where}: a real-time task runs and {cfs.curr!r} does, too")
    elif rq.curr is not rq.idle and cfs.curr is not rq.curr:
        found.append(f"{where}: current is {rq.curr!r}, the fair class says {cfs.curr!r}")
