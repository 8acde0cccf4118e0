"""x86: ``current`` from the stack pointer.

x86 has few registers, so none is spent on ``current``: the kernel stack is aligned to
THREAD_SIZE, masking the stack pointer gives its bottom, and the thread_info there names the task.

Source: arch/x86/include/asm/thread_info.h:current_thread_info() (2.6.34).
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct

STACK_BASE: Final = 0xFFFF_C900_0000_0000  # VMALLOC_START, four-level page tables
STACK_LIMIT: Final = 0xFFFF_E900_0000_0000
_PT_REGS: Final = 168  # the user registers an entry to the kernel saves at the top of the stack


def register_value(k: "Kernel", task: "TaskStruct") -> int:
    """Return what the stack pointer holds while ``task`` runs in a system call.

    Source: arch/x86/include/asm/processor.h:task_pt_regs(), KSTK_TOP.
    """
    return int(task.stack + k.spec.thread_size - _PT_REGS)


def current_from_sp(k: "Kernel", sp: int) -> "TaskStruct":
    """Return the task whose kernel stack ``sp`` points into.

    Raises:
        InvariantError: no stack in use is there.

    Source: arch/x86/include/asm/thread_info.h:current_thread_info() (2.6.34).
    """
    return k.stacks.task_at(sp)


current_from_register = current_from_sp
