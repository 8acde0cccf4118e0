"""What must be true of steps one after the other: of numbers that are used again, of stops.

Source: kernel/fork.c:copy_process(): start_time is taken when there is a pid, so that no two tasks
have both in common; /proc and polkit rely on that. include/linux/sched.h:set_special_state(): a
wake-up that was meant for another sleep does not end a stop. kernel/exit.c:wait_task_zombie(): who
has claimed a zombie has it for good. kernel/signal.c: what is queued stays until the process that
it was sent to takes it, ignores it or ends; a stop signal and SIGCONT remove each other.
"""

from typing import Final

from kernel.process.pid import Pid
from kernel.signal.pending import pending_mask
from kernel.task import (
    EXIT_DEAD,
    JOBCTL_STOPPED,
    JOBCTL_TRACED,
    PF_EXITING,
    TASK_RUNNING,
    SigInfo,
    SignalStruct,
    TaskStruct,
)
from kernel.uapi.signals import SIG_KERNEL_STOP_MASK, SIGCONT
from kernel.uapi.task_state import TASK_STOPPED, TASK_TRACED

# special state -> the bit that whoever may end it clears first: signal_wake_up_state()
_STOPS: Final[dict[int, int]] = {TASK_STOPPED: JOBCTL_STOPPED, TASK_TRACED: JOBCTL_TRACED}


# what a signal of the other kind removes: prepare_signal()
_STOP_AND_CONT: Final = SIG_KERNEL_STOP_MASK | 1 << (SIGCONT - 1)


class History:
    """Follows who has which number, since when one is free again, who stands, who is dead, and
    which signals are pending.
    """

    __slots__ = ("_dead", "_free_ns", "_queued", "_stopped", "_taken")

    def __init__(self) -> None:
        self._taken: dict[int, tuple[Pid, TaskStruct]] = {}
        self._free_ns: dict[int, int] = {}
        self._stopped: dict[TaskStruct, int] = {}
        self._dead: dict[TaskStruct, None] = {}
        self._queued: dict[TaskStruct | SignalStruct, tuple[SigInfo, ...]] = {}

    def look(
        self, obj: object, now_ns: int, found: list[str], current: TaskStruct | None = None
    ) -> None:
        """Note what a step of ``current`` that ended at ``now_ns`` has made of ``obj``.

        Appends what is wrong.
        """
        if isinstance(obj, Pid):
            self._look_at_pid(obj, now_ns, found)
        elif isinstance(obj, TaskStruct):
            self._look_at_state(obj, found)
            self._look_at_pending(obj, obj.pending, obj.signal, current, found)
        elif isinstance(obj, SignalStruct):
            self._look_at_pending(obj, obj.shared_pending, obj, current, found)

    def _look_at_pending(
        self,
        whose: TaskStruct | SignalStruct,
        queue: tuple[SigInfo, ...],
        signal: SignalStruct | None,
        current: TaskStruct | None,
        found: list[str],
    ) -> None:
        """What was queued is there still, or who may take it away was at work.

        That is a thread of the process, one signal at a time. A group that ends loses all.
        """
        before = self._queued.get(whose, ())
        if before is queue:
            return
        if queue:
            self._queued[whose] = queue
        else:
            self._queued.pop(whose, None)
        gone = pending_mask(tuple(info for info in before if info not in queue)) & ~_STOP_AND_CONT
        if not gone or signal is None or signal.group_exit_code or signal.group_exec_task:
            return
        if isinstance(whose, TaskStruct) and (whose.exit_state or whose.flags & PF_EXITING):
            return
        if not signal.live or (
            current is not None and current.signal is signal and not gone & (gone - 1)
        ):
            return
        numbers = ", ".join(str(sig) for sig in range(1, 65) if gone >> (sig - 1) & 1)
        found.append(f"{whose!r}: signal {numbers} was pending, and is gone without being taken")

    def _look_at_pid(self, pid: Pid, now_ns: int, found: list[str]) -> None:
        number, task = pid.nr, pid.task
        before = self._taken.get(number)
        if task is None:
            if before is not None and before[0] is pid:
                del self._taken[number]
                self._free_ns[number] = now_ns
            return
        if before is not None and before[1] is task:
            return
        self._taken[number] = (pid, task)
        free_ns = self._free_ns.get(number, -1)
        if task.start_time_ns < free_ns:
            found.append(
                f"{task!r} began at {task.start_time_ns} ns, and its number was another's until "
                f"{free_ns} ns: together they do not name one task"
            )

    def _look_at_state(self, task: TaskStruct, found: list[str]) -> None:
        if task.exit_state == EXIT_DEAD:
            self._dead[task] = None
        elif task in self._dead:
            found.append(f"{task!r} was dead, and is in exit_state {task.exit_state:#x} again")
        state = task.state
        if state in _STOPS:
            self._stopped[task] = state
            return
        stop = self._stopped.pop(task, 0)
        if stop and state == TASK_RUNNING and task.jobctl & _STOPS[stop]:
            found.append(f"{task!r} was stopped, and is woken by who has not ended its stop")
