"""Invariants of runqueues, of the load table, and of where each task is.

A task's two halves agree once no message about the task is on its way: what KernelState counts as
runnable on a CPU is on that CPU's queue or its current task, what sleeps is parked on the CPU that
ran it last, and no CPU has a half of a task that KernelState does not know. At no time do two CPUs
have the same task.

Source: kernel/sched/core.c; Linux's rule is that a task never runs, nor sits on two queues, on two
CPUs at once.
"""

from typing import TYPE_CHECKING, Any

from kernel.messages import ARRIVE, EFF_EXEC, EFF_FORK, R_PID
from kernel.task import TASK_DEAD, TASK_NEW

if TYPE_CHECKING:
    from kernel.cpu import Cpu
    from kernel.sched.rq import Rq
    from kernel.state import KernelState


def check_load_table(k: "KernelState", found: list[str]) -> None:
    """The load table and the two summaries kept beside it."""
    overloaded = 0
    idle_mask = 0
    for cpu, number in enumerate(k.nr_running):
        if number < 0:
            found.append(f"load table: cpu {cpu} has {number} runnable tasks")
        if number >= 2:
            overloaded += 1
        elif number == 0:
            idle_mask |= 1 << cpu
    if overloaded != k.overloaded:
        found.append(f"load table: {k.overloaded} overloaded cpus counted, {overloaded} found")
    if idle_mask != k.idle_mask:
        found.append(f"load table: idle mask is {k.idle_mask:#x}, should be {idle_mask:#x}")


def check_rq(rq: "Rq", found: list[str]) -> None:
    """One runqueue: counts, order, weights, and that the tasks on it know it."""
    cfs = rq.cfs
    where = f"cpu {rq.cpu}"
    curr = cfs.curr if cfs.curr is not None and cfs.curr.on_rq else None
    queued = [task for _, _, task in cfs.timeline]
    runnable = queued if curr is None else [*queued, curr]
    if cfs.nr_running != len(runnable):
        found.append(f"{where}: nr_running of cfs is {cfs.nr_running}, {len(runnable)} tasks found")
    if rq.nr_running != len(runnable):
        found.append(f"{where}: nr_running is {rq.nr_running}, {len(runnable)} tasks found")
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
    if rq.curr is not rq.idle and cfs.curr is not rq.curr:
        found.append(f"{where}: current is {rq.curr!r}, the fair class says {cfs.curr!r}")


def check_places(
    k: "KernelState",
    cpus: "tuple[Cpu, ...]",
    in_flight: tuple[tuple[Any, ...], ...],
    found: list[str],
) -> None:
    """Every task is in one place, and both its halves say the same place."""
    moving, carried, anything = _on_the_way(k, cpus, in_flight)
    holder: dict[int, int] = dict.fromkeys(carried, -1)
    if len(holder) != len(carried):
        found.append(f"a task is on its way twice: {sorted(carried)}")
    for cpu in cpus:
        check_rq(cpu.rq, found)
        _check_cpu(cpu, found)
        for pid, half in cpu.tasks.items():
            if half.pid != pid:
                found.append(f"cpu {cpu.id}: {half!r} is filed under {pid}")
            if pid in holder:
                other = "on its way" if holder[pid] < 0 else f"on cpu {holder[pid]}"
                found.append(f"{half!r} is on cpu {cpu.id} and {other} at once")
            holder[pid] = cpu.id
    by_id = {cpu.id: cpu for cpu in cpus}
    for pid, cpu_id in holder.items():
        if pid not in moving and cpu_id >= 0:
            _check_halves(k, by_id[cpu_id], pid, found)
    for pid, entry in k.pids.hash.items():
        task = entry.task
        if task is None or pid in moving or pid in holder:
            continue
        if task.state not in (TASK_NEW, TASK_DEAD):
            found.append(f"{task!r} is on no cpu and on no way to one")
    if anything:
        return
    found += [
        f"cpu {cpu.id}: {cpu.rq.nr_running} runnable tasks, "
        f"the kernel counts {k.nr_running[cpu.id]}"
        for cpu in cpus
        if cpu.rq.nr_running != k.nr_running[cpu.id]
    ]


