"""The idle class: one task per CPU, which runs when nothing else can.

The idle task is never queued, never preempted by its own class and not counted in ``nr_running``.

Source: kernel/sched/idle.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.sched.sched_class import IDLE_RANK, SchedClass

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.rq import Rq


class IdleSchedClass(SchedClass):
    """The operations of the idle class; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("idle", IDLE_RANK, ())

    def enqueue_task(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """Fail: an idle task is not queued."""
        raise AssertionError(f"{p!r} is an idle task: it is never queued")

    def dequeue_task(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """Fail. Source: kernel/sched/idle.c:dequeue_task_idle()."""
        raise AssertionError(f"{p!r} is an idle task: it never sleeps (bad: scheduling from idle)")

    def queued(self, rq: "Rq") -> "list[CpuTask]":
        """Return nothing: there is nobody to take from an idle CPU."""
        return []

    def yield_task(self, rq: "Rq") -> None:
        """Fail: it never enters the kernel by itself."""
        raise AssertionError("the idle task does not yield")

    def wakeup_preempt(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """Let anybody preempt. Source: kernel/sched/idle.c:wakeup_preempt_idle()."""
        rq.need_resched = True

    def pick_next_task(self, rq: "Rq") -> "CpuTask | None":
        """Return the idle task. Source: kernel/sched/idle.c:pick_next_task_idle()."""
        return rq.idle

    def task_fork(self, rq: "Rq", parent: "CpuTask", child: "CpuTask", flags: int) -> None:
        """Fail: the idle task makes no others."""
        raise AssertionError("the idle task does not fork")

    def task_dead(self, rq: "Rq", p: "CpuTask") -> None:
        """Fail: the idle task is there as long as its CPU."""
        raise AssertionError("the idle task does not die")

    def switched_to(self, rq: "Rq", p: "CpuTask") -> None:
        """Fail. Source: kernel/sched/idle.c:switched_to_idle()."""
        raise AssertionError(f"{p!r} cannot become an idle task")

    def prio_changed(self, rq: "Rq", p: "CpuTask", old_nice: int) -> None:
        """Fail. Source: kernel/sched/idle.c:prio_changed_idle()."""
        raise AssertionError("the idle task has no priority to change")

    def migrate_task_rq(self, rq: "Rq", p: "CpuTask") -> None:
        """Fail: it belongs to its CPU."""
        raise AssertionError("an idle task stays on its CPU")


idle_sched_class: Final = IdleSchedClass()
