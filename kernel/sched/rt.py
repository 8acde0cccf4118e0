"""The real-time class: SCHED_FIFO and SCHED_RR.

One list per priority, 99 to 1; the first task of the highest list that is not empty runs, until it
sleeps, yields or one of a higher priority comes. The running task stays at the head of its list,
so one that is preempted goes on before its equals. SCHED_RR gives way after its quantum, if it has
equals. Which CPU a task waits on is decided by KernelState (``kernel.smp.push``).

A CPU that real-time tasks would keep for themselves gives the fair class 5 % of its time: in 6.12
by ``kernel.sched.fair_server``, in 2.6.34 by throttling them, ``kernel.sched.rt_throttle``.

Source: kernel/sched/rt.c.
Deviation: no RT group scheduling and no priority inheritance.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.fair_server import (
    server_pause,
    server_resume,
    server_tick,
    server_timer,
    server_wanted,
    serves,
)
from kernel.sched.rt_rq import RtEntity, RtRq, RtTunables
from kernel.sched.rt_throttle import (
    LOOK,
    PERIOD,
    SLICE,
    account,
    end_period,
    look_later,
    start_period,
    told,
)
from kernel.sched.sched_class import ENQUEUE_HEAD, RT_RANK, SchedClass
from kernel.uapi.policy import RT_POLICIES, SCHED_RR
from kernel.uapi.prio import MAX_RT_PRIO

if TYPE_CHECKING:
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq


def update_curr_rt(rq: "Rq") -> None:
    """Account for what the current task ran. Source: kernel/sched/rt.c:update_curr_rt()."""
    curr = rq.curr
    delta = rq.clock_ns - curr.exec_start_ns
    if delta > 0:
        curr.exec_start_ns = rq.clock_ns
        curr.sum_exec_ns += delta
        rt: RtRq = rq.of[RT_RANK]
        if rt.bandwidth.on:
            account(rq, rt, delta)


class RtSchedClass(SchedClass):
    """The operations of the real-time class; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("rt", RT_RANK, RT_POLICIES, RtTunables, "real-time", "6.12")

    def make_rq(self, tunables: Any, spec: "MachineSpec") -> RtRq:
        """Return an empty ``rt_rq``. Source: kernel/sched/rt.c:init_rt_rq()."""
        return RtRq(tunables, spec)

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
        if rt.bandwidth.on:
            start_period(rq, rt)

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
        """Not while the class is throttled or the fair server serves."""
        rt: RtRq = rq.of[RT_RANK]
        return not rt.bandwidth.throttled and not serves(rq, rt)

    def left_behind(self, rq: "Rq") -> None:
        """A fair task waits behind a real-time one."""
        server_wanted(rq)

    def pick_next_task(self, rq: "Rq") -> CpuTask | None:
        """Return the first task of the highest priority, None if the fair class has the CPU.

        Source: kernel/sched/rt.c:_pick_next_task_rt().
        """
        rt: RtRq = rq.of[RT_RANK]
        if not rt.nr_running or rt.bandwidth.throttled or serves(rq, rt):
            return None
        p = rt.active[rt.highest()][0]
        self.set_next_task(rq, p)
        return p

    def put_prev_task(self, rq: "Rq", p: CpuTask) -> None:
        """It stays where it is in its list. Source: kernel/sched/rt.c:put_prev_task_rt()."""
        if p.on_rq:
            update_curr_rt(rq)
        server_resume(rq)

    def set_next_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/rt.c:set_next_task_rt()."""
        p.exec_start_ns = rq.clock_ns
        rt: RtRq = rq.of[RT_RANK]
        if rt.bandwidth.on:
            look_later(rq, rt)
        server_pause(rq)

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
        server_tick(rq)

    def timer(self, rq: "Rq", at_ns: int, key: int, data: tuple[int, ...]) -> None:
        """The period of the bandwidth is over, or the fair server can be put off no longer."""
        if key != PERIOD and key != LOOK:
            server_timer(rq)
            return
        rt: RtRq = rq.of[RT_RANK]
        runs = rq.curr.sched_class is self
        if runs:
            update_curr_rt(rq)
        if key == PERIOD:
            end_period(rq, rt)
        else:
            rt.bandwidth.look = 0
            if runs:
                look_later(rq, rt)

    def told(self, rq: "Rq", key: int, data: tuple[int, ...]) -> None:
        """Another CPU asks for bandwidth, or gives some; or there is another quantum."""
        rt: RtRq = rq.of[RT_RANK]
        if key == SLICE:
            rt.rr_timeslice = data[0]
        else:
            told(rq, rt, key, data)

    def task_fork(self, rq: "Rq", parent: CpuTask, child: CpuTask, flags: int) -> None:
        """Source: kernel/sched/core.c:__sched_fork()."""
        rt: RtRq = rq.of[RT_RANK]
        se: RtEntity = child.se
        se.time_slice = rt.rr_timeslice

    def setparam(self, rq: "Rq", p: CpuTask, priority: int, own: tuple[int, ...]) -> None:
        """Source: kernel/sched/syscalls.c:__setscheduler_params(), __normal_prio()."""
        p.rt_priority = priority
        p.prio = MAX_RT_PRIO - 1 - priority

    def param_changed(self, rq: "Rq", p: CpuTask, priority: int, own: tuple[int, ...]) -> bool:
        """2.6.34 takes it off its list and puts it at the end, whatever it gets.

        Source: kernel/sched/syscalls.c:__sched_setscheduler(); kernel/sched.c of 2.6.34.
        """
        rt: RtRq = rq.of[RT_RANK]
        return rt.requeues or priority != p.rt_priority

    def switched_to(self, rq: "Rq", p: CpuTask) -> None:
        """A task that was one before has what was left of its quantum.

        Source: kernel/sched/rt.c:switched_to_rt().
        Deviation: one that becomes one for the first time has the quantum of this moment, in Linux
            that of its fork.
        """
        se: RtEntity = p.se
        if se.time_slice <= 0:
            rt: RtRq = rq.of[RT_RANK]
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
