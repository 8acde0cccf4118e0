"""Invariants of one runqueue: counts, and what each class says of its part."""

from typing import TYPE_CHECKING

from kernel.sched.pelt import LOAD_AVG_MAX, UNATTACHED, PeltRq, SchedAvg
from kernel.sched.sched_class import FAIR_RANK

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.rq import Rq


def check_rq(rq: "Rq", found: list[str]) -> None:
    """Append a line to ``found`` for everything that is wrong with ``rq``."""
    where = f"cpu {rq.cpu}"
    total = 0
    for cls in rq.classes:
        cls.check(rq, found)
        if cls is rq.idle.sched_class:
            continue
        total += rq.of[cls.rank].nr_running
        for task in cls.queued(rq):
            if not task.on_rq:
                found.append(f"{where}: {task!r} is queued and not on_rq")
            if task.sched_class is not cls:
                found.append(f"{where}: {task!r} is queued in the class {cls.name}, not its own")
    if rq.pelt is not None:
        check_pelt(rq, rq.pelt, found)
    if rq.nr_running != total:
        found.append(f"{where}: nr_running is {rq.nr_running}, {total} tasks found")


def check_pelt(rq: "Rq", pelt: PeltRq, found: list[str]) -> None:
    """What counts as runnable is what is queued, and no average is greater than it can be."""
    where = f"cpu {rq.cpu}"
    weight = number = 0
    for cls in rq.classes:
        if cls.rank == FAIR_RANK:
            tasks = cls.queued(rq)
            if rq.curr.sched_class is cls and rq.curr not in tasks and _counts(rq.curr):
                tasks = [*tasks, rq.curr]
            for task in tasks:
                sa: SchedAvg | None = task.avg
                number += 1
                if sa is None or sa.last_update_ns == UNATTACHED:
                    found.append(f"{where}: {task!r} is queued without averages")
                else:
                    weight += sa.weight
                    if sa.util_sum > LOAD_AVG_MAX << 10 or sa.runnable_sum > LOAD_AVG_MAX << 10:
                        found.append(f"{where}: {task!r} was more than always runnable")
    if (pelt.weight, pelt.nr_runnable) != (weight, number):
        found.append(
            f"{where}: averages of {pelt.nr_runnable} tasks of the weight {pelt.weight}, "
            f"{number} of {weight} are queued"
        )


def _counts(p: "CpuTask") -> bool:
    return p.on_rq and not p.parked