def _check_cpu(cpu: "Cpu", found: list[str]) -> None:
    """The tasks on a CPU's queue are those it has; no time is accounted for twice."""
    stats = cpu.stats
    spent = stats.user_ns + stats.system_ns + stats.idle_ns
    if spent > cpu.now_ns:  # less is possible: a tick's cost is charged to nobody
        found.append(f"cpu {cpu.id}: clock at {cpu.now_ns}, user, system and idle make {spent}")
    curr = cpu.rq.curr
    if curr is not cpu.rq.idle and cpu.tasks.get(curr.pid) is not curr:
        found.append(f"cpu {cpu.id}: current {curr!r} is not one of its tasks")
    for _, _, half in cpu.rq.cfs.timeline:
        if cpu.tasks.get(half.pid) is not half:
            found.append(f"cpu {cpu.id}: queued {half!r} is not one of its tasks")
    queued = {half.pid for _, _, half in cpu.rq.cfs.timeline}
    for half in cpu.tasks.values():
        if half.on_rq and half is not curr and half.pid not in queued:
            found.append(f"cpu {cpu.id}: {half!r} is on_rq, but neither queued nor current")
        if half is curr and not half.on_rq:
            found.append(f"cpu {cpu.id}: current {half!r} is not on_rq")


def _check_halves(k: "KernelState", cpu: "Cpu", pid: int, found: list[str]) -> None:
    """The half on ``cpu`` and the one in the kernel tell the same."""
    half = cpu.tasks[pid]
    entry = k.pids.hash.get(pid)
    task = None if entry is None else entry.task
    if task is None:
        found.append(f"cpu {cpu.id}: {half!r} is a task the kernel does not know")
        return
    if task.state == TASK_DEAD:
        found.append(f"cpu {cpu.id}: {half!r} is dead and still there")
        return
    if task.cpu != cpu.id:
        found.append(f"{task!r} is on cpu {cpu.id}, the kernel says on {task.cpu}")
    if task.on_rq != half.on_rq:
        found.append(
            f"{task!r} on cpu {cpu.id}: on_rq is {half.on_rq}, the kernel says {task.on_rq}"
        )
    if task.tgid != half.tgid:
        found.append(f"{task!r} on cpu {cpu.id}: tgid is {half.tgid}")


def _on_the_way(
    k: "KernelState", cpus: "tuple[Cpu, ...]", in_flight: tuple[tuple[Any, ...], ...]
) -> tuple[set[int], list[int], bool]:
    """Return pids that messages are about, pids whose CPU half travels, and whether any does."""
    moving: set[int] = set()
    carried: list[int] = []
    anything = False
    effects: list[tuple[Any, ...]] = []
    for box in k._outbox.values():
        effects += box
    for cpu in cpus:
        effects += [effect for _, _, effect in cpu._inbox]
        effects += [effect for _, effect in cpu.forwards]
        for early in cpu._early.values():
            effects += early
        moving.update(cpu._moved)
        moving.update(request[R_PID] for request in cpu.out)
        anything = anything or bool(cpu.out)
    moving.update(request[R_PID] for request in k._requests)
    moving.update(path.task.pid for path in k._active)
    anything = anything or bool(k._requests) or bool(k._active)
    for message in in_flight:
        if len(message) == 2:
            effects.append(message[1])
        else:
            moving.add(message[R_PID])
            anything = True
    for effect in effects:
        anything = True
        code, pid = effect[1], effect[2]
        moving.add(pid)
        if code == ARRIVE:
            carried.append(pid)
        elif code in (EFF_FORK, EFF_EXEC):
            moving.add(effect[3])  # the child, the new number
    return moving, carried, anything
