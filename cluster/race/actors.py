"""Who takes a step: the number by which schedules, strategies and explorers know it.

A task's path in the kernel has the number of the task, its pid. A path that a timer has begun, for
a task that has a path of its own meanwhile or for init that starts two programs at once, is an
actor of its own, and so is each of a CPU's stores that may become visible before or after another,
and each further way to do the access a path stands at: their ``branch`` tells them apart
(``kernel.drive.active_path``, ``kernel.memory.drains``, ``kernel.drive.ways``). No two that can go
at the same time have one number, and each has the same in all runs in which it does the same.
"""

from typing import Final

from kernel.drive.chooser import Choice
from kernel.drive.ways import WAYS

PIDS: Final = 1 << 22  # Linux's PID_MAX_LIMIT: all pids are below
_CPUS: Final = 1 << 16


def actor_of(entry: Choice) -> int:
    """Return the actor of what can go next: of a path at least 0, of a store below 0."""
    task = entry.task
    if task is None:
        return -1 - entry.cpu - entry.branch * _CPUS
    return int(task.pid) + entry.branch * PIDS


def actor_told(actor: int) -> str:
    """Return who an actor is, in words: ``task:3``, ``timer 1 of task:3``, ``stores of cpu 0``."""
    if actor < 0:
        branch, cpu = divmod(-1 - actor, _CPUS)
        return f"stores of cpu {cpu}" + (f" (place {branch + 1})" if branch else "")
    branch, pid = divmod(actor, PIDS)
    way, branch = divmod(branch, WAYS)
    who = f"task:{pid}"
    if branch:  # timers of init are those that start programs
        who = f"start {branch} by init" if pid == 1 else f"timer {branch} of {who}"
    return f"{who} (way {way})" if way else who


def in_memory_order(actor: int) -> int:
    """Return the actor that does the same as memory has it, in no other way."""
    if actor < 0:
        return actor
    branch, pid = divmod(actor, PIDS)
    return pid + branch % WAYS * PIDS
