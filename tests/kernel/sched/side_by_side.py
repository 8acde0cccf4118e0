"""A scheduling class and a reference of its rules, driven together, compared after every step."""

import random

from hypothesis import strategies as st

from kernel.cpu.task import CpuTask
from kernel.sched import core
from kernel.sched.sched_class import FAIR_RANK
from kernel.uapi.policy import SCHED_BATCH, SCHED_IDLE, SCHED_NORMAL
from tests.kernel.sched.one_cpu import MS, US, faults, switch

NICES = (-20, -10, -5, 0, 1, 5, 10, 19)
SLICES = (0, 100 * US, 3 * MS, 20 * MS)
DELTAS = (0, 1, 999, 50 * US, 350 * US, 700 * US, MS, 4 * MS, 100 * MS)
POLICIES = (SCHED_NORMAL, SCHED_NORMAL, SCHED_NORMAL, SCHED_BATCH, SCHED_IDLE)


def histories(fields, most=80):
    """Lists of tuples, of one value of each of ``fields``.

    Short ones, which become simpler when a test fails, and long ones from a seed: left alone,
    hypothesis makes lists too short for anything to have a history.
    """

    def history(seed):
        chance = random.Random(seed)
        return [tuple(chance.choice(each) for each in fields) for _ in range(most)]

    one = st.tuples(*(st.sampled_from(each) for each in fields))
    return st.lists(one, max_size=30) | st.integers(0, (1 << 32) - 1).map(history)


def operations(kinds, policies=POLICIES, most=80):
    """Lists of ``(kind, task, nice, policy, slice, time since the step before)``."""
    return histories((kinds, range(12), NICES, policies, SLICES, DELTAS), most)


class SideBySide:
    """The queue ``rq`` and the reference ``ref``; a class for each of the fair classes.

    ``tasks``: pairs of a CpuTask and the reference's task; ``away``: CpuTasks between two queues.
    """

    def __init__(self, rq, ref):
        self.rq = rq
        self.ref = ref
        self.cfs = rq.of[FAIR_RANK]
        self.tasks = []
        self.away = []

    # -- what a class has of its own --------------------------------------------------------------

    def made(self, pid, nice, policy, slice_ns):
        """The reference's task."""
        raise NotImplementedError

    def same(self, mine, theirs):
        """Compare what the two sides know of a task that is on neither side away."""
        raise NotImplementedError

    def weight(self, nice, policy):
        """What the reference's ``renice`` is given."""
        raise NotImplementedError

    # -- operations -------------------------------------------------------------------------------

    def agree(self):
        assert faults(self.rq) == []
        curr = None if self.rq.curr is self.rq.idle else self.rq.curr.pid
        assert curr == (None if self.ref.curr is None else self.ref.curr.name)
        for mine, theirs in self.tasks:
            if mine not in self.away:
                self.same(mine, theirs)

    def schedule(self):
        assert self.rq.need_resched == self.ref.resched
        if self.rq.need_resched:
            switch(self.rq)
            self.ref.schedule()
            self.agree()

    def new(self, nice, policy, slice_ns):
        pid = len(self.tasks) + 1
        mine = CpuTask(pid, pid, f"t{pid}", nice, policy)
        core.class_of(self.rq, mine)
        theirs = self.made(pid, nice, policy, slice_ns)
        if slice_ns:
            mine.se.slice_ns = slice_ns
        self.tasks.append((mine, theirs))
        core.activate_task(self.rq, mine, core.ENQUEUE_INITIAL)
        core.check_preempt_curr(self.rq, mine, core.WF_FORK)
        self.ref.enqueue(theirs, "new")
        self.ref.woken(theirs)

    def sleep(self, special):
        flags = core.DEQUEUE_SLEEP | (core.DEQUEUE_SPECIAL if special else 0)
        core.deactivate_task(self.rq, self.rq.curr, flags)
        self.ref.leave(self.ref.curr, True, special)
        switch(self.rq)
        self.ref.schedule()

    def wake(self, mine, theirs):
        core.activate_task(self.rq, mine, core.ENQUEUE_WAKEUP)
        core.check_preempt_curr(self.rq, mine, core.WF_TTWU)
        self.ref.enqueue(theirs, "woken")
        self.ref.woken(theirs)

    def move(self, mine, theirs):
        """Take a waiting task off, or bring it back from wherever it was."""
        if mine in self.away:
            self.away.remove(mine)
            core.activate_task(self.rq, mine, core.ENQUEUE_MIGRATED)
            core.check_preempt_curr(self.rq, mine, 0)
            self.ref.enqueue(theirs, "moved")
            self.ref.woken(theirs)
        elif mine.on_rq:
            core.deactivate_task(self.rq, mine, core.DEQUEUE_MOVE)
            self.ref.leave(theirs, False)
            self.away.append(mine)

    def wake_elsewhere(self, mine, theirs):
        """A sleeper leaves the queue for another, where it wakes, and comes from there at once."""
        core.migrate_task_rq(self.rq, mine)
        self.ref.migrate(theirs)
        core.activate_task(self.rq, mine, core.ENQUEUE_WAKEUP | core.ENQUEUE_MIGRATED)
        core.check_preempt_curr(self.rq, mine, core.WF_TTWU)
        self.ref.enqueue(theirs, "both")
        self.ref.woken(theirs)

    def renice(self, mine, theirs, nice):
        later, others = nice > mine.nice, self.cfs.nr_running > 1
        core.set_user_nice(self.rq, mine, nice)
        self.ref.renice(theirs, self.weight(nice, mine.policy))
        if mine.on_rq and others:
            if theirs is not self.ref.curr:
                self.ref.woken(theirs)
            elif later:
                self.ref.resched = True

    def act(self, kind, mine, theirs, nice, policy, slice_ns):
        running = self.ref.curr is not None
        if kind == "new" or mine is None:
            self.new(nice, policy, slice_ns)
        elif kind == "sleep" and running:
            self.sleep(special=slice_ns == SLICES[1])
        elif kind == "yield" and running and self.rq.nr_running > 1:
            core.yield_task(self.rq)
            self.ref.give_up()
        elif kind == "run" and running:
            core.update_rq_curr(self.rq)
            self.ref.update()
        elif kind == "tick" and running:
            core.scheduler_tick(self.rq)
            self.ref.tick()
        elif kind == "wake" and not mine.on_rq and mine not in self.away:
            if slice_ns == SLICES[2]:
                self.wake_elsewhere(mine, theirs)
            else:
                self.wake(mine, theirs)
        elif kind == "nice" and mine not in self.away and mine.nice != nice:
            self.renice(mine, theirs, nice)
        elif kind == "move" and mine is not self.rq.curr:
            self.move(mine, theirs)

    def step(self, operation):
        kind, number, nice, policy, slice_ns, delta = operation
        self.rq.clock_ns += delta
        self.ref.run(delta)
        mine, theirs = self.tasks[number % len(self.tasks)] if self.tasks else (None, None)
        self.act(kind, mine, theirs, nice, policy, slice_ns)
        self.schedule()
        self.agree()
