"""A CPU set down as data, and taken up again: the CPUs' part of a checkpoint (decision 7).

Between two steps everything that a CPU will do is in its data: tasks with their contexts, queues,
timers, messages on their way in. What a class keeps packs itself (``Entity``, ``ClassRq``).
Messages stay as they are, with the tasks and contexts some of them carry: what carries messages
from one process to another carries these.
"""

from collections.abc import Callable, Sequence
from heapq import heapify
from typing import TYPE_CHECKING, Any

from kernel.cpu.task import CpuTask
from kernel.sched import core

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu
    from kernel.sched.rq import Rq
    from kernel.user import UserContext


def pack_cpu(cpu: "Cpu") -> list[Any]:
    """Return all of ``cpu``, which is between two steps, as data.

    Its trace is not in it, and what it had to say (``out``, ``forwards``) has been taken.
    """
    if cpu.out or cpu.forwards:
        raise AssertionError(f"cpu {cpu.id} has something to say, and nobody has taken it")
    return [
        cpu.now_ns,
        [[pid, task.pack()] for pid, task in cpu.tasks.items()],
        cpu.packed_clocks(),
        [[at_ns, number, effect] for at_ns, number, effect in cpu.inbox],
        [[pid, effects] for pid, effects in cpu.early.items()],
        [[pid, moved] for pid, moved in cpu.moved.items()],
        cpu.eager,
        cpu.stats.to_plain(),
        _pack_rq(cpu.rq),
    ]


def unpack_cpu(
    cpu: "Cpu", data: Sequence[Any], unpack_context: "Callable[[Any], UserContext]"
) -> None:
    """Make ``cpu``, a new one of the same machine, what ``pack_cpu`` was given.

    ``unpack_context`` makes user contexts of what their ``pack`` returned.
    """
    cpu.now_ns, tasks, clocks, inbox, early, moved, cpu.eager, stats, rq = data
    cpu.tasks = {pid: CpuTask.unpack(packed, unpack_context) for pid, packed in tasks}
    cpu.unpack_clocks(clocks)
    cpu.inbox = [(at_ns, number, tuple(effect)) for at_ns, number, effect in inbox]
    heapify(cpu.inbox)
    cpu.early = {pid: [tuple(effect) for effect in effects] for pid, effects in early}
    cpu.moved = {pid: (dest, unknown) for pid, (dest, unknown) in moved}
    cpu.stats.load_plain(stats)
    _unpack_rq(cpu.rq, rq, cpu.tasks)


def _pack_rq(rq: "Rq") -> list[Any]:
    return [
        rq.clock_ns,
        rq.nr_running,
        rq.nr_switches,
        rq.push_cpu,
        rq.need_resched,
        rq.curr.pid if rq.curr is not rq.idle else None,
        rq.timers.pack(),
        [[cls.rank, rq.of[cls.rank].pack()] for cls in rq.classes],
        None if rq.pelt is None else rq.pelt.pack(),
        None if rq.hrtick is None else rq.hrtick.pack(),
    ]


def _unpack_rq(rq: "Rq", data: Sequence[Any], tasks: dict[int, CpuTask]) -> None:
    (
        rq.clock_ns,
        rq.nr_running,
        rq.nr_switches,
        rq.push_cpu,
        rq.need_resched,
        current,
        timers,
        queues,
        averages,
        hrtick,
    ) = data
    if rq.hrtick is not None:
        rq.hrtick.unpack(hrtick)
    for task in tasks.values():
        if task.on_rq or task.kept:  # a class may have sleepers on its queue, too
            core.class_of(rq, task)  # and its entity with it; the others get theirs when queued
    if current is not None:
        rq.curr = tasks[current]
    rq.timers.unpack(timers)
    if rq.pelt is not None:
        rq.pelt.unpack(averages)
    for rank, queue in queues:
        rq.of[rank].unpack(queue, tasks)
