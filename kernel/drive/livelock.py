"""A process that faults at the same instruction for ever, with nobody left who could end it.

A handler of SIGSEGV in C only notes the signal and returns to the instruction that faulted. On
Linux such a process spins until somebody kills it. Where all others sleep and no timer is armed,
nobody will: the run ends and says so, as it does when all sleep (a deadlock).
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.messages import NEVER
from kernel.process.tasklist import for_each_thread
from kernel.task import TaskStruct
from kernel.trace.printable import printable

if TYPE_CHECKING:
    from kernel.kernel import Kernel

LOOK_EVERY: Final = 1000  # faults in a row


class FaultLoop:
    """How often the last fault has come again."""

    __slots__ = ("count", "op", "task")

    def __init__(self) -> None:
        self.task: TaskStruct | None = None
        self.op: Any = None
        self.count = 0


def note_fault(k: "Kernel", task: TaskStruct, op: tuple[Any, ...], sig: int) -> None:
    """The access ``op`` of the current task has faulted; end the run if that is all it can do."""
    loop = k.fault_loop
    if loop.task is not task or loop.op != op:
        loop.task, loop.op, loop.count = task, op, 0
    loop.count += 1
    if loop.count % LOOK_EVERY or task.ptrace or task.signal.cputimers is not None:
        return
    if k.timers.some_live_ns(k.services) < NEVER or any(
        other.on_rq and not other.exit_state
        for other in for_each_thread(k)
        if other is not task and other not in k.services
    ):
        return
    k.fatal = (
        f"livelock: {printable(task.comm)} ({task.pid}) faults at the same instruction for ever "
        f"(signal {sig}, whose handler returns there), and nothing else can run"
    )
