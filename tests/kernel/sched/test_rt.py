"""The real-time class on one runqueue, without any machine around it."""

import pytest

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.invariants import check_rq
from kernel.sched.rq import Rq
from kernel.sched.rt import rt_sched_class
from kernel.sched.rt_throttle import SLICE
from kernel.sched.sched_class import FAIR_RANK, RT_RANK
from kernel.uapi.policy import SCHED_BATCH, SCHED_FIFO, SCHED_NORMAL, SCHED_RR

TICK_NS = 4_000_000


@pytest.fixture
def rq() -> Rq:
    return Rq(0, MachineSpec(cpus=2))


def add(rq: Rq, pid: int, priority: int = 0, policy: int = SCHED_FIFO) -> CpuTask:
    task = CpuTask(pid, pid, f"t{pid}", 0, policy if priority else SCHED_NORMAL)
    core.class_of(rq, task).setparam(rq, task, priority, ())
    if priority:
        task.se.time_slice = rq.of[RT_RANK].rr_timeslice
    core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
    core.check_preempt_curr(rq, task, core.WF_TTWU)
    return task


def switch(rq: Rq) -> CpuTask:
    core.put_prev_task(rq, rq.curr)
    task = core.pick_next_task(rq)
    found: list[str] = []
    check_rq(rq, found)
    assert found == []
    return task


def sleep(rq: Rq, task: CpuTask) -> CpuTask:
    core.deactivate_task(rq, task, core.DEQUEUE_SLEEP)
    return switch(rq)


def tick(rq: Rq, times: int = 1) -> None:
    for _ in range(times):
        rq.clock_ns += TICK_NS
        core.scheduler_tick(rq)
        if rq.need_resched:
            switch(rq)


def test_the_highest_priority_runs_and_equals_go_in_the_order_they_came(rq):
    low, first, second, high = add(rq, 1, 5), add(rq, 2, 10), add(rq, 3, 10), add(rq, 4, 99)
    order = [switch(rq)]
    while rq.nr_running:
        order.append(sleep(rq, rq.curr))
    assert order == [high, first, second, low, rq.idle]


def test_a_real_time_task_runs_before_every_fair_one(rq):
    fair = add(rq, 1)
    assert switch(rq) is fair
    real_time = add(rq, 2, 1)
    assert rq.need_resched
    assert switch(rq) is real_time
    assert sleep(rq, real_time) is fair


def test_an_equal_does_not_preempt_and_a_higher_one_does(rq):
    first = add(rq, 1, 10)
    switch(rq)
    add(rq, 2, 10)
    assert not rq.need_resched
    add(rq, 3, 9)
    assert not rq.need_resched
    high = add(rq, 4, 11)
    assert rq.need_resched
    assert switch(rq) is high
    assert sleep(rq, high) is first, "the preempted task goes on before its equal"


def test_fifo_has_no_quantum_and_round_robin_has_one(rq):
    first, second = add(rq, 1, 10), add(rq, 2, 10)
    switch(rq)
    tick(rq, 3 * rq.of[RT_RANK].rr_timeslice)
    assert rq.curr is first
    for task in (first, second):
        core.sched_setscheduler(rq, task, SCHED_RR, 10, 0, False)
    tick(rq, rq.of[RT_RANK].rr_timeslice - 1)
    assert rq.curr is first
    tick(rq)
    assert rq.curr is second
    tick(rq, rq.of[RT_RANK].rr_timeslice)
    assert rq.curr is first


def test_round_robin_alone_on_its_list_goes_on(rq):
    task = add(rq, 1, 10, SCHED_RR)
    add(rq, 2, 9, SCHED_RR)
    switch(rq)
    tick(rq, rq.of[RT_RANK].rr_timeslice)
    assert rq.curr is task
    assert task.se.time_slice == rq.of[RT_RANK].rr_timeslice


def test_yield_goes_to_the_end_of_its_own_list_only(rq):
    first, second = add(rq, 1, 10), add(rq, 2, 10)
    add(rq, 3, 9)
    switch(rq)
    core.yield_task(rq)
    assert switch(rq) is second
    core.yield_task(rq)
    assert switch(rq) is first


def test_lowered_goes_before_its_new_equals_and_raised_behind_them(rq):
    equals = [add(rq, 1, 10)]
    high = add(rq, 2, 20)
    low = add(rq, 3, 5)
    core.sched_setscheduler(rq, high, SCHED_FIFO, 10, 0, False)
    core.sched_setscheduler(rq, low, SCHED_FIFO, 10, 0, False)
    order = [switch(rq)]
    while rq.nr_running > 1:
        order.append(sleep(rq, rq.curr))
    assert order == [high, *equals, low]


@pytest.mark.parametrize("running", [True, False])
def test_a_task_changes_its_class_and_back(rq, running):
    task, other = add(rq, 1), add(rq, 2)
    while switch(rq) is not (task if running else other):
        rq.clock_ns += TICK_NS
    core.sched_setscheduler(rq, task, SCHED_FIFO, 3, 0, False)
    assert switch(rq) is task
    assert (task.prio, other.prio) == (96, 120)
    assert rq.of[FAIR_RANK].nr_running == 1
    core.sched_setscheduler(rq, task, SCHED_BATCH, 0, 5, False)
    switch(rq)
    assert rq.of[FAIR_RANK].nr_running == 2
    assert (task.prio, task.nice, task.rt_priority) == (125, 5, 0)


