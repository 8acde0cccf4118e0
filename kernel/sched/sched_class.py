"""What a scheduling class is: Linux's table of operations.

``kernel.sched.core`` knows no policy. It asks the classes, highest first, for a task to run, and
tells the class of a task what happens to it. One file holds one class; a class object has no state
of its own, its queue stands in the runqueue (``rq.cfs``).

Classes in Linux's order: stop, deadline, rt, fair, idle. Present here: rt, fair (as ``cfs``) and
idle.

Source: kernel/sched/sched.h (struct sched_class).
"""

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.rq import Rq

# flags of enqueue_task
ENQUEUE_WAKEUP: Final = 0x01  # the task slept
ENQUEUE_HEAD: Final = 0x10  # it goes before its equals (real-time class)
ENQUEUE_MIGRATED: Final = 0x40  # it comes from another CPU: its vruntime is relative
ENQUEUE_INITIAL: Final = 0x80  # it is new, and has never run
# flags of dequeue_task
DEQUEUE_SLEEP: Final = 0x01  # the task goes to sleep or dies; it keeps its vruntime
DEQUEUE_MOVE: Final = 0x04  # it stays runnable and goes to another queue: vruntime gets relative
# flags of wakeup_preempt
WF_FORK: Final = 0x04
WF_TTWU: Final = 0x08

CLASS_ORDER: Final = ("stop", "deadline", "rt", "fair", "idle")


class SchedClass(Protocol):
    """The operations of one scheduling class. ``rq.clock_ns`` is the time of every call."""

    name: str
    rank: int  # place in CLASS_ORDER; a lower rank always preempts a higher one

    def enqueue_task(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """Put ``p``, which has just become runnable, on the queue. Sets ``p.on_rq``."""
        ...

    def dequeue_task(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """Take ``p``, queued or current, off the queue. Clears ``p.on_rq``."""
        ...

    def yield_task(self, rq: "Rq") -> None:
        """``rq.curr`` called sched_yield()."""
        ...

    def wakeup_preempt(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """``p``, of the same class as ``rq.curr``, was queued: call for a switch if it is due.

        ``flags``: WF_FORK, WF_TTWU or 0.
        """
        ...

    def pick_next_task(self, rq: "Rq") -> "CpuTask | None":
        """Return the task to run next, made this class's current; None if there is none."""
        ...

    def put_prev_task(self, rq: "Rq", p: "CpuTask") -> None:
        """``p`` is about to leave the CPU; queue it again if it is still runnable."""
        ...

    def set_next_task(self, rq: "Rq", p: "CpuTask") -> None:
        """Make ``p``, runnable and queued, this class's current."""
        ...

    def task_tick(self, rq: "Rq", p: "CpuTask") -> None:
        """The timer tick hit while ``p`` ran."""
        ...

    def task_fork(self, rq: "Rq", parent: "CpuTask", child: "CpuTask", first: bool) -> None:
        """``parent``, runnable on ``rq``, has forked ``child``, which is on no queue yet.

        ``first``: the child is to run before the parent.
        """
        ...

    def task_dead(self, rq: "Rq", p: "CpuTask") -> None:
        """``p`` has left the CPU for the last time."""
        ...

    def switched_to(self, rq: "Rq", p: "CpuTask") -> None:
        """``p`` has changed to this class."""
        ...

    def prio_changed(self, rq: "Rq", p: "CpuTask", old_nice: int) -> None:
        """The priority of ``p`` within this class has changed."""
        ...

    def update_curr(self, rq: "Rq") -> None:
        """Account for what ``rq.curr`` ran up to ``rq.clock_ns``."""
        ...

    def migrate_task_rq(self, rq: "Rq", p: "CpuTask") -> None:
        """``p``, on no queue, leaves ``rq`` for another CPU."""
        ...

    def detach_one(self, rq: "Rq", dst: int) -> "CpuTask | None":
        """Dequeue and return a task that CPU ``dst`` (-1: any) may run, or None."""
        ...
