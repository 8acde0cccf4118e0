"""EEVDF on one runqueue: step by step against its rules, and what it promises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.invariants import check_rq
from kernel.sched.rq import Rq
from kernel.sched.sched_class import FAIR_RANK
from kernel.uapi.policy import SCHED_BATCH, SCHED_FIFO, SCHED_IDLE
from tests.kernel.sched import one_cpu
from tests.kernel.sched.one_cpu import MS, US, add, faults, run, sleep_curr, switch
from tests.kernel.sched.side_by_side import NICES


def make_rq(**tunables):
    return one_cpu.make_rq("eevdf", tunables=tunables)


@pytest.mark.parametrize("nices", [(0, 0), (0, 1), (0, 5), (0, 10), (5, 10), (-5, 0), (0, 19)])
def test_cpu_shares_follow_the_weights(nices):
    rq = make_rq()
    first, second = (add(rq, pid, nice) for pid, nice in enumerate(nices, 1))
    switch(rq)
    run(rq, 40_000 * MS, MS)
    expected = first.se.weight / second.se.weight
    assert first.sum_exec_ns / second.sum_exec_ns == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("cpus", "slice_us"), [(1, 700), (2, 1400), (4, 2100), (64, 2800)])
def test_the_base_slice_grows_with_the_logarithm_of_the_cpus(cpus, slice_us):
    rq = Rq(0, MachineSpec(cpus=cpus, fair="eevdf"))
    assert rq.of[FAIR_RANK].base_slice_ns == slice_us * US


def test_a_new_task_has_no_lag_and_half_a_slice():
    rq = make_rq()
    parent = add(rq, 1)
    switch(rq)
    rq.clock_ns += 300 * US
    child = add(rq, 2)
    assert child.se.vruntime == parent.se.vruntime == 300 * US
    assert child.se.deadline - child.se.vruntime == 350 * US


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(NICES), min_size=2, max_size=8),
    st.lists(st.sampled_from([50 * US, 100 * US, 350 * US, 700 * US]), min_size=1, max_size=200),
)
def test_lag_never_exceeds_a_slice_where_ticks_are_no_longer_than_that(nices, stretches):
    rq = make_rq()
    tasks = [add(rq, pid, nice) for pid, nice in enumerate(nices, 1)]
    cfs = rq.of[FAIR_RANK]
    switch(rq)
    most = cfs.base_slice_ns + max(stretches)
    for ns in stretches:
        run(rq, ns, ns)
        real = [(_average(tasks) - task.se.vruntime) * task.se.weight / 1024 for task in tasks]
        assert all(abs(lag) <= most for lag in real)


def _average(tasks):
    return sum(t.se.weight * t.se.vruntime for t in tasks) / sum(t.se.weight for t in tasks)


def test_a_sleeper_comes_back_with_the_lag_it_left_with():
    rq = make_rq()
    tasks = [add(rq, pid) for pid in (1, 2, 3)]
    switch(rq)
    rq.clock_ns += 100 * US
    sleeper = sleep_curr(rq, core.DEQUEUE_SLEEP | core.DEQUEUE_SPECIAL)
    lag = sleeper.se.vlag
    assert lag == -66_667  # it had 100 us, the average is at 33.3
    run(rq, 40 * MS)
    core.activate_task(rq, sleeper, core.ENQUEUE_WAKEUP)
    assert round(_average(tasks) - sleeper.se.vruntime) == lag


def test_a_sleeper_in_debt_stays_until_it_has_paid_and_gains_nothing():
    rq = make_rq()
    add(rq, 1)
    add(rq, 2)
    switch(rq)
    rq.clock_ns += 2 * MS
    sleeper = sleep_curr(rq)
    assert (sleeper.se.delayed, sleeper.on_rq, rq.nr_running) == (True, False, 1)
    run(rq, 8 * MS)
    assert not sleeper.se.on_rq
    assert sleeper.se.vlag == 0


def test_a_sleeper_in_debt_that_wakes_early_is_still_in_debt():
    rq = make_rq()
    add(rq, 1)
    add(rq, 2)
    switch(rq)
    rq.clock_ns += 2 * MS
    sleeper = sleep_curr(rq)
    core.activate_task(rq, sleeper, core.ENQUEUE_WAKEUP)
    assert sleeper.se.vruntime == 2 * MS
    assert not sleeper.se.delayed


def test_a_task_that_stops_leaves_at_once_whatever_its_debt():
    rq = make_rq()
    add(rq, 1)
    add(rq, 2)
    switch(rq)
    rq.clock_ns += 2 * MS
    stopped = sleep_curr(rq, core.DEQUEUE_SLEEP | core.DEQUEUE_SPECIAL)
    assert not stopped.se.on_rq


def test_a_wakeup_leaves_the_running_task_its_slice():
    rq = make_rq()
    add(rq, 1)
    add(rq, 2)
    switch(rq)
    sleeper = sleep_curr(rq, core.DEQUEUE_SLEEP | core.DEQUEUE_SPECIAL)
    rq.clock_ns += 300 * US
    core.activate_task(rq, sleeper, core.ENQUEUE_WAKEUP)
    core.check_preempt_curr(rq, sleeper, core.WF_TTWU)
    assert not rq.need_resched


@pytest.mark.parametrize("on", [True, False])
def test_a_wakeup_with_a_shorter_slice_does_not_if_that_feature_is_on(on):
    rq = make_rq(preempt_short=on, place_deadline_initial=False)
    hasty = CpuTask(1, 1, "hasty")
    core.class_of(rq, hasty)
    hasty.se.slice_ns = 100 * US
    core.activate_task(rq, hasty, core.ENQUEUE_INITIAL)
    add(rq, 2)
    assert switch(rq) is hasty
    sleeper = sleep_curr(rq, core.DEQUEUE_SLEEP | core.DEQUEUE_SPECIAL)
    rq.clock_ns += 300 * US
    core.activate_task(rq, sleeper, core.ENQUEUE_WAKEUP)
    core.check_preempt_curr(rq, sleeper, core.WF_TTWU)
    assert rq.need_resched is on


def test_yield_gives_up_the_rest_of_the_slice():
    rq = make_rq()
    first = add(rq, 1)
    second = add(rq, 2)
    switch(rq)
    rq.clock_ns += 100 * US
    core.update_rq_curr(rq)
    first.se.vruntime = second.se.vruntime = 100 * US  # equal again: it is eligible
    cfs = rq.of[FAIR_RANK]
    cfs.avg_vruntime = 100 * US * 1024
    deadline = first.se.deadline
    core.yield_task(rq)
    assert first.se.vruntime == deadline
    assert switch(rq) is second


def test_idle_policy_is_always_preempted_and_batch_never_preempts():
    rq = make_rq()
    idler = add(rq, 1, policy=SCHED_IDLE)
    switch(rq)
    batch = add(rq, 2, policy=SCHED_BATCH)
    core.check_preempt_curr(rq, batch, core.WF_TTWU)
    assert rq.need_resched
    assert switch(rq) is batch
    normal_batch = add(rq, 3, policy=SCHED_BATCH)
    rq.clock_ns += 600 * US
    core.check_preempt_curr(rq, normal_batch, core.WF_TTWU)
    assert not rq.need_resched
    assert idler.on_rq


@pytest.mark.parametrize("first", ["on", "off"])
def test_child_runs_first_makes_the_child_next(first):
    rq = Rq(0, MachineSpec(cpus=1, fair="eevdf", child_runs_first=first))
    parent = add(rq, 1)
    add(rq, 2)
    switch(rq)
    child = CpuTask(3, 3, "child")
    core.task_fork(rq, parent, child)
    core.activate_task(rq, child, core.ENQUEUE_INITIAL)
    core.check_preempt_curr(rq, child, core.WF_FORK)
    if first == "on":
        assert rq.need_resched
        assert switch(rq) is child
    else:
        assert not rq.need_resched


def test_a_task_takes_its_lag_and_what_is_left_of_its_slice_to_another_queue():
    here, there = make_rq(), make_rq()
    for pid in (1, 2):
        add(here, pid)
    add(there, 3)
    switch(here)
    switch(there)
    there.clock_ns = 10 * MS
    core.update_rq_curr(there)
    here.clock_ns += 500 * US
    mover = core.detach_one(here, here.clock_ns)
    assert mover.pid == 2
    packed = CpuTask.unpack(mover.pack(), None)
    core.activate_task(there, packed, core.ENQUEUE_MIGRATED)
    assert packed.se.vlag == 250 * US
    assert packed.se.deadline - packed.se.vruntime == 350 * US
    assert there.of[FAIR_RANK].curr.se.vruntime - packed.se.vruntime == 500 * US


def test_a_sleeper_in_debt_is_dequeued_when_it_is_woken_elsewhere():
    rq = make_rq()
    add(rq, 1)
    add(rq, 2)
    switch(rq)
    rq.clock_ns += 2 * MS
    sleeper = sleep_curr(rq)
    core.migrate_task_rq(rq, sleeper)
    found = []
    check_rq(rq, found)
    assert (found, sleeper.se.on_rq, sleeper.se.vlag) == ([], False, -MS)


def test_a_task_put_for_a_higher_class_waits_with_the_others():
    rq = make_rq()
    first = add(rq, 1)
    second = add(rq, 2)
    switch(rq)
    rq.clock_ns += 300 * US
    urgent = CpuTask(9, 9, "rt", 0, SCHED_FIFO)
    urgent.rt_priority = 1
    core.activate_task(rq, urgent, core.ENQUEUE_WAKEUP)
    assert switch(rq) is urgent
    found = []
    check_rq(rq, found)
    assert found == []
    rq.clock_ns += MS
    core.deactivate_task(rq, urgent, core.DEQUEUE_SLEEP)
    assert switch(rq) is second
    assert first.sum_exec_ns == 300 * US
    check_rq(rq, found)
    assert found == []


def test_zero_of_virtual_time_moves_along_and_changes_nothing():
    rq = make_rq()
    add(rq, 1, nice=19)
    add(rq, 2, nice=19)
    switch(rq)
    run(rq, 100_000 * MS, 100 * MS)
    assert rq.of[FAIR_RANK].zero_vruntime > 1 << 40
    found = []
    check_rq(rq, found)
    assert found == []
    shares = [task.sum_exec_ns for task in rq.of[FAIR_RANK].tasks]
    assert abs(shares[0] - shares[1]) <= 100 * MS


@pytest.mark.parametrize("joins", ["new", "moved"])
def test_who_joins_a_task_that_ran_alone_beside_a_delayed_sleeper_is_not_placed_far_behind(joins):
    rq = make_rq()
    sleeper, hog = add(rq, 1), add(rq, 2)
    switch(rq)
    rq.clock_ns += 600 * US
    assert sleep_curr(rq) is sleeper and sleeper.se.delayed
    assert rq.curr is hog
    rq.clock_ns += 100 * MS  # without a tick: it is alone
    flags = core.ENQUEUE_INITIAL if joins == "new" else core.ENQUEUE_MIGRATED
    newcomer = add(rq, 3, flags=flags)
    assert not sleeper.se.delayed
    assert hog.se.vruntime == newcomer.se.vruntime
    assert not faults(rq)


def test_a_task_that_ran_alone_beside_a_delayed_sleeper_leaves_without_debt():
    rq = make_rq()
    sleeper, hog = add(rq, 1), add(rq, 2)
    switch(rq)
    rq.clock_ns += 600 * US
    sleep_curr(rq)
    rq.clock_ns += 100 * MS
    assert sleep_curr(rq) is hog
    assert not hog.se.delayed and hog.se.vlag == 0
    assert not sleeper.se.delayed
