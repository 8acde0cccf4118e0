"""Invariants of the load table, of real-time tasks, and of where each task is.

A task's two halves agree once no message about the task is on its way: what KernelState counts as
runnable on a CPU is on that CPU's queue or its current task, what sleeps is parked on the CPU that
ran it last, and no CPU has a half of a task that KernelState does not know. At no time do two CPUs
have the same task.

Source: kernel/sched/core.c; Linux's rule is that a task never runs, nor sits on two queues, on two
CPUs at once.
"""

from typing import TYPE_CHECKING, Any

from kernel.cpu.places import CpuPlaces, Half, subjects
from kernel.task import TASK_DEAD, TASK_NEW, TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def check_load_table(k: "Kernel", found: list[str]) -> None:
    """The load table and the summaries kept beside it."""
    overloaded = 0
    idle_mask = busy_mask = 0
    for cpu, number in enumerate(k.load.nr_running):
        if number < -k.load.pulls_out:  # what was counted as moved may have gone to sleep instead
            found.append(f"load table: cpu {cpu} has {number} runnable tasks")
        if number >= 2:
            overloaded += 1
            busy_mask |= 1 << cpu
        elif number == 0:
            idle_mask |= 1 << cpu
    if overloaded != k.load.overloaded:
        found.append(f"load table: {k.load.overloaded} overloaded cpus counted, {overloaded} found")
    if idle_mask != k.load.idle_mask:
        found.append(f"load table: idle mask is {k.load.idle_mask:#x}, should be {idle_mask:#x}")
    if busy_mask != k.load.busy_mask:
        found.append(f"load table: busy mask is {k.load.busy_mask:#x}, should be {busy_mask:#x}")


def check_classes(k: "Kernel", tasks: list[TaskStruct], found: list[str]) -> None:
    """Who is a member of a scheduling class; parameters go with policies, masks name CPUs."""
    table = k.sched
    online = (1 << k.spec.cpus) - 1
    for task in tasks:
        attrs = task.attrs
        if attrs is None:
            continue
        if attrs.cpus_mask & ~online:
            found.append(f"{task!r}: may use cpus {attrs.cpus_mask:#x} of {online:#x}")
        half = table.by_policy[attrs.policy]
        least, greatest = half.priorities
        if not least <= attrs.rt_priority <= greatest:
            found.append(f"{task!r}: policy {attrs.policy} with priority {attrs.rt_priority}")
        alive = task.state not in (TASK_NEW, TASK_DEAD) and not task.exit_state
        if alive and half is not table.fair and task not in table.members[half.rank]:
            found.append(f"{task!r}: is not on the list of {table.titles[half.rank]} tasks")
    found += [
        f"{task!r}: is on the list of {table.titles[half.rank]} tasks"
        for half in table.halves
        for task in table.members[half.rank]
        if task.state == TASK_DEAD or table.of(task) is not half
    ]


def check_places(
    k: "Kernel",
    cpus: tuple[CpuPlaces, ...],
    in_flight: tuple[tuple[Any, ...], ...],
    found: list[str],
) -> None:
    """Every task is in one place, and both its halves say the same place."""
    moving, carried, anything = _on_the_way(k, cpus, in_flight)
    holder: dict[int, int] = dict.fromkeys(carried, -1)
    if len(holder) != len(carried):
        found.append(f"a task is on its way twice: {sorted(carried)}")
    halves: dict[int, Half] = {}
    for cpu in cpus:
        found += cpu.found
        for half in cpu.halves:
            pid = half.filed
            if half.pid != pid:
                found.append(f"cpu {cpu.cpu}: {half!r} is filed under {pid}")
            if pid in holder:
                other = "on its way" if holder[pid] < 0 else f"on cpu {holder[pid]}"
                found.append(f"{half!r} is on cpu {cpu.cpu} and {other} at once")
            holder[pid] = cpu.cpu
            halves[pid] = half
    for pid, cpu_id in holder.items():
        if pid not in moving and cpu_id >= 0:
            _check_halves(k, cpu_id, halves[pid], found)
    for pid, entry in k.pids.hash.items():
        task = entry.task
        if task is None or pid in moving or pid in holder:
            continue
        if task.state not in (TASK_NEW, TASK_DEAD):
            found.append(f"{task!r} is on no cpu and on no way to one")
    if anything:
        return
    table = k.load.nr_running
    found += [
        f"cpu {cpu.cpu}: {cpu.nr_running} runnable tasks, the kernel counts {table[cpu.cpu]}"
        for cpu in cpus
        if cpu.nr_running != table[cpu.cpu]
    ]


def _check_halves(k: "Kernel", cpu: int, half: Half, found: list[str]) -> None:
    """The half on ``cpu`` and the one in the kernel tell the same."""
    entry = k.pids.hash.get(half.filed)
    task = None if entry is None else entry.task
    if task is None:
        found.append(f"cpu {cpu}: {half!r} is a task the kernel does not know")
        return
    if task.state == TASK_DEAD:
        found.append(f"cpu {cpu}: {half!r} is dead and still there")
        return
    if task.cpu != cpu:
        found.append(f"{task!r} is on cpu {cpu}, the kernel says on {task.cpu}")
    if task.on_rq != half.on_rq:
        found.append(f"{task!r} on cpu {cpu}: on_rq is {half.on_rq}, the kernel says {task.on_rq}")
    if half.tgid != (task.tgid if task.thread_pid.numbers is None else 0):
        found.append(f"{task!r} on cpu {cpu}: tgid is {half.tgid}")


def _on_the_way(
    k: "Kernel", cpus: tuple[CpuPlaces, ...], in_flight: tuple[tuple[Any, ...], ...]
) -> tuple[set[int], list[int], bool]:
    """Return pids that messages are about, pids whose CPU half travels, and whether any does."""
    effects = [effect for box in k.outbox.values() for effect in box]
    effects += [message[1] for message in in_flight if len(message) == 2]
    requests = [*k.requests, *(message for message in in_flight if len(message) != 2)]
    about, carried = subjects(effects, requests)
    moving = set(about)
    moving.update(path.task.pid for path in k.active)
    for cpu in cpus:
        moving.update(cpu.moving)
        carried += cpu.carried
    anything = bool(effects or requests or k.active) or any(cpu.busy for cpu in cpus)
    return moving, carried, anything
