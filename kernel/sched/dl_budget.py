"""Budgets of deadline tasks: how they shrink, end and come back.

A task with SCHED_FLAG_RECLAIM uses its budget up slower where there is bandwidth to spare, the more
slowly the more there is (GRUB): at the rate of the share that is in use or spoken for, its own at
least. In use are the shares of the tasks of its CPU that are active: not asleep, or asleep and not
past the time at which what they have left is no more than their share (zero-lag time). To spare
is what nobody has been admitted for, of all CPUs in equal parts.

Source: kernel/sched/deadline.c; G. Lipari, S. Baruah: Greedy Reclamation of Unused Bandwidth in
Constant-Bandwidth Servers (2000); L. Abeni, J. Lelli, C. Scordino, L. Palopoli: Greedy CPU
Reclaiming for SCHED_DEADLINE (2014).
Deviation: the fair server counts as active while fair tasks are runnable at the moment of
accounting. A task that leaves the class or dies does so with its share at once.
"""

from typing import TYPE_CHECKING, Final

from kernel.cpu.task import CpuTask
from kernel.sched.dl_rq import BW_SHIFT, RATIO_SHIFT, DlEntity, DlRq
from kernel.sched.sched_class import DEADLINE_RANK, FAIR_RANK, ClassRq
from kernel.uapi.policy import SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_RECLAIM

if TYPE_CHECKING:
    from kernel.sched.rq import Rq

# keys of timers
END_OF_BUDGET: Final = 1
REPLENISH: Final = 2
ZERO_LAG: Final = 3
OVERRUN: Final = 1  # what it tells its half in the kernel: a task has used its budget up
TOTAL_BW: Final = 1  # what it is told: the bandwidth of all deadline tasks and fair servers, CPUs


