"""What the fair classes have in common: who is on the queue, and who leaves it for another CPU.

Source: kernel/sched/fair.c.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel.sched.bandwidth import LOOK, account, look
from kernel.sched.core import check_preempt_curr
from kernel.sched.hrtick import expired
from kernel.sched.sched_class import (
    FAIR_RANK,
    SCHED_NR_MIGRATE,
    SYSCTL_SCHED_MIGRATION_COST_NS,
    ClassRq,
    SchedClass,
)
from kernel.sched.task_group import GroupTree
from kernel.uapi.policy import SCHED_IDLE

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.rq import Rq


class FairRq(ClassRq):
    """What every fair queue has.

    ``tasks`` holds the runnable tasks, current included, the one that ran (or was queued) longest
    ago first: the order in which balancing looks at them. Its keys are the tasks, not their pids:
    exec by a thread changes the pid of a task that is queued. ``next`` and ``last`` are buddies:
    the task to pick next, and the one that was cut off by it.

    ``groups``: what the CPU knows of groups, if it is the queue that ``rq.of`` has; ``tree`` is
    that while tasks of more than one are here.
    """

    __slots__ = ("curr", "groups", "last", "next", "tasks", "tree")

    def __init__(self) -> None:
        super().__init__()
        self.tasks: OrderedDict[CpuTask, None] = OrderedDict()
        self.curr: CpuTask | None = None
        self.next: CpuTask | None = None
        self.last: CpuTask | None = None
        self.groups: GroupTree | None = None
        self.tree: GroupTree | None = None

    def packed_groups(self) -> list[Any] | None:
        """Return as data what the CPU knows of groups; None of a queue that is below others."""
        if self.groups is None:
            return None
        return [self.tree is not None, self.groups.pack()]

    def unpack_groups(
        self, data: "Sequence[Any] | None", tasks: "Mapping[int, CpuTask]"
    ) -> "Mapping[int, CpuTask]":
        """Take what ``packed_groups`` returned; return ``tasks`` with what stands for groups."""
        if data is None or self.groups is None:
            return tasks
        standing, groups = data
        self.tree = self.groups if standing else None
        return self.groups.unpack(groups, tasks)


class FairSchedClass(SchedClass):
    """The operations that do not depend on how a fair class chooses."""

    __slots__ = ()

    def queued(self, rq: "Rq") -> "list[CpuTask]":
        """Return them by when they ran, the longest ago first (``cfs_tasks``)."""
        cfs: FairRq = rq.of[FAIR_RANK]
        return list(cfs.tasks)

    def timer(self, rq: "Rq", at_ns: int, key: int, data: tuple[int, ...]) -> None:
        """The slice of the current task is over, or a group may have used up its time.

        Source: kernel/sched/fair.c:entity_tick(), account_cfs_rq_runtime().
        """
        cfs: FairRq = rq.of[FAIR_RANK]
        if key == LOOK:
            tree = cfs.groups
            if tree is not None:
                tree.look = 0
                if cfs.tree is not None:
                    self.update_curr(rq)
                    account(rq, tree)
                    look(rq, tree)
            return
        if rq.curr.sched_class is self:
            expired(rq)

    def switched_to(self, rq: "Rq", p: "CpuTask") -> None:
        """Source: kernel/sched/fair.c:switched_to_fair()."""
        if not p.on_rq:
            return
        if rq.curr is p:
            rq.need_resched = True
        else:
            check_preempt_curr(rq, p, 0)

    def prio_changed(self, rq: "Rq", p: "CpuTask", old_nice: int) -> None:
        """Source: kernel/sched/fair.c:prio_changed_fair()."""
        cfs: FairRq = rq.of[FAIR_RANK]
        if not p.on_rq or cfs.nr_running == 1:
            return
        if rq.curr is p:
            if p.nice > old_nice:
                rq.need_resched = True
        else:
            check_preempt_curr(rq, p, 0)

    def detach_one(self, rq: "Rq", dst: int) -> "CpuTask | None":
        """Return the task that ran longest ago, of the first 32, and is not cache-hot.

        If all of them are hot the first one goes.

        Source: kernel/sched/fair.c:detach_one_task(), can_migrate_task(), task_hot().
        Deviation: this is for a CPU of a flat machine that has just become idle, which takes one at
        once; Linux's newidle_balance() leaves hot ones to the periodic passes, and so do machines
        with levels (``kernel.smp.passes``).
        """
        cfs: FairRq = rq.of[FAIR_RANK]
        newest_ns = rq.clock_ns - SYSCTL_SCHED_MIGRATION_COST_NS
        fallback: CpuTask | None = None
        looked_at = 0
        for p in cfs.tasks:
            if p is rq.curr:
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

    def migration_candidate(self, rq: "Rq") -> "CpuTask | None":
        """Source: kernel/sched/fair.c:detach_tasks(), its walk over ``cfs_tasks``."""
        cfs: FairRq = rq.of[FAIR_RANK]
        tasks = cfs.tasks
        if not tasks:
            return None
        p = next(iter(tasks))
        tasks.move_to_end(p)
        return p

    def task_hot(self, rq: "Rq", p: "CpuTask", dest_runs: bool) -> bool:
        """Source: kernel/sched/fair.c:task_hot()."""
        cfs: FairRq = rq.of[FAIR_RANK]
        if p.policy == SCHED_IDLE:
            return False
        # those who should be next here
        if dest_runs and (p is cfs.next or p is cfs.last):
            return True
        return rq.clock_ns - p.exec_start_ns < SYSCTL_SCHED_MIGRATION_COST_NS

    def check_curr(self, rq: "Rq", curr: "CpuTask | None", found: list[str]) -> None:
        """Append to ``found`` if the queue's current task ``curr`` is not that of ``rq``."""
        if rq.curr.sched_class is self:
            if curr is not rq.curr and not rq.curr.parked:
                found.append(f"cpu {rq.cpu}: current is {rq.curr!r}, the fair class says {curr!r}")
        elif curr is not None:
            found.append(f"cpu {rq.cpu}: {rq.curr!r} runs and {curr!r} of the fair class does, too")
