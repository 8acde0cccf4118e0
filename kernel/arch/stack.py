"""Kernel stacks: THREAD_SIZE bytes each, at addresses aligned to THREAD_SIZE.

At the bottom of every stack lies its ``thread_info``, which names the task. Stacks come from one
region of emulated addresses; the one freed last is used first, so addresses come back quickly, as
on a real machine. The memory below them is reserved among the page frames: nobody looks into it.

Source: include/linux/sched.h (union thread_union), kernel/fork.c:alloc_thread_stack_node().
Deviation: thread_info lies at the bottom of the stack in every profile, as in 2.6.34; x86 keeps it
in task_struct since 4.9. No cache of stacks per CPU.
"""

from typing import TYPE_CHECKING

from kernel.errors import InvariantError, KernelError
from kernel.uapi.errno_ import ENOMEM
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm.frames import Frames
    from kernel.task import TaskStruct


class ThreadInfo:
    """What lies at the bottom of a kernel stack (``thread_info``)."""

    __slots__ = ("task",)

    def __init__(self, task: "TaskStruct") -> None:
        self.task = task


class StackRegion:
    """All kernel stacks of a machine.

    Args:
        base: first address, aligned to ``thread_size``.
        limit: first address after the region.
        thread_size: bytes per stack, a power of two and at least a page.
        frames: where the memory comes from.
    """

    __slots__ = ("base", "frames", "free", "infos", "limit", "next", "pages", "thread_size")

    def __init__(self, base: int, limit: int, thread_size: int, frames: "Frames") -> None:
        if thread_size < PAGE_SIZE or thread_size & (thread_size - 1):
            raise ValueError(
                f"thread_size must be a power of two of at least {PAGE_SIZE}, got {thread_size}"
            )
        self.base = base
        self.limit = limit
        self.thread_size = thread_size
        self.pages = thread_size // PAGE_SIZE
        self.frames = frames
        self.next = base
        self.free: list[int] = []  # stack
        self.infos: dict[int, ThreadInfo] = {}

    def alloc(self, task: "TaskStruct") -> int:
        """Return the lowest address of a new stack whose thread_info names ``task``.

        Raises:
            KernelError: ENOMEM, no frames or no addresses left.
        """
        self.frames.reserve(self.pages)
        if self.free:
            stack = self.free.pop()
        else:
            stack = self.next
            if stack >= self.limit:
                self.frames.cancel(self.pages)
                raise KernelError(ENOMEM)
            self.next = stack + self.thread_size
        self.infos[stack] = ThreadInfo(task)
        return stack

    def release(self, stack: int) -> None:
        """Give a stack back."""
        if self.infos.pop(stack, None) is None:
            raise InvariantError(f"kernel stack {stack:#x} was freed twice")
        self.frames.cancel(self.pages)
        self.free.append(stack)

    def task_at(self, address: int) -> "TaskStruct":
        """Return the task on whose stack ``address`` lies.

        Raises:
            InvariantError: no stack in use is there.
        """
        info = self.infos.get(address & ~(self.thread_size - 1))
        if info is None:
            raise InvariantError(f"no kernel stack in use at {address:#x}")
        return info.task

    @property
    def nr_pages(self) -> int:
        """Page frames reserved for the stacks in use."""
        return len(self.infos) * self.pages


def boot_stacks(k: "Kernel") -> StackRegion:
    """Return the empty region of kernel stacks where ``k``'s architecture has it."""
    return StackRegion(k.arch.STACK_BASE, k.arch.STACK_LIMIT, k.spec.thread_size, k.frames)


def alloc_thread_info(k: "Kernel", task: "TaskStruct") -> int:
    """Return the lowest address of a new kernel stack for ``task``.

    Raises:
        KernelError: ENOMEM.

    Source: kernel/fork.c:alloc_thread_info() (2.6.34), alloc_thread_stack_node().
    """
    return k.stacks.alloc(task)


def free_thread_info(k: "Kernel", stack: int) -> None:
    """Give the stack back. Source: kernel/fork.c:free_thread_info(), free_thread_stack()."""
    k.stacks.release(stack)
