"""What must be true of steps one after the other: of numbers that are used again, of stops.

Source: kernel/fork.c:copy_process(): start_time is taken when there is a pid, so that no two tasks
have both in common; /proc and polkit rely on that. include/linux/sched.h:set_special_state(): a
wake-up that was meant for another sleep does not end a stop. kernel/exit.c:wait_task_zombie(): who
has claimed a zombie has it for good.
"""

from typing import Final

from kernel.process.pid import Pid
from kernel.task import EXIT_DEAD, JOBCTL_STOPPED, JOBCTL_TRACED, TASK_RUNNING, TaskStruct
from kernel.uapi.task_state import TASK_STOPPED, TASK_TRACED

# special state -> the bit that whoever may end it clears first: signal_wake_up_state()
_STOPS: Final[dict[int, int]] = {TASK_STOPPED: JOBCTL_STOPPED, TASK_TRACED: JOBCTL_TRACED}


class History:
    """Follows who has which number, since when one is free again, who stands, and who is dead."""

    __slots__ = ("_dead", "_free_ns", "_stopped", "_taken")

    def __init__(self) -> None:
        self._taken: dict[int, tuple[Pid, TaskStruct]] = {}
        self._free_ns: dict[int, int] = {}
        self._stopped: dict[TaskStruct, int] = {}
        self._dead: dict[TaskStruct, None] = {}

    def look(self, obj: object, now_ns: int, found: list[str]) -> None:
        """Note what a step that ended at ``now_ns`` has made of ``obj``; append what is wrong."""
        if isinstance(obj, Pid):
            self._look_at_pid(obj, now_ns, found)
        elif isinstance(obj, TaskStruct):
            self._look_at_state(obj, found)

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
