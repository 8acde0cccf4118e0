"""The fair class ``cfs``: the Completely Fair Scheduler as it was up to Linux 6.5.

Each task has a virtual run time that advances slower the heavier the task is; the CPU goes to the
task with the least. Within one latency period every runnable task gets a slice in proportion to
its weight; the tick takes the CPU away when the slice is used up. ``min_vruntime`` follows the
least vruntime and never goes back: newcomers and sleepers are placed relative to it, so that a
sleeper gets at most half a latency period of credit and a new task starts one slice in debt.

A vruntime means something on its own queue only. A task that leaves for another queue, and a new
one until it is first queued, carries its distance to ``min_vruntime`` instead.

Deviation: profile 6.12 schedules with this class, too; Linux has EEVDF since 6.6.
Deviation: no group scheduling, bandwidth control, PELT or NUMA placement. NEXT_BUDDY is off and
LAST_BUDDY on, as by default.

Source: kernel/sched/fair.c of Linux 6.1.
"""

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Final

from kernel.cpu.task import CpuTask, calc_delta_fair
from kernel.sched.detach import SCHED_NR_MIGRATE, SYSCTL_SCHED_MIGRATION_COST_NS
from kernel.sched.sched_class import (
    CLASS_ORDER,
    DEQUEUE_MOVE,
    DEQUEUE_SLEEP,
    ENQUEUE_MIGRATED,
    ENQUEUE_WAKEUP,
)
from kernel.sched.weights import NICE_0_LOAD, WMULT_CONST, reduce_factor
from kernel.uapi.policy import SCHED_BATCH, SCHED_IDLE, SCHED_NORMAL

if TYPE_CHECKING:
    from kernel.sched.rq import CfsRq, Rq


def update_curr(cfs: "CfsRq", now_ns: int) -> None:
    """Charge the current task for what it ran since the last update, up to ``now_ns``.

    Source: kernel/sched/fair.c:update_curr().
    """
    curr = cfs.curr
    if curr is None:
        return
    delta = now_ns - curr.exec_start_ns
    if delta <= 0:
        return
    curr.exec_start_ns = now_ns
    curr.sum_exec_ns += delta
    if curr.weight == NICE_0_LOAD:
        vruntime = curr.vruntime + delta
    else:
        vruntime = curr.vruntime + (delta * curr.vmult >> curr.vshift)
    curr.vruntime = vruntime
    # update_min_vruntime(), of which this is by far the most frequent caller
    if curr.on_rq:
        if cfs.timeline and cfs.timeline[0][0] < vruntime:
            vruntime = cfs.timeline[0][0]
        if vruntime > cfs.min_vruntime:
            cfs.min_vruntime = vruntime
    else:
        update_min_vruntime(cfs)


def update_min_vruntime(cfs: "CfsRq") -> None:
    """Move ``min_vruntime`` up to the least vruntime of the queue and current; never down.

    Source: kernel/sched/fair.c:update_min_vruntime().
    """
    curr = cfs.curr
    if curr is not None and curr.on_rq:
        vruntime = curr.vruntime
        if cfs.timeline and cfs.timeline[0][0] < vruntime:
            vruntime = cfs.timeline[0][0]
    elif cfs.timeline:
        vruntime = cfs.timeline[0][0]
    else:
        return
    if vruntime > cfs.min_vruntime:
        cfs.min_vruntime = vruntime


