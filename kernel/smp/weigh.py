"""What tasks, CPUs and spans of CPUs weigh in balancing and placement.

Source: kernel/sched/fair.c (task_h_load, cpu_load, update_sg_lb_stats).
"""

from typing import TYPE_CHECKING

from kernel.process.attrs import attrs_of
from kernel.sched.weights import NICE_0_LOAD
from kernel.smp.throttled import throttled_hierarchy
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def task_load(k: "Kernel", task: TaskStruct) -> int:
    """Return what ``task`` weighs, as its class says. Source: kernel/sched/fair.c:task_h_load()."""
    return k.sched.of(task).task_load(task, attrs_of(task))


def note_load(k: "Kernel", task: TaskStruct) -> None:
    """Keep ``k.uneven`` after a change of ``task``: by how much the load is not that of nice 0."""
    extra = task_load(k, task) - NICE_0_LOAD
    before = k.uneven.get(task, 0)
    if extra:
        k.uneven[task] = extra
    elif before:
        del k.uneven[task]
    if task.on_rq and extra != before:
        _add(k, task.cpu, extra - before)


def _add(k: "Kernel", cpu: int, extra: int) -> None:
    """Add to what ``cpu`` has more in ``k.uneven_cpus``, which has no zeros."""
    more = k.uneven_cpus.get(cpu, 0) + extra
    if more:
        k.uneven_cpus[cpu] = more
    else:
        del k.uneven_cpus[cpu]


def set_on_rq(k: "Kernel", task: TaskStruct, on_rq: bool) -> None:
    """``task`` becomes runnable on its CPU, or ceases to be; the load table is another matter."""
    if task.on_rq is not on_rq and k.uneven:
        extra = k.uneven.get(task, 0)
        if extra:
            _add(k, task.cpu, extra if on_rq else -extra)
    task.on_rq = on_rq


def set_task_cpu(k: "Kernel", task: TaskStruct, cpu: int) -> None:
    """``task`` is on ``cpu`` from now on. Source: kernel/sched/core.c:set_task_cpu()."""
    if task.on_rq and task.cpu != cpu and k.uneven:
        extra = k.uneven.get(task, 0)
        if extra:
            _add(k, task.cpu, -extra)
            _add(k, cpu, extra)
    task.cpu = cpu


def uneven_loads(k: "Kernel") -> dict[int, int]:
    """Return by CPU what its load is more than its number of tasks says; those with 0 are left out.

    With it, ``cpu_load`` and ``span_load`` need not look at tasks. It stays as it is now. Throttled
    tasks are runnable and in ``k.uneven_cpus``, but do not count in the load table: this is the one
    place that leaves them out here, too.
    """
    more = k.uneven_cpus.copy()
    if k.groups.throttled:
        for task, extra in k.uneven.items():
            if task.on_rq and throttled_hierarchy(k, task, task.cpu):
                more[task.cpu] = more.get(task.cpu, 0) - extra
        more = {cpu: extra for cpu, extra in more.items() if extra}
    return more


def sum_uneven(k: "Kernel") -> dict[int, int]:
    """Return what ``k.uneven_cpus`` must be, by a look at all tasks.

    It is of who is runnable, throttled or not.
    """
    more: dict[int, int] = {}
    for task, extra in k.uneven.items():
        if task.on_rq:
            more[task.cpu] = more.get(task.cpu, 0) + extra
    return {cpu: extra for cpu, extra in more.items() if extra}


def cpu_load(k: "Kernel", cpu: int, more: dict[int, int]) -> int:
    """Return the load of a CPU. Source: kernel/sched/fair.c:cpu_load()."""
    return NICE_0_LOAD * k.load.nr_running[cpu] + more.get(cpu, 0)


def span_load(k: "Kernel", span: int, more: dict[int, int]) -> int:
    """Return the load of the CPUs of a mask. Source: kernel/sched/fair.c:update_sg_lb_stats()."""
    load = NICE_0_LOAD * k.load.running_in(span)
    if not more:
        return load
    if span.bit_count() < len(more):
        while span:
            load += more.get(span.bit_length() - 1, 0)
            span ^= 1 << span.bit_length() - 1
        return load
    for cpu, extra in more.items():
        if span >> cpu & 1:
            load += extra
    return load
