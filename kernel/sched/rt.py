"""The real-time class: SCHED_FIFO and SCHED_RR.

One list per priority, 99 to 1; the first task of the highest list that is not empty runs, until it
sleeps, yields or one of a higher priority comes. The running task stays at the head of its list,
so one that is preempted goes on before its equals. SCHED_RR gives way after its quantum, if it has
equals. Which CPU a task waits on is decided by KernelState (``kernel.smp.push``).

A CPU that real-time tasks would keep for themselves gives the fair class 50 ms after 950 ms, as the
deadline server of Linux 6.12 does (and, by and large, the throttling before it).

Source: kernel/sched/rt.c; kernel/sched/fair.c:fair_server_init() for the last paragraph.
Deviation: no RT group scheduling and no priority inheritance. The fair class's time is not taken
from a server of the deadline class: it is looked after at the tick.
"""

from typing import TYPE_CHECKING, Final

from kernel.cpu.task import CpuTask
from kernel.sched.sched_class import CLASS_ORDER, ENQUEUE_HEAD
from kernel.uapi.policy import SCHED_RR

if TYPE_CHECKING:
    from kernel.sched.rq import Rq

RR_TIMESLICE_NS: Final = 100_000_000
FAIR_SERVER_RUNTIME_NS: Final = 50_000_000
FAIR_SERVER_PERIOD_NS: Final = 1_000_000_000


class RtRq:
    """The queue of the real-time class (``rt_rq``), made when a CPU gets its first such task."""

    __slots__ = ("active", "nr_running", "served_ns", "starved_ns")

    def __init__(self) -> None:
        # priority -> tasks in order, the current one among them; no empty lists
        self.active: dict[int, list[CpuTask]] = {}
        self.nr_running = 0
        self.starved_ns = 0  # since when fair tasks wait behind real-time ones; 0: they do not
        self.served_ns = 0  # until when the fair class has the CPU

    def highest(self) -> int:
        """Return the highest priority of a runnable task, 0 if there is none."""
        return max(self.active, default=0)


def rt_rq_of(rq: "Rq") -> RtRq:
    """Return the real-time queue of ``rq``, made at first use."""
    rt = rq.rt
    if rt is None:
        rt = rq.rt = RtRq()
    return rt


def update_curr_rt(rq: "Rq") -> None:
    """Account for what the current task ran. Source: kernel/sched/rt.c:update_curr_rt()."""
    curr = rq.curr
    delta = rq.clock_ns - curr.exec_start_ns
    if delta > 0:
        curr.exec_start_ns = rq.clock_ns
        curr.sum_exec_ns += delta


def pick_next_rt(rq: "Rq") -> CpuTask | None:
    """Return the real-time task to run next, None if the fair class has the CPU.

    Source: kernel/sched/rt.c:_pick_next_task_rt().
    """
    rt = rq.rt
    if rt is None or not rt.nr_running:
        return None
    if rq.cfs.nr_running:
        if rq.clock_ns < rt.served_ns:
            return None
        if not rt.starved_ns:
            rt.starved_ns = rq.clock_ns
    else:
        rt.starved_ns = 0
    p = rt.active[rt.highest()][0]
    p.exec_start_ns = rq.clock_ns
    p.prev_sum_exec_ns = p.sum_exec_ns
    return p


def fair_server_tick(rq: "Rq") -> None:
    """Begin or end the time of the fair class on a CPU with real-time tasks.

    Source: kernel/sched/deadline.c:dl_server_update(), update_curr_dl_se().
    """
    rt = rt_rq_of(rq)
    now_ns = rq.clock_ns
    if rt.served_ns:
        if now_ns >= rt.served_ns:
            rt.served_ns = 0
            rt.starved_ns = now_ns
            rq.need_resched = True
    elif not rt.nr_running or not rq.cfs.nr_running:
        rt.starved_ns = 0
    elif not rt.starved_ns:
        rt.starved_ns = now_ns
    elif now_ns - rt.starved_ns >= FAIR_SERVER_PERIOD_NS - FAIR_SERVER_RUNTIME_NS:
        rt.served_ns = now_ns + FAIR_SERVER_RUNTIME_NS
        rq.need_resched = True


