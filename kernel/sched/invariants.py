"""Invariants of one runqueue: counts, and what each class says of its part."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    if rq.nr_running != total:
        found.append(f"{where}: nr_running is {rq.nr_running}, {total} tasks found")
