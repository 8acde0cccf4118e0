"""The deadline class on one runqueue: earliest deadline first, budgets, and what they promise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.dl_budget import OVERRUN
from kernel.sched.invariants import check_rq
from kernel.sched.rq import Rq
from kernel.sched.sched_class import DEADLINE_RANK
from kernel.uapi.policy import SCHED_DEADLINE, SCHED_FIFO, SCHED_FLAG_DL_OVERRUN

MS = 1_000_000


@pytest.fixture
def rq():
    return Rq(0, MachineSpec(cpus=1))


def add(rq, pid, runtime, deadline, period, flags=core.ENQUEUE_WAKEUP):
    task = CpuTask(pid, pid, f"t{pid}", 0, SCHED_DEADLINE)
    core.class_of(rq, task).setparam(rq, task, 0, (runtime, deadline, period, 0))
    wake(rq, task)
    return task


def wake(rq, task):
    core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
    core.check_preempt_curr(rq, task, core.WF_TTWU)
    settle(rq)


def settle(rq):
    if rq.need_resched:
        core.put_prev_task(rq, rq.curr)
        core.pick_next_task(rq)
    found = []
    check_rq(rq, found)
    assert found == []


def sleep(rq):
    core.deactivate_task(rq, rq.curr, core.DEQUEUE_SLEEP)
    rq.need_resched = True
    settle(rq)


def run(rq, until_ns):
    """Let time pass, with all timers; yield ``(task, ns)`` for each stretch."""
    stretches = []
    while rq.clock_ns < until_ns:
        next_ns = min(rq.timers.next_ns, until_ns)
        stretches.append((rq.curr, rq.clock_ns, next_ns))
        rq.clock_ns = next_ns
        while rq.timers.next_ns <= rq.clock_ns:
            core.hrtimer_run(rq)
        settle(rq)
    core.update_rq_curr(rq)
    return stretches


def test_the_earliest_deadline_runs_and_equals_go_in_the_order_they_came(rq):
    tasks = [add(rq, pid, MS, ms * MS, 100 * MS) for pid, ms in ((1, 30), (2, 10), (3, 10))]
    order = []
    while rq.nr_running:
        order.append(rq.curr)
        sleep(rq)
    assert order == [tasks[1], tasks[2], tasks[0]]


def test_a_deadline_task_runs_before_a_real_time_one_and_is_minus_one(rq):
    fifo = CpuTask(1, 1, "fifo", 0, SCHED_FIFO)
    core.class_of(rq, fifo).setparam(rq, fifo, 99, ())
    wake(rq, fifo)
    assert rq.curr is fifo
    task = add(rq, 2, MS, 10 * MS, 10 * MS)
    assert rq.curr is task
    assert task.prio == -1


def test_a_task_that_uses_its_budget_up_waits_for_its_next_period(rq):
    task = add(rq, 1, 2 * MS, 10 * MS, 10 * MS)
    stretches = run(rq, 25 * MS)
    ran = [(start, end) for who, start, end in stretches if who is task]
    assert ran == [(0, 2 * MS), (10 * MS, 12 * MS), (20 * MS, 22 * MS)]


def test_yield_gives_up_the_rest_of_the_budget(rq):
    task = add(rq, 1, 2 * MS, 10 * MS, 10 * MS)
    run(rq, MS)
    core.yield_task(rq)
    settle(rq)
    assert rq.curr is rq.idle
    run(rq, 10 * MS)
    assert rq.curr is task
    assert task.se.runtime == 2 * MS


def test_a_short_sleep_keeps_budget_and_deadline_and_a_long_one_begins_anew(rq):
    task = add(rq, 1, 4 * MS, 10 * MS, 10 * MS)
    run(rq, 3 * MS)
    sleep(rq)
    run(rq, 4 * MS)
    wake(rq, task)
    assert (task.se.runtime, task.se.deadline) == (MS, 10 * MS)
    sleep(rq)
    run(rq, 9 * MS)
    wake(rq, task)  # 1 ms of budget in 1 ms is more than its 40 %
    assert (task.se.runtime, task.se.deadline) == (4 * MS, 19 * MS)


def test_a_constrained_task_that_wakes_late_gets_what_fits_before_its_deadline(rq):
    task = add(rq, 1, 4 * MS, 8 * MS, 20 * MS)
    run(rq, MS)
    sleep(rq)
    run(rq, 6 * MS)
    wake(rq, task)
    assert (task.se.runtime, task.se.deadline) == (MS, 8 * MS)


def test_a_constrained_task_gets_no_second_budget_in_its_period(rq):
    task = add(rq, 1, 4 * MS, 8 * MS, 20 * MS)
    run(rq, MS)
    sleep(rq)
    run(rq, 10 * MS)
    wake(rq, task)
    assert rq.curr is rq.idle
    run(rq, 20 * MS)
    assert rq.curr is task


def test_a_task_does_not_escape_its_throttle_by_another_policy(rq):
    task = add(rq, 1, 2 * MS, 10 * MS, 10 * MS)
    run(rq, 3 * MS)
    assert rq.curr is rq.idle
    core.sched_setscheduler(rq, task, 0, 0, 0, False)
    settle(rq)
    assert rq.curr is task
    core.sched_setscheduler(rq, task, 6, 0, 0, False, (2 * MS, 10 * MS, 10 * MS, 0))
    settle(rq)
    assert rq.curr is rq.idle


SETS = st.lists(
    st.tuples(st.integers(2, 40), st.integers(1, 20)), min_size=1, max_size=5
)  # period in ms, share in parts


@settings(max_examples=60, deadline=None)
@given(SETS)
def test_an_admitted_set_meets_every_deadline_and_nobody_gets_more_than_its_budget(parts):
    rq = Rq(0, MachineSpec(cpus=1))
    total = sum(share for _, share in parts)
    wanted = [(period * MS * share * 9 // (total * 10), period * MS) for period, share in parts]
    tasks = [
        add(rq, pid, max(runtime, 1024), period, period)
        for pid, (runtime, period) in enumerate(wanted, 1)
    ]
    stretches = run(rq, 400 * MS)
    for task in tasks:
        runtime, period = task.se.dl_runtime, task.se.dl_period
        for begin in range(0, 400 * MS - period, period):
            end = begin + period
            got = sum(
                max(0, min(stop, end) - max(start, begin))
                for who, start, stop in stretches
                if who is task
            )
            assert got == runtime


@pytest.mark.parametrize("flags", [0, SCHED_FLAG_DL_OVERRUN])
def test_a_task_that_wants_to_know_is_told_of_each_end_of_its_budget_and_of_no_yield(rq, flags):
    task = add(rq, 1, 2 * MS, 10 * MS, 10 * MS)
    core.sched_setscheduler(rq, task, 6, 0, 0, False, (2 * MS, 10 * MS, 10 * MS, flags))
    run(rq, 25 * MS)
    assert rq.mail == [(-1, DEADLINE_RANK, OVERRUN, (1,))] * (3 if flags else 0)
    rq.mail.clear()
    run(rq, 31 * MS)
    core.yield_task(rq)
    settle(rq)
    assert rq.curr is rq.idle
    assert not rq.mail


def test_the_same_parameters_again_change_nothing(rq):
    first, second = (add(rq, pid, 2 * MS, 10 * MS, 10 * MS) for pid in (1, 2))
    core.sched_setscheduler(rq, first, 6, 0, 0, True, (2 * MS, 10 * MS, 10 * MS, 0))
    settle(rq)
    assert rq.curr is first
    assert first.reset_on_fork
    core.sched_setscheduler(rq, first, 6, 0, 0, True, (2 * MS, 10 * MS, 20 * MS, 0))
    settle(rq)
    assert rq.curr is second
