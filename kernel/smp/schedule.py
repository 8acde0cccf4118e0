"""How the current task leaves its CPU: asleep, for others to run, or for ever.

The CPU's half, which picks the next one, is ``Cpu.switch`` (``kernel.cpu.cpu``).

Source: kernel/sched/core.c (schedule, do_task_dead, finish_task_switch).
"""

from typing import TYPE_CHECKING

from kernel.messages import eff_dead, eff_resched, eff_sleep
from kernel.process.release import put_task_struct
from kernel.smp import averages
from kernel.smp.classes import task_dead
from kernel.smp.load import load_dec
from kernel.smp.throttled import throttled_hierarchy
from kernel.smp.weigh import set_on_rq
from kernel.task import TASK_DEAD, TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.points import Path


def schedule_out(k: "Kernel", task: TaskStruct, path: "Path[object]") -> None:
    """The current task gives up its CPU until somebody wakes it; then ``path`` goes on.

    Source: kernel/sched/core.c:__schedule(), deactivate_task().
    """
    task.path = path
    if k.averages is not None:
        averages.settle_task(k, task)
    set_on_rq(k, task, False)
    task.nvcsw += 1
    k.stats.sleeps += 1
    k.answer(eff_sleep(k.stamp(task), task.pid, task.state))
    if not throttled_hierarchy(k, task, k.cpu):
        load_dec(k, k.cpu)
    if task.attrs is not None:
        k.sched.of(task).task_slept(k, task)


def offer_cpu(k: "Kernel", task: TaskStruct, path: "Path[object]") -> None:
    """The current task's CPU may run somebody else here; ``path`` goes on when it is picked again.

    Source: kernel/sched/core.c:preempt_schedule_common().
    """
    task.path = path
    k.answer(eff_resched(k.stamp(task), task.pid))


def do_task_dead(k: "Kernel", task: TaskStruct) -> None:
    """do_exit() is done: the current task leaves its CPU for ever.

    Its stack, hence its structure, must outlive the switch away from it: the CPU's next
    request shows that the switch is over; an idle switch is over at once.

    Source: kernel/sched/core.c:do_task_dead().
    """
    task.state = TASK_DEAD
    if k.averages is not None:
        averages.dead(k, task)
    set_on_rq(k, task, False)
    task.ctx = None
    k.answer(eff_dead(k.stamp(task), task.pid))
    cpu = k.cpu
    k.dying[cpu] = task
    if not throttled_hierarchy(k, task, cpu):
        load_dec(k, cpu)
    if k.uneven:
        k.uneven.pop(task, None)
    if task.attrs is not None:
        task_dead(k, task)
    if not k.load.nr_running[cpu]:
        finish_task_switch(k, cpu)


def finish_task_switch(k: "Kernel", cpu: int) -> None:
    """Drop the reference that ``cpu`` held on the dead task it has switched away from.

    Source: kernel/sched/core.c:finish_task_switch().
    """
    put_task_struct(k, k.dying.pop(cpu))