def arm_budget(rq: "Rq", p: CpuTask) -> None:
    """Have the end of the budget of ``p``, which runs from now on, seen to."""
    mine: DlRq = rq.of[DEADLINE_RANK]
    se: DlEntity = p.se
    left_ns = max(se.runtime, 0)
    if se.flags & SCHED_FLAG_RECLAIM:
        left_ns = -((-left_ns << BW_SHIFT) // reclaimed_rate(rq, mine, se))
    at_ns = p.exec_start_ns + left_ns
    mine.budget_timer = rq.timers.arm(at_ns, DEADLINE_RANK, END_OF_BUDGET)


def cancel_budget(rq: "Rq") -> None:
    mine: DlRq = rq.of[DEADLINE_RANK]
    if mine.budget_timer:
        rq.timers.cancel(mine.budget_timer)
        mine.budget_timer = 0


def start_dl_timer(rq: "Rq", p: CpuTask) -> None:
    """Have throttled ``p`` replenished in time. Source: deadline.c:start_dl_timer()."""
    mine: DlRq = rq.of[DEADLINE_RANK]
    se: DlEntity = p.se
    mine.seq += 1
    se.slot = mine.seq
    se.timer = rq.timers.arm(se.next_period(), DEADLINE_RANK, REPLENISH, (se.slot,))
    mine.throttled[se.slot] = p


def update_curr_dl(rq: "Rq") -> None:
    """Account for what the current task ran; throttle it if its budget is used up or given away.

    Source: kernel/sched/deadline.c:update_curr_dl(), update_curr_dl_se().
    """
    curr = rq.curr
    now_ns = rq.clock_ns
    mine: DlRq = rq.of[DEADLINE_RANK]
    se: DlEntity = curr.se
    delta = now_ns - curr.exec_start_ns
    if delta > 0:
        curr.exec_start_ns = now_ns
        curr.sum_exec_ns += delta
        if se.flags & SCHED_FLAG_RECLAIM:
            delta = (delta * reclaimed_rate(rq, mine, se)) >> BW_SHIFT
        se.runtime -= delta
    if se.throttled or (se.runtime > 0 and not se.yielded):
        return
    mine.unlink(curr)
    se.throttled = True
    if se.flags & SCHED_FLAG_DL_OVERRUN and se.runtime <= 0:
        rq.mail.append((-1, DEADLINE_RANK, OVERRUN, (curr.pid,)))
    if se.next_period() > now_ns:
        start_dl_timer(rq, curr)
        rq.need_resched = True
        return
    se.replenish(now_ns)
    mine.link(curr)
    if mine.first() is not curr:
        rq.need_resched = True


def reclaimed_rate(rq: "Rq", mine: DlRq, se: DlEntity) -> int:
    """Return how fast a budget shrinks, in units of 2^-20 of the time that its task runs.

    Source: kernel/sched/deadline.c:grub_reclaim().
    """
    fair: ClassRq = rq.of[FAIR_RANK]
    spare = mine.this_bw - mine.running_bw + mine.extra_bw
    if not fair.nr_running:
        spare += mine.server_bw
    rate = se.bw if spare > mine.max_bw - se.bw else mine.max_bw - spare
    return max((rate * mine.bw_ratio) >> RATIO_SHIFT, 1)


def change_bw(rq: "Rq", this_bw: int, running_bw: int) -> None:
    """Tasks with such shares have come to this CPU, or left it; have become active, or are not.

    Who runs and reclaims has used its budget up to now at the rate there was.

    Source: kernel/sched/deadline.c:__add_rq_bw(), __add_running_bw().
    """
    mine: DlRq = rq.of[DEADLINE_RANK]
    curr = rq.curr
    se = curr.se
    reclaims = isinstance(se, DlEntity) and se.flags & SCHED_FLAG_RECLAIM and se.seq
    if reclaims:
        update_curr_dl(rq)
    mine.this_bw += this_bw
    mine.running_bw += running_bw
    if reclaims and mine.budget_timer and isinstance(se, DlEntity) and not se.throttled:
        cancel_budget(rq)
        arm_budget(rq, curr)


def attach_bw(rq: "Rq", p: CpuTask, active: bool) -> None:
    """Count ``p`` among the tasks of this CPU, and of its active ones.

    Source: kernel/sched/deadline.c:task_contending(), add_rq_bw().
    """
    mine: DlRq = rq.of[DEADLINE_RANK]
    se: DlEntity = p.se
    _forget_zero_lag(rq, mine, se)
    this_bw = 0 if se.here else se.bw
    running_bw = se.bw if active and not se.active else 0
    se.here = True
    se.active = se.active or active
    if this_bw or running_bw:
        change_bw(rq, this_bw, running_bw)


def detach_bw(rq: "Rq", p: CpuTask) -> None:
    """``p`` leaves this CPU, or the class. Source: kernel/sched/deadline.c:sub_rq_bw()."""
    mine: DlRq = rq.of[DEADLINE_RANK]
    se: DlEntity = p.se
    _forget_zero_lag(rq, mine, se)
    this_bw = -se.bw if se.here else 0
    running_bw = -se.bw if se.active else 0
    se.here = se.active = False
    if this_bw or running_bw:
        change_bw(rq, this_bw, running_bw)


def task_non_contending(rq: "Rq", p: CpuTask) -> None:
    """``p`` sleeps, and is active until its zero-lag time.

    Source: kernel/sched/deadline.c:task_non_contending().
    """
    mine: DlRq = rq.of[DEADLINE_RANK]
    se: DlEntity = p.se
    zero_lag_ns = se.deadline - se.runtime * se.dl_period // se.dl_runtime
    if zero_lag_ns < rq.clock_ns:
        become_inactive(rq, p)
        return
    mine.seq += 1
    se.slot = mine.seq
    se.inactive = rq.timers.arm(zero_lag_ns, DEADLINE_RANK, ZERO_LAG, (se.slot,))
    mine.inactive[se.slot] = p


def become_inactive(rq: "Rq", p: CpuTask) -> None:
    """Source: kernel/sched/deadline.c:inactive_task_timer()."""
    se: DlEntity = p.se
    if se.active:
        se.active = False
        change_bw(rq, 0, -se.bw)


def _forget_zero_lag(rq: "Rq", mine: DlRq, se: DlEntity) -> None:
    if se.inactive:
        rq.timers.cancel(se.inactive)
        del mine.inactive[se.slot]
        se.inactive = 0
