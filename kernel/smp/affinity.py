"""Which CPUs a task may use: its mask, where it goes when it has to leave, and who is told.

Source: kernel/sched/core.c (CPU affinity), lib/cpumask.c.
"""

from typing import TYPE_CHECKING

from kernel.events import TASK_CHANGE
from kernel.messages import eff_tune_affinity
from kernel.process.attrs import attrs_of, new_attrs
from kernel.task import TASK_DEAD, TASK_NEW, TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def on_a_cpu(task: TaskStruct) -> bool:
    """Tell whether some CPU has the other half of ``task``: it has started and is not dead."""
    return task.state not in (TASK_NEW, TASK_DEAD) and not task.exit_state


def set_cpus_allowed_ptr(k: "Kernel", task: TaskStruct, mask: int) -> None:
    """Set the CPUs that ``task`` may use, 0 for all, and tell the CPU it is on. Holds pi_lock.

    Source: kernel/sched/core.c:__set_cpus_allowed_ptr().
    """
    new_attrs(task).cpus_mask = mask
    k.affinity_used = True
    if k.tracing:
        k.emit(TASK_CHANGE, (task.pid, "cpus", f"{mask or k.topology.online:x}"))
    if on_a_cpu(task):
        tell_affinity(k, task)


def tell_affinity(k: "Kernel", task: TaskStruct) -> None:
    """Send ``task``'s mask to the CPU it is on, the CPU to go to if it has to leave first."""
    mask = attrs_of(task).cpus_mask
    allowed: tuple[int, ...] | None = None
    if mask:
        dest = cpumask_any_and_distribute(k, mask, task.cpu)
        others = [cpu for cpu in range(k.spec.cpus) if mask >> cpu & 1 and cpu != dest]
        allowed = (dest, *others)
    k.send(task.cpu, eff_tune_affinity(k.stamp(task), task.pid, allowed))


def cpumask_any_and_distribute(k: "Kernel", mask: int, near: int) -> int:
    """Return the CPU of ``mask`` to use: an idle one at or after ``near``, else the least loaded.

    Source: kernel/sched/core.c:__set_cpus_allowed_ptr_locked(), lib/cpumask.c.
    Deviation: Linux takes the next one in turn, whatever its load.
    """
    idle = k.load.idle_mask & mask
    if idle:
        return k.topology.nearest(idle, near)
    return k.load.least_of(mask, -1)