class RtSchedClass:
    """The operations of the real-time class; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ("name", "rank")

    def __init__(self) -> None:
        self.name = "rt"
        self.rank = CLASS_ORDER.index("rt")

    def enqueue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/rt.c:enqueue_task_rt()."""
        rt = rt_rq_of(rq)
        queue = rt.active.setdefault(p.rt_priority, [])
        if flags & ENQUEUE_HEAD:
            queue.insert(0, p)
        else:
            queue.append(p)
        rt.nr_running += 1
        p.on_rq = True
        rq.nr_running += 1

    def dequeue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/rt.c:dequeue_task_rt()."""
        rt = rt_rq_of(rq)
        if p is rq.curr:
            update_curr_rt(rq)
        queue = rt.active[p.rt_priority]
        queue.remove(p)
        if not queue:
            del rt.active[p.rt_priority]
        rt.nr_running -= 1
        p.on_rq = False
        rq.nr_running -= 1

    def yield_task(self, rq: "Rq") -> None:
        """Source: kernel/sched/rt.c:yield_task_rt()."""
        _requeue(rq, rq.curr)

    def wakeup_preempt(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/rt.c:wakeup_preempt_rt()."""
        if p.rt_priority > rq.curr.rt_priority:
            rq.need_resched = True

    def pick_next_task(self, rq: "Rq") -> CpuTask | None:
        return pick_next_rt(rq)

    def put_prev_task(self, rq: "Rq", p: CpuTask) -> None:
        """It stays where it is in its list. Source: kernel/sched/rt.c:put_prev_task_rt()."""
        if p.on_rq:
            update_curr_rt(rq)

    def set_next_task(self, rq: "Rq", p: CpuTask) -> None:
        p.exec_start_ns = rq.clock_ns

    def task_tick(self, rq: "Rq", p: CpuTask) -> None:
        """Count down a SCHED_RR task's quantum. Source: kernel/sched/rt.c:task_tick_rt()."""
        update_curr_rt(rq)
        if p.policy != SCHED_RR:
            return
        p.time_slice -= 1
        if p.time_slice > 0:
            return
        p.time_slice = rq.rr_timeslice
        if len(rt_rq_of(rq).active[p.rt_priority]) > 1:
            _requeue(rq, p)
            rq.need_resched = True

    def task_fork(self, rq: "Rq", parent: CpuTask, child: CpuTask, first: bool) -> None:
        """Source: kernel/sched/core.c:__sched_fork()."""
        child.time_slice = rq.rr_timeslice

    def task_dead(self, rq: "Rq", p: CpuTask) -> None:
        """Nothing to do."""

    def switched_to(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/rt.c:switched_to_rt()."""
        p.time_slice = rq.rr_timeslice
        if p.on_rq and rq.curr is not p:
            self.wakeup_preempt(rq, p, 0)

    def prio_changed(self, rq: "Rq", p: CpuTask, old_nice: int) -> None:
        """Source: kernel/sched/rt.c:prio_changed_rt()."""
        if not p.on_rq:
            return
        if rq.curr is p:
            if p.rt_priority < rt_rq_of(rq).highest():
                rq.need_resched = True
        elif p.rt_priority > rq.curr.rt_priority:
            rq.need_resched = True

    def update_curr(self, rq: "Rq") -> None:
        update_curr_rt(rq)

    def migrate_task_rq(self, rq: "Rq", p: CpuTask) -> None:
        """A real-time task takes nothing along."""

    def detach_one(self, rq: "Rq", dst: int) -> CpuTask | None:
        """Dequeue the waiting task of the highest priority that may run on CPU ``dst``.

        Source: kernel/sched/rt.c:pick_highest_pushable_task().
        """
        rt = rq.rt
        if rt is None:
            return None
        for priority in sorted(rt.active, reverse=True):
            for p in rt.active[priority]:
                if p is not rq.curr and (
                    dst < 0 or p.cpus_allowed is None or dst in p.cpus_allowed
                ):
                    self.dequeue_task(rq, p, 0)
                    return p
        return None


def _requeue(rq: "Rq", p: CpuTask) -> None:
    """Put ``p`` at the end of its list. Source: kernel/sched/rt.c:requeue_task_rt()."""
    queue = rt_rq_of(rq).active[p.rt_priority]
    queue.remove(p)
    queue.append(p)


rt_sched_class: Final = RtSchedClass()
