"""CFS bandwidth on CPUs: limits hold, throttled groups count for nobody, and all come back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cpu.task import CpuTask
from kernel.sched import core
from kernel.sched.bandwidth import SLICE_NS
from kernel.sched.regroup import sched_move_task
from kernel.sched.sched_class import FAIR_RANK
from kernel.smp.bandwidth import tg_set_cfs_bandwidth
from kernel.uapi.policy import SCHED_FIFO
from tests.kernel.sched.limited import MS, Machine

pytestmark = pytest.mark.parametrize("fair", ["eevdf", "cfs"])

LIMIT = {"a": (20, 100, 0)}


def stat(machine, path="a"):
    return machine.group(path).band


def throttled(machine, path="a", cpu=0):
    return (machine.group(path).gid, cpu) in machine.k.groups.throttled


def exhausted(fair, tasks=1, limits=LIMIT):
    """A machine whose group has nothing left in this period."""
    machine = Machine(fair, limits)
    for _ in range(tasks):
        machine.add("a")
    machine.run(60 * MS)
    assert throttled(machine)
    return machine


def test_a_group_alone_gets_its_quota_and_the_cpu_idles_beyond(fair):
    machine = Machine(fair, LIMIT)
    machine.add("a")
    got = machine.periods("a", 50, 100 * MS)
    assert sum(got) == pytest.approx(50 * 20 * MS, abs=SLICE_NS + machine.tick_ns)
    assert max(got) <= 20 * MS + SLICE_NS + machine.tick_ns


@given(
    quota=st.integers(1, 300),
    period=st.sampled_from([5, 20, 100, 300]),
    burst=st.integers(0, 50),
    cpus=st.integers(1, 3),
    tasks=st.lists(st.integers(0, 2), min_size=1, max_size=6),
    others=st.lists(st.integers(0, 2), max_size=2),
    hz=st.sampled_from([100, 250, 1000]),
    delay_us=st.sampled_from([0, 0, 100, 3000]),
)
@settings(max_examples=40, deadline=None)
def test_no_period_has_more_than_the_quota_and_what_cpus_had_left(
    fair, quota, period, burst, cpus, tasks, others, hz, delay_us
):
    burst = min(burst, quota)
    machine = Machine(fair, {"a": (quota, period, burst)}, cpus, hz, delay_ns=delay_us * 1000)
    for cpu in tasks:
        machine.add("a", cpu % cpus)
    for cpu in others:
        machine.add("", cpu % cpus)
    number = 12
    got = machine.periods("a", number, period * MS)
    # a CPU has a slice at most, and a tick finds that it is used up
    left = cpus * (SLICE_NS + 2 * machine.tick_ns + 2 * machine.delay_ns)
    assert max(got) <= (quota + burst) * MS + left
    assert sum(got) <= (number * quota + burst) * MS + left


def test_who_sleeps_before_the_answer_comes_pays_nevertheless(fair):
    machine = Machine(fair, {"a": (10, 100, 0)}, delay_ns=3 * MS)
    task = machine.add("a")
    while machine.now_ns < 3000 * MS:
        machine.run(1 * MS)
        if machine.rqs[0].curr is task:
            machine.sleep(task)
            machine.run(1 * MS)
            machine.wake(task)
    assert machine.used("a") == pytest.approx(300 * MS, abs=15 * MS)


@given(
    tasks=st.integers(1, 4),
    cpus=st.integers(1, 3),
    more=st.integers(0, 3),
)
@settings(max_examples=15, deadline=None)
def test_a_quota_for_all_cpus_never_throttles(fair, tasks, cpus, more):
    machine = Machine(fair, {"a": ((cpus + more) * 100 + 10, 100, 0)}, cpus)
    for number in range(tasks * cpus):
        machine.add("a", number % cpus)
    got = machine.periods("a", 10, 100 * MS)
    assert got == [cpus * 100 * MS] * 10
    assert stat(machine).nr_throttled == 0
    assert stat(machine).nr_periods in (9, 10)


def test_two_cpus_share_one_quota(fair):
    machine = Machine(fair, {"a": (60, 100, 0)}, cpus=2)
    machine.add("a", 0)
    machine.add("a", 1)
    got = machine.periods("a", 30, 100 * MS)
    assert sum(got) == pytest.approx(30 * 60 * MS, abs=2 * (SLICE_NS + machine.tick_ns))
    for task in machine.tasks:
        assert task.sum_exec_ns > 30 * 20 * MS


def test_the_time_that_a_group_had_to_wait_is_counted(fair):
    machine = Machine(fair, LIMIT)
    machine.add("a")
    machine.run(2000 * MS)
    assert stat(machine).nr_periods == 20
    assert stat(machine).nr_throttled == 20
    idle_ns = 2000 * MS - machine.used("a")
    assert stat(machine).throttled_ns == pytest.approx(idle_ns, abs=2 * machine.tick_ns)


def test_others_have_what_a_limited_group_may_not(fair):
    machine = Machine(fair, LIMIT)
    machine.add("a")
    other = machine.add()
    machine.run(3000 * MS)
    assert machine.used("a") == pytest.approx(600 * MS, rel=0.03)
    assert other.sum_exec_ns == pytest.approx(2400 * MS, rel=0.03)


def test_a_group_in_a_limited_one_has_the_lesser_of_both(fair):
    limits = {"a": (50, 100, 0), "a/b": (20, 100, 0), "a/c": (-1, 100, 0)}
    machine = Machine(fair, limits)
    machine.add("a/b")
    machine.add("a/c")
    machine.run(3000 * MS)
    assert machine.used("a/b") == pytest.approx(600 * MS, rel=0.05)
    assert machine.used("a") == pytest.approx(1500 * MS, rel=0.05)


def test_a_group_may_have_a_greater_quota_than_the_one_above(fair):
    machine = Machine(fair, {"a": (20, 100, 0), "a/b": (80, 100, 0)})
    machine.add("a/b")
    machine.run(3000 * MS)
    assert machine.used("a/b") == pytest.approx(600 * MS, rel=0.05)
    assert stat(machine, "a/b").nr_throttled == 0


def test_throttled_tasks_stay_queued_and_count_for_nobody(fair):
    machine = exhausted(fair, tasks=3)
    rq = machine.rqs[0]
    assert all(task.on_rq and task.parked for task in machine.tasks)
    assert rq.nr_running == rq.of[FAIR_RANK].nr_running == 0
    assert rq.curr is rq.idle
    assert core.detach_one(rq, rq.clock_ns) is None


@pytest.mark.parametrize("how", ["wake", "fork", "arrive"])
def test_who_comes_to_a_throttled_group_waits_with_it(fair, how):
    machine = Machine(fair, LIMIT, cpus=2)
    machine.add("a")
    sleeper = machine.add("a")
    machine.sleep(sleeper)
    machine.run(60 * MS)
    assert throttled(machine)
    before_ns = sleeper.sum_exec_ns
    if how == "wake":
        machine.wake(sleeper)
        task = sleeper
    elif how == "fork":
        task = machine.add("a")
        before_ns = 0
    else:
        task = CpuTask(77, 77, "t77")
        task.group = machine.numbers("a")
        core.class_of(machine.rqs[1], task)
        machine.tasks.append(task)
        core.attach(machine.rqs[0], task)
        machine.settle()
        before_ns = 0
    assert task.parked
    assert machine.rqs[0].nr_running == 0
    machine.run(30 * MS)
    assert task.sum_exec_ns == before_ns
    machine.run(200 * MS)
    assert task.sum_exec_ns > before_ns


def test_a_task_that_leaves_a_throttled_group_runs(fair):
    machine = exhausted(fair, tasks=2)
    task = machine.tasks[0]
    sched_move_task(machine.rqs[0], task, ())
    machine.settle()
    assert machine.rqs[0].curr is task
    assert not task.parked
    before_ns = task.sum_exec_ns
    machine.run(20 * MS)
    core.update_rq_curr(machine.rqs[0])
    assert task.sum_exec_ns == before_ns + 20 * MS


def test_the_running_task_may_enter_a_throttled_group(fair):
    machine = exhausted(fair)
    task = machine.add()
    machine.run(4 * MS)
    assert machine.rqs[0].curr is task
    sched_move_task(machine.rqs[0], task, machine.numbers("a"))
    machine.settle()
    assert task.parked
    assert machine.rqs[0].curr is machine.rqs[0].idle


def test_a_throttled_task_goes_to_another_cpu(fair):
    machine = Machine(fair, LIMIT, cpus=2)
    machine.add("a")
    machine.run(60 * MS)
    task = machine.tasks[0]
    machine.migrate(task, 0, 1)
    assert machine.rqs[0].nr_running == 0
    assert task.parked  # the pool is empty there, too
    got = machine.periods("a", 20, 100 * MS)
    assert sum(got) == pytest.approx(400 * MS, abs=2 * (SLICE_NS + machine.tick_ns))


def test_a_real_time_policy_takes_a_task_out_of_the_limit(fair):
    machine = exhausted(fair)
    task = machine.tasks[0]
    core.sched_setscheduler(machine.rqs[0], task, SCHED_FIFO, 5, 0, False)
    machine.settle()
    assert machine.rqs[0].curr is task
    assert machine.rqs[0].nr_running == 1
    core.sched_setscheduler(machine.rqs[0], task, 0, 0, 0, False)
    machine.settle()
    assert task.parked
    assert machine.rqs[0].nr_running == 0


def test_a_throttled_task_takes_another_nice_value(fair):
    machine = exhausted(fair, tasks=2)
    core.set_user_nice(machine.rqs[0], machine.tasks[0], 5)
    machine.settle()
    machine.run(3000 * MS)
    first, second = (task.sum_exec_ns for task in machine.tasks)
    assert first / second == pytest.approx(335 / 1024, rel=0.15)


def test_what_a_cpu_gives_back_is_for_others_before_the_period_ends(fair):
    machine = Machine(fair, {"a": (20, 100, 0)}, cpus=2)
    sleeper = machine.add("a", 0)
    machine.add("a", 1)
    machine.run(2 * MS)
    machine.sleep(sleeper)
    machine.run(40 * MS)
    core.update_rq_curr(machine.rqs[1])
    # all but what CPU 0 has used, and the ms that it keeps
    assert machine.tasks[1].sum_exec_ns >= 17 * MS


def test_a_burst_is_what_was_saved_up(fair):
    machine = Machine(fair, {"a": (20, 100, 20)})
    task = machine.add("a")
    machine.run(100 * MS)
    machine.sleep(task)
    machine.run(200 * MS)
    machine.wake(task)
    assert machine.periods("a", 1, 100 * MS)[0] >= 38 * MS
    assert stat(machine).nr_burst >= 1
    assert stat(machine).burst_time_ns > 0


def test_the_timer_of_a_period_stands_still_while_nobody_asks(fair):
    machine = Machine(fair, LIMIT)
    task = machine.add("a")
    machine.run(10 * MS)
    machine.sleep(task)
    machine.run(1000 * MS)
    assert stat(machine).nr_periods <= 2
    assert not stat(machine).timer
    machine.wake(task)
    machine.run(1000 * MS)
    assert stat(machine).nr_throttled >= 9


def test_a_greater_limit_or_none_lets_a_throttled_group_run_at_once(fair):
    for quota_ns in (90 * MS, -1):
        machine = exhausted(fair, tasks=2)
        tg_set_cfs_bandwidth(machine.k, machine.group("a"), 100 * MS, quota_ns, 0)
        machine.settle()
        assert machine.rqs[0].nr_running == 2
        before = machine.used("a")
        machine.run(1000 * MS)
        share = 1000 * MS if quota_ns < 0 else 900 * MS
        assert machine.used("a") - before == pytest.approx(share, abs=100 * MS)


def test_a_limit_that_is_set_later_holds(fair):
    machine = Machine(fair, {"a": (-1, 100, 0)})
    machine.add("a")
    machine.run(300 * MS)
    tg_set_cfs_bandwidth(machine.k, machine.group("a"), 50 * MS, 10 * MS, 0)
    machine.settle()
    got = machine.periods("a", 20, 50 * MS)
    assert sum(got) == pytest.approx(200 * MS, abs=SLICE_NS + 2 * machine.tick_ns)


def test_machines_without_a_limit_ask_nobody_and_have_no_timers(fair):
    machine = Machine(fair, {"a": (-1, 100, 0), "b": (-1, 100, 0)})
    machine.add("a")
    machine.add("b")
    machine.run(200 * MS)
    assert machine.spec.cgroup_max
    assert machine.k.timers.next_ns() > 1000 * 1000 * MS
    assert not machine.rqs[0].of[FAIR_RANK].groups.limits
    assert machine.rqs[0].timers.pack()[1] == []


def packed_and_unpacked(machine, fair):
    """Give the machine new CPUs, made of what the old ones were packed to."""
    for place, old in enumerate(machine.rqs):
        new = type(old)(old.cpu, machine.spec)
        flat = old.of[FAIR_RANK]
        mine = [*flat.tasks, *flat.groups.parked]
        queue = flat.pack()
        for task in mine:
            core.class_of(new, task)
            task.parked = False
        new.of[FAIR_RANK].unpack(queue, {task.pid: task for task in mine})
        new.clock_ns, new.nr_running = old.clock_ns, old.nr_running
        new.timers.unpack(old.timers.pack())
        if old.curr is not old.idle:
            new.curr = old.curr
        assert new.of[FAIR_RANK].pack() == queue
        machine.rqs[place] = new
    machine.settle()


def test_a_throttled_machine_is_set_down_and_goes_on_the_same(fair):
    one, two = exhausted(fair, tasks=3), exhausted(fair, tasks=3)
    packed_and_unpacked(two, fair)
    one.run(1000 * MS)
    two.run(1000 * MS)
    assert [task.sum_exec_ns for task in one.tasks] == [task.sum_exec_ns for task in two.tasks]
    assert one.rqs[0].of[FAIR_RANK].pack() == two.rqs[0].of[FAIR_RANK].pack()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "sleep", "wake", "move", "tick", "nice", "limit", "migrate", "fifo", "long"]
        ),
        st.integers(0, 11),
        st.integers(0, 4),
    ),
    max_size=40,
)


@given(STEPS, st.booleans(), st.booleans())
@settings(max_examples=120, deadline=None)
def test_the_invariants_hold_whatever_happens(fair, script, autogroup, levels):
    limits = {"a": (4, 20, 0), "a/b": (2, 10, 2), "a/c": (-1, 100, 0), "d": (30, 40, 0)}
    machine = Machine(fair, limits, cpus=2, autogroup=autogroup, levels=levels)
    paths = ("", *limits)
    where = {}
    asleep = set()
    for what, number, choice in script:
        machine.run(300_000 * (choice + 1))
        task = machine.tasks[number % len(machine.tasks)] if machine.tasks else None
        cpu = number & 1
        if what == "add":
            where[machine.add(paths[choice], cpu, nice=number - 5)] = cpu
        elif what == "tick":
            machine.run(4 * MS)
        elif what == "long":
            machine.run(30 * MS)
        elif what == "limit":
            group = machine.group(paths[1 + choice % 4])
            quota_ns = (number - 2) * 2 * MS if number > 2 else -1
            tg_set_cfs_bandwidth(machine.k, group, 20 * MS, quota_ns, 0)
            machine.settle()
        elif task is None:
            continue
        elif what == "sleep" and task.on_rq and task is machine.rqs[where[task]].curr:
            machine.sleep(task, where[task])
            asleep.add(task)
        elif what == "wake" and task in asleep:
            machine.wake(task, where[task])
            asleep.remove(task)
        elif what == "move":
            sched_move_task(machine.rqs[where[task]], task, machine.numbers(paths[choice]))
            machine.settle()
        elif what == "nice":
            core.set_user_nice(machine.rqs[where[task]], task, number - 6)
            machine.settle()
        elif what == "fifo":
            rq = machine.rqs[where[task]]
            policy = SCHED_FIFO if choice & 1 else 0
            core.sched_setscheduler(rq, task, policy, 5 if policy else 0, 0, False)
            machine.settle()
        elif what == "migrate" and task.on_rq and task is not machine.rqs[where[task]].curr:
            machine.migrate(task, where[task], 1 - where[task])
            where[task] = 1 - where[task]
    machine.run(100 * MS)
