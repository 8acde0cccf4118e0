"""Waiting for an exec: who must not look at a process while its other threads are being killed.

Source: ``cred_guard_mutex`` of struct signal_struct; fs/exec.c, kernel/ptrace.c.
Deviation: it is held from the beginning of de_thread() to its end, not over the whole exec, and
is no lock: an exec never waits for those who wait for one.
"""

from typing import TYPE_CHECKING

from kernel.points import SCHEDULE, Path
from kernel.smp.wait import WaitQueueHead, finish_wait, prepare_to_wait, wake_up_all
from kernel.task import TASK_INTERRUPTIBLE, SignalStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def wait_for_exec(k: "Kernel", signal: SignalStruct) -> Path[None]:
    """Sleep until the exec of that process is through de_thread(), or a signal comes."""
    if signal.cred_guard is None:
        signal.cred_guard = WaitQueueHead()
    queue = signal.cred_guard
    yield from prepare_to_wait(k, queue, TASK_INTERRUPTIBLE)
    if signal.group_exec_task is not None and not k.current.sigpending:
        yield "cred_guard_mutex.schedule", SCHEDULE, None
    yield from finish_wait(k, queue)


def exec_guard_release(k: "Kernel", signal: SignalStruct) -> Path[None]:
    """An exec is through de_thread(), or given up: let those go on who wait for it."""
    queue = signal.cred_guard
    if queue is not None:
        yield from wake_up_all(k, queue)
