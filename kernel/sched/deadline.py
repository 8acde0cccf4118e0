"""The deadline class: SCHED_DEADLINE, earliest deadline first among constant bandwidth servers.

A task has a budget of ``runtime`` ns in every ``period``, and a deadline within it. The CPU goes to
the task with the earliest deadline, of equal ones to the one that came first. While it runs its
budget shrinks; when that is used up, or given away by sched_yield(), the task is throttled until
its next period, by a timer, and then has a new budget and a later deadline. A task that wakes goes
on with what it had if it could use that up by its deadline without more than its share of the CPU,
else it begins anew. So nobody's misbehaviour makes another one miss a deadline.

Deviation: a budget ends exactly (the feature HRTICK_DL, which is off in Linux: there the tick looks
at it, and what a task had too much is taken from its next budgets).
Deviation: no reclaiming of unused bandwidth (SCHED_FLAG_RECLAIM is refused), no inheritance of
deadlines.

Source: kernel/sched/deadline.c; L. Abeni, G. Buttazzo: Integrating Multimedia Applications in Hard
Real-Time Systems (1998).
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.fair_server import server_pause, server_resume, server_wanted
from kernel.sched.sched_class import (
    DEADLINE_RANK,
    DEQUEUE_SLEEP,
    ENQUEUE_WAKEUP,
    ClassRq,
    Entity,
    SchedClass,
)
from kernel.uapi.policy import SCHED_DEADLINE, SCHED_FLAG_DL_OVERRUN
from kernel.uapi.prio import DEFAULT_PRIO

if TYPE_CHECKING:
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq

_DL_SCALE: Final = 10  # bits that the overflow test leaves out
_BW_SHIFT: Final = 20
_END_OF_BUDGET: Final = 1  # keys of timers
_REPLENISH: Final = 2
_DL_PRIO: Final = -1
OVERRUN: Final = 1  # what it tells its half in the kernel: a task has used its budget up


class DlEntity(Entity):
    """The class's part of a task (``struct sched_dl_entity``): parameters, then where it stands.

    ``runtime`` is what is left of the budget, ``deadline`` absolute; both in ns.
    """

    __slots__ = (
        "deadline",
        "dl_deadline",
        "dl_period",
        "dl_runtime",
        "flags",
        "runtime",
        "seq",
        "slot",
        "throttled",
        "timer",
        "yielded",
    )

    def __init__(self) -> None:
        self.dl_runtime = 0
        self.dl_deadline = 0
        self.dl_period = 0
        self.flags = 0  # SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN
        self.runtime = 0
        self.deadline = 0
        self.throttled = False
        self.yielded = False
        self.seq = 0  # its place among equal deadlines; 0: it is not in the queue
        self.timer = 0  # number of the timer that replenishes it, 0 for none
        self.slot = 0  # with it: what the timer finds the task by

    def pack(self) -> list[Any]:
        """Return all of it; queue and timer are the CPU's, and are made anew on another."""
        return [
            self.dl_runtime,
            self.dl_deadline,
            self.dl_period,
            self.flags,
            self.runtime,
            self.deadline,
            self.throttled,
            self.yielded,
            self.seq,
            self.timer,
            self.slot,
        ]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        (
            self.dl_runtime,
            self.dl_deadline,
            self.dl_period,
            self.flags,
            self.runtime,
            self.deadline,
            self.throttled,
            self.yielded,
            self.seq,
            self.timer,
            self.slot,
        ) = data

    def next_period(self) -> int:
        """Return when the next budget is due. Source: kernel/sched/deadline.c:dl_next_period()."""
        return self.deadline - self.dl_deadline + self.dl_period

    def begin(self, now_ns: int) -> None:
        """Begin a period. Source: kernel/sched/deadline.c:replenish_dl_new_period()."""
        self.deadline = now_ns + self.dl_deadline
        self.runtime = self.dl_runtime

    def replenish(self, now_ns: int) -> None:
        """Give a throttled task its next budget; what it overran is taken from that.

        Source: kernel/sched/deadline.c:replenish_dl_entity().
        """
        if self.yielded and self.runtime > 0:
            self.runtime = 0
        while self.runtime <= 0:
            self.deadline += self.dl_period
            self.runtime += self.dl_runtime
        if self.deadline < now_ns:
            self.begin(now_ns)
        self.yielded = False
        self.throttled = False

    def overflows(self, now_ns: int) -> bool:
        """Tell whether what is left, used up by the deadline, would be more than its share.

        Source: kernel/sched/deadline.c:dl_entity_overflow().
        """
        left = (self.dl_deadline >> _DL_SCALE) * (self.runtime >> _DL_SCALE)
        right = ((self.deadline - now_ns) >> _DL_SCALE) * (self.dl_runtime >> _DL_SCALE)
        return right < left

    def wake(self, now_ns: int) -> None:
        """Keep budget and deadline if that is fair to the others, else begin anew.

        Source: kernel/sched/deadline.c:update_dl_entity(), update_dl_revised_wakeup().
        """
        if self.deadline < now_ns or not self.deadline:
            self.begin(now_ns)
        elif self.overflows(now_ns):
            if self.dl_deadline == self.dl_period:
                self.begin(now_ns)
            else:
                density = (self.dl_runtime << _BW_SHIFT) // self.dl_deadline
                self.runtime = (density * (self.deadline - now_ns)) >> _BW_SHIFT


