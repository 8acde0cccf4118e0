"""Per-CPU kernel threads: one thread of a kind for every CPU, parked while its CPU is not in use.

The threads of boot do what their names say only where there is something to do: here there are
no soft interrupts, no CPU hotplug, and a task that must leave its CPU is moved by that CPU itself.
So they sleep; but they are there to be seen, counted, parked and woken. Which ones a kernel has
depends on its version. They are made at boot if the configuration wants them (``kthreads``), all
together, before time begins.

Source: kernel/smpboot.c, kernel/softirq.c, kernel/stop_machine.c, kernel/cpu.c.
Deviation: migration/N is a normal task here, not one of the stop class.
"""

from typing import TYPE_CHECKING

from kernel.points import SCHEDULE, Path
from kernel.process.kthread import (
    Kthread,
    kthread_parkme,
    kthread_set_per_cpu,
    kthread_should_park,
    kthread_should_stop,
)
from kernel.smp.ttwu import set_current_state
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING, TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def smpboot_register_percpu_thread(k: "Kernel", task: TaskStruct, cpu: int) -> Path[int]:
    """Make ``task`` the thread of one CPU; return the path that it runs.

    Source: kernel/smpboot.c:__smpboot_create_thread().
    """
    task.kthread = Kthread(None, cpu, task.comm)
    kthread_set_per_cpu(task, cpu)
    return smpboot_thread_fn(k)


def smpboot_thread_fn(k: "Kernel") -> Path[int]:
    """Sleep, unless there is to be parked or stopped: there is never anything else to do.

    Source: kernel/smpboot.c:smpboot_thread_fn().
    """
    while True:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        if kthread_should_stop(k):
            yield from set_current_state(k, TASK_RUNNING)
            return 0
        if kthread_should_park(k):
            yield from set_current_state(k, TASK_RUNNING)
            yield from kthread_parkme(k)
            continue
        yield "smpboot_thread_fn.schedule", SCHEDULE, None
