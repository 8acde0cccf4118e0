"""Budgets of deadline tasks: nobody has more than its share, and who reclaims what is to spare."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.deadline import deadline_sched_class
from kernel.sched.dl_budget import TOTAL_BW, reclaimed_rate
from kernel.sched.dl_rq import DlRq, to_ratio
from kernel.sched.rq import Rq
from kernel.sched.sched_class import DEADLINE_RANK
from kernel.uapi.policy import SCHED_FLAG_RECLAIM
from tests.kernel.sched.test_deadline import MS, add, rq, run, settle, sleep, wake

__all__ = ["rq"]  # the fixture

SERVER = to_ratio(1_000, 50)


def reclaiming(rq, pid, runtime, period):
    task = add(rq, pid, runtime, period, period)
    own = (runtime, period, period, SCHED_FLAG_RECLAIM)
    core.sched_setscheduler(rq, task, 6, 0, 0, False, own)
    settle(rq)
    return task


def tell(rq, *tasks):
    """What the kernel says of the machine: these are all of its deadline tasks, on one CPU."""
    total = SERVER + sum(task.se.bw for task in tasks)
    deadline_sched_class.told(rq, TOTAL_BW, (total, 1))
    settle(rq)


def sums(rq):
    mine = rq.of[DEADLINE_RANK]
    return mine.this_bw, mine.running_bw


def ran(stretches, task, begin=0, end=1 << 60):
    return sum(
        max(0, min(stop, end) - max(start, begin)) for who, start, stop in stretches if who is task
    )


def test_one_that_reclaims_has_95_percent_if_it_is_alone(rq):
    task = reclaiming(rq, 1, 10 * MS, 100 * MS)
    tell(rq, task)
    stretches = run(rq, 1_000 * MS)
    assert ran(stretches, task) == pytest.approx(950 * MS, rel=0.02)


def test_one_that_does_not_reclaim_has_its_budget_beside_one_that_does(rq):
    task, other = reclaiming(rq, 1, 10 * MS, 100 * MS), add(rq, 2, 40 * MS, 100 * MS, 100 * MS)
    tell(rq, task, other)
    stretches = run(rq, 1_000 * MS)
    assert ran(stretches, other) == 400 * MS
    # of 95 % 45 are to spare, its own and the other's: a budget lasts 0.95 / 0.5 as long
    assert ran(stretches, task) == pytest.approx(190 * MS, rel=0.02)


def test_what_one_that_sleeps_does_not_use_is_to_spare_from_its_zero_lag_time_on(rq):
    task, other = reclaiming(rq, 1, 10 * MS, 100 * MS), add(rq, 2, 40 * MS, 80 * MS, 100 * MS)
    tell(rq, task, other)
    both = task.se.bw + other.se.bw
    assert rq.curr is other
    run(rq, 10 * MS)
    assert sums(rq) == (both, both)
    sleep(rq)
    # 30 ms of its budget are left: it has kept to its share at 80 - 30 / 0.4 = 5 ms, in the past
    assert sums(rq) == (both, task.se.bw)
    wake(rq, other)
    assert sums(rq) == (both, both)
    run(rq, 45 * MS)
    while rq.curr is not other:
        run(rq, rq.clock_ns + MS)
    run(rq, rq.clock_ns + 20 * MS)
    sleep(rq)
    assert sums(rq) == (both, both), "it has had more than its share until now"
    run(rq, rq.clock_ns + 100 * MS)
    assert sums(rq) == (both, task.se.bw)


def test_the_sums_follow_the_tasks(rq):
    one, other = add(rq, 1, 10 * MS, 100 * MS, 100 * MS), add(rq, 2, 20 * MS, 100 * MS, 100 * MS)
    a, b = one.se.bw, other.se.bw
    assert sums(rq) == (a + b, a + b)
    core.sched_setscheduler(rq, other, 6, 0, 0, False, (30 * MS, 100 * MS, 100 * MS, 0))
    b = other.se.bw
    assert sums(rq) == (a + b, a + b)
    core.sched_setscheduler(rq, other, 0, 0, 0, False)
    assert sums(rq) == (a, a)
    core.sched_setscheduler(rq, other, 6, 0, 0, False, (30 * MS, 100 * MS, 100 * MS, 0))
    settle(rq)
    run(rq, MS)
    assert rq.curr is one
    sleep(rq)
    core.sched_setscheduler(rq, one, 6, 0, 0, False, (5 * MS, 100 * MS, 100 * MS, 0))
    assert sums(rq)[0] == one.se.bw + b
    core.migrate_task_rq(rq, one)
    assert sums(rq) == (b, b)
    sleep(rq)
    core.task_dead(rq, other)
    assert sums(rq) == (0, 0)


def test_a_queue_is_set_down_with_its_sums_and_sleepers(rq):
    one = add(rq, 1, 10 * MS, 100 * MS, 100 * MS)
    run(rq, 9 * MS)
    sleep(rq)
    mine = rq.of[DEADLINE_RANK]
    assert mine.inactive
    copy = DlRq(MachineSpec(cpus=1))
    copy.unpack(mine.pack(), {1: one})
    assert copy.pack() == mine.pack()
    entity = deadline_sched_class.make_entity()
    entity.unpack(one.se.pack())
    assert entity.pack() == one.se.pack()


def test_no_budget_shrinks_slower_than_its_share_or_faster_than_time(rq):
    tasks = [reclaiming(rq, pid, pid * 5 * MS, 100 * MS) for pid in range(1, 5)]
    for total in (tasks[:1], tasks[:2], tasks):
        tell(rq, *total)
        mine = rq.of[DEADLINE_RANK]
        for task in tasks:
            assert task.se.bw <= reclaimed_rate(rq, mine, task.se) <= 1 << 20


TURNS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 40)), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(turns=TURNS, late=st.booleans(), flags=st.sampled_from([0, SCHED_FLAG_RECLAIM]))
def test_however_a_task_sleeps_and_overruns_others_meet_their_deadlines(turns, late, flags):
    rq = Rq(0, MachineSpec(cpus=1))
    wild = add(rq, 1, 4 * MS, 8 * MS if late else 10 * MS, 10 * MS)
    own = (4 * MS, 8 * MS if late else 10 * MS, 10 * MS, flags)
    core.sched_setscheduler(rq, wild, 6, 0, 0, False, own)
    settle(rq)
    steady = add(rq, 2, 8 * MS, 20 * MS, 20 * MS)
    tell(rq, wild, steady)
    stretches = []
    for runs, sleeps in turns:
        wanted = rq.clock_ns + runs * MS
        stretches += run(rq, wanted)
        if wild.on_rq:
            core.deactivate_task(rq, wild, core.DEQUEUE_SLEEP)
            rq.need_resched = rq.need_resched or wild is rq.curr
            settle(rq)
        stretches += run(rq, rq.clock_ns + sleeps * MS)
        wake(rq, wild)
    end = rq.clock_ns
    for begin in range(0, end - 20 * MS, 20 * MS):
        assert ran(stretches, steady, begin, begin + 20 * MS) == 8 * MS, begin // MS
    if flags:
        return
    # Q of each P, and what a budget at the end of a period and one at its begin are together
    for first in range(0, end, 5 * MS):
        for periods in (1, 2, 5, 10):
            last = first + periods * 10 * MS
            assert ran(stretches, wild, first, last) <= (periods + 1) * 4 * MS


def test_a_task_that_never_sleeps_has_no_more_than_its_budget_in_any_period():
    rq = Rq(0, MachineSpec(cpus=1))
    task = add(rq, 1, 3 * MS, 10 * MS, 10 * MS)
    stretches = run(rq, 500 * MS)
    for begin in range(0, 480 * MS, MS):
        assert ran(stretches, task, begin, begin + 10 * MS) <= 3 * MS


def test_what_is_to_spare_is_divided_between_one_that_reclaims_and_the_fair_server_by_shares(rq):
    fair = CpuTask(9, 9, "fair", 0, 0)
    core.class_of(rq, fair).setparam(rq, fair, 0, ())
    core.activate_task(rq, fair, core.ENQUEUE_WAKEUP)
    core.check_preempt_curr(rq, fair, core.WF_TTWU)
    settle(rq)
    task = reclaiming(rq, 1, 10 * MS, 100 * MS)
    tell(rq, task)
    stretches = run(rq, 1_000 * MS)
    assert ran(stretches, task) == pytest.approx(950 * MS * 10 // 15, rel=0.02)
    assert ran(stretches, task) + ran(stretches, fair) == 1_000 * MS
