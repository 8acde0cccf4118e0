"""The O(1) scheduler on one runqueue: slices, the two arrays, bonuses, forks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cpu.task import CpuTask
from kernel.sched import core
from kernel.sched.invariants import check_rq
from kernel.sched.o1_rq import effective_prio, task_interactive, task_timeslice
from kernel.sched.sched_class import FAIR_RANK, FORK_VFORK, FORK_VM
from tests.kernel.sched import one_cpu
from tests.kernel.sched.one_cpu import MS, add, sleep_curr, switch

TICK_NS = MS


def make_rq(**fields):
    return one_cpu.make_rq("o1", hz=1000, **fields)


def tick(rq, ticks=1):
    for _ in range(ticks):
        rq.clock_ns += TICK_NS
        core.scheduler_tick(rq)
        if rq.need_resched:
            switch(rq)


def fork(rq, parent, pid):
    child = CpuTask(pid, pid, f"t{pid}", parent.nice)
    core.task_fork(rq, parent, child)
    core.activate_task(rq, child, core.ENQUEUE_INITIAL)
    core.check_preempt_curr(rq, child, core.WF_FORK)
    return child


@pytest.mark.parametrize(
    ("nice", "slice_ms"), [(-20, 800), (-10, 600), (-1, 420), (0, 100), (10, 50), (19, 5)]
)
def test_the_slice_follows_from_nice(nice, slice_ms):
    rq = make_rq()
    assert task_timeslice(rq.of[FAIR_RANK], add(rq, 1, nice)) == slice_ms


def test_a_task_whose_slice_is_used_up_waits_until_all_others_have_had_theirs():
    rq = make_rq()
    first, second, third = (add(rq, pid) for pid in (1, 2, 3))
    order = [switch(rq)]
    for _ in range(600):
        tick(rq)
        if rq.curr is not order[-1]:
            order.append(rq.curr)
    assert order == [first, second, third, first, second, third, first]


@pytest.mark.parametrize(
    ("nices", "ratio"), [((0, 0), 1), ((0, 10), 2), ((-20, 0), 8), ((0, 19), 20)]
)
def test_two_hogs_share_by_their_slices(nices, ratio):
    rq = make_rq()
    first, second = (add(rq, pid, nice) for pid, nice in enumerate(nices, 1))
    switch(rq)
    tick(rq, 20_000)
    assert first.sum_exec_ns / second.sum_exec_ns == pytest.approx(ratio, rel=0.1)


def test_a_child_gets_half_of_the_slice_and_goes_first_where_it_may():
    rq = make_rq()
    parent = add(rq, 1)
    other = add(rq, 2)
    switch(rq)
    tick(rq, 9)
    child = fork(rq, parent, 3)
    assert (parent.se.time_slice, child.se.time_slice) == (45, 46)
    assert rq.need_resched
    assert switch(rq) is child
    sleep_curr(rq)
    assert rq.curr is parent
    sleep_curr(rq)
    assert rq.curr is other


@pytest.mark.parametrize("flags", [FORK_VM, FORK_VM | FORK_VFORK])
def test_a_child_that_shares_memory_does_not_go_first(flags):
    rq = make_rq()
    parent = add(rq, 1)
    switch(rq)
    core.task_fork(rq, parent, CpuTask(2, 2, "t2"), flags)
    assert not rq.need_resched
    core.task_fork(rq, parent, CpuTask(3, 3, "t3"))
    assert rq.need_resched


def test_a_child_waits_its_turn_where_it_may_not():
    rq = make_rq(child_runs_first="off")
    parent = add(rq, 1)
    switch(rq)
    child = fork(rq, parent, 3)
    assert not rq.need_resched
    sleep_curr(rq)
    assert rq.curr is child


def test_a_parent_with_one_tick_left_expires_at_the_fork():
    rq = make_rq()
    parent = add(rq, 1)
    switch(rq)
    parent.se.time_slice = 1
    child = fork(rq, parent, 2)
    assert child.se.time_slice == 1
    assert rq.need_resched
    assert parent.se.array is rq.of[FAIR_RANK].expired


def test_a_child_that_dies_in_its_first_slice_gives_the_rest_back():
    rq = make_rq()
    parent = add(rq, 1)
    switch(rq)
    child = fork(rq, parent, 2)
    sleep_curr(rq)
    assert rq.curr is child
    sleep_curr(rq, core.DEQUEUE_SLEEP | core.DEQUEUE_SPECIAL)
    core.task_dead(rq, child)
    assert parent.se.time_slice == 100
    assert not rq.of[FAIR_RANK].heirs


def test_a_child_that_was_a_hog_lowers_its_parents_average_whenever_it_dies():
    rq = make_rq()
    parent = add(rq, 1)
    switch(rq)
    child = fork(rq, parent, 2)
    parent.se.sleep_avg = 800 * MS
    sleep_curr(rq)
    tick(rq, 260)  # it has its third slice by now
    assert rq.curr is child
    left = parent.se.time_slice
    sleep_curr(rq, core.DEQUEUE_SLEEP | core.DEQUEUE_SPECIAL)
    core.task_dead(rq, child)
    assert child.se.sleep_avg == 0
    assert parent.se.sleep_avg == 600 * MS
    assert parent.se.time_slice == left
    o1 = rq.of[FAIR_RANK]
    assert not o1.heirs
    assert not o1.children


def test_a_parent_that_has_left_gets_nothing_back():
    rq = make_rq()
    parent = add(rq, 1)
    switch(rq)
    child = fork(rq, parent, 2)
    sleep_curr(rq)
    core.migrate_task_rq(rq, parent)
    sleep_curr(rq)
    core.task_dead(rq, child)
    assert parent.se.time_slice == 50


def test_sleep_raises_the_priority_and_running_lowers_it():
    rq = make_rq()
    add(rq, 1)
    sleeper = add(rq, 2)
    switch(rq)
    sleep_curr(rq)
    assert rq.curr is sleeper
    sleep_curr(rq)
    rq.clock_ns += 2000 * MS
    core.activate_task(rq, sleeper, core.ENQUEUE_WAKEUP)
    assert sleeper.prio == 120 - 4  # 900 ms: interactive, not more
    assert task_interactive(sleeper)
    switch(rq)
    tick(rq, 99)
    switch(rq)
    assert effective_prio(rq.of[FAIR_RANK], sleeper) > 116


def test_an_interactive_task_preempts_a_hog_and_goes_back_to_the_active_array():
    rq = make_rq()
    hog = add(rq, 1)
    switch(rq)
    sleeper = add(rq, 2)
    sleeper.se.timestamp_ns = -2000 * MS
    core.deactivate_task(rq, sleeper, core.DEQUEUE_SLEEP)
    sleeper.se.timestamp_ns = -2000 * MS
    core.activate_task(rq, sleeper, core.ENQUEUE_WAKEUP)
    core.check_preempt_curr(rq, sleeper, core.WF_TTWU)
    assert rq.need_resched
    assert switch(rq) is sleeper
    sleeper.se.time_slice = 1
    rq.clock_ns += TICK_NS
    core.scheduler_tick(rq)
    assert sleeper.se.array is rq.of[FAIR_RANK].active
    assert switch(rq) is sleeper
    assert hog.on_rq


def test_uninterruptible_sleep_is_worth_no_more_than_becoming_interactive():
    rq = make_rq()
    task = add(rq, 1)
    switch(rq)
    sleep_curr(rq, core.DEQUEUE_SLEEP | core.DEQUEUE_UNINTERRUPTIBLE)
    for _ in range(50):
        rq.clock_ns += 100 * MS
        core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
        switch(rq)
        sleep_curr(rq, core.DEQUEUE_SLEEP | core.DEQUEUE_UNINTERRUPTIBLE)
    assert task.se.sleep_avg == 799 * MS


def test_yield_lets_all_active_tasks_go_first():
    rq = make_rq()
    first = add(rq, 1)
    low = add(rq, 2, nice=19)
    switch(rq)
    core.yield_task(rq)
    assert switch(rq) is low
    assert first.se.array is rq.of[FAIR_RANK].expired


def test_expired_tasks_that_starve_stop_interactive_ones_from_coming_back():
    rq = make_rq()
    add(rq, 1)
    better = add(rq, 2, nice=-5)
    o1 = rq.of[FAIR_RANK]
    switch(rq)
    assert rq.curr is better
    o1.expired_since_ns = 0
    rq.clock_ns = 2001 * MS
    better.se.sleep_avg = 1000 * MS
    better.se.time_slice = 1
    core.scheduler_tick(rq)
    assert better.se.array is o1.expired


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["new", "tick", "sleep", "wake", "yield", "nice", "fork", "move"]),
            st.integers(0, 7),
            st.integers(-20, 19),
        ),
        max_size=80,
    )
)
def test_the_queue_stays_consistent_whatever_happens(operations):
    rq = make_rq(child_runs_first="on")
    tasks, away = [], []
    for kind, number, nice in operations:
        task = tasks[number % len(tasks)] if tasks else None
        running = rq.curr is not rq.idle
        if kind == "new" or task is None:
            tasks.append(add(rq, len(tasks) + 1, nice))
            core.check_preempt_curr(rq, tasks[-1], core.WF_FORK)
        elif kind == "tick" and running:
            rq.clock_ns += TICK_NS
            core.scheduler_tick(rq)
        elif kind == "sleep" and running:
            sleep_curr(rq)
        elif kind == "wake" and not task.on_rq and task not in away:
            core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
            core.check_preempt_curr(rq, task, core.WF_TTWU)
        elif kind == "yield" and running:
            core.yield_task(rq)
        elif kind == "nice" and task not in away:
            core.set_user_nice(rq, task, nice)
        elif kind == "fork" and running:
            tasks.append(fork(rq, rq.curr, len(tasks) + 1))
        elif kind == "move" and task is not rq.curr:
            if task in away:
                away.remove(task)
                core.attach(rq, task)
            elif task.on_rq:
                core.deactivate_task(rq, task, core.DEQUEUE_MOVE)
                away.append(task)
        if rq.need_resched:
            switch(rq)
        found = []
        check_rq(rq, found)
        assert found == []


@pytest.mark.parametrize("expired", [True, False])
def test_an_expired_task_is_expired_on_its_next_queue_too(expired):
    here, there = make_rq(), make_rq()
    first, second = add(here, 1), add(here, 2)
    switch(here)
    tick(here, 150)
    task = first if expired else add(here, 3)
    assert here.curr is second
    core.deactivate_task(here, task, core.DEQUEUE_MOVE)
    moved = CpuTask.unpack(task.pack(), None)
    core.activate_task(there, moved, core.ENQUEUE_MIGRATED)
    arrays = there.of[FAIR_RANK]
    assert moved.se.array is (arrays.expired if expired else arrays.active)
