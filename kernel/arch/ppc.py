"""PowerPC: ``current`` in register r2.

PowerPC has registers to spare: r2 holds the address of the running task's task_struct at all
times, and a context switch loads it. The stack is found from the task, not the other way round.

Source: arch/powerpc/include/asm/current.h, arch/powerpc/kernel/entry_32.S:_switch.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import InvariantError

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct

TASK_BASE: Final = 0xC000_0000  # PAGE_OFFSET: task_structs lie in the linear mapping
STACK_BASE: Final = 0xE000_0000
STACK_LIMIT: Final = 0xFF00_0000


def register_value(k: "Kernel", task: "TaskStruct") -> int:
    """Return what r2 holds while ``task`` runs: the address of its task_struct.

    Deviation: task_structs lie one behind the other by their number in the slab cache.
    """
    return int(TASK_BASE + task.slot * k.slabs["task_struct"].objsize)


def current_from_r2(k: "Kernel", r2: int) -> "TaskStruct":
    """Return the task whose task_struct is at address ``r2``.

    Raises:
        InvariantError: no task_struct in use is there.

    Source: arch/powerpc/include/asm/current.h.
    """
    for info in k.stacks.infos.values():
        if register_value(k, info.task) == r2:
            return info.task
    raise InvariantError(f"no task_struct in use at {r2:#x}")


current_from_register = current_from_r2
