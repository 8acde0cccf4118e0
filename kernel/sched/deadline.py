"""The deadline class: SCHED_DEADLINE, earliest deadline first among constant bandwidth servers.

A task has a budget of ``runtime`` ns in every ``period``, and a deadline within it. The CPU goes to
the task with the earliest deadline, of equal ones to the one that came first. While it runs its
budget shrinks; when that is used up, or given away by sched_yield(), the task is throttled until
its next period, by a timer, and then has a new budget and a later deadline. A task that wakes goes
on with what it had if it could use that up by its deadline without more than its share of the CPU,
else it begins anew. So nobody's misbehaviour makes another one miss a deadline.

Deviation: a budget ends exactly (the feature HRTICK_DL, which is off in Linux: there the tick looks
at it, and what a task had too much is taken from its next budgets).
Deviation: no inheritance of deadlines.

Source: kernel/sched/deadline.c; L. Abeni, G. Buttazzo: Integrating Multimedia Applications in Hard
Real-Time Systems (1998).
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.dl_budget import (
    END_OF_BUDGET,
    ZERO_LAG,
    arm_budget,
    attach_bw,
    become_inactive,
    cancel_budget,
    change_bw,
    detach_bw,
    start_dl_timer,
    task_non_contending,
    update_curr_dl,
)
from kernel.sched.dl_rq import DlEntity, DlRq
from kernel.sched.fair_server import server_pause, server_resume, server_wanted
from kernel.sched.sched_class import DEADLINE_RANK, DEQUEUE_SLEEP, ENQUEUE_WAKEUP, SchedClass
from kernel.uapi.policy import SCHED_DEADLINE
from kernel.uapi.prio import DEFAULT_PRIO

if TYPE_CHECKING:
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq

_DL_PRIO: Final = -1


class DeadlineSchedClass(SchedClass):
    """The operations of the deadline class; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ()

    def __init__(self) -> None:
        policies = (SCHED_DEADLINE,)
        super().__init__("deadline", DEADLINE_RANK, policies, as_of="6.12", absent=("2.6.34",))

    def make_rq(self, tunables: Any, spec: "MachineSpec") -> DlRq:
        """Return an empty ``dl_rq``. Source: kernel/sched/deadline.c:init_dl_rq()."""
        return DlRq(spec)

    def make_entity(self) -> DlEntity:
        """Return an entity without parameters: ``setparam`` gives it those."""
        return DlEntity()

    # -- on and off the queue -----------------------------------------------------------------

    def enqueue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/deadline.c:enqueue_task_dl(), enqueue_dl_entity()."""
        mine: DlRq = rq.of[DEADLINE_RANK]
        mine.nr_running += 1
        se: DlEntity = p.se
        now_ns = rq.clock_ns
        se.seq = se.timer = 0
        attach_bw(rq, p, True)
        if se.throttled:
            if se.next_period() > now_ns:
                start_dl_timer(rq, p)
                return
            se.replenish(now_ns)
        if flags & ENQUEUE_WAKEUP:
            if 0 < se.deadline < now_ns < se.next_period() and se.dl_deadline < se.dl_period:
                # it must not have a second budget in one period. Source: dl_check_constrained_dl()
                se.throttled = True
                se.runtime = min(se.runtime, 0)
                start_dl_timer(rq, p)
                return
            se.wake(now_ns)
        elif se.deadline < now_ns or not se.deadline:
            se.begin(now_ns)
        mine.link(p)

    def dequeue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/deadline.c:dequeue_task_dl()."""
        mine: DlRq = rq.of[DEADLINE_RANK]
        if p is rq.curr:
            update_curr_dl(rq)
            if flags & DEQUEUE_SLEEP:
                cancel_budget(rq)
        mine.nr_running -= 1
        se: DlEntity = p.se
        if se.seq:
            mine.unlink(p)
        if se.timer:
            rq.timers.cancel(se.timer)
            del mine.throttled[se.slot]
            se.timer = 0
        if flags & DEQUEUE_SLEEP:
            task_non_contending(rq, p)
        else:
            detach_bw(rq, p)

    def queued(self, rq: "Rq") -> list[CpuTask]:
        """Source: kernel/sched/deadline.c:pick_earliest_pushable_dl_task(), its order."""
        mine: DlRq = rq.of[DEADLINE_RANK]
        return [mine.tasks[seq] for _, seq in mine.waiting]

    # -- who runs -----------------------------------------------------------------------------

    def pick_next_task(self, rq: "Rq") -> CpuTask | None:
        """Source: kernel/sched/deadline.c:pick_task_dl()."""
        mine: DlRq = rq.of[DEADLINE_RANK]
        p = mine.first()
        if p is not None:
            self.set_next_task(rq, p)
        return p

    def set_next_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/deadline.c:set_next_task_dl(), start_hrtick_dl()."""
        p.exec_start_ns = rq.clock_ns
        cancel_budget(rq)
        se: DlEntity = p.se
        if not se.throttled:
            arm_budget(rq, p)
        server_pause(rq)

    def put_prev_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/deadline.c:put_prev_task_dl()."""
        if p.on_rq:
            update_curr_dl(rq)
        cancel_budget(rq)
        server_resume(rq)

    def left_behind(self, rq: "Rq") -> None:
        """Source: kernel/sched/deadline.c:dl_server_start()."""
        server_wanted(rq)

    def wakeup_preempt(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/deadline.c:wakeup_preempt_dl()."""
        theirs: DlEntity = p.se
        ours: DlEntity = rq.curr.se
        if not theirs.throttled and (ours.throttled or theirs.deadline < ours.deadline):
            rq.need_resched = True

    def yield_task(self, rq: "Rq") -> None:
        """Give up the rest of the budget. Source: kernel/sched/deadline.c:yield_task_dl()."""
        se: DlEntity = rq.curr.se
        se.yielded = True
        update_curr_dl(rq)

    def task_tick(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/deadline.c:task_tick_dl()."""
        update_curr_dl(rq)

    def update_curr(self, rq: "Rq") -> None:
        """Source: kernel/sched/deadline.c:update_curr_dl()."""
        update_curr_dl(rq)

    def timer(self, rq: "Rq", at_ns: int, key: int, data: tuple[int, ...]) -> None:
        """A budget has been used up, or the next one is due.

        Source: kernel/sched/deadline.c:dl_task_timer().
        """
        mine: DlRq = rq.of[DEADLINE_RANK]
        if key == END_OF_BUDGET:
            mine.budget_timer = 0
            update_curr_dl(rq)
            curr: DlEntity = rq.curr.se
            if not curr.throttled:
                arm_budget(rq, rq.curr)
            return
        if key == ZERO_LAG:
            sleeper = mine.inactive.pop(data[0])
            sleeping: DlEntity = sleeper.se
            sleeping.inactive = 0
            become_inactive(rq, sleeper)
            return
        p = mine.throttled.pop(data[0])
        if p is rq.curr:
            update_curr_dl(rq)  # it had not left yet: what it overran counts
        se: DlEntity = p.se
        se.timer = 0
        se.replenish(rq.clock_ns)
        mine.link(p)
        if p is rq.curr:
            if mine.first() is not p:
                rq.need_resched = True
            cancel_budget(rq)
            arm_budget(rq, p)
        elif rq.curr.sched_class is self:
            self.wakeup_preempt(rq, p, 0)
        elif rq.curr.sched_class is None or rq.curr.sched_class.rank > DEADLINE_RANK:
            rq.need_resched = True

    # -- the life of a task -------------------------------------------------------------------

    def setparam(self, rq: "Rq", p: CpuTask, priority: int, own: tuple[int, ...]) -> None:
        """Source: kernel/sched/deadline.c:__setparam_dl(); __normal_prio()."""
        p.rt_priority = 0
        p.prio = _DL_PRIO
        se: DlEntity = p.se
        here = se.here  # it sleeps, or dequeue_task() would have seen to that
        if here:
            detach_bw(rq, p)
        se.set_params(own)
        if here:
            attach_bw(rq, p, False)

    def param_changed(self, rq: "Rq", p: CpuTask, priority: int, own: tuple[int, ...]) -> bool:
        """Source: kernel/sched/deadline.c:dl_param_changed()."""
        se: DlEntity = p.se
        return own != (se.dl_runtime, se.dl_deadline, se.dl_period, se.flags)

    def switched_from(self, rq: "Rq", p: CpuTask) -> None:
        """Budget and deadline stay for the case that it returns.

        Source: kernel/sched/deadline.c:switched_from_dl().
        """
        p.prio = DEFAULT_PRIO + p.nice
        if not p.on_rq:
            detach_bw(rq, p)

    def switched_to(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/deadline.c:switched_to_dl()."""
        if not p.on_rq:
            attach_bw(rq, p, False)
            return
        se: DlEntity = p.se
        if rq.curr is p:
            if se.throttled:
                rq.need_resched = True
        elif not se.throttled:
            ours = rq.curr.sched_class
            if ours is self:
                self.wakeup_preempt(rq, p, 0)
            elif ours is None or ours.rank > DEADLINE_RANK:
                rq.need_resched = True

    def prio_changed(self, rq: "Rq", p: CpuTask, old_nice: int) -> None:
        """Source: kernel/sched/deadline.c:prio_changed_dl()."""
        if p.on_rq:
            mine: DlRq = rq.of[DEADLINE_RANK]
            if rq.curr.sched_class is self and mine.first() is not rq.curr:
                rq.need_resched = True

    def task_dead(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/deadline.c:task_non_contending(), of a dead one."""
        detach_bw(rq, p)

    def told(self, rq: "Rq", key: int, data: tuple[int, ...]) -> None:
        """The kernel tells how much all deadline tasks have together.

        Source: kernel/sched/deadline.c:__dl_update().
        """
        mine: DlRq = rq.of[DEADLINE_RANK]
        total_bw, cpus = data
        change_bw(rq, 0, 0)
        mine.extra_bw = mine.max_bw - total_bw // cpus
        change_bw(rq, 0, 0)

    # -- between CPUs -------------------------------------------------------------------------

    def migrate_task_rq(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/deadline.c:migrate_task_rq_dl()."""
        detach_bw(rq, p)

    def pushable_task(self, rq: "Rq", p: CpuTask, dst: int) -> CpuTask | None:
        """Source: kernel/sched/deadline.c:pick_earliest_pushable_dl_task()."""
        for task in (p, *self.queued(rq)):
            se: DlEntity = task.se
            allowed = task.cpus_allowed is None or dst in task.cpus_allowed
            if task is not rq.curr and not se.throttled and allowed:
                return task
        return None

    def check(self, rq: "Rq", found: list[str]) -> None:
        """Counts, the order, and that who has no budget is not in the queue."""
        mine: DlRq = rq.of[DEADLINE_RANK]
        where = f"cpu {rq.cpu}"
        total = len(mine.waiting) + len(mine.throttled)
        if mine.nr_running != total:
            found.append(f"{where}: {mine.nr_running} deadline tasks counted, {total} found")
        if mine.waiting != sorted(mine.waiting) or len(mine.tasks) != len(mine.waiting):
            found.append(f"{where}: the deadline queue is out of order")
        for deadline, seq in mine.waiting:
            p = mine.tasks[seq]
            se: DlEntity = p.se
            if (se.deadline, se.seq) != (deadline, seq) or se.throttled:
                found.append(f"{where}: {p!r} is in the wrong place of the deadline queue")
        for p in mine.throttled.values():
            se = p.se
            if not se.throttled:
                found.append(f"{where}: {p!r} waits for a budget and is not throttled")


deadline_sched_class: Final = DeadlineSchedClass()