def sched_slice(cfs: "CfsRq", p: CpuTask) -> int:
    """Return how long ``p`` may run in one period, in ns; never less than the minimum granularity.

    A task that is not queued yet is counted in.

    Source: kernel/sched/fair.c:sched_slice().
    """
    nr_running = cfs.nr_running
    load = cfs.load_weight
    if not p.on_rq:
        nr_running += 1
        load += p.weight
    if nr_running > cfs.nr_latency:
        period = nr_running * cfs.min_granularity_ns
    else:
        period = cfs.latency_ns
    factor, shift = reduce_factor(p.weight, WMULT_CONST // load)
    period = period * factor >> shift
    return period if period > cfs.min_granularity_ns else cfs.min_granularity_ns


def place_entity(cfs: "CfsRq", p: CpuTask, initial: bool) -> None:
    """Give a task that joins the queue its vruntime; never less than it has.

    A new task starts one (virtual) slice behind (START_DEBIT). A sleeper is put at most half a
    latency period before ``min_vruntime`` (GENTLE_FAIR_SLEEPERS), however long it slept.

    Source: kernel/sched/fair.c:place_entity().
    """
    vruntime = cfs.min_vruntime
    if initial:
        vruntime += calc_delta_fair(sched_slice(cfs, p), p)
    elif p.policy == SCHED_IDLE:
        vruntime -= cfs.min_granularity_ns >> 1
    else:
        vruntime -= cfs.latency_ns >> 1
    if vruntime > p.vruntime:
        p.vruntime = vruntime


def wakeup_preempt_entity(cfs: "CfsRq", curr: CpuTask, p: CpuTask) -> int:
    """Compare: -1 ``curr`` is not behind ``p``; 0 it is, a little; 1 by more than the granularity.

    Source: kernel/sched/fair.c:wakeup_preempt_entity().
    """
    vdiff = curr.vruntime - p.vruntime
    if vdiff <= 0:
        return -1
    return 1 if vdiff > calc_delta_fair(cfs.wakeup_granularity_ns, p) else 0


def enqueue_entity(cfs: "CfsRq", p: CpuTask) -> None:
    """Put ``p`` into the timeline, behind those of equal vruntime."""
    seq = cfs.seq + 1
    cfs.seq = p.seq = seq
    insort(cfs.timeline, (p.vruntime, seq, p))


def unlink_entity(cfs: "CfsRq", p: CpuTask) -> None:
    """Take ``p`` out of the timeline."""
    timeline = cfs.timeline
    place = bisect_left(timeline, (p.vruntime, p.seq))
    if place == len(timeline) or timeline[place][2] is not p:
        raise AssertionError(f"{p!r} is not in the timeline at its vruntime {p.vruntime}")
    del timeline[place]


def clear_buddies(cfs: "CfsRq", p: CpuTask) -> None:
    """Forget that ``p`` should be picked next, again, or not at all."""
    if cfs.next is p:
        cfs.next = None
    if cfs.last is p:
        cfs.last = None
    if cfs.skip is p:
        cfs.skip = None


class FairSchedClass:
    """The operations of CFS; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ("name", "rank")

    def __init__(self) -> None:
        self.name = "cfs"
        self.rank = CLASS_ORDER.index("fair")

    def enqueue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/fair.c:enqueue_task_fair(), enqueue_entity()."""
        cfs = rq.cfs
        update_curr(cfs, rq.clock_ns)
        if not flags & ENQUEUE_WAKEUP or flags & ENQUEUE_MIGRATED:
            p.vruntime += cfs.min_vruntime
            if flags & ENQUEUE_MIGRATED:
                p.exec_start_ns = 0  # nothing of it is in this CPU's cache
        cfs.load_weight += p.weight
        cfs.nr_running += 1
        cfs.tasks[p] = None
        if flags & ENQUEUE_WAKEUP:
            place_entity(cfs, p, False)
        seq = cfs.seq + 1  # enqueue_entity(), inlined
        cfs.seq = p.seq = seq
        insort(cfs.timeline, (p.vruntime, seq, p))
        p.on_rq = True
        rq.nr_running += 1

    def dequeue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/fair.c:dequeue_task_fair(), dequeue_entity()."""
        cfs = rq.cfs
        update_curr(cfs, rq.clock_ns)
        if cfs.next is not None or cfs.last is not None or cfs.skip is not None:
            clear_buddies(cfs, p)
        if p is cfs.curr:
            cfs.curr = None  # Linux: in put_prev_entity(); nothing looks at it in between
        else:
            unlink_entity(cfs, p)
        p.on_rq = False
        cfs.load_weight -= p.weight
        cfs.nr_running -= 1
        del cfs.tasks[p]
        rq.nr_running -= 1
        # before update_min_vruntime(): it may move min_vruntime past this task, which
        # would give it credit on its next queue for no reason
        if not flags & DEQUEUE_SLEEP:
            p.vruntime -= cfs.min_vruntime
        update_min_vruntime(cfs)

    def yield_task(self, rq: "Rq") -> None:
        """Source: kernel/sched/fair.c:yield_task_fair()."""
        if rq.nr_running == 1:
            return
        cfs = rq.cfs
        curr = rq.curr
        clear_buddies(cfs, curr)
        if curr.policy != SCHED_BATCH:
            update_curr(cfs, rq.clock_ns)
        cfs.skip = curr

    def wakeup_preempt(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/fair.c:check_preempt_wakeup()."""
        curr = rq.curr
        if curr is p or rq.need_resched:
            return
        if curr.policy == SCHED_IDLE and p.policy != SCHED_IDLE:
            rq.need_resched = True
            return
        if p.policy != SCHED_NORMAL:
            return
        cfs = rq.cfs
        update_curr(cfs, rq.clock_ns)
        if wakeup_preempt_entity(cfs, curr, p) != 1:
            return
        cfs.next = p
        rq.need_resched = True
        if curr.on_rq and cfs.nr_running >= cfs.nr_latency:
            cfs.last = curr

    def pick_next_task(self, rq: "Rq") -> CpuTask | None:
        """Source: kernel/sched/fair.c:pick_next_task_fair(), pick_next_entity()."""
        cfs = rq.cfs
        timeline = cfs.timeline
        if not timeline:
            return None
        left = timeline[0][2]
        if cfs.skip is None and cfs.next is None and cfs.last is None:
            p = left
            del timeline[0]
        else:
            p = self._pick_with_buddies(cfs, left)
            clear_buddies(cfs, p)
            unlink_entity(cfs, p)
        p.exec_start_ns = rq.clock_ns
        p.prev_sum_exec_ns = p.sum_exec_ns
        cfs.curr = p
        cfs.tasks.move_to_end(p)
        return p

    @staticmethod
    def _pick_with_buddies(cfs: "CfsRq", left: CpuTask) -> CpuTask:
        """The leftmost, or the one that asked to go next or was cut off, if not unfair to it."""
        p = left
        if cfs.skip is left and len(cfs.timeline) > 1:
            second = cfs.timeline[1][2]
            if wakeup_preempt_entity(cfs, second, left) < 1:
                p = second
        if cfs.next is not None and wakeup_preempt_entity(cfs, cfs.next, left) < 1:
            p = cfs.next
        elif cfs.last is not None and wakeup_preempt_entity(cfs, cfs.last, left) < 1:
            p = cfs.last
        return p

    def put_prev_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:put_prev_task_fair(), put_prev_entity()."""
        cfs = rq.cfs
        if p.on_rq:
            update_curr(cfs, rq.clock_ns)
            seq = cfs.seq + 1  # enqueue_entity(), inlined
            cfs.seq = p.seq = seq
            insort(cfs.timeline, (p.vruntime, seq, p))
        cfs.curr = None

    def set_next_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:set_next_task_fair(), set_next_entity()."""
        cfs = rq.cfs
        clear_buddies(cfs, p)
        unlink_entity(cfs, p)
        p.exec_start_ns = rq.clock_ns
        p.prev_sum_exec_ns = p.sum_exec_ns
        cfs.curr = p
        cfs.tasks.move_to_end(p)

    def task_tick(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:task_tick_fair(), check_preempt_tick()."""
        cfs = rq.cfs
        update_curr(cfs, rq.clock_ns)
        if cfs.nr_running <= 1:
            return
        ideal = sched_slice(cfs, p)
        ran = p.sum_exec_ns - p.prev_sum_exec_ns
        if ran > ideal:
            rq.need_resched = True
            # the task that is cut off must not be picked again as somebody's buddy
            clear_buddies(cfs, p)
            return
        # a task that was placed too far left must not take the CPU at every tick
        if ran >= cfs.min_granularity_ns and p.vruntime - cfs.timeline[0][0] > ideal:
            rq.need_resched = True

    def task_fork(self, rq: "Rq", parent: CpuTask, child: CpuTask, first: bool) -> None:
        """Place the child one slice behind; if it is to run first, swap it with the parent.

        Source: kernel/sched/fair.c:task_fork_fair().
        """
        cfs = rq.cfs
        update_curr(cfs, rq.clock_ns)
        child.vruntime = parent.vruntime
        place_entity(cfs, child, True)
        if first and parent.vruntime < child.vruntime:
            if parent is cfs.curr:
                parent.vruntime, child.vruntime = child.vruntime, parent.vruntime
                rq.need_resched = True
            else:  # lost the CPU inside the system call: Linux's fork has no such case
                unlink_entity(cfs, parent)
                parent.vruntime, child.vruntime = child.vruntime, parent.vruntime
                enqueue_entity(cfs, parent)
        child.vruntime -= cfs.min_vruntime

    def task_dead(self, rq: "Rq", p: CpuTask) -> None:
        """Nothing to do for CFS."""

    def switched_to(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:switched_to_fair()."""
        if p.on_rq:
            if rq.curr is p:
                rq.need_resched = True
            else:
                self.wakeup_preempt(rq, p, 0)

    def prio_changed(self, rq: "Rq", p: CpuTask, old_nice: int) -> None:
        """Source: kernel/sched/fair.c:prio_changed_fair()."""
        if not p.on_rq or rq.cfs.nr_running == 1:
            return
        if rq.curr is p:
            if p.nice > old_nice:
                rq.need_resched = True
        else:
            self.wakeup_preempt(rq, p, 0)

    def update_curr(self, rq: "Rq") -> None:
        """Source: kernel/sched/fair.c:update_curr_fair()."""
        update_curr(rq.cfs, rq.clock_ns)

    def migrate_task_rq(self, rq: "Rq", p: CpuTask) -> None:
        """Make the vruntime of a sleeper relative.

        Source: kernel/sched/fair.c:migrate_task_rq_fair().
        """
        p.vruntime -= rq.cfs.min_vruntime

    def detach_one(self, rq: "Rq", dst: int) -> CpuTask | None:
        """Dequeue the task that ran longest ago, of the first 32, and is not cache-hot.

        If all of them are hot the first one goes.

        Source: kernel/sched/fair.c:detach_one_task(), can_migrate_task(), task_hot().
        Deviation: this is for a CPU that has just become idle, which takes one at once; Linux's
        newidle_balance() leaves hot ones to the periodic passes (``kernel.smp.balance``).
        """
        p = _to_detach(rq.cfs, rq.clock_ns - SYSCTL_SCHED_MIGRATION_COST_NS, dst)
        if p is not None:
            self.dequeue_task(rq, p, DEQUEUE_MOVE)
        return p


def _to_detach(cfs: "CfsRq", newest_ns: int, dst: int) -> CpuTask | None:
    if not cfs.timeline:
        return None
    fallback: CpuTask | None = None
    looked_at = 0
    for p in cfs.tasks:
        if p is cfs.curr:
            continue
        looked_at += 1
        if looked_at > SCHED_NR_MIGRATE:
            break
        if p.cpus_allowed is not None and dst >= 0 and dst not in p.cpus_allowed:
            continue
        if p.exec_start_ns <= newest_ns and p is not cfs.next and p is not cfs.last:
            return p
        if fallback is None:
            fallback = p
    return fallback


fair_sched_class: Final = FairSchedClass()
