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
        raise AssertionError(f"{p!r} is an idle task: it is never queued")

    def dequeue_task(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        raise AssertionError(f"{p!r} is an idle task: it never sleeps (bad: scheduling from idle)")

    def queued(self, rq: "Rq") -> "list[CpuTask]":
        return []

    def yield_task(self, rq: "Rq") -> None:
        raise AssertionError("the idle task does not yield")

    def wakeup_preempt(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        rq.need_resched = True

    def pick_next_task(self, rq: "Rq") -> "CpuTask | None":
        return rq.idle

    def task_fork(self, rq: "Rq", parent: "CpuTask", child: "CpuTask", first: bool) -> None:
        raise AssertionError("the idle task does not fork")

    def task_dead(self, rq: "Rq", p: "CpuTask") -> None:
        raise AssertionError("the idle task does not die")

    def switched_to(self, rq: "Rq", p: "CpuTask") -> None:
        raise AssertionError(f"{p!r} cannot become an idle task")

    def prio_changed(self, rq: "Rq", p: "CpuTask", old_nice: int) -> None:
        raise AssertionError("the idle task has no priority to change")

    def migrate_task_rq(self, rq: "Rq", p: "CpuTask") -> None:
        raise AssertionError("an idle task stays on its CPU")


idle_sched_class: Final = IdleSchedClass()
