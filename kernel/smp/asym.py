"""Where a task wakes if CPUs differ in capacity: on one that is large enough for it.

Source: kernel/sched/fair.c (asym_fits_cpu, select_idle_capacity) of Linux 6.12.
Deviation: no energy model, so nothing is put on small CPUs to save power. Real-time and deadline
tasks go by their priority alone, whatever the capacity.
"""

from typing import TYPE_CHECKING

from kernel.bits import find_next_bit_wrap
from kernel.smp.averages import capacity_of, settle_task

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct


def fits_capacity(util: int, capacity: int) -> bool:
    """Tell whether ``util`` leaves a fifth of ``capacity`` free. Source: fair.c:fits_capacity()."""
    return util * 1280 < capacity * 1024


def asym_fits_cpu(k: "Kernel", task: "TaskStruct", cpu: int) -> bool:
    """Tell whether ``cpu`` has a fifth more than ``task`` uses; yes if all CPUs are equal.

    Source: kernel/sched/fair.c:asym_fits_cpu().
    """
    return not k.topology.capacity or fits_capacity(settle_task(k, task).util, capacity_of(k, cpu))


def asym_span(k: "Kernel", cpu: int) -> int:
    """Return the innermost domain of ``cpu`` that has every capacity there is.

    Source: kernel/sched/topology.c:asym_cpu_capacity_classify() (SD_ASYM_CPUCAPACITY_FULL).
    """
    topology = k.topology
    for level in topology.levels:
        span = level.spans[cpu]
        found = {each for other, each in enumerate(topology.capacity) if span >> other & 1}
        if len(found) == len(set(topology.capacity)):
            return span
    return topology.online


def select_idle_capacity(k: "Kernel", task: "TaskStruct", target: int, allowed: int) -> int:
    """Return the first idle CPU from ``target`` on, going round, that ``task`` fits on.

    If it fits on none of them, the one with most capacity; if none idles, ``target``.

    Source: kernel/sched/fair.c:select_idle_capacity().
    """
    util = settle_task(k, task).util
    left = k.load.idle_mask & allowed & asym_span(k, target)
    best, most = target, 0
    start = target
    while left:
        cpu = find_next_bit_wrap(left, start)
        left &= ~(1 << cpu)
        start = (cpu + 1) % k.topology.cpus
        capacity = capacity_of(k, cpu)
        if fits_capacity(util, capacity):
            return cpu
        if capacity > most:
            best, most = cpu, capacity
    return best
