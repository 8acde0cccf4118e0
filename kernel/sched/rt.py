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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.sched_class import (
    ENQUEUE_HEAD,
    FAIR_RANK,
    RT_RANK,
    ClassRq,
    Entity,
    SchedClass,
)
from kernel.sched.tunables import duration
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.policy import RT_POLICIES, SCHED_RR
from kernel.uapi.prio import MAX_RT_PRIO

if TYPE_CHECKING:
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq


@dataclass(frozen=True)
class RtTunables:
    """``sched_rr_timeslice_ms``, and the fair server's budget (debugfs: sched/fair_server)."""

    rr_timeslice_ns: int = duration(
        100_000_000, 1_000_000, 10 * NSEC_PER_SEC, "Quantum of SCHED_RR, in whole ticks."
    )
    fair_server_runtime_ns: int = duration(
        50_000_000,
        1_000_000,
        4 * NSEC_PER_SEC,
        "What the fair class gets of a CPU that real-time tasks keep busy.",
        at_most="fair_server_period_ns",
    )
    fair_server_period_ns: int = duration(
        NSEC_PER_SEC, 10_000_000, 4 * NSEC_PER_SEC, "In every such period."
    )


def rr_timeslice(tunables: RtTunables, hz: int) -> int:
    """Return the quantum of SCHED_RR in ticks. Source: kernel/sched/rt.c:sched_rr_handler()."""
    return max(1, tunables.rr_timeslice_ns * hz // NSEC_PER_SEC)


class RtEntity(Entity):
    """The class's part of a task (``struct sched_rt_entity``)."""

    __slots__ = ("time_slice",)

    def __init__(self, time_slice: int) -> None:
        self.time_slice = time_slice  # of SCHED_RR, ticks left

    def pack(self) -> list[Any]:
        """Return the ticks that are left."""
        return [self.time_slice]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        self.time_slice = data[0]


class RtRq(ClassRq):
    """The queue of the class (``rt_rq``)."""

    __slots__ = (
        "active",
        "rr_timeslice",
        "served_ns",
        "server_period_ns",
        "server_runtime_ns",
        "starved_ns",
    )

    def __init__(self, tunables: RtTunables, hz: int) -> None:
        super().__init__()
        self.rr_timeslice = rr_timeslice(tunables, hz)
        self.server_period_ns = tunables.fair_server_period_ns
        self.server_runtime_ns = tunables.fair_server_runtime_ns
        # priority -> tasks in order, the current one among them; no empty lists
        self.active: dict[int, list[CpuTask]] = {}
        self.starved_ns = 0  # since when fair tasks wait behind real-time ones; 0: they do not
        self.served_ns = 0  # until when the fair class has the CPU

    def pack(self) -> list[Any]:
        """Return the lists, and how far the fair class's share is."""
        lists = [[priority, [p.pid for p in queue]] for priority, queue in self.active.items()]
        return [self.nr_running, lists, self.starved_ns, self.served_ns]

    def unpack(self, data: Sequence[Any], tasks: Mapping[int, CpuTask]) -> None:
        """Take what ``pack`` returned."""
        self.nr_running, lists, self.starved_ns, self.served_ns = data
        self.active = {priority: [tasks[pid] for pid in pids] for priority, pids in lists}

    def highest(self) -> int:
        """Return the highest priority of a runnable task, 0 if there is none."""
        return max(self.active, default=0)


def update_curr_rt(rq: "Rq") -> None:
    """Account for what the current task ran. Source: kernel/sched/rt.c:update_curr_rt()."""
    curr = rq.curr
    delta = rq.clock_ns - curr.exec_start_ns
    if delta > 0:
        curr.exec_start_ns = rq.clock_ns
        curr.sum_exec_ns += delta


def fair_server_tick(rq: "Rq") -> None:
    """Begin or end the time of the fair class on a CPU with real-time tasks.

    Source: kernel/sched/deadline.c:dl_server_update(), update_curr_dl_se().
    """
    rt: RtRq = rq.of[RT_RANK]
    fair: ClassRq = rq.of[FAIR_RANK]
    now_ns = rq.clock_ns
    if rt.served_ns:
        if now_ns >= rt.served_ns:
            rt.served_ns = 0
            rt.starved_ns = now_ns
            rq.need_resched = True
    elif not rt.nr_running or not fair.nr_running:
        rt.starved_ns = 0
    elif not rt.starved_ns:
        rt.starved_ns = now_ns
    elif now_ns - rt.starved_ns >= rt.server_period_ns - rt.server_runtime_ns:
        rt.served_ns = now_ns + rt.server_runtime_ns
        rq.need_resched = True


class RtSchedClass(SchedClass):
    """The operations of the real-time class; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("rt", RT_RANK, RT_POLICIES, RtTunables, "real-time", "6.12")

    def make_rq(self, tunables: Any, spec: "MachineSpec") -> RtRq:
        """Return an empty ``rt_rq``. Source: kernel/sched/rt.c:init_rt_rq()."""
        return RtRq(tunables, spec.hz)

    def make_entity(self) -> RtEntity:
        """Return an entity without a quantum: ``switched_to`` and ``task_fork`` give it one."""
        return RtEntity(0)

    def enqueue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/rt.c:enqueue_task_rt()."""
        rt: RtRq = rq.of[RT_RANK]
        queue = rt.active.setdefault(p.rt_priority, [])
        if flags & ENQUEUE_HEAD:
            queue.insert(0, p)
        else:
            queue.append(p)
        rt.nr_running += 1

    def dequeue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/rt.c:dequeue_task_rt()."""
        rt: RtRq = rq.of[RT_RANK]
        if p is rq.curr:
            update_curr_rt(rq)
        queue = rt.active[p.rt_priority]
        queue.remove(p)
        if not queue:
            del rt.active[p.rt_priority]
        rt.nr_running -= 1

    def queued(self, rq: "Rq") -> list[CpuTask]:
        """Source: kernel/sched/rt.c:pick_highest_pushable_task(), its order."""
        rt: RtRq = rq.of[RT_RANK]
        return [p for priority in sorted(rt.active, reverse=True) for p in rt.active[priority]]

    def yield_task(self, rq: "Rq") -> None:
        """Source: kernel/sched/rt.c:yield_task_rt()."""
        _requeue(rq, rq.curr)

    def wakeup_preempt(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/rt.c:wakeup_preempt_rt()."""
        if p.rt_priority > rq.curr.rt_priority:
            rq.need_resched = True

    def may_preempt(self, rq: "Rq") -> bool:
        """Not while the fair server serves; whoever runs is a fair task or nobody."""
        rt: RtRq = rq.of[RT_RANK]
        return rq.clock_ns >= rt.served_ns or rq.curr is rq.idle

    def pick_next_task(self, rq: "Rq") -> CpuTask | None:
        """Return the first task of the highest priority, None if the fair class has the CPU.

        Source: kernel/sched/rt.c:_pick_next_task_rt().
        """
        rt: RtRq = rq.of[RT_RANK]
        if not rt.nr_running:
            return None
        fair: ClassRq = rq.of[FAIR_RANK]
        if fair.nr_running:
            if rq.clock_ns < rt.served_ns:
                return None
            if not rt.starved_ns:
                rt.starved_ns = rq.clock_ns
        else:
            rt.starved_ns = 0
        p = rt.active[rt.highest()][0]
        p.exec_start_ns = rq.clock_ns
        return p

    def put_prev_task(self, rq: "Rq", p: CpuTask) -> None:
        """It stays where it is in its list. Source: kernel/sched/rt.c:put_prev_task_rt()."""
        if p.on_rq:
            update_curr_rt(rq)

    def set_next_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/rt.c:set_next_task_rt()."""
        p.exec_start_ns = rq.clock_ns

    def task_tick(self, rq: "Rq", p: CpuTask) -> None:
        """Count down a SCHED_RR task's quantum. Source: kernel/sched/rt.c:task_tick_rt()."""
        update_curr_rt(rq)
        if p.policy != SCHED_RR:
            return
        rt: RtRq = rq.of[RT_RANK]
        se: RtEntity = p.se
        se.time_slice -= 1
        if se.time_slice > 0:
            return
        se.time_slice = rt.rr_timeslice
        if len(rt.active[p.rt_priority]) > 1:
            _requeue(rq, p)
            rq.need_resched = True

    def rq_tick(self, rq: "Rq") -> None:
        """See to the fair class's share."""
        fair_server_tick(rq)

    def task_fork(self, rq: "Rq", parent: CpuTask, child: CpuTask, flags: int) -> None:
        """Source: kernel/sched/core.c:__sched_fork()."""
        rt: RtRq = rq.of[RT_RANK]
        se: RtEntity = child.se
        se.time_slice = rt.rr_timeslice

    def setparam(self, rq: "Rq", p: CpuTask, priority: int, own: tuple[int, ...]) -> None:
        """Source: kernel/sched/syscalls.c:__setscheduler_params(), __normal_prio()."""
        p.rt_priority = priority
        p.prio = MAX_RT_PRIO - 1 - priority

    def param_changed(self, p: CpuTask, priority: int, own: tuple[int, ...]) -> bool:
        """Source: kernel/sched/syscalls.c:__sched_setscheduler()."""
        return priority != p.rt_priority

    def switched_to(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/rt.c:switched_to_rt()."""
        rt: RtRq = rq.of[RT_RANK]
        se: RtEntity = p.se
        se.time_slice = rt.rr_timeslice
        if p.on_rq and rq.curr is not p:
            self.wakeup_preempt(rq, p, 0)

    def prio_changed(self, rq: "Rq", p: CpuTask, old_nice: int) -> None:
        """Source: kernel/sched/rt.c:prio_changed_rt()."""
        if not p.on_rq:
            return
        rt: RtRq = rq.of[RT_RANK]
        if rq.curr is p:
            if p.rt_priority < rt.highest():
                rq.need_resched = True
        elif p.rt_priority > rq.curr.rt_priority:
            rq.need_resched = True

    def update_curr(self, rq: "Rq") -> None:
        """Source: kernel/sched/rt.c:update_curr_rt()."""
        update_curr_rt(rq)

    def pushable_task(self, rq: "Rq", p: CpuTask, dst: int) -> CpuTask | None:
        """Source: kernel/sched/rt.c:pick_next_pushable_task()."""
        rt: RtRq = rq.of[RT_RANK]
        for task in (p, *rt.active[p.rt_priority]):
            if task is not rq.curr and (task.cpus_allowed is None or dst in task.cpus_allowed):
                return task
        return None

    def check(self, rq: "Rq", found: list[str]) -> None:
        """Counts, and that every task is in the list of its priority."""
        rt: RtRq = rq.of[RT_RANK]
        tasks = self.queued(rq)
        if rt.nr_running != len(tasks):
            found.append(f"cpu {rq.cpu}: nr_running of rt is {rt.nr_running}, {len(tasks)} found")
        found += [
            f"cpu {rq.cpu}: {task!r} is in the wrong real-time list"
            for task in tasks
            if task not in rt.active.get(task.rt_priority, ())
        ]


def _requeue(rq: "Rq", p: CpuTask) -> None:
    """Put ``p`` at the end of its list. Source: kernel/sched/rt.c:requeue_task_rt()."""
    rt: RtRq = rq.of[RT_RANK]
    queue = rt.active[p.rt_priority]
    queue.remove(p)
    queue.append(p)


rt_sched_class: Final = RtSchedClass()