def test_a_sleeper_changes_its_class_and_keeps_its_place_in_time(rq):
    sleeper, other = add(rq, 1), add(rq, 2)
    while switch(rq) is not sleeper:
        rq.clock_ns += TICK_NS
    sleep(rq, sleeper)
    core.sched_setscheduler(rq, sleeper, SCHED_FIFO, 3, 0, False)
    rq.clock_ns += 50 * TICK_NS
    core.update_rq_curr(rq)
    core.sched_setscheduler(rq, sleeper, SCHED_NORMAL, 0, 0, False)
    core.activate_task(rq, sleeper, core.ENQUEUE_WAKEUP)
    assert abs(sleeper.se.vruntime - other.se.vruntime) < 100 * TICK_NS
    switch(rq)


def test_nice_of_a_real_time_task_is_kept_for_later():
    rq = Rq(0, MachineSpec(cpus=2, fair="cfs"))
    task = add(rq, 1, 10)
    switch(rq)
    core.set_user_nice(rq, task, 7)
    assert (task.nice, task.prio, rq.of[FAIR_RANK].load_weight) == (7, 89, 0)


def test_the_waiting_task_of_the_highest_priority_is_pulled(rq):
    add(rq, 1, 50)
    switch(rq)
    fair = add(rq, 2)
    bound = add(rq, 3, 40)
    bound.cpus_allowed = (0,)
    waiting = add(rq, 4, 30)
    assert core.detach_one(rq, rq.clock_ns, 1) is waiting
    assert core.detach_one(rq, rq.clock_ns, 1) is fair
    assert core.detach_one(rq, rq.clock_ns, 1) is None


def test_what_runs_is_not_pushed_but_an_equal_of_it_is(rq):
    first, second = add(rq, 1, 10), add(rq, 2, 10)
    switch(rq)
    assert core.pushable_task(rq, second, 1) is second
    assert core.pushable_task(rq, first, 1) is second
    second.cpus_allowed = (0,)
    assert core.pushable_task(rq, first, 1) is None


@pytest.mark.parametrize("policy", [SCHED_FIFO, SCHED_RR])
def test_a_child_inherits_the_class_unless_it_is_reset(rq, policy):
    parent = add(rq, 1, 10, policy)
    switch(rq)
    child = CpuTask(2, 2, "c", 0, policy)
    core.task_fork(rq, parent, child)
    assert (child.policy, child.rt_priority, child.se.time_slice) == (
        policy,
        10,
        rq.of[RT_RANK].rr_timeslice,
    )
    parent.reset_on_fork = True
    child = CpuTask(3, 3, "c", 0, policy)
    core.task_fork(rq, parent, child)
    core.activate_task(rq, child, core.ENQUEUE_INITIAL)
    assert (child.policy, child.rt_priority, child.prio) == (SCHED_NORMAL, 0, 120)
    assert rq.of[FAIR_RANK].nr_running == 1


def test_the_same_priority_again_leaves_a_task_where_it_is_with_another_policy_too(rq):
    first, second, third = (add(rq, pid, 10) for pid in (1, 2, 3))
    core.sched_setscheduler(rq, first, SCHED_FIFO, 10, 0, True)
    assert first.reset_on_fork
    core.sched_setscheduler(rq, second, SCHED_RR, 10, 0, False)
    order = [switch(rq)]
    while rq.nr_running > 1:
        order.append(sleep(rq, rq.curr))
    assert order == [first, second, third]
    assert second.policy == SCHED_RR


def test_in_2_6_34_whoever_gets_a_policy_goes_to_the_end_of_its_list():
    rq = Rq(0, MachineSpec(cpus=1, linux="2.6.34"))
    first, second = add(rq, 1, 10), add(rq, 2, 10)
    core.sched_setscheduler(rq, first, SCHED_FIFO, 10, 0, False)
    assert switch(rq) is second


def test_another_policy_for_a_while_leaves_what_is_left_of_a_quantum(rq):
    task = add(rq, 1, 5, SCHED_RR)
    switch(rq)
    tick(rq, 10)
    left = task.se.time_slice
    core.sched_setscheduler(rq, task, SCHED_NORMAL, 0, 0, False, ())
    core.sched_setscheduler(rq, task, SCHED_RR, 5, 0, False, ())
    assert task.se.time_slice == left < rq.of[RT_RANK].rr_timeslice


def test_another_quantum_holds_from_the_next_one_on_and_is_in_a_checkpoint(rq):
    task = add(rq, 1, 5, SCHED_RR)
    add(rq, 2, 5, SCHED_RR)
    switch(rq)
    queue = rq.of[RT_RANK]
    rt_sched_class.told(rq, SLICE, (3,))
    tick(rq, 24)
    assert rq.curr is task
    tick(rq)
    assert rq.curr is not task
    assert task.se.time_slice == 3
    other = Rq(0, MachineSpec(cpus=2)).of[RT_RANK]
    other.unpack(queue.pack(), {1: task, 2: rq.curr})
    assert other.rr_timeslice == 3
