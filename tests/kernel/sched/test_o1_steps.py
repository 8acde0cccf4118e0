"""The O(1) scheduler step by step against its rules."""

from hypothesis import given, settings

from kernel.cpu.task import CpuTask
from kernel.sched import core
from kernel.uapi.policy import SCHED_BATCH, SCHED_NORMAL
from tests.kernel.sched import o1_reference as reference
from tests.kernel.sched.one_cpu import MS, make_rq, switch
from tests.kernel.sched.side_by_side import SideBySide, operations

KINDS = ["new", "fork", "run", "tick", "ticks", "ticks", "sleep", "device", "die"]
KINDS += ["wake", "wake", "yield", "nice", "move"]


class O1(SideBySide):
    def __init__(self, first="off"):
        self.first = first == "on"
        rq = make_rq("o1", hz=1000, child_runs_first=first)
        super().__init__(rq, reference.Queue(self.first))
        self.dead = []

    def weight(self, nice, policy):
        return nice

    def made(self, pid, nice, policy, slice_ns):
        return reference.Task(pid, nice, policy != SCHED_NORMAL)

    def new(self, nice, policy, slice_ns):
        super().new(nice, SCHED_BATCH if policy == SCHED_BATCH else SCHED_NORMAL, 0)

    def same(self, mine, theirs):
        if mine in self.dead:
            return
        se = mine.se
        array = {None: None, self.cfs.active: "active", self.cfs.expired: "expired"}[se.array]
        assert (array, se.time_slice, se.sleep_avg, se.activated) == (
            theirs.array,
            theirs.left,
            theirs.avg,
            theirs.activated,
        ), theirs
        if theirs.on:
            assert se.prio == theirs.prio

    def fork(self):
        pid, parent = len(self.tasks) + 1, self.rq.curr
        mine = CpuTask(pid, pid, f"t{pid}", parent.nice, parent.policy)
        core.task_fork(self.rq, parent, mine)
        theirs = self.made(pid, mine.nice, mine.policy, 0)
        self.ref.fork(theirs)
        self.tasks.append((mine, theirs))
        core.activate_task(self.rq, mine, core.ENQUEUE_INITIAL)
        core.check_preempt_curr(self.rq, mine, core.WF_FORK)
        self.ref.enqueue(theirs, "new")
        if self.first:
            self.ref.before(theirs)
        self.ref.woken(theirs)

    def renice(self, mine, theirs, nice):
        core.set_user_nice(self.rq, mine, nice)
        self.ref.renice(theirs, nice)

    def die(self):
        task = self.rq.curr
        self.dead.append(task)
        core.deactivate_task(self.rq, task, core.DEQUEUE_SLEEP | core.DEQUEUE_SPECIAL)
        switch(self.rq)
        core.task_dead(self.rq, task)
        self.ref.die()

    def ticks(self, number):
        for _ in range(number):
            self.rq.clock_ns += MS
            self.ref.run(MS)
            if self.ref.curr is not None:
                core.scheduler_tick(self.rq)
                self.ref.tick()
            self.schedule()

    def act(self, kind, mine, theirs, nice, policy, slice_ns):
        running = self.ref.curr is not None
        if mine in self.dead and kind != "new":
            kind = "ticks"
        if kind == "fork" and running:
            self.fork()
        elif kind == "die" and running:
            self.die()
        elif kind == "ticks":
            self.ticks(1 + (nice + 20) * 6)
        elif kind == "device" and running:
            flags = core.DEQUEUE_SLEEP | core.DEQUEUE_UNINTERRUPTIBLE
            core.deactivate_task(self.rq, self.rq.curr, flags)
            self.ref.leave(self.ref.curr, True, device=True)
            switch(self.rq)
            self.ref.schedule()
        else:
            super().act(kind, mine, theirs, nice, policy, slice_ns)


@settings(max_examples=150, deadline=None)
@given(operations(KINDS))
def test_every_pick_is_that_of_the_rules(steps):
    both = O1()
    for operation in steps:
        both.step(operation)


@settings(max_examples=80, deadline=None)
@given(operations(KINDS))
def test_so_it_is_where_children_run_first(steps):
    both = O1("on")
    for operation in steps:
        both.step(operation)
