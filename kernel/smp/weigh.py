"""What tasks, CPUs and spans of CPUs weigh in balancing and placement.

Source: kernel/sched/fair.c (task_h_load, cpu_load, update_sg_lb_stats).
"""

from typing import TYPE_CHECKING

from kernel.process.attrs import attrs_of
from kernel.sched.weights import NICE_0_LOAD
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def task_load(k: "Kernel", task: TaskStruct) -> int:
    """Return what ``task`` weighs, as its class says. Source: kernel/sched/fair.c:task_h_load()."""
    return k.sched.of(task).task_load(task, attrs_of(task))


def note_load(k: "Kernel", task: TaskStruct) -> None:
    """Keep ``k.uneven`` after a change of ``task``: by how much the load is not that of nice 0."""
    extra = task_load(k, task) - NICE_0_LOAD
    if extra:
        k.uneven[task] = extra
    else:
        k.uneven.pop(task, None)


def uneven_loads(k: "Kernel") -> dict[int, int]:
    """Return by CPU what its load is more than its number of tasks says; those with 0 are left out.

    With it, ``cpu_load`` and ``span_load`` need not look at tasks.
    """
    more: dict[int, int] = {}
    for task, extra in k.uneven.items():
        if task.on_rq:
            cpu = task.cpu
            more[cpu] = more.get(cpu, 0) + extra
    return more


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
