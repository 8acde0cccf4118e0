"""Who needs the tick although it is alone on its CPU.

Source: kernel/time/tick-sched.c.
"""

from typing import TYPE_CHECKING

from kernel.messages import eff_tune_cputimer
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.time.posix_cpu_timers import PosixCputimers


def tick_dep_set_task(k: "Kernel", task: TaskStruct) -> None:
    """Let the CPU of ``task`` take every tick while it runs, if its process has timers.

    Source: kernel/time/tick-sched.c:tick_nohz_dep_set_task().
    """
    timers: PosixCputimers | None = task.signal.cputimers
    if timers is not None and timers.timers_active:
        k.send(task.cpu, eff_tune_cputimer(k.stamp(task), task.pid, True))
