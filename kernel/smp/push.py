"""Real-time tasks and CPUs: the kernel's half of ``kernel.sched.rt``.

As many CPUs as there are must run the real-time tasks of the highest priorities. A task that wakes
goes to the CPU it was on if it can run there, else to the one that runs the least urgent work; and
whenever a real-time task comes, goes or changes, those that wait behind others are pushed to CPUs
that run something less urgent. KernelState sees who is runnable where, not who runs: a CPU that is
told to give away the task it runs gives one of its equals instead, or nothing.

Source: kernel/sched/rt.c (select_task_rq_rt, find_lowest_rq, push_rt_task, pull_rt_task),
kernel/sched/cpupri.c.
"""

from typing import TYPE_CHECKING

from kernel.bits import find_first_bit
from kernel.messages import eff_tune_push
from kernel.process.attrs import attrs_of
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def _priorities(k: "Kernel", but: TaskStruct | None) -> list[int]:
    """Return the highest real-time priority that is runnable on each CPU, 0 for none."""
    highest = [0] * k.spec.cpus
    for task in k.rt_tasks:
        if task.on_rq and task is not but:
            priority = attrs_of(task).rt_priority
            if priority > highest[task.cpu]:
                highest[task.cpu] = priority
    return highest


def find_lowest_rq(k: "Kernel", task: TaskStruct, highest: list[int], near: int) -> int:
    """Return the CPU that runs the least urgent work, less urgent than ``task``; -1 for none.

    Args:
        highest: real-time priorities by CPU.
        near: preferred among equals; then the one with the fewest tasks.

    Source: kernel/sched/rt.c:find_lowest_rq().
    """
    attrs = attrs_of(task)
    best = -1
    best_key = (0, 0, 0, 0)
    for cpu, priority in enumerate(highest):
        if priority >= attrs.rt_priority or (attrs.cpus_mask and not attrs.cpus_mask >> cpu & 1):
            continue
        key = (priority, k.load.nr_running[cpu], cpu != near, cpu)
        if best < 0 or key < best_key:
            best, best_key = cpu, key
    return best


def select_task_rq_rt(k: "Kernel", task: TaskStruct, previous: int) -> int:
    """Return the CPU for a real-time task that wakes or starts: ``previous`` if it can run there.

    Source: kernel/sched/rt.c:select_task_rq_rt().
    """
    attrs = attrs_of(task)
    highest = _priorities(k, task)
    allowed = not attrs.cpus_mask or attrs.cpus_mask >> previous & 1
    if allowed and highest[previous] < attrs.rt_priority:
        return previous
    cpu = find_lowest_rq(k, task, highest, previous)
    if cpu >= 0:
        return cpu
    if allowed:
        return previous
    return find_first_bit(attrs.cpus_mask)


def push_rt_tasks(k: "Kernel") -> None:
    """Send real-time tasks that wait to CPUs that run something less urgent.

    Source: kernel/sched/rt.c:push_rt_tasks(), pull_rt_task().
    """
    runnable = [task for task in k.rt_tasks if task.on_rq]
    if len(runnable) < 2:
        return
    highest = _priorities(k, None)
    runnable.sort(key=lambda task: -attrs_of(task).rt_priority)
    seen = 0  # CPUs whose most urgent task has been passed
    for task in runnable:
        if not seen >> task.cpu & 1:
            seen |= 1 << task.cpu
            continue
        cpu = find_lowest_rq(k, task, highest, k.cpu)
        if cpu >= 0:
            highest[cpu] = attrs_of(task).rt_priority
            k.send(task.cpu, eff_tune_push(k.stamp(task), task.pid, cpu))