class DlRq(ClassRq):
    """The queue of the class (``dl_rq``). ``nr_running`` counts throttled tasks, too."""

    __slots__ = ("budget_timer", "seq", "tasks", "throttled", "waiting")

    def __init__(self) -> None:
        super().__init__()
        # (deadline, seq), sorted; the current one among them, throttled ones are not
        self.waiting: list[tuple[int, int]] = []
        self.tasks: dict[int, CpuTask] = {}  # by seq, those in ``waiting``
        self.throttled: dict[int, CpuTask] = {}  # by ``slot``: they have a timer
        self.seq = 0
        self.budget_timer = 0  # ends the budget of the one that runs; 0 for none

    def pack(self) -> list[Any]:
        """Return who waits for the CPU, and who for a new budget."""
        return [
            self.nr_running,
            list(self.waiting),
            [[seq, p.pid] for seq, p in self.tasks.items()],
            [[slot, p.pid] for slot, p in self.throttled.items()],
            self.seq,
            self.budget_timer,
        ]

    def unpack(self, data: Sequence[Any], tasks: Mapping[int, CpuTask]) -> None:
        """Take what ``pack`` returned."""
        self.nr_running, waiting, queued, throttled, self.seq, self.budget_timer = data
        self.waiting = [(deadline, seq) for deadline, seq in waiting]
        self.tasks = {seq: tasks[pid] for seq, pid in queued}
        self.throttled = {slot: tasks[pid] for slot, pid in throttled}

    def first(self) -> CpuTask | None:
        """Return the task with the earliest deadline, None if there is none to run."""
        return self.tasks[self.waiting[0][1]] if self.waiting else None

    def link(self, p: CpuTask) -> None:
        """Queue ``p`` behind those of its deadline. Source: deadline.c:__enqueue_dl_entity()."""
        se: DlEntity = p.se
        self.seq += 1
        se.seq = self.seq
        self.tasks[se.seq] = p
        insort(self.waiting, (se.deadline, se.seq))

    def unlink(self, p: CpuTask) -> None:
        """Take ``p`` off the queue. Source: kernel/sched/deadline.c:__dequeue_dl_entity()."""
        se: DlEntity = p.se
        del self.waiting[bisect_left(self.waiting, (se.deadline, se.seq))]
        del self.tasks[se.seq]
        se.seq = 0


