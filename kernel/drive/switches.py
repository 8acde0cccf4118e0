"""What a memory model is told of CPUs that go over from one task to another.

A CPU that runs another task than before has gone through schedule(), which is a barrier; and so has
the one that a task was on before it came to another.
"""

from typing import TYPE_CHECKING

from kernel.drive.ways import versioned
from kernel.points import SCHEDULE

if TYPE_CHECKING:
    from kernel.drive.memory import MemoryModel
    from kernel.task import TaskStruct


class Switches:
    """Where each task came into the kernel last, and who on each CPU."""

    __slots__ = ("_cpu_of", "_task_on")

    def __init__(self) -> None:
        self._cpu_of: dict[TaskStruct, int] = {}
        self._task_on: dict[int, TaskStruct | None] = {}

    def left(self, cpu: int) -> None:
        """The task on ``cpu`` has given it up: whoever comes in next, even itself, has switched."""
        self._task_on[cpu] = None

    def note(self, memory: "MemoryModel", task: "TaskStruct", cpu: int) -> None:
        """``task`` comes into the kernel on ``cpu``."""
        last = self._cpu_of.get(task, cpu)
        if last != cpu:
            memory.barrier(last, SCHEDULE)
        if last != cpu or self._task_on.get(cpu) is not task:  # also the first task of a CPU
            memory.barrier(cpu, SCHEDULE)
            model = versioned(memory)
            if model is not None:
                model.arrive(cpu)
        self._cpu_of[task] = cpu
        self._task_on[cpu] = task
