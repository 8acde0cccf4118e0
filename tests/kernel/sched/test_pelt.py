"""PELT against a straight computation of the same sums in fractions, and against known numbers."""

from decimal import Decimal, getcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core, pelt
from kernel.sched.invariants import check_rq
from kernel.sched.pelt import LOAD_AVG_MAX, RUNNABLE_AVG_YN_INV, SchedAvg, decay_load
from kernel.sched.rq import Rq
from kernel.uapi.policy import SCHED_FIFO

getcontext().prec = 60
Y = Fraction(Decimal(2) ** (Decimal(-1) / 32))
UNIT_NS = 1024
PERIOD_NS = 1024 * UNIT_NS
MS = 1_000_000


def queue(*, fair="eevdf", capacity=1024):
    return Rq(0, MachineSpec(cpus=1, fair=fair, places=((0, 0, 0, 0, 0, capacity),)))


def switch(rq):
    core.put_prev_task(rq, rq.curr)
    core.pick_next_task(rq)


def run_for(sa, units, *, load=1, running=True):
    """Let a task be runnable for so many units of 1024 ns, looked at once a period."""
    while units > 0:
        step = min(units, 1000)
        now = sa.last_update_ns + step * UNIT_NS
        if pelt.update_load_sum(sa, now, load, load, running and load > 0):
            pelt.update_load_avg(sa, 1024)
        units -= step


# -- numbers that follow from Linux's -----------------------------------------------------------


def test_the_table_is_powers_of_y_in_32_bits():
    powers = [int(Decimal(2**32 - 1) * (Decimal(2) ** (Decimal(-n) / 32))) for n in range(32)]
    assert powers == list(RUNNABLE_AVG_YN_INV)


def test_the_greatest_sum_is_what_whole_periods_add_up_to_when_each_step_rounds_down():
    total = 0
    for _ in range(2000):
        total = decay_load(total, 1) + 1024
    assert total == LOAD_AVG_MAX