class DeadlineSchedClass(SchedClass):
    """The operations of the deadline class; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ()

    def __init__(self) -> None:
        policies = (SCHED_DEADLINE,)
        super().__init__("deadline", DEADLINE_RANK, policies, as_of="6.12", absent=("2.6.34",))

    def make_rq(self, tunables: Any, spec: "MachineSpec") -> DlRq:
        """Return an empty ``dl_rq``. Source: kernel/sched/deadline.c:init_dl_rq()."""
        return DlRq()

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
        if se.throttled:
            if se.next_period() > now_ns:
                _start_dl_timer(rq, p)
                return
            se.replenish(now_ns)
        if flags & ENQUEUE_WAKEUP:
            if 0 < se.deadline < now_ns < se.next_period() and se.dl_deadline < se.dl_period:
                # it must not have a second budget in one period. Source: dl_check_constrained_dl()
                se.throttled = True
                se.runtime = min(se.runtime, 0)
                _start_dl_timer(rq, p)
                return
            se.wake(now_ns)
        elif se.deadline < now_ns or not se.deadline:
            se.begin(now_ns)
        mine.link(p)

    def dequeue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/deadline.c:dequeue_task_dl()."""
        mine: DlRq = rq.of[DEADLINE_RANK]
        if p is rq.curr:
            _update_curr_dl(rq)
            if flags & DEQUEUE_SLEEP:
                _cancel_budget(rq)
        mine.nr_running -= 1
        se: DlEntity = p.se
        if se.seq:
            mine.unlink(p)
        if se.timer:
            rq.timers.cancel(se.timer)
            del mine.throttled[se.slot]
            se.timer = 0

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
        _cancel_budget(rq)
        se: DlEntity = p.se
        if not se.throttled:
            _arm_budget(rq, p)
        server_pause(rq)

    def put_prev_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/deadline.c:put_prev_task_dl()."""
        if p.on_rq:
            _update_curr_dl(rq)
        _cancel_budget(rq)
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
        _update_curr_dl(rq)

    def task_tick(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/deadline.c:task_tick_dl()."""
        _update_curr_dl(rq)

    def update_curr(self, rq: "Rq") -> None:
        """Source: kernel/sched/deadline.c:update_curr_dl()."""
        _update_curr_dl(rq)

    def timer(self, rq: "Rq", at_ns: int, key: int, data: tuple[int, ...]) -> None:
        """A budget has been used up, or the next one is due.

        Source: kernel/sched/deadline.c:dl_task_timer().
        """
        mine: DlRq = rq.of[DEADLINE_RANK]
        if key == _END_OF_BUDGET:
            mine.budget_timer = 0
            _update_curr_dl(rq)
            curr: DlEntity = rq.curr.se
            if not curr.throttled:
                _arm_budget(rq, rq.curr)
            return
        p = mine.throttled.pop(data[0])
        if p is rq.curr:
            _update_curr_dl(rq)  # it had not left yet: what it overran counts
        se: DlEntity = p.se
        se.timer = 0
        se.replenish(rq.clock_ns)
        mine.link(p)
        if p is rq.curr:
            if mine.first() is not p:
                rq.need_resched = True
            _cancel_budget(rq)
            _arm_budget(rq, p)
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
        se.dl_runtime, se.dl_deadline, se.dl_period, se.flags = own

    def param_changed(self, rq: "Rq", p: CpuTask, priority: int, own: tuple[int, ...]) -> bool:
        """Source: kernel/sched/deadline.c:dl_param_changed()."""
        se: DlEntity = p.se
        return own != (se.dl_runtime, se.dl_deadline, se.dl_period, se.flags)

    def switched_from(self, rq: "Rq", p: CpuTask) -> None:
        """Budget and deadline stay for the case that it returns.

        Source: kernel/sched/deadline.c:switched_from_dl().
        """
        p.prio = DEFAULT_PRIO + p.nice

    def switched_to(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/deadline.c:switched_to_dl()."""
        if not p.on_rq:
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

    # -- between CPUs -------------------------------------------------------------------------

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


def _arm_budget(rq: "Rq", p: CpuTask) -> None:
    """Have the end of the budget of ``p``, which runs from now on, seen to."""
    mine: DlRq = rq.of[DEADLINE_RANK]
    se: DlEntity = p.se
    at_ns = p.exec_start_ns + max(se.runtime, 0)
    mine.budget_timer = rq.timers.arm(at_ns, DEADLINE_RANK, _END_OF_BUDGET)


def _cancel_budget(rq: "Rq") -> None:
    mine: DlRq = rq.of[DEADLINE_RANK]
    if mine.budget_timer:
        rq.timers.cancel(mine.budget_timer)
        mine.budget_timer = 0


def _start_dl_timer(rq: "Rq", p: CpuTask) -> None:
    """Have throttled ``p`` replenished in time. Source: deadline.c:start_dl_timer()."""
    mine: DlRq = rq.of[DEADLINE_RANK]
    se: DlEntity = p.se
    mine.seq += 1
    se.slot = mine.seq
    se.timer = rq.timers.arm(se.next_period(), DEADLINE_RANK, _REPLENISH, (se.slot,))
    mine.throttled[se.slot] = p


def _update_curr_dl(rq: "Rq") -> None:
    """Account for what the current task ran; throttle it if its budget is used up or given away.

    Source: kernel/sched/deadline.c:update_curr_dl(), update_curr_dl_se().
    """
    curr = rq.curr
    now_ns = rq.clock_ns
    se: DlEntity = curr.se
    delta = now_ns - curr.exec_start_ns
    if delta > 0:
        curr.exec_start_ns = now_ns
        curr.sum_exec_ns += delta
        se.runtime -= delta
    if se.throttled or (se.runtime > 0 and not se.yielded):
        return
    mine: DlRq = rq.of[DEADLINE_RANK]
    mine.unlink(curr)
    se.throttled = True
    if se.flags & SCHED_FLAG_DL_OVERRUN and se.runtime <= 0:
        rq.mail.append((-1, DEADLINE_RANK, OVERRUN, (curr.pid,)))
    if se.next_period() > now_ns:
        _start_dl_timer(rq, curr)
        rq.need_resched = True
        return
    se.replenish(now_ns)
    mine.link(curr)
    if mine.first() is not curr:
        rq.need_resched = True


deadline_sched_class: Final = DeadlineSchedClass()
