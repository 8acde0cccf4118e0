"""Scheduler system calls that a CPU answers by itself, for tasks that must come here for them.

Source: kernel/sched/syscalls.c.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.state import KernelState


def sys_sched_yield(k: "KernelState") -> None:
    """Let others run: a traced caller has, while its tracer looked at the call.

    Source: kernel/sched/syscalls.c:do_sched_yield().
    """
