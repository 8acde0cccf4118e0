"""The timeout of a sleep: the timer that ``Kernel.arm_timer`` arms.

Source: kernel/time/timer.c:process_timeout(), kernel/time/hrtimer.c:hrtimer_wakeup().
"""

from typing import TYPE_CHECKING, Final

from kernel.smp.ttwu import try_to_wake_up
from kernel.task import TASK_NORMAL, TaskStruct
from kernel.timerq import TimerKind

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class WakeTimer(TimerKind):
    """Wakes the task ``what`` if it sleeps; ``TaskStruct.timer`` has the serial number."""

    def is_live(self, what: TaskStruct, serial: int) -> bool:
        """Tell whether the task has not cancelled it or armed another since."""
        return what.timer == serial

    def expire(self, k: "Kernel", what: TaskStruct, serial: int) -> object:
        """Wake the task; the path runs for it."""
        if what.timer != serial:
            return None
        what.timer = 0
        k.cpu = what.cpu
        k.current = what
        k.now_ns += k.costs.timer_op
        return k.form(try_to_wake_up)(k, what, TASK_NORMAL)


WAKE_TIMER: Final = WakeTimer()
