"""CFS on one runqueue, driven by simulated ticks."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cpu.position import IN_KERNEL
from kernel.cpu.task import CpuTask, set_nice
from kernel.machine import MachineSpec
from kernel.sched import cfs, core
from kernel.sched.cfs_rq import get_update_sysctl_factor
from kernel.sched.rq import Rq
from kernel.sched.sched_class import FAIR_RANK, FORK_VFORK, RT_RANK
from kernel.sched.weights import SCHED_PRIO_TO_WEIGHT, SCHED_PRIO_TO_WMULT
from kernel.uapi.policy import SCHED_BATCH, SCHED_EXT, SCHED_IDLE, SCHED_NORMAL, SCHED_RR
from tests.kernel.sched import one_cpu
from tests.kernel.sched.one_cpu import MS, TICK_NS, add, run, sleep_curr, switch

HALF_NS = 2_999_998  # of a period of 6 ms, as multiplying with 2^32 / weight rounds it


def make_rq(**fields):
    return one_cpu.make_rq("cfs", **fields)


def run_ticks(rq, ticks, tick_ns=TICK_NS):
    run(rq, ticks * tick_ns, tick_ns)


def test_weight_tables_agree_with_each_other():
    for weight, wmult in zip(SCHED_PRIO_TO_WEIGHT, SCHED_PRIO_TO_WMULT):
        assert abs(wmult - 2**32 // weight) <= 1


def test_virtual_time_of_every_nice_level_is_within_a_thousandth_of_the_ratio():
    rq = make_rq()
    for nice in range(-20, 20):
        task = CpuTask(1, 1, "t", nice)
        core.class_of(rq, task)
        assert task.se.calc_delta_fair(10**9) == pytest.approx(
            10**9 * 1024 / task.se.weight, rel=1e-3
        )


def test_nice_outside_its_range_is_refused():
    with pytest.raises(ValueError, match=r"nice 20 is outside -20\.\.19"):
        set_nice(CpuTask(1, 1, "t"), 20)


@pytest.mark.parametrize(
    ("cpus", "factor"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (64, 4)]
)
def test_latencies_scale_with_the_logarithm_of_the_cpus(cpus, factor):
    assert get_update_sysctl_factor(cpus) == factor
    assert Rq(0, MachineSpec(cpus=cpus, fair="cfs")).of[FAIR_RANK].latency_ns == 6 * MS * factor


@pytest.mark.parametrize("nices", [(0, 0), (0, 1), (0, 5), (0, 10), (5, 10), (-5, 0), (-20, -10)])
def test_cpu_shares_follow_the_weights(nices):
    rq = make_rq()
    first, second = (add(rq, pid, nice) for pid, nice in enumerate(nices, 1))
    switch(rq)
    run_ticks(rq, 40_000, MS)
    expected = first.se.weight / second.se.weight
    assert first.sum_exec_ns / second.sum_exec_ns == pytest.approx(expected, rel=0.02)


def test_a_new_task_starts_one_virtual_slice_behind_its_queue():
    rq = make_rq()
    parent = add(rq, 1)
    switch(rq)
    rq.clock_ns += 10 * MS
    child = CpuTask(2, 2, "child")
    core.task_fork(rq, parent, child)
    assert child.se.vruntime + rq.of[FAIR_RANK].min_vruntime == 10 * MS + HALF_NS
    core.activate_task(rq, child, core.ENQUEUE_INITIAL)
    assert child.se.vruntime == 10 * MS + HALF_NS
    assert child.forked_at_ns == 10 * MS


def test_a_child_inherits_nice_policy_and_affinity():
    rq = make_rq()
    parent = add(rq, 1, nice=7, policy=SCHED_BATCH)
    parent.cpus_allowed = (0, 1)
    switch(rq)
    child = CpuTask(2, 2, "child")
    core.task_fork(rq, parent, child)
    assert (child.nice, child.se.weight) == (7, parent.se.weight)
    assert (child.policy, child.cpus_allowed) == (SCHED_BATCH, (0, 1))


def test_a_long_sleeper_gets_half_a_latency_period_of_credit_and_no_more():
    rq = make_rq()
    add(rq, 1)
    add(rq, 2)
    switch(rq)
    sleeper = sleep_curr(rq)
    run_ticks(rq, 1000)
    core.activate_task(rq, sleeper, core.ENQUEUE_WAKEUP)
    assert sleeper.se.vruntime == rq.of[FAIR_RANK].min_vruntime - 3 * MS
    core.check_preempt_curr(rq, sleeper, core.WF_TTWU)
    assert rq.need_resched
    assert switch(rq) is sleeper


def test_a_short_sleeper_keeps_its_own_vruntime():
    rq = make_rq()
    add(rq, 1)
    add(rq, 2)
    switch(rq)
    rq.clock_ns += 2 * MS
    sleeper = sleep_curr(rq)
    assert sleeper.se.vruntime == 2 * MS
    core.activate_task(rq, sleeper, core.ENQUEUE_WAKEUP)
    assert sleeper.se.vruntime == 2 * MS
    core.check_preempt_curr(rq, sleeper, core.WF_TTWU)
    assert not rq.need_resched


def test_a_wakeup_preempts_only_beyond_the_wakeup_granularity():
    rq = make_rq()
    curr = add(rq, 1)
    switch(rq)
    woken = CpuTask(2, 2, "w")
    for ahead_ns, expected in ((1 * MS, False), (1 * MS + 1, True)):
        rq.need_resched = False
        core.class_of(rq, woken)
        curr.se.vruntime = 10 * MS
        woken.se.vruntime = curr.se.vruntime - ahead_ns
        core.check_preempt_curr(rq, woken, core.WF_TTWU)
        assert rq.need_resched is expected


def test_batch_never_preempts_and_idle_policy_is_always_preempted():
    rq = make_rq()
    curr = add(rq, 1)
    switch(rq)
    run_ticks(rq, 100)
    batch = add(rq, 2, policy=SCHED_BATCH, flags=core.ENQUEUE_WAKEUP)
    core.check_preempt_curr(rq, batch, core.WF_TTWU)
    assert not rq.need_resched
    other = make_rq()
    idler = add(other, 3, policy=SCHED_IDLE)
    assert idler.se.weight == 3
    switch(other)
    core.check_preempt_curr(other, add(other, 4), core.WF_TTWU)
    assert other.need_resched
    assert curr.on_rq


def test_any_task_preempts_the_idle_task():
    rq = make_rq()
    assert core.pick_next_task(rq) is rq.idle
    assert rq.nr_switches == 0
    task = add(rq, 1)
    core.check_preempt_curr(rq, task, core.WF_TTWU)
    assert rq.need_resched
    assert switch(rq) is task
    assert not rq.need_resched
    assert sleep_curr(rq) is task
    assert rq.curr is rq.idle
    assert rq.nr_switches == 2


def fork_under(policy, vfork=False, here=True):
    rq = make_rq(child_runs_first=policy)
    parent = add(rq, 1)
    switch(rq)
    rq.clock_ns += MS
    child = CpuTask(2, 2, "child")
    core.task_fork(rq, parent, child, FORK_VFORK if vfork else 0, here=here)
    if not here:
        return rq.need_resched
    core.activate_task(rq, child, core.ENQUEUE_INITIAL)
    core.check_preempt_curr(rq, child, core.WF_FORK)
    if rq.need_resched:
        switch(rq)
    return rq.curr is child


# docs/scheduler.md shows the same numbers, in us: (parent's vruntime, debit, child's vruntime)
FORKS_IN_A_ROW = (
    (100, 6000, 6100), (200, 4000, 4200), (300, 3000, 3300), (400, 2400, 2800), (500, 2000, 2500),
)  # fmt: skip


def forks_in_a_row(cpus, number, between_ns=100_000):
    """A running parent forks now and then; return the rows of the table, in ns, and the order."""
    rq = Rq(0, MachineSpec(cpus=cpus, fair="cfs"))
    parent = add(rq, 1)
    switch(rq)
    rows, children = [], []
    for pid in range(2, number + 2):
        rq.clock_ns += between_ns
        child = CpuTask(pid, pid, "child")
        core.task_fork(rq, parent, child)
        core.activate_task(rq, child, core.ENQUEUE_INITIAL)
        core.check_preempt_curr(rq, child, core.WF_FORK)
        assert rq.curr is parent and not rq.need_resched
        assert rq.of[FAIR_RANK].min_vruntime == parent.se.vruntime
        rows.append((parent.se.vruntime, child.se.vruntime - parent.se.vruntime, child.se.vruntime))
        children.append(child)
    order = []
    sleep_curr(rq)
    while rq.curr is not rq.idle:
        order.append(rq.curr.pid - 1)
        sleep_curr(rq)
    return rows, order


def test_forks_in_a_row_start_ever_less_behind_and_so_run_last_first():
    rows, order = forks_in_a_row(2, 5)
    for row, wanted in zip(rows, FORKS_IN_A_ROW):
        # multiplying by 2^32 / weight rounds down by a few ns
        assert all(0 <= 1000 * us - ns <= 3 for ns, us in zip(row, wanted)), (row, wanted)
    assert order == [5, 4, 3, 2, 1]


def test_the_page_about_the_scheduler_shows_these_numbers():
    page = Path(__file__).resolve().parents[3] / "docs" / "scheduler.md"
    row = re.compile(r"\| \d \| (\d+) \| \d \| (\d+) \| (\d+) \| (\d)")
    rows = [tuple(map(int, found.groups())) for found in row.finditer(page.read_text("utf-8"))]
    assert [found[:3] for found in rows] == list(FORKS_IN_A_ROW)
    assert [found[3] for found in rows] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(("cpus", "latency_us"), [(1, 6000), (2, 12000), (4, 18000), (8, 24000)])
def test_the_debit_of_a_fork_is_the_latency_over_all_who_share_it(cpus, latency_us):
    rows, order = forks_in_a_row(cpus, 5)
    for number, (_, debit, _) in enumerate(rows, 2):
        assert debit == pytest.approx(1000 * latency_us / number, abs=10)
    assert order == [5, 4, 3, 2, 1]


def test_forks_beyond_the_eighth_task_have_equal_debits_and_run_in_order():
    rows, order = forks_in_a_row(2, 12)
    assert {round(debit, -1) for _, debit, _ in rows[7:]} == {1_500_000}
    assert [child for child in order if child <= 7] == [7, 6, 5, 4, 3, 2, 1]
    assert [child for child in order if child > 7] == [8, 9, 10, 11, 12]


def test_a_parent_that_works_long_between_its_forks_has_them_run_in_order():
    # the debit shrinks by 2 ms, then by 1 ms, …: 2.5 ms between two forks are more
    _, order = forks_in_a_row(2, 2, between_ns=2_500_000)
    assert order == [1, 2]


def test_child_runs_first_decides_who_goes_on_after_fork():
    assert fork_under("on")
    assert not fork_under("off")
    assert not fork_under("vfork_only")
    assert fork_under("vfork_only", vfork=True)
    assert not fork_under("on", here=False)


def test_child_runs_first_swaps_the_vruntimes():
    rq = make_rq(child_runs_first="on")
    parent = add(rq, 1)
    switch(rq)
    rq.clock_ns += MS
    child = CpuTask(2, 2, "child")
    core.task_fork(rq, parent, child)
    assert parent.se.vruntime == 1 * MS + HALF_NS
    assert child.se.vruntime + rq.of[FAIR_RANK].min_vruntime == 1 * MS


def test_a_parent_that_was_preempted_inside_fork_still_lets_its_child_go_first():
    rq = make_rq(child_runs_first="on")
    parent = add(rq, 1)
    other = add(rq, 2)
    switch(rq)
    rq.clock_ns += MS
    switch(rq)
    assert rq.curr is other
    child = CpuTask(3, 3, "child")
    core.task_fork(rq, parent, child)
    core.activate_task(rq, child, core.ENQUEUE_INITIAL)
    assert child.se.vruntime < parent.se.vruntime
    assert not check_queue(rq)


def test_yield_lets_the_other_task_run_although_it_is_behind():
    rq = make_rq()
    one, two = add(rq, 1), add(rq, 2)
    switch(rq)
    assert rq.curr is one
    core.yield_task(rq)
    assert rq.need_resched
    assert switch(rq) is two


def test_yield_of_a_lone_task_picks_it_again():
    rq = make_rq()
    one = add(rq, 1)
    switch(rq)
    core.yield_task(rq)
    assert switch(rq) is one
    assert rq.nr_switches == 1


@pytest.mark.parametrize(
    ("policies", "slice_us"),
    [
        ((SCHED_IDLE,), 12_000),
        ((SCHED_IDLE,) * 16, 1_500),
        ((SCHED_IDLE, SCHED_NORMAL), 750),
        ((SCHED_BATCH,) * 16, 1_500),
    ],
)
def test_the_least_slice_of_an_idle_task_beside_others_does_not_grow_with_the_cpus(
    policies, slice_us
):
    rq = Rq(0, MachineSpec(cpus=2, fair="cfs"))
    first, *_ = [add(rq, pid + 1, policy=policy) for pid, policy in enumerate(policies)]
    found_us = cfs.sched_slice(rq.of[FAIR_RANK], first) / 1000
    assert found_us == pytest.approx(slice_us, rel=1e-3)


def test_the_slice_ends_a_stretch_and_minimum_granularity_protects_it():
    rq = make_rq()
    add(rq, 1)
    add(rq, 2)
    switch(rq)
    rq.clock_ns += 700_000
    core.scheduler_tick(rq)
    assert not rq.need_resched
    rq.clock_ns += HALF_NS - 700_000
    core.scheduler_tick(rq)
    assert not rq.need_resched
    rq.clock_ns += 1
    core.scheduler_tick(rq)
    assert rq.need_resched


def test_the_period_grows_beyond_eight_tasks():
    rq = make_rq()
    tasks = [add(rq, pid) for pid in range(1, 17)]
    assert cfs.sched_slice(rq.of[FAIR_RANK], tasks[0]) == pytest.approx(750_000, rel=1e-6)
    assert cfs.sched_slice(rq.of[FAIR_RANK], tasks[0]) >= 750_000


def test_a_task_keeps_its_place_relative_to_its_queue_when_it_moves():
    src, dst = make_rq(), make_rq()
    for pid in range(1, 4):
        add(src, pid)
    add(dst, 9)
    for rq in (src, dst):
        switch(rq)
    run_ticks(src, 500)
    run_ticks(dst, 100)
    lead = src.of[FAIR_RANK].timeline[0][0] - src.of[FAIR_RANK].min_vruntime
    moved = core.detach_one(src, src.clock_ns)
    assert moved is not None and not moved.on_rq
    assert abs(moved.se.vruntime - lead) <= 8 * MS
    core.attach(dst, moved)
    assert (
        dst.of[FAIR_RANK].min_vruntime
        <= moved.se.vruntime
        <= dst.of[FAIR_RANK].min_vruntime + 8 * MS
    )
    assert not check_queue(src) and not check_queue(dst)


def test_a_sleeper_woken_elsewhere_is_placed_by_its_new_queue():
    src, dst = make_rq(), make_rq()
    add(src, 1)
    add(src, 2)
    add(dst, 9)
    for rq in (src, dst):
        switch(rq)
    run_ticks(src, 1000)
    sleeper = sleep_curr(src)
    core.migrate_task_rq(src, sleeper)
    core.activate_task(dst, sleeper, core.ENQUEUE_WAKEUP | core.ENQUEUE_MIGRATED)
    assert sleeper.se.vruntime < 20 * MS


def test_balancing_takes_the_task_that_ran_longest_ago_and_spares_hot_ones():
    rq = make_rq()
    tasks = [add(rq, pid) for pid in range(1, 4)]
    switch(rq)
    rq.clock_ns += 4 * MS
    switch(rq)  # task 1 ran until now, task 2 runs
    assert rq.curr is tasks[1]
    assert core.detach_one(rq, rq.clock_ns) is tasks[2]
    assert core.detach_one(rq, rq.clock_ns) is tasks[0]  # nothing else is left
    assert core.detach_one(rq, rq.clock_ns) is None


def test_balancing_respects_affinity():
    rq = make_rq()
    add(rq, 1)
    pinned = add(rq, 2)
    pinned.cpus_allowed = (0,)
    switch(rq)
    assert core.detach_one(rq, rq.clock_ns, dst=3) is None
    assert core.detach_one(rq, rq.clock_ns, dst=0) is pinned


def test_waiting_time_goes_on_while_a_task_is_pulled():
    src, dst = make_rq(), make_rq()
    add(src, 1)
    add(src, 2)
    switch(src)
    src.clock_ns = dst.clock_ns = 5 * MS
    moved = core.detach_one(src, src.clock_ns)
    core.attach(dst, moved)
    assert moved.enqueued_at_ns == 0
    assert dst.need_resched


def test_renice_changes_the_load_and_asks_for_a_switch():
    rq = make_rq()
    one, two = add(rq, 1), add(rq, 2)
    switch(rq)
    rq.clock_ns += MS
    core.set_user_nice(rq, one, 10)
    assert one.se.vruntime == MS  # charged at the old weight
    assert rq.of[FAIR_RANK].load_weight == 110 + 1024
    assert rq.need_resched
    rq.need_resched = False
    core.set_user_nice(rq, two, 5)
    assert rq.of[FAIR_RANK].load_weight == 110 + 335
    assert not check_queue(rq)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lottery", "unknown fair scheduler 'lottery' (there is: cfs, eevdf, o1)"),
    ],
)
def test_a_fair_class_that_is_not_there_is_refused(name, message):
    with pytest.raises(ValueError) as caught:
        Rq(0, MachineSpec(fair=name))
    assert str(caught.value) == message


def test_unknown_child_runs_first_is_refused():
    with pytest.raises(
        ValueError, match="child_runs_first: auto, off, on or vfork_only, not 'yes'"
    ):
        Rq(0, MachineSpec(child_runs_first="yes"))


@pytest.mark.parametrize(
    ("linux", "milliseconds", "nr_latency"), [("6.12", (6, 0.75, 1), 8), ("2.6.34", (5, 1, 1), 5)]
)
def test_cfs_has_the_parameters_of_its_profile(linux, milliseconds, nr_latency):
    cfs = make_rq(linux=linux).of[FAIR_RANK]
    found = (cfs.latency_ns, cfs.min_granularity_ns, cfs.wakeup_granularity_ns)
    assert found == tuple(value * MS for value in milliseconds)
    assert cfs.nr_latency == nr_latency


@pytest.mark.parametrize(("linux", "fair"), [("6.12", "eevdf"), ("2.6.34", "cfs")])
def test_a_machine_has_the_fair_class_of_its_profile(linux, fair):
    spec = MachineSpec(linux=linux)
    assert Rq(0, spec).by_rank[FAIR_RANK].name == spec.fair == fair


def test_a_policy_without_a_class_is_refused():
    with pytest.raises(ValueError, match="policy 7 has no scheduling class here yet"):
        add(make_rq(), 1, policy=SCHED_EXT)


def test_double_enqueue_and_double_dequeue_are_caught():
    rq = make_rq()
    task = add(rq, 1)
    with pytest.raises(AssertionError, match="already on a queue"):
        core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
    core.deactivate_task(rq, task, core.DEQUEUE_SLEEP)
    with pytest.raises(AssertionError, match="is on no queue"):
        core.deactivate_task(rq, task, core.DEQUEUE_SLEEP)


def check_queue(rq):
    """Return what is wrong with a queue, as a list."""
    cfs = rq.of[FAIR_RANK]
    entries = cfs.timeline
    running = [] if cfs.curr is None or not cfs.curr.on_rq else [cfs.curr]
    queued = [task for _, _, task in entries]
    wrong = []
    if rq.nr_running != cfs.nr_running or cfs.nr_running != len(queued) + len(running):
        wrong.append("nr_running")
    if [(v, s) for v, s, _ in entries] != sorted((t.se.vruntime, t.se.seq) for t in queued):
        wrong.append("order")
    if cfs.load_weight != sum(t.se.weight for t in queued + running):
        wrong.append("load")
    if sorted(t.pid for t in cfs.tasks) != sorted(t.pid for t in queued + running):
        wrong.append("tasks")
    return wrong


def test_a_task_can_be_made_current_out_of_turn():
    rq = make_rq()
    add(rq, 1)
    second = add(rq, 2)
    rq.class_of[SCHED_NORMAL].set_next_task(rq, second)
    rq.curr = second
    assert rq.of[FAIR_RANK].curr is second
    assert not check_queue(rq)


def test_a_task_that_joins_the_class_may_preempt():
    rq = make_rq()
    curr, other = add(rq, 1), add(rq, 2)
    switch(rq)
    rq.class_of[SCHED_NORMAL].switched_to(rq, curr)
    assert rq.need_resched
    rq.need_resched = False
    rq.clock_ns += 20 * MS
    rq.class_of[SCHED_NORMAL].switched_to(rq, other)
    assert rq.need_resched


def test_the_idle_task_is_never_queued_and_never_sleeps():
    rq = make_rq()
    idle = rq.idle.sched_class
    with pytest.raises(AssertionError, match="never queued"):
        idle.enqueue_task(rq, rq.idle, 0)
    with pytest.raises(AssertionError, match="never sleeps"):
        idle.dequeue_task(rq, rq.idle, core.DEQUEUE_SLEEP)
    core.scheduler_tick(rq)
    core.update_rq_curr(rq)
    assert not rq.need_resched
    assert idle.detach_one(rq, -1) is None


def test_the_last_buddy_gets_the_cpu_back_on_a_crowded_queue():
    rq = make_rq()
    for pid in range(1, 10):
        add(rq, pid)
    switch(rq)
    rq.clock_ns += 3 * MS
    core.update_rq_curr(rq)
    cut_off = rq.curr
    waker = CpuTask(50, 50, "w")
    core.activate_task(rq, waker, core.ENQUEUE_WAKEUP)
    core.check_preempt_curr(rq, waker, core.WF_TTWU)
    assert switch(rq) is waker
    assert rq.of[FAIR_RANK].last is cut_off


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["tick", "tick", "switch", "sleep", "wake", "fork", "yield", "pull", "push", "nice"]
        ),
        st.integers(0, 7 * MS),
        st.integers(0, 1000),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["off", "on"]), OPERATIONS)
def test_the_queue_stays_consistent_whatever_happens(policy, operations):
    rq = make_rq(child_runs_first=policy)
    asleep, away = [], []
    pids = iter(range(2, 1000))
    add(rq, 1, nice=3)
    switch(rq)
    for name, passed_ns, choice in operations:
        least = rq.of[FAIR_RANK].min_vruntime
        rq.clock_ns += passed_ns
        busy = rq.curr is not rq.idle
        if name == "tick":
            core.scheduler_tick(rq)
        elif name == "switch":
            switch(rq)
        elif name == "sleep" and busy:
            asleep.append(sleep_curr(rq))
        elif name == "wake" and asleep:
            task = asleep.pop(choice % len(asleep))
            core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
            core.check_preempt_curr(rq, task, core.WF_TTWU)
        elif name == "fork" and busy:
            pid = next(pids)
            child = CpuTask(pid, pid, "child")
            core.task_fork(rq, rq.curr, child)
            core.activate_task(rq, child, core.ENQUEUE_INITIAL)
            core.check_preempt_curr(rq, child, core.WF_FORK)
        elif name == "yield" and busy:
            core.yield_task(rq)
        elif name == "pull":
            task = core.detach_one(rq, rq.clock_ns)
            if task is not None:
                away.append(task)
        elif name == "push" and away:
            core.attach(rq, away.pop(choice % len(away)))
        elif name == "nice" and busy:
            core.set_user_nice(rq, rq.curr, choice % 40 - 20)
        if rq.need_resched:
            leftmost = None
            core.put_prev_task(rq, rq.curr)
            queue = rq.of[FAIR_RANK]
            if queue.timeline and not (queue.next or queue.last or queue.skip):
                leftmost = min(queue.timeline)[2]
            picked = core.pick_next_task(rq)
            assert leftmost is None or picked is leftmost
        assert check_queue(rq) == []
        assert rq.of[FAIR_RANK].min_vruntime >= least
        assert (rq.curr is rq.idle) <= (rq.nr_running == 0 or rq.need_resched)


class FakeContext:
    def pack(self):
        return ["frames", 1]


class FakeLoader:
    def unpack(self, data):
        assert data == ["frames", 1]
        return FakeContext()


def test_a_task_survives_the_wire():
    import msgpack

    task = CpuTask(7, 5, "worker", nice=-3, policy=SCHED_BATCH)
    core.class_of(make_rq(), task)
    task.se.vruntime = -12
    task.se.seq = 5
    task.op = (0, ("a", (b"b", None)))
    task.value = (1, (2.5, True))
    task.error = (2, "x", None)
    task.cpus_allowed = (1, 2)
    task.forked_at_ns = 99
    task.at = IN_KERNEL
    task.resident = task.sigpending = True
    task.ctx = FakeContext()
    copy = CpuTask.unpack(msgpack.unpackb(msgpack.packb(task.pack())), FakeLoader().unpack)
    assert copy.sched_class is None
    assert isinstance(copy.ctx, FakeContext)
    for name in CpuTask.__slots__:
        if name not in ("ctx", "kept", "sched_class", "se"):
            assert getattr(copy, name) == getattr(task, name), name
    core.class_of(make_rq(), copy)
    assert (copy.se.vruntime, copy.se.seq) == (-12, 5)


def test_a_task_keeps_what_a_class_knew_of_it_while_it_is_in_another_also_over_the_wire():
    rq = make_rq()
    add(rq, 1)
    switch(rq)
    run_ticks(rq, 10)
    task = CpuTask(2, 2, "t")
    core.class_of(rq, task).switched_to(rq, task)
    before = task.se.vruntime
    core.sched_setscheduler(rq, task, SCHED_RR, 3, 0, False)
    assert task.se.time_slice == rq.of[RT_RANK].rr_timeslice
    task.se.time_slice = 7
    copy = CpuTask.unpack(task.pack(), FakeLoader().unpack)
    copy.rt_priority = 3
    for one in (task, copy):
        core.sched_setscheduler(rq, one, SCHED_BATCH, 0, 0, False)
        assert one.se.vruntime == before == rq.of[FAIR_RANK].min_vruntime > 0
        core.sched_setscheduler(rq, one, SCHED_RR, 3, 0, False)
        one.se.time_slice = 7
        core.sched_setscheduler(rq, one, SCHED_BATCH, 0, 0, False)
        core.sched_setscheduler(rq, one, SCHED_NORMAL, 0, 0, False)
        assert one.se.vruntime == before
