"""The fair class ``cfs``: the Completely Fair Scheduler as it was up to Linux 6.5.

Each task has a virtual run time that advances slower the heavier the task is; the CPU goes to the
task with the least. Within one latency period every runnable task gets a slice in proportion to
its weight; the tick takes the CPU away when the slice is used up. ``min_vruntime`` follows the
least vruntime and never goes back: newcomers and sleepers are placed relative to it, so that a
sleeper gets at most half a latency period of credit and a new task starts one slice in debt.

A vruntime means something on its own queue only. A task that leaves for another queue, and a new
one until it is first queued, carries its distance to ``min_vruntime`` instead.

Deviation: in profile 2.6.34 only the parameters are of that time; the rules are those of 6.1.
Where tasks of several groups are on a CPU all this holds in each of their queues:
``kernel.sched.cfs_group``.

Deviation: no PELT or NUMA placement. NEXT_BUDDY is off and
LAST_BUDDY on, as by default.

Source: kernel/sched/fair.c of Linux 6.1.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched import cfs_group
from kernel.sched.cfs_rq import (
    CfsEntity,
    CfsRq,
    CfsTunables,
    check_queue,
    clear_buddies,
    enqueue_entity,
    insert,
    pick_entity,
    place_entity,
    sched_slice,
    unlink_entity,
    update_curr,
    update_min_vruntime,
    wakeup_preempt_entity,
)
from kernel.sched.cfs_tree import queue_of, update_chain
from kernel.sched.fair import FairSchedClass
from kernel.sched.fork_order import order_of
from kernel.sched.hrtick import ENDLESS, NOT_NOW
from kernel.sched.sched_class import (
    DEQUEUE_SLEEP,
    ENQUEUE_MIGRATED,
    ENQUEUE_WAKEUP,
    FAIR_RANK,
)
from kernel.sched.task_group import GroupTree
from kernel.sched.weights import NICE_0_LOAD
from kernel.uapi.policy import FAIR_POLICIES, SCHED_BATCH, SCHED_IDLE, SCHED_NORMAL

if TYPE_CHECKING:
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq


class CfsSchedClass(FairSchedClass):
    """The operations of CFS; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("cfs", FAIR_RANK, FAIR_POLICIES, CfsTunables, "CFS", "6.5")
        self.hrtick = True
        self.takes_groups = True
        self.skips_ticks = True

    def make_rq(self, tunables: Any, spec: "MachineSpec") -> CfsRq:
        """Return an empty ``cfs_rq``. Source: kernel/sched/fair.c:init_cfs_rq()."""
        cpus, first = spec.cpus, order_of(spec.child_runs_first, self)
        flat = CfsRq(tunables, cpus, first)
        flat.groups = GroupTree(
            flat,
            lambda: CfsRq(tunables, cpus, first),
            CfsEntity,
            spec,
        )
        return flat

    def make_entity(self) -> CfsEntity:
        """Return an entity at the beginning of virtual time."""
        return CfsEntity()

    def enqueue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/fair.c:enqueue_task_fair(), enqueue_entity()."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None or p.group:
            cfs_group.enqueue_task(rq, cfs, p, flags)
            return
        se: CfsEntity = p.se
        update_curr(cfs, rq.clock_ns)
        if not flags & ENQUEUE_WAKEUP or flags & ENQUEUE_MIGRATED:
            se.vruntime += cfs.min_vruntime
            if flags & ENQUEUE_MIGRATED:
                p.exec_start_ns = 0  # nothing of it is in this CPU's cache
        cfs.load_weight += se.weight
        cfs.nr_running += 1
        cfs.tasks[p] = None
        if flags & ENQUEUE_WAKEUP:
            place_entity(cfs, p, False)
        seq = cfs.seq + 1  # enqueue_entity(), inlined
        cfs.seq = se.seq = seq
        insert(cfs, (se.vruntime, seq, p))

    def dequeue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/fair.c:dequeue_task_fair(), dequeue_entity()."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            cfs_group.dequeue_task(rq, cfs, p, flags)
            return
        update_curr(cfs, rq.clock_ns)
        if cfs.next is not None or cfs.last is not None or cfs.skip is not None:
            clear_buddies(cfs, p)
        if p is cfs.curr:
            cfs.curr = None  # Linux: in put_prev_entity(); nothing looks at it in between
        else:
            unlink_entity(cfs, p)
        se: CfsEntity = p.se
        cfs.load_weight -= se.weight
        cfs.nr_running -= 1
        del cfs.tasks[p]
        # before update_min_vruntime(): it may move min_vruntime past this task, which
        # would give it credit on its next queue for no reason
        if not flags & DEQUEUE_SLEEP:
            se.vruntime -= cfs.min_vruntime
        update_min_vruntime(cfs)

    def yield_task(self, rq: "Rq") -> None:
        """Source: kernel/sched/fair.c:yield_task_fair()."""
        if rq.nr_running == 1:
            return
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            cfs_group.yield_task(rq, cfs)
            return
        curr = rq.curr
        clear_buddies(cfs, curr)
        if curr.policy != SCHED_BATCH:
            update_curr(cfs, rq.clock_ns)
        cfs.skip = curr

    def wakeup_preempt(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched/fair.c:check_preempt_wakeup()."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            cfs_group.wakeup_preempt(rq, cfs, p)
            return
        curr = rq.curr
        if curr is p or rq.need_resched:
            return
        if curr.policy == SCHED_IDLE and p.policy != SCHED_IDLE:
            rq.need_resched = True
            return
        if p.policy != SCHED_NORMAL:
            return
        update_curr(cfs, rq.clock_ns)
        if wakeup_preempt_entity(cfs, curr, p) != 1:
            return
        cfs.next = p
        rq.need_resched = True
        if curr.on_rq and cfs.nr_running >= cfs.nr_latency:
            cfs.last = curr

    def pick_next_task(self, rq: "Rq") -> CpuTask | None:
        """Source: kernel/sched/fair.c:pick_next_task_fair(), pick_next_entity()."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            return cfs_group.pick_next_task(rq, cfs)
        if not cfs.timeline:
            return None
        p = pick_entity(cfs)
        p.exec_start_ns = rq.clock_ns
        se: CfsEntity = p.se
        se.prev_sum_exec_ns = p.sum_exec_ns
        cfs.curr = p
        cfs.tasks.move_to_end(p)
        return p

    def put_prev_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:put_prev_task_fair(), put_prev_entity()."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            cfs_group.put_prev_task(rq, cfs)
            return
        if p.on_rq:
            update_curr(cfs, rq.clock_ns)
            se: CfsEntity = p.se
            seq = cfs.seq + 1  # enqueue_entity(), inlined
            cfs.seq = se.seq = seq
            insert(cfs, (se.vruntime, seq, p))
        cfs.curr = None

    def set_next_task(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:set_next_task_fair(), set_next_entity()."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            cfs_group.set_next_task(rq, cfs, p)
            return
        clear_buddies(cfs, p)
        unlink_entity(cfs, p)
        p.exec_start_ns = rq.clock_ns
        se: CfsEntity = p.se
        se.prev_sum_exec_ns = p.sum_exec_ns
        cfs.curr = p
        cfs.tasks.move_to_end(p)

    def task_tick(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:task_tick_fair(), check_preempt_tick()."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            cfs_group.task_tick(rq, cfs, p)
            return
        update_curr(cfs, rq.clock_ns)
        if cfs.nr_running <= 1:
            return
        ideal = sched_slice(cfs, p)
        se: CfsEntity = p.se
        ran = p.sum_exec_ns - se.prev_sum_exec_ns
        if ran > ideal:
            rq.need_resched = True
            # the task that is cut off must not be picked again as somebody's buddy
            clear_buddies(cfs, p)
            return
        # a task that was placed too far left must not take the CPU at every tick
        if ran >= cfs.min_granularity_ns and se.vruntime - cfs.timeline[0][0] > ideal:
            rq.need_resched = True

    def hrtick_slice(self, rq: "Rq", p: CpuTask, update: bool) -> int:
        """Source: kernel/sched/fair.c:hrtick_start_fair(), hrtick_update() of Linux 6.1."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if update and cfs.nr_running >= cfs.nr_latency:
            return NOT_NOW
        if cfs.tree is not None and cfs.nr_running > 1:
            return cfs_group.sched_slice(cfs, cfs.tree, p)
        return sched_slice(cfs, p) if cfs.nr_running > 1 else ENDLESS

    def skip_ticks(self, rq: "Rq", p: CpuTask, first_ns: int, ticks: int, tick_ns: int) -> bool:
        """Charge every tick by itself: what is rounded down is as much as then."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None or cfs.nr_running != 1 or cfs.curr is not p:
            return False
        update_curr(cfs, first_ns)
        se: CfsEntity = p.se
        se.vruntime += (ticks - 1) * se.calc_delta_fair(tick_ns)
        p.sum_exec_ns += (ticks - 1) * tick_ns
        p.exec_start_ns += (ticks - 1) * tick_ns
        update_min_vruntime(cfs)
        return True

    def task_fork(self, rq: "Rq", parent: CpuTask, child: CpuTask, flags: int) -> None:
        """Place the child one slice behind; if it is to run first, swap it with the parent.

        Source: kernel/sched/fair.c:task_fork_fair(); that it means nothing to a child that runs
            elsewhere kernel/sched_fair.c:task_new_fair() of 2.6.31 (2.6.34 swapped, in vain).
        Deviation: ``child_runs_first: vfork_only`` is not Linux's.
        """
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            cfs_group.task_fork(rq, cfs, parent, child, flags)
            return
        update_curr(cfs, rq.clock_ns)
        se: CfsEntity = child.se
        if parent.sched_class is not self:  # and its time is not measured in vruntime
            place_entity(cfs, child, True)
            se.vruntime -= cfs.min_vruntime
            return
        parent_se: CfsEntity = parent.se
        se.vruntime = parent_se.vruntime
        place_entity(cfs, child, True)
        if cfs.first >> flags & 1 and parent_se.vruntime < se.vruntime:
            if parent is cfs.curr:
                parent_se.vruntime, se.vruntime = se.vruntime, parent_se.vruntime
                rq.need_resched = True
            else:  # lost the CPU inside the system call: Linux's fork has no such case
                unlink_entity(cfs, parent)
                parent_se.vruntime, se.vruntime = se.vruntime, parent_se.vruntime
                enqueue_entity(cfs, parent)
        se.vruntime -= cfs.min_vruntime

    def switched_from(self, rq: "Rq", p: CpuTask) -> None:
        """Make the vruntime of a sleeper relative; that of a runnable task the dequeue does.

        Source: kernel/sched/fair.c:switched_from_fair(), detach_task_cfs_rq().
        """
        if not p.on_rq:
            self.migrate_task_rq(rq, p)

    def switched_to(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:switched_to_fair(), attach_task_cfs_rq()."""
        if not p.on_rq:
            self.join_group(rq, p)
        super().switched_to(rq, p)

    def set_load_weight(self, p: CpuTask) -> None:
        """Source: kernel/sched/core.c:set_load_weight()."""
        se: CfsEntity = p.se
        if p.nice or p.policy or se.weight != NICE_0_LOAD:
            se.set_load_weight(p.nice, p.policy)

    def reweight_task(self, rq: "Rq", p: CpuTask) -> None:
        """Take it off and put it back: it is no buddy any more, and its stretch begins anew.

        Source: kernel/sched/core.c:set_user_nice(), kernel/sched/fair.c:reweight_task().
        """
        cfs: CfsRq = rq.of[FAIR_RANK]
        se: CfsEntity = p.se
        if cfs.tree is not None:
            before = se.weight
            self.set_load_weight(p)
            cfs_group.reweight_task(cfs, p, se.weight - before)
            return
        clear_buddies(cfs, p)
        cfs.load_weight -= se.weight
        self.set_load_weight(p)
        cfs.load_weight += se.weight
        if p is cfs.curr:
            se.prev_sum_exec_ns = p.sum_exec_ns
        else:
            unlink_entity(cfs, p)
            enqueue_entity(cfs, p)
        cfs.tasks.move_to_end(p)

    def update_curr(self, rq: "Rq") -> None:
        """Source: kernel/sched/fair.c:update_curr_fair()."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            update_chain(rq, cfs.tree)
            return
        update_curr(cfs, rq.clock_ns)

    def migrate_task_rq(self, rq: "Rq", p: CpuTask) -> None:
        """Make the vruntime of a sleeper relative.

        Source: kernel/sched/fair.c:migrate_task_rq_fair().
        """
        se: CfsEntity = p.se
        se.vruntime -= queue_of(rq.of[FAIR_RANK], p).min_vruntime

    def join_group(self, rq: "Rq", p: CpuTask) -> None:
        """Source: kernel/sched/fair.c:attach_task_cfs_rq()."""
        se: CfsEntity = p.se
        se.vruntime += queue_of(rq.of[FAIR_RANK], p).min_vruntime

    def told(self, rq: "Rq", key: int, data: tuple[int, ...]) -> None:
        """A group has changed: GROUP_ of ``kernel.sched.task_group``."""
        cfs_group.group_changed(rq, rq.of[FAIR_RANK], key, data)

    def task_load(self, p: CpuTask) -> int:
        """Source: kernel/sched/fair.c:task_h_load(), its weight."""
        se: CfsEntity = p.se
        return se.weight

    def task_h_load(self, rq: "Rq", p: CpuTask) -> int:
        """Source: kernel/sched/fair.c:task_h_load()."""
        return cfs_group.h_load(rq.of[FAIR_RANK], p)

    def check(self, rq: "Rq", found: list[str]) -> None:
        """Counts, order, weights, and that the tasks on the queue know it."""
        cfs: CfsRq = rq.of[FAIR_RANK]
        if cfs.tree is not None:
            cfs_group.check_tree(rq, cfs, found)
            self.check_curr(rq, cfs.tree.leaf(), found)
            return
        check_queue(cfs, rq.cpu, found)
        self.check_curr(rq, cfs.curr, found)


cfs_sched_class: Final = CfsSchedClass()
