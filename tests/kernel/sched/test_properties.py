"""What every mix of tasks on one CPU may count on: turns, shares, bounds, order of priorities."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cpu.task import CpuTask
from kernel.sched import core
from kernel.sched.cfs_rq import sched_slice
from kernel.sched.sched_class import FAIR_RANK
from kernel.uapi.policy import SCHED_FIFO, SCHED_RR
from tests.kernel.sched.one_cpu import MS, TICK_NS, US, add, faults, make_rq, switch
from tests.kernel.sched.side_by_side import NICES, histories

SLICES = (0, 100 * US, 3 * MS, 20 * MS)

mixes = st.lists(st.sampled_from(NICES), min_size=2, max_size=8)
#: who sleeps or wakes, and the number of ticks before that
naps = histories((range(8), range(1, 13)), 60)


class Cpu:
    """A CPU of spinners; some nap. ``waits``: the longest wait of each task so far, in ns."""

    def __init__(self, fair, nices, slices=(), tick_ns=TICK_NS):
        self.tick_ns = tick_ns
        self.rq = make_rq(fair)
        self.cfs = self.rq.of[FAIR_RANK]
        self.tasks = []
        for pid, nice in enumerate(nices, 1):
            task = CpuTask(pid, pid, f"t{pid}", nice)
            core.class_of(self.rq, task)
            if slices:
                task.se.slice_ns = slices[pid % len(slices)]
            core.activate_task(self.rq, task, core.ENQUEUE_INITIAL)
            self.tasks.append(task)
        self.since = dict.fromkeys(self.tasks, 0)
        self.waits = dict.fromkeys(self.tasks, 0)
        self.picked(switch(self.rq))

    def picked(self, task):
        if task is not self.rq.idle:
            self.waited(task)
            self.since[task] = None

    def waited(self, task):
        if self.since[task] is not None:
            self.waits[task] = max(self.waits[task], self.rq.clock_ns - self.since[task])

    def resched(self):
        before = self.rq.curr
        task = switch(self.rq)
        if task is not before:
            if before.on_rq:
                self.since[before] = self.rq.clock_ns
            self.picked(task)

    def ticks(self, number):
        for _ in range(number):
            self.rq.clock_ns += self.tick_ns
            core.scheduler_tick(self.rq)
            if self.rq.need_resched:
                self.resched()
            yield

    def toggle(self, task):
        """A task that runs or waits goes to sleep, at once; one that sleeps wakes."""
        if not task.on_rq:
            core.activate_task(self.rq, task, core.ENQUEUE_WAKEUP)
            core.check_preempt_curr(self.rq, task, core.WF_TTWU)
            self.since[task] = self.rq.clock_ns
            if self.rq.need_resched:
                self.resched()
        elif task is self.rq.curr:
            core.deactivate_task(self.rq, task, core.DEQUEUE_SLEEP)
            self.resched()

    def finish(self):
        """Count those who wait still; return all waits."""
        for task in self.tasks:
            if task.on_rq:
                self.waited(task)
        return self.waits


def follow(cpu, steps):
    """Take the naps, then let everybody run; yield after every tick."""
    for who, ticks in steps:
        yield from cpu.ticks(ticks)
        cpu.toggle(cpu.tasks[who % len(cpu.tasks)])
    yield from cpu.ticks(100)


def longest_turn(cpu, task):
    """How long a task may run at a stretch, in ns: a slice and the tick that ends it."""
    if task.sched_class.name == "cfs":
        return max(sched_slice(cpu.cfs, task), cpu.cfs.latency_ns) + cpu.tick_ns
    return max(task.se.slice_ns, cpu.cfs.base_slice_ns) + cpu.tick_ns


@pytest.mark.parametrize("fair", ["cfs", "eevdf"])
@settings(max_examples=60, deadline=None)
@given(mixes, naps)
def test_nobody_waits_longer_than_the_others_need_for_as_much_virtual_time(fair, nices, steps):
    cpu = Cpu(fair, nices)
    for _ in follow(cpu, steps):
        pass
    turns = {task: longest_turn(cpu, task) for task in cpu.tasks}
    for task, waited in cpu.finish().items():
        # what it ran at most, and the credit of those who slept, is what the others catch up with
        lead = turns[task] * 1024 / task.se.weight + 12 * MS
        bound = sum(
            lead * other.se.weight / 1024 + 2 * turns[other]
            for other in cpu.tasks
            if other is not task
        )
        assert waited <= bound, (task, nices)


@settings(max_examples=40, deadline=None)
@given(mixes)
def test_under_o1_everybody_runs_before_the_arrays_change_twice(nices):
    cpu = Cpu("o1", nices)
    whole = sum(task.se.time_slice for task in cpu.tasks) * TICK_NS
    for _ in cpu.ticks(4 * whole // TICK_NS):
        pass
    assert max(cpu.finish().values()) <= 2 * whole + TICK_NS


@pytest.mark.parametrize("fair", ["cfs", "eevdf"])
@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(NICES[2:]), min_size=2, max_size=5))
def test_shares_follow_the_weights(fair, nices):
    cpu = Cpu(fair, nices)
    ticks = 20_000
    for _ in cpu.ticks(ticks):
        pass
    core.update_rq_curr(cpu.rq)
    weights = sum(task.se.weight for task in cpu.tasks)
    for task in cpu.tasks:
        due = ticks * TICK_NS * task.se.weight / weights
        slack = 0.02 * due + 2 * longest_turn(cpu, task)
        assert abs(task.sum_exec_ns - due) <= slack, nices


@settings(max_examples=60, deadline=None)
@given(mixes, naps)
def test_vruntimes_of_cfs_lie_within_a_turn_of_each_other(nices, steps):
    cpu = Cpu("cfs", nices)
    for _ in follow(cpu, steps):
        core.update_rq_curr(cpu.rq)
        runnable = [task for task in cpu.tasks if task.on_rq]
        if not runnable:
            continue
        assert faults(cpu.rq) == []
        least = min(task.se.vruntime for task in runnable)
        credit = cpu.cfs.latency_ns // 2 + cpu.cfs.wakeup_granularity_ns * 1024 / 15
        for task in runnable:
            turn = longest_turn(cpu, task) * 1024 / task.se.weight
            assert task.se.vruntime - least <= turn + credit, task
        assert least >= cpu.cfs.min_vruntime - cpu.cfs.latency_ns // 2 - credit


@settings(max_examples=80, deadline=None)
@given(mixes, naps, st.lists(st.sampled_from(SLICES), min_size=1, max_size=3))
def test_lag_of_eevdf_stays_within_a_slice_and_a_tick_and_sleepers_add_theirs(nices, steps, slices):
    cpu = Cpu("eevdf", nices, slices, tick_ns=100 * US)  # no longer than the shortest slice
    longest = max(longest_turn(cpu, task) for task in cpu.tasks)
    # who sleeps comes back with the lag it had, and may have to wait as long again; the sum of all
    # lags is 0, so that one which outweighs the others has what they have together
    most = 2 * longest * (len(nices) - 1) if steps else longest
    for _ in follow(cpu, steps):
        queued = [task for task in cpu.tasks if task.se.on_rq]
        if not queued:
            continue
        weights = sum(task.se.weight for task in queued)
        average = sum(task.se.weight * task.se.vruntime for task in queued) / weights
        for task in queued:
            lag = (average - task.se.vruntime) * task.se.weight / 1024
            assert abs(lag) <= most, (task, lag)


rt_steps = histories(
    (
        ("new", "sleep", "wake", "tick", "prio", "yield"),
        range(10),
        range(1, 100),
        (SCHED_FIFO, SCHED_RR),
    )
)


@settings(max_examples=100, deadline=None)
@given(rt_steps)
def test_no_real_time_task_runs_while_one_of_higher_priority_waits(steps):
    rq = make_rq("eevdf")
    tasks = []
    add(rq, 1000)
    switch(rq)
    for kind, number, priority, policy in steps:
        task = tasks[number % len(tasks)] if tasks else None
        if kind == "new" or task is None:
            task = CpuTask(len(tasks) + 1, len(tasks) + 1, "rt", 0, policy)
            core.class_of(rq, task).setparam(rq, task, priority, ())
            core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
            core.check_preempt_curr(rq, task, core.WF_TTWU)
            tasks.append(task)
        elif kind == "sleep" and rq.curr in tasks:
            core.deactivate_task(rq, rq.curr, core.DEQUEUE_SLEEP)
            rq.need_resched = True
        elif kind == "wake" and not task.on_rq:
            core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
            core.check_preempt_curr(rq, task, core.WF_TTWU)
        elif kind == "prio":
            core.sched_setscheduler(rq, task, policy, priority, 0, False)
        elif kind == "yield" and rq.curr in tasks:
            core.yield_task(rq)
        elif kind == "tick":
            rq.clock_ns += TICK_NS
            core.scheduler_tick(rq)
        if rq.need_resched:
            switch(rq)
        assert faults(rq) == []
        if rq.curr in tasks:
            waiting = [each.rt_priority for each in tasks if each.on_rq]
            assert rq.curr.rt_priority == max(waiting)
