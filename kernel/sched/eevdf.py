"""The fair class ``eevdf``: earliest eligible virtual deadline first, Linux's since 6.6.

Each task has a virtual run time that advances slower the heavier the task is. The queue's average
of them, weighted, is what each would have got from an ideally fair CPU; the distance of a task from
it is its lag, and a task that has not had more than its due (lag of at least 0) is eligible. A task
asks for a slice; ``deadline`` is the virtual time by which it has had it if it began at its virtual
run time. The CPU goes to the eligible task with the earliest deadline. So lag bounds what anybody
can be owed, and a short slice buys latency without buying time.

A task keeps its lag while it sleeps: it is placed so that it has it again, counted with itself. One
that goes to sleep with negative lag stays on the queue, not runnable, until it would be picked:
nobody gets rid of a debt by a short sleep. Once picked, a task is not taken off by a wakeup before
its slice ends, or its eligibility, unless who wakes has a shorter slice.

Deviation: a task in delayed dequeue that is woken may be moved to another CPU; Linux leaves it
where it is, since it is still queued there. And it does not count for the load of its CPU.
Deviation: ``child_runs_first`` means nothing to EEVDF in Linux. Here the child is the task to pick
next, once, if it is eligible (as NEXT_BUDDY does for a woken one).
Where tasks of several groups are on a CPU all this holds in each of their queues:
``kernel.sched.eevdf_group``.

Deviation: no NUMA placement.

Source: kernel/sched/fair.c, kernel/sched/features.h of Linux 6.12; I. Stoica, H. Abdel-Wahab:
Earliest Eligible Virtual Deadline First (1995).
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched import eevdf_group
from kernel.sched.eevdf_entity import (
    dequeue_entity,
    do_preempt_short,
    finish_delayed,
    finish_paid,
    has_ticked,
    requeue_delayed,
    rescale_entity,
    restore_entity,
    settle,
)
from kernel.sched.eevdf_rq import (
    EevdfEntity,
    EevdfRq,
    EevdfTunables,
    charge_ticks,
    check_queue,
    clear_buddies,
    entity_eligible,
    link_entity,
    move_zero,
    pick_eevdf,
    place_entity,
    slice_of,
    unlink_entity,
    update_curr,
)
from kernel.sched.eevdf_tree import update_chain
from kernel.sched.fair import FairSchedClass
from kernel.sched.fork_order import order_of
from kernel.sched.hrtick import ENDLESS
from kernel.sched.sched_class import (
    DEQUEUE_SLEEP,
    DEQUEUE_SPECIAL,
    ENQUEUE_INITIAL,
    ENQUEUE_MIGRATED,
    FAIR_RANK,
    WF_FORK,
)
from kernel.sched.task_group import GroupTree
from kernel.sched.weights import weight_of
from kernel.uapi.policy import FAIR_POLICIES, SCHED_IDLE, SCHED_NORMAL

if TYPE_CHECKING:
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq


class EevdfSchedClass(FairSchedClass):
    """The operations of EEVDF; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("eevdf", FAIR_RANK, FAIR_POLICIES, EevdfTunables, "EEVDF", "6.12")
        self.hrtick = True
        self.skips_ticks = True
        self.takes_groups = True

    def make_rq(self, tunables: Any, spec: "MachineSpec") -> EevdfRq:
        """Return an empty ``cfs_rq``. Source: kernel/sched/fair.c:init_cfs_rq()."""
        cpus, first = spec.cpus, order_of(spec.child_runs_first, self)
        flat = EevdfRq(tunables, cpus, spec.hz, first)
        flat.groups = GroupTree(
            flat,
            lambda: EevdfRq(tunables, cpus, spec.hz, first),
            EevdfEntity,
            spec,
        )
        return flat

    def make_entity(self) -> EevdfEntity:
        """Return an entity at the beginning of virtual time."""
        return EevdfEntity()

    # -- on and off the queue -----------------------------------------------------------------

    def enqueue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/fair.c:enqueue_task_fair(), enqueue_entity()."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None and cfs.nr_running == 1:
            eevdf_group.finish_paid(rq, cfs)
        if cfs.tree is not None or p.group:
            eevdf_group.enqueue_task(rq, cfs, p, flags)
            return
        se: EevdfEntity = p.se
        if cfs.put:
            settle(cfs)
        ticked = cfs.nr_queued > cfs.nr_running == 1 and has_ticked(cfs, rq.clock_ns)
        update_curr(rq, cfs)
        if ticked:
            finish_paid(cfs)
        if se.delayed:
            requeue_delayed(cfs, p, weight_of(p.nice, p.policy))
        else:
            place_entity(cfs, se, flags & ENQUEUE_INITIAL != 0)
            if flags & ENQUEUE_MIGRATED:
                p.exec_start_ns = 0  # nothing of it is in this CPU's cache
            se.on_rq = True
            cfs.nr_queued += 1
            link_entity(cfs, p)
        cfs.nr_running += 1
        cfs.tasks[p] = None

    def dequeue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Take it off, or let a sleeper in debt stay as delayed.

        Source: kernel/sched/fair.c:dequeue_task_fair(), dequeue_entity().
        """
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None and cfs.nr_running == 1:
            eevdf_group.finish_paid(rq, cfs)
        if cfs.tree is not None:
            eevdf_group.dequeue_task(rq, cfs, p, flags)
            return
        if cfs.put:
            settle(cfs)
        ticked = cfs.nr_queued > cfs.nr_running == 1 and has_ticked(cfs, rq.clock_ns)
        update_curr(rq, cfs)
        if ticked:
            finish_paid(cfs)
        cfs.nr_running -= 1
        del cfs.tasks[p]
        clear_buddies(cfs, p)
        if (
            flags & DEQUEUE_SLEEP
            and not flags & DEQUEUE_SPECIAL
            and cfs.features.delay_dequeue
            and not entity_eligible(cfs, p.se)
        ):
            se: EevdfEntity = p.se
            se.delayed = True
            return
        dequeue_entity(cfs, p, flags & DEQUEUE_SLEEP != 0)

    # -- who runs -----------------------------------------------------------------------------

    def pick_next_task(self, rq: "Rq") -> CpuTask | None:
        """Source: kernel/sched/fair.c:pick_next_task_fair(), pick_next_entity()."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            return eevdf_group.pick_next_task(rq, cfs)
        if cfs.put and cfs.curr is not rq.curr:
            settle(cfs)  # another class has run since
        while cfs.nr_queued:
            p = pick_eevdf(cfs)
            if cfs.next is not None:
                if cfs.next is not cfs.curr and entity_eligible(cfs, cfs.next.se):
                    p = cfs.next
                cfs.next = None
            se: EevdfEntity = p.se
            if not se.delayed:
                break
            finish_delayed(cfs, p)
        else:
            cfs.curr = None
            cfs.put = False
            return None
        cfs.put = False
        curr = cfs.curr
        if curr is not p:
            unlink_entity(cfs, p)
            cfs.curr = p
            if curr is not None:
                link_entity(cfs, curr)
            se.vlag = se.deadline
            move_zero(cfs)
        p.exec_start_ns = rq.clock_ns
        cfs.tasks.move_to_end(p)
        return p

    def put_prev_task(self, rq: "Rq", p: CpuTask) -> None:
        """Stop its clock; ``pick_next_task`` decides with it in mind and queues it if it waits.

        Source: kernel/sched/fair.c:put_prev_task_fair().
        """
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            eevdf_group.put_prev_task(rq, cfs, p)
        elif cfs.curr is p:
            update_curr(rq, cfs)
            cfs.put = True

    def set_next_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:set_next_task_fair(), set_next_entity()."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            eevdf_group.set_next_task(rq, cfs, p)
            return
        if cfs.put:
            settle(cfs)
        clear_buddies(cfs, p)
        unlink_entity(cfs, p)
        p.exec_start_ns = rq.clock_ns
        se: EevdfEntity = p.se
        se.vlag = se.deadline
        cfs.curr = p
        cfs.tasks.move_to_end(p)

    def wakeup_preempt(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/fair.c:check_preempt_wakeup_fair(), do_preempt_short()."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            eevdf_group.wakeup_preempt(rq, cfs, p, flags)
            return
        if flags & WF_FORK and cfs.first is p:
            cfs.next = p
            rq.need_resched = True
        curr = rq.curr
        if curr is p or rq.need_resched:
            return
        theirs: EevdfEntity = p.se
        mine: EevdfEntity = curr.se
        if curr.policy == SCHED_IDLE and p.policy != SCHED_IDLE:
            mine.vlag = mine.deadline + 1  # its slice is protected no longer
            rq.need_resched = True
            return
        if p.policy != SCHED_NORMAL:
            return
        update_curr(rq, cfs)
        if do_preempt_short(cfs, theirs, mine):
            mine.vlag = mine.deadline + 1
        if pick_eevdf(cfs) is p:
            rq.need_resched = True

    def yield_task(self, rq: "Rq") -> None:
        """Give up the rest of the slice: the time counts as if it had been used.

        Source: kernel/sched/fair.c:yield_task_fair() of Linux 6.12.60.
        """
        if rq.nr_running == 1:
            return
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            eevdf_group.yield_task(rq, cfs)
            return
        curr = rq.curr
        clear_buddies(cfs, curr)
        update_curr(rq, cfs)
        se: EevdfEntity = curr.se
        if entity_eligible(cfs, se):
            se.vruntime = se.deadline
            se.deadline += se.calc_delta_fair(slice_of(cfs, se))

    def task_tick(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:task_tick_fair(), entity_tick()."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            eevdf_group.task_tick(rq, cfs)
            return
        update_curr(rq, cfs)

    def hrtick_slice(self, rq: "Rq", p: CpuTask, update: bool) -> int:
        """Source: kernel/sched/fair.c:hrtick_start_fair() of Linux 6.12."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        return slice_of(cfs, p.se) if cfs.nr_running > 1 else ENDLESS

    def skip_ticks(self, rq: "Rq", p: CpuTask, first_ns: int, ticks: int, tick_ns: int) -> bool:
        """Charge every tick by itself; each deadline that is reached in one leads to the next."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None or cfs.nr_queued != 1 or cfs.curr is not p or cfs.put:
            return False
        rq.clock_ns = first_ns
        update_curr(rq, cfs)
        charge_ticks(cfs, p, ticks - 1, tick_ns)
        return True

    def update_curr(self, rq: "Rq") -> None:
        """Source: kernel/sched/fair.c:update_curr_fair()."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            update_chain(rq, cfs.tree)
            return
        update_curr(rq, cfs)

    # -- the life of a task -------------------------------------------------------------------

    def task_fork(self, rq: "Rq", parent: CpuTask, child: CpuTask, flags: int) -> None:
        """The child begins without lag; it is placed when it is queued.

        Source: kernel/sched/core.c:__sched_fork().
        """
        cfs: EevdfRq = rq.of[FAIR_RANK]
        se: EevdfEntity = child.se
        if parent.sched_class is self and not parent.reset_on_fork:
            mine: EevdfEntity = parent.se
            se.slice_ns = mine.slice_ns
        first = cfs.child_first >> flags & 1 and parent.sched_class is self
        cfs.first = child if first else None

    def setparam(self, rq: "Rq", p: CpuTask, priority: int, own: tuple[int, ...]) -> None:
        """Take the slice of one's own, too. Source: kernel/sched/syscalls.c:__setparam_fair()."""
        super().setparam(rq, p, priority, own)
        se: EevdfEntity = p.se
        se.slice_ns = own[0] if own else 0
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if own and cfs.tree is not None:
            cfs.tree.custom_slices = True

    def switched_from(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:switched_from_fair()."""
        if not p.on_rq:
            self.migrate_task_rq(rq, p)
            se: EevdfEntity = p.se
            se.rel_deadline = False

    def set_load_weight(self, p: CpuTask) -> None:
        """Give a task that is on no queue its weight. Source: fair.c:reweight_task_fair()."""
        se: EevdfEntity = p.se
        if not se.on_rq:
            rescale_entity(se, weight_of(p.nice, p.policy))

    def is_queued(self, p: CpuTask) -> bool:
        """A sleeper in debt is, too."""
        se: EevdfEntity = p.se
        return se.on_rq

    def task_load(self, p: CpuTask) -> int:
        """Source: kernel/sched/fair.c:task_h_load(), its weight."""
        se: EevdfEntity = p.se
        return se.weight

    def task_h_load(self, rq: "Rq", p: CpuTask) -> int:
        """Source: kernel/sched/fair.c:task_h_load()."""
        return eevdf_group.h_load(rq.of[FAIR_RANK], p)

    def reweight_task(self, rq: "Rq", p: CpuTask) -> None:
        """Take it off and put it back: if it runs, its slice is protected anew.

        Lag is kept in real time: as the weight grows, the virtual lag and deadline shrink.

        Source: kernel/sched/core.c:set_user_nice(), kernel/sched/fair.c:reweight_entity().
        """
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            eevdf_group.reweight_task(rq, cfs, p)
            return
        if cfs.put:
            settle(cfs)
        clear_buddies(cfs, p)
        restore_entity(cfs, p, weight_of(p.nice, p.policy))
        if p.on_rq:
            cfs.tasks.move_to_end(p)

    # -- between CPUs -------------------------------------------------------------------------

    def migrate_task_rq(self, rq: "Rq", p: CpuTask) -> None:
        """A sleeper leaves with the lag it has; one that is still in debt here is dequeued now."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        se: EevdfEntity = p.se
        if cfs.tree is not None:
            if se.delayed:
                eevdf_group.leave(rq, cfs, p)
            return
        if cfs.put:
            settle(cfs)
        if se.delayed:
            update_curr(rq, cfs)
            finish_delayed(cfs, p)

    def told(self, rq: "Rq", key: int, data: tuple[int, ...]) -> None:
        """A group has changed: GROUP_ of ``kernel.sched.task_group``."""
        eevdf_group.group_changed(rq, rq.of[FAIR_RANK], key, data)

    def check(self, rq: "Rq", found: list[str]) -> None:
        """Counts, sums, order, and that the queue knows who runs."""
        cfs: EevdfRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            eevdf_group.check_tree(rq, cfs, found)
            self.check_curr(rq, None if cfs.tree.top.put else cfs.tree.leaf(), found)
            return
        check_queue(cfs, rq.cpu, found)
        self.check_curr(rq, None if cfs.put else cfs.curr, found)


eevdf_sched_class: Final = EevdfSchedClass()
