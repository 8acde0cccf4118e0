"""What sched_rr_get_interval() tells of a fair task: its slice, in whole ticks.

A CPU without a fair task has no slices: the interval of a sleeper there is 0. So is that of EEVDF
as a rule, whose slices are shorter than a tick unless a task has asked for a longer one.

Source: kernel/sched/fair.c:get_rr_interval_fair(), kernel/sched.c:sys_sched_rr_get_interval() of
2.6.11.
Deviation: a task in delayed dequeue is a sleeper here, and does not count for the load of its CPU.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kernel.process.attrs import TaskAttrs
from kernel.sched.cfs import cfs_sched_class
from kernel.sched.cfs_rq import CfsTunables, get_update_sysctl_factor, least_slice, slice_of_load
from kernel.sched.classes import tunables_of
from kernel.sched.eevdf import eevdf_sched_class
from kernel.sched.o1 import o1_sched_class
from kernel.sched.o1_rq import O1Tunables, timeslice, whole_slices
from kernel.sched.weights import weight_of
from kernel.smp.weigh import cpu_load, uneven_loads
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.policy import SCHED_IDLE
from kernel.uapi.prio import DEFAULT_PRIO, MAX_NICE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct


def fair_running(k: "Kernel", cpu: int) -> int:
    """Return how many fair tasks are runnable on ``cpu``."""
    others = sum(
        1 for members in k.sched.members for task in members if task.cpu == cpu and task.on_rq
    )
    return k.load.nr_running[cpu] - others


def get_rr_interval_fair(k: "Kernel", task: "TaskStruct", attrs: TaskAttrs) -> int:
    """Return the slice of ``task`` in ns, in whole ticks; 0 if its class has none.

    Source: kernel/sched/fair.c:get_rr_interval_fair().
    """
    slice_of = _SLICES.get(k.spec.fair)
    if slice_of is None:
        return 0
    tick_ns = NSEC_PER_SEC // k.spec.hz
    return slice_of(k, task, attrs) // tick_ns * tick_ns


def _eevdf(k: "Kernel", task: "TaskStruct", attrs: TaskAttrs) -> int:
    return k.sched.fair.get_params(k, attrs)[0] if fair_running(k, task.cpu) > 0 else 0


def _cfs(k: "Kernel", task: "TaskStruct", attrs: TaskAttrs) -> int:
    number = fair_running(k, task.cpu)
    if number <= 0:
        return 0
    load, weight = cpu_load(k, task.cpu, uneven_loads(k)), weight_of(task.nice, attrs.policy)
    tunables: CfsTunables = tunables_of(k.spec, cfs_sched_class)
    factor = get_update_sysctl_factor(k.spec.cpus)
    latency_ns, least_ns = tunables.latency_ns * factor, tunables.min_granularity_ns * factor
    least = least_ns
    if attrs.policy == SCHED_IDLE:
        least = least_slice(least_ns, number, load)
    if not task.on_rq:
        number += 1
        load += weight
    return max(slice_of_load(latency_ns, least_ns, number, weight, load), least)


def _o1(k: "Kernel", task: "TaskStruct", attrs: TaskAttrs) -> int:
    tunables: O1Tunables = tunables_of(k.spec, o1_sched_class)
    tick_ns = NSEC_PER_SEC // k.spec.hz
    nice = MAX_NICE if attrs.policy == SCHED_IDLE else task.nice
    return timeslice(*whole_slices(tunables, tick_ns), DEFAULT_PRIO + nice) * tick_ns


_SLICES: Final[dict[str, Callable[["Kernel", "TaskStruct", TaskAttrs], int]]] = {
    eevdf_sched_class.name: _eevdf,
    cfs_sched_class.name: _cfs,
    o1_sched_class.name: _o1,
}
