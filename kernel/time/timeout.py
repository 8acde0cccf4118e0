"""Sleeps that end at a time: ``schedule_timeout``, and the timer that ``Kernel.arm_timer`` arms.

Source: kernel/time/timer.c:process_timeout(), kernel/time/hrtimer.c:hrtimer_wakeup().
"""

from typing import TYPE_CHECKING, Final

from kernel.points import SCHEDULE, Path
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
        if k.spec.timer_slack:
            _run_queues(k, what.cpu)
        k.set_cpu(what.cpu)
        k.current = what
        k.now_ns += k.costs.timer_op
        return k.form(try_to_wake_up)(k, what, TASK_NORMAL)


WAKE_TIMER: Final = WakeTimer()
FOREVER: Final = -1  # MAX_SCHEDULE_TIMEOUT


def _run_queues(k: "Kernel", cpu: int) -> None:
    """The timer of ``cpu`` has gone off: end what else may end there by now.

    Source: kernel/time/hrtimer.c:__hrtimer_run_queues().
    """
    due = sorted(
        (at_ns, serial, what)
        for at_ns, serial, kind, what in k.timers.heap
        if kind is WAKE_TIMER
        and what.timer == serial
        and what.cpu == cpu
        and what.soft_ns <= k.now_ns < at_ns
    )
    for _, _, task in due:  # the one that is to end first goes first
        task.timer = k.timers.add(k.now_ns, WAKE_TIMER, task)


def schedule_timeout(
    k: "Kernel", until_ns: int, what: object, *, awake: bool = False, slack_ns: int = -1
) -> Path[None]:
    """Let others run until somebody wakes the current task, or until ``until_ns``.

    The caller has set the state it sleeps in and tested its condition; it tests it again
    afterwards, and the time.

    Args:
        until_ns: virtual time; FOREVER: without a timer.
        what: it sleeps for, or None; shown in reports.
        slack_ns: by how much it may sleep longer; -1: the slack of the task.
        awake: return at once, as schedule() does if a signal is pending that the state lets in.

    Source: kernel/time/timer.c:schedule_timeout(), kernel/time/hrtimer.c:
        schedule_hrtimeout_range().
    """
    task = k.current
    if until_ns >= 0:
        k.arm_timer(task, until_ns, slack_ns)
    if not awake:
        yield "schedule_timeout.schedule", SCHEDULE, what
    if until_ns >= 0:
        k.cancel_timer(task)