def test_half_is_forgotten_after_32_periods_and_all_after_2016():
    assert decay_load(LOAD_AVG_MAX, 32) in (LOAD_AVG_MAX // 2, LOAD_AVG_MAX // 2 - 1)
    assert decay_load(1 << 40, 64) == (1 << 38) - 64  # the table's 1 is one in 2**32 too small
    assert decay_load(1 << 62, 32 * 63 + 1) == 0


def test_who_always_runs_has_half_after_32_ms_and_all_after_345():
    sa = SchedAvg()
    run_for(sa, 32 * 1024)
    assert 509 <= sa.util_avg <= 513
    run_for(sa, (345 - 32) * 1024)
    assert 1022 <= sa.util_avg <= 1024
    assert 1022 <= sa.load_avg <= 1024
    run_for(sa, 5000 * 1024)
    assert {sa.util_avg, sa.runnable_avg, sa.load_avg} <= {1023, 1024}


def test_full_utilisation_is_reached_at_every_place_in_a_period():
    sa = SchedAvg()
    run_for(sa, 3000 * 1024)
    for _ in range(50):
        run_for(sa, 1111)
        assert sa.util_avg >= 1022  # no oscillation in [1002, 1024)


def test_who_waits_is_runnable_and_not_running():
    sa = SchedAvg()
    run_for(sa, 400 * 1024, running=False)
    assert sa.util_avg == 0 and sa.runnable_avg >= 1022


# -- a queue against fractions -------------------------------------------------------------------


class Reference:
    """A sum over time in which each period counts y times as much as the next."""

    def __init__(self, now_ns, average=0):
        self.ns = now_ns
        self.sum = Fraction(average * self.most())

    def most(self):
        return Fraction(LOAD_AVG_MAX - 1024) + Fraction(self.ns % PERIOD_NS, UNIT_NS)

    def advance(self, now_ns, value):
        while self.ns < now_ns:
            edge = min(now_ns, (self.ns // PERIOD_NS + 1) * PERIOD_NS)
            self.sum += Fraction(edge - self.ns, UNIT_NS) * value
            if edge % PERIOD_NS == 0:
                self.sum *= Y
            self.ns = edge

    def average(self):
        return self.sum / self.most()


actions = st.lists(
    st.tuples(st.integers(1, 9000), st.sampled_from(["tick", "sleep", "wake", "wake", "resched"])),
    min_size=5,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("fair", ["cfs", "eevdf", "o1"])
@given(steps=actions, nices=st.lists(st.integers(-10, 10), min_size=3, max_size=3))
def test_averages_of_tasks_and_queue_are_those_of_a_straight_computation(fair, steps, nices):
    rq = queue(fair=fair)
    rq.clock_ns = PERIOD_NS
    tasks = [CpuTask(pid, pid, f"t{pid}", nice) for pid, nice in enumerate(nices, 1)]
    refs = {}
    whole = {"util": Reference(PERIOD_NS), "run": Reference(PERIOD_NS), "load": Reference(0)}
    whole["load"].ns = PERIOD_NS

    def pass_time(units):
        now = rq.clock_ns + units * UNIT_NS
        for task, (util, run) in refs.items():
            util.advance(now, int(task is rq.curr) * 1024)
            run.advance(now, int(task.on_rq) * 1024)
        on = [task for task in tasks if task.on_rq]
        whole["util"].advance(now, int(rq.curr is not rq.idle) * 1024)
        whole["run"].advance(now, len(on) * 1024)
        whole["load"].advance(now, sum(task.avg.weight for task in on))
        rq.clock_ns = now

    for units, action in steps:
        pass_time(units)
        asleep = [task for task in tasks if not task.on_rq]
        if action == "wake" and asleep:
            task = asleep[0]
            new = task.avg is None
            core.activate_task(rq, task, core.ENQUEUE_INITIAL if new else core.ENQUEUE_WAKEUP)
            if new:
                util = task.avg.util_avg
                refs[task] = (Reference(rq.clock_ns, util), Reference(rq.clock_ns, util))
                whole["util"].sum += refs[task][0].sum
                whole["run"].sum += refs[task][1].sum
                whole["load"].sum += task.avg.weight * whole["load"].most()
            if rq.curr is rq.idle:
                switch(rq)
        elif action == "sleep" and rq.curr is not rq.idle:
            core.deactivate_task(rq, rq.curr, core.DEQUEUE_SLEEP)
            switch(rq)
        elif action == "tick":
            core.scheduler_tick(rq)
        else:
            switch(rq)
        found = []
        check_rq(rq, found)
        assert not found
    pelt.update_rq(rq, rq.pelt)
    for task, (util, run) in refs.items():
        pelt.update_se(task.avg, rq.clock_ns, task.on_rq, task is rq.curr)
        pelt.update_load_avg(task.avg, task.avg.weight)
        assert abs(task.avg.util_avg - util.average()) < 5
        assert abs(task.avg.runnable_avg - run.average()) < 5
    cfs = rq.pelt.cfs
    pelt.update_load_avg(cfs, 1)
    assert abs(cfs.util_avg - whole["util"].average()) < 12
    assert abs(cfs.runnable_avg - whole["run"].average()) < 12
    assert abs(cfs.load_avg - whole["load"].average()) < 12 + whole["load"].average() / 200


# -- what begins and ends ----------------------------------------------------------------------


def test_a_new_task_has_all_its_load_and_half_of_what_its_cpu_has_to_spare():
    rq = queue()
    first, second = CpuTask(1, 1, "a"), CpuTask(2, 2, "b", 5)
    core.activate_task(rq, first, core.ENQUEUE_INITIAL)
    assert (first.avg.load_avg, first.avg.util_avg, first.avg.runnable_avg) == (1024, 512, 512)
    core.activate_task(rq, second, core.ENQUEUE_INITIAL)
    # as much as the others have for their weight: 512 * 335 / 1025
    assert (second.avg.load_avg, second.avg.util_avg) == (335, 512 * 335 // 1025)
    assert rq.pelt.cfs.util_avg == 512 + second.avg.util_avg
    third = CpuTask(3, 3, "c", -20)
    core.activate_task(rq, third, core.ENQUEUE_INITIAL)
    assert third.avg.util_avg == (1024 - rq.pelt.cfs.util_avg + third.avg.util_avg) // 2


def test_a_sleeper_stays_in_the_queues_averages_and_fades():
    rq = queue()
    task = CpuTask(1, 1, "a")
    core.activate_task(rq, task, core.ENQUEUE_INITIAL)
    switch(rq)
    rq.clock_ns = 400 * PERIOD_NS
    core.deactivate_task(rq, task, core.DEQUEUE_SLEEP)
    switch(rq)
    assert rq.pelt.cfs.util_avg >= 1022 and rq.pelt.nr_runnable == rq.pelt.weight == 0
    rq.clock_ns += 32 * PERIOD_NS
    pelt.update_rq(rq, rq.pelt)
    assert 509 <= rq.pelt.cfs.util_avg <= 513


def test_a_task_that_goes_to_another_cpu_takes_its_part_along():
    here, there = queue(), queue()
    stays, goes = CpuTask(1, 1, "a"), CpuTask(2, 2, "b")
    for task in (stays, goes):
        core.activate_task(here, task, core.ENQUEUE_INITIAL)
    switch(here)
    here.clock_ns = there.clock_ns = 50 * PERIOD_NS
    core.scheduler_tick(here)
    waiting = goes if here.curr is stays else stays
    core.deactivate_task(here, waiting, core.DEQUEUE_MOVE)
    assert waiting.avg.last_update_ns == pelt.UNATTACHED
    before = here.pelt.cfs.util_avg
    sent = CpuTask.unpack(waiting.pack(), lambda data: data)
    core.attach(there, sent)
    assert there.pelt.cfs.load_avg == sent.avg.load_avg > 0
    assert there.pelt.cfs.util_avg == sent.avg.util_avg > 0
    assert abs(before - here.curr.avg.util_avg) < 3


def test_a_dead_task_leaves_nothing_behind():
    rq = queue()
    task = CpuTask(1, 1, "a")
    core.activate_task(rq, task, core.ENQUEUE_INITIAL)
    switch(rq)
    rq.clock_ns = 30 * PERIOD_NS
    core.deactivate_task(rq, task, core.DEQUEUE_SLEEP)
    switch(rq)
    core.task_dead(rq, task)
    cfs = rq.pelt.cfs
    assert (cfs.load_avg, cfs.runnable_avg, cfs.util_avg) == (0, 0, 0)


def test_another_nice_value_scales_load_and_leaves_utilisation():
    rq = queue()
    task = CpuTask(1, 1, "a")
    core.activate_task(rq, task, core.ENQUEUE_INITIAL)
    switch(rq)
    rq.clock_ns = 400 * PERIOD_NS
    core.set_user_nice(rq, task, 5)
    assert task.avg.util_avg >= 1020
    assert abs(task.avg.load_avg - 335) <= 1 and abs(rq.pelt.cfs.load_avg - 335) <= 1
    assert rq.pelt.weight == 335


def test_a_real_time_task_counts_for_its_class_and_not_for_the_fair_queue():
    rq = queue()
    task = CpuTask(1, 1, "a")
    core.activate_task(rq, task, core.ENQUEUE_INITIAL)
    switch(rq)
    core.sched_setscheduler(rq, task, SCHED_FIFO, 1, 0, False)
    switch(rq)
    assert rq.pelt.nr_runnable == 0 and task.avg.last_update_ns == pelt.UNATTACHED
    rq.clock_ns = 400 * PERIOD_NS
    core.scheduler_tick(rq)
    assert rq.pelt.cfs.util_avg == 0 and rq.pelt.rt.util_avg >= 1022


def test_a_slow_cpu_that_runs_half_the_time_is_used_as_much_as_a_fast_one_a_quarter():
    averages = []
    for capacity, units in ((512, 4096), (1024, 2048)):
        rq = queue(capacity=capacity)
        task = CpuTask(1, 1, "a")
        core.activate_task(rq, task, core.ENQUEUE_INITIAL)
        for _ in range(60):
            switch(rq)
            rq.clock_ns += units * UNIT_NS
            core.deactivate_task(rq, task, core.DEQUEUE_SLEEP)
            switch(rq)
            rq.clock_ns += (8192 - units) * UNIT_NS
            core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
        averages.append(rq.pelt.cfs.util_avg)
    assert abs(averages[0] - averages[1]) < 25


def test_a_slow_cpu_that_is_always_busy_is_full_all_the_same():
    rq = queue(capacity=512)
    core.activate_task(rq, CpuTask(1, 1, "a"), core.ENQUEUE_INITIAL)
    switch(rq)
    rq.clock_ns = 100 * PERIOD_NS
    core.scheduler_tick(rq)
    assert rq.pelt.cfs.util_avg < 800
    rq.clock_ns = 2000 * PERIOD_NS
    core.scheduler_tick(rq)
    assert rq.pelt.cfs.util_avg >= 1020


def test_a_flat_machine_computes_nothing():
    rq = Rq(0, MachineSpec(cpus=1))
    task = CpuTask(1, 1, "a")
    core.activate_task(rq, task, core.ENQUEUE_INITIAL)
    assert rq.pelt is None and task.avg is None


# -- what is said --------------------------------------------------------------------------------


def test_averages_are_said_once_a_period_of_each_task():
    rq = queue()
    task = CpuTask(1, 1, "a")
    core.activate_task(rq, task, core.ENQUEUE_INITIAL)
    switch(rq)
    said = pelt.report(rq, rq.pelt, task)
    assert said == (1024, 512, 512, 1024, 512, 512, 0, 0)
    rq.clock_ns += PERIOD_NS - 1
    assert pelt.report(rq, rq.pelt, task) is None
    rq.clock_ns += 1
    assert pelt.report(rq, rq.pelt, task) is not None
    other = CpuTask(2, 2, "b")
    core.activate_task(rq, other, core.ENQUEUE_INITIAL)
    assert pelt.report(rq, rq.pelt, other) is not None
