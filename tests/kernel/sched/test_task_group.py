"""Groups of tasks on one CPU under EEVDF and CFS: who gets what, and what stays as it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.messages import MIGRATE_H_LOAD
from kernel.sched import core
from kernel.sched.detach import detach_tasks
from kernel.sched.invariants import check_rq
from kernel.sched.regroup import sched_move_task
from kernel.sched.rq import Rq
from kernel.sched.sched_class import FAIR_RANK
from kernel.sched.task_group import GROUP_GONE, GROUP_OTHERS, GROUP_WEIGHT
from kernel.uapi.policy import SCHED_FIFO, SCHED_IDLE

MS = 1_000_000
A, B, C = (2,), (3,), (4,)
A_ONE, A_TWO = (2, 5), (2, 6)

pytestmark = pytest.mark.parametrize("fair", ["eevdf", "cfs"])


class Machine:
    """One CPU whose tasks always want to run, unless they are put to sleep."""

    def __init__(self, fair, autogroup=True):
        self.rq = Rq(0, MachineSpec(cpus=1, fair=fair, autogroup=autogroup))
        self.flat = self.rq.of[FAIR_RANK]
        self.tasks = []

    def add(self, group=(), nice=0, policy=0):
        pid = len(self.tasks) + 1
        task = CpuTask(pid, pid, f"t{pid}", nice, policy)
        task.group = group
        self.tasks.append(task)
        core.activate_task(self.rq, task, core.ENQUEUE_INITIAL)
        core.check_preempt_curr(self.rq, task, core.WF_FORK)
        self.switch_if_due()
        return task

    def switch(self):
        core.put_prev_task(self.rq, self.rq.curr)
        core.pick_next_task(self.rq)
        self.check()

    def switch_if_due(self):
        self.check()
        if self.rq.need_resched or self.rq.curr is self.rq.idle:
            self.switch()

    def check(self):
        found = []
        check_rq(self.rq, found)
        assert found == []

    def run(self, ns, tick_ns=4 * MS):
        end_ns = self.rq.clock_ns + ns
        while self.rq.clock_ns < end_ns:
            self.rq.clock_ns += tick_ns
            core.scheduler_tick(self.rq)
            self.switch_if_due()

    def sleep(self, task):
        core.deactivate_task(self.rq, task, core.DEQUEUE_SLEEP)
        if task is self.rq.curr:
            self.switch()
        self.check()

    def wake(self, task):
        core.activate_task(self.rq, task, core.ENQUEUE_WAKEUP)
        core.check_preempt_curr(self.rq, task, core.WF_TTWU)
        self.switch_if_due()

    def move(self, task, group):
        sched_move_task(self.rq, task, group)
        self.switch_if_due()

    def tell(self, key, *data):
        self.rq.by_rank[FAIR_RANK].told(self.rq, key, data)
        self.check()

    def shares(self, ns=4000 * MS):
        before = [task.sum_exec_ns for task in self.tasks]
        self.run(ns)
        got = [task.sum_exec_ns - old for task, old in zip(self.tasks, before)]
        return [each / sum(got) for each in got]


def near(got, due, part=0.02):
    assert got == pytest.approx(due, rel=part), (got, due)


def test_two_groups_share_a_cpu_equally_however_many_tasks_they_have(fair):
    machine = Machine(fair)
    for group in (A, B, B, B):
        machine.add(group)
    near(machine.shares(), [1 / 2, 1 / 6, 1 / 6, 1 / 6])


def test_the_first_session_is_a_group_as_any_other(fair):
    machine = Machine(fair)
    for group in ((), (), (), B):
        machine.add(group)
    near(machine.shares(), [1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_without_autogroup_ungrouped_tasks_stand_beside_the_groups(fair):
    machine = Machine(fair, autogroup=False)
    for group in ((), (), B, B):
        machine.add(group)
    near(machine.shares(), [1 / 3, 1 / 3, 1 / 6, 1 / 6])


def test_nice_compares_only_inside_one_group(fair):
    machine = Machine(fair)
    for group, nice in ((A, 0), (A, 5), (B, 19), ((), -10)):
        machine.add(group, nice)
    near(machine.shares(), [1024 / 1359 / 3, 335 / 1359 / 3, 1 / 3, 1 / 3])


def test_groups_share_by_weight(fair):
    machine = Machine(fair)
    for group in (A, A, B):
        machine.add(group)
    machine.tell(GROUP_WEIGHT, A[0], 3072)
    near(machine.shares(), [3 / 8, 3 / 8, 1 / 4])


def test_a_weight_counts_that_was_given_before_the_first_task_came(fair):
    machine = Machine(fair)
    machine.tell(GROUP_WEIGHT, A[0], 256)
    machine.add(A)
    machine.add(B)
    near(machine.shares(), [1 / 5, 4 / 5])


def test_groups_inside_groups_share_what_the_outer_has(fair):
    machine = Machine(fair)
    for group in (A_ONE, A_TWO, A_TWO, B):
        machine.add(group)
    machine.tell(GROUP_WEIGHT, A_ONE[1], 2048)
    near(machine.shares(), [1 / 3, 1 / 12, 1 / 12, 1 / 2])


def test_a_task_beside_a_group_inside_a_group_has_its_own_weight(fair):
    machine = Machine(fair)
    for group in (A, A_ONE, A_ONE, B):
        machine.add(group)
    near(machine.shares(), [1 / 4, 1 / 8, 1 / 8, 1 / 2])


def test_a_group_with_load_elsewhere_weighs_its_part_here(fair):
    machine = Machine(fair)
    machine.add(A)
    machine.add(B)
    machine.tell(GROUP_OTHERS, A[0], 1024)
    near(machine.shares(), [1 / 3, 2 / 3])
    machine.tell(GROUP_OTHERS, A[0], 0)
    near(machine.shares(), [1 / 2, 1 / 2])


def test_a_sleeping_group_leaves_its_part_to_the_others_and_comes_back_to_it(fair):
    machine = Machine(fair)
    for group in (A, B, B):
        machine.add(group)
    machine.run(100 * MS)
    machine.sleep(machine.tasks[0])
    near(machine.shares()[1:], [1 / 2, 1 / 2])
    machine.wake(machine.tasks[0])
    near(machine.shares(), [1 / 2, 1 / 4, 1 / 4])


def test_a_cpu_with_one_session_has_its_flat_queue_back(fair):
    machine = Machine(fair)
    for group in ((), (), B):
        machine.add(group)
    machine.run(100 * MS)
    assert machine.flat.tree is not None
    machine.sleep(machine.tasks[2])
    machine.run(200 * MS)
    assert machine.flat.tree is None
    near(machine.shares()[:2], [1 / 2, 1 / 2])
    machine.wake(machine.tasks[2])
    near(machine.shares(), [1 / 4, 1 / 4, 1 / 2])


@pytest.mark.parametrize("which", ["running", "waiting", "sleeping"])
def test_a_task_moves_between_groups_wherever_it_stands(fair, which):
    machine = Machine(fair)
    for group in (A, A, B):
        machine.add(group)
    machine.run(100 * MS)
    mine = machine.tasks[:2]
    while machine.rq.curr not in mine:
        machine.run(4 * MS)
    task = next(each for each in mine if (each is machine.rq.curr) == (which == "running"))
    if which == "sleeping":
        machine.sleep(task)
    machine.move(task, B)
    if which == "sleeping":
        machine.wake(task)
    due = [1 / 4 if each is task or each is machine.tasks[2] else 1 / 2 for each in machine.tasks]
    near(machine.shares(), due)


def test_the_running_task_keeps_running_when_its_group_is_changed(fair):
    machine = Machine(fair)
    machine.add(A)
    sched_move_task(machine.rq, machine.tasks[0], B)
    machine.check()
    assert machine.rq.need_resched
    machine.switch()
    assert machine.rq.curr is machine.tasks[0]


def test_a_child_is_in_its_parents_group(fair):
    machine = Machine(fair)
    parent = machine.add(A_ONE)
    child = CpuTask(9, 9, "child")
    core.task_fork(machine.rq, parent, child)
    assert child.group == A_ONE


def test_real_time_tasks_run_whatever_the_groups(fair):
    machine = Machine(fair)
    machine.add(A)
    machine.add(B)
    fifo = machine.add(A)
    core.sched_setscheduler(machine.rq, fifo, SCHED_FIFO, 5, 0, False)
    machine.switch_if_due()
    machine.run(100 * MS)
    assert machine.rq.curr is fifo
    core.sched_setscheduler(machine.rq, fifo, 0, 0, 0, False)
    machine.switch_if_due()
    near(machine.shares(), [1 / 4, 1 / 2, 1 / 4])


def test_an_idle_task_in_a_group_of_its_own_has_the_groups_part(fair):
    machine = Machine(fair)
    machine.add(A, policy=SCHED_IDLE)
    machine.add(B)
    near(machine.shares(), [1 / 2, 1 / 2])


def test_a_group_that_is_gone_is_forgotten(fair):
    machine = Machine(fair)
    task = machine.add(A)
    machine.add(B)
    machine.tell(GROUP_WEIGHT, A[0], 512)
    core.deactivate_task(machine.rq, task, core.DEQUEUE_SLEEP | core.DEQUEUE_SPECIAL)
    machine.switch()
    machine.run(200 * MS)
    machine.tell(GROUP_GONE, A[0])
    assert A[0] not in machine.flat.groups.groups
    assert A[0] not in machine.flat.groups.weights


def test_a_cpu_does_not_remember_every_session_that_ever_was(fair):
    machine = Machine(fair)
    for number in range(2, 500):
        task = machine.add((number,))
        core.deactivate_task(machine.rq, task, core.DEQUEUE_SLEEP | core.DEQUEUE_SPECIAL)
        machine.switch()
        machine.run(8 * MS)
    assert len(machine.flat.groups.groups) <= 70


steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "sleep", "wake", "move", "tick", "nice", "weight", "others", "pack"]
        ),
        st.integers(0, 11),
        st.integers(0, 5),
    ),
    max_size=40,
)


@given(steps, st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_invariants_hold_whatever_happens(fair, script, autogroup):
    machine = Machine(fair, autogroup)
    groups = ((), A, B, A_ONE, A_TWO, C)
    asleep = []
    for what, number, choice in script:
        machine.rq.clock_ns += 300_000 * (choice + 1)
        task = machine.tasks[number % len(machine.tasks)] if machine.tasks else None
        if what == "add":
            machine.add(groups[choice], nice=number - 5)
        elif what == "tick":
            machine.run(4 * MS)
        elif what == "weight":
            machine.tell(GROUP_WEIGHT, choice + 1, 2 << number)
        elif what == "others":
            machine.tell(GROUP_OTHERS, choice + 1, 700 * number)
        elif what == "pack":
            machine = packed_and_unpacked(machine, fair, autogroup, asleep)
        elif task is None:
            continue
        elif what == "sleep" and task.on_rq:
            machine.sleep(task)
            asleep.append(task.pid)
        elif what == "wake" and not task.on_rq:
            machine.wake(task)
            asleep.remove(task.pid)
        elif what == "move":
            machine.move(task, groups[choice])
        elif what == "nice":
            core.set_user_nice(machine.rq, task, number - 6)
            machine.switch_if_due()
    machine.run(40 * MS)


def packed_and_unpacked(machine, fair, autogroup, asleep):
    """Return the same machine, set down and taken up again; it goes on as the other would have."""
    new = Machine(fair, autogroup)
    for old in machine.tasks:
        task = CpuTask.unpack(old.pack(), None)
        core.class_of(new.rq, task)
        new.tasks.append(task)
    new.flat.unpack(machine.flat.pack(), {task.pid: task for task in new.tasks})
    new.rq.clock_ns, new.rq.nr_running = machine.rq.clock_ns, machine.rq.nr_running
    if machine.rq.curr is not machine.rq.idle:
        new.rq.curr = new.tasks[machine.rq.curr.pid - 1]
    assert new.flat.pack() == machine.flat.pack()
    new.check()
    return new


def h_load(machine, task):
    return task.sched_class.task_h_load(machine.rq, task)


def test_a_task_weighs_for_its_cpu_its_part_of_its_groups_part(fair):
    machine = Machine(fair)
    own = machine.add()
    assert h_load(machine, own) == 1024
    first, *_ = [machine.add(A) for _ in range(4)]
    assert (h_load(machine, own), h_load(machine, first)) == (1024, 256)
    machine.tell(GROUP_OTHERS, A[0], 4 * 1024)
    assert h_load(machine, first) == 128
    inner, heavy = machine.add(A_ONE), machine.add(A_TWO, nice=-5)
    # two groups stand beside the four tasks, and each of them has one task for all it has
    assert h_load(machine, inner) == h_load(machine, heavy)
    assert h_load(machine, inner) == pytest.approx(1024 // 10, abs=2)


def test_the_first_session_alone_on_a_cpu_weighs_its_part_too(fair):
    machine = Machine(fair)
    tasks = [machine.add() for _ in range(2)]
    machine.tell(GROUP_OTHERS, 1, 2 * 1024)
    assert [h_load(machine, task) for task in tasks] == [256, 256]


def test_as_many_tasks_of_a_group_leave_as_their_parts_make_up_for(fair):
    machine = Machine(fair)
    for _ in range(8):
        machine.add(A)
    machine.add(B)
    machine.rq.clock_ns += 100 * MS
    # 1024 / 8, then 1024 / 7 for each of those that are left; a third would be 1024 / 6
    gone, _ = detach_tasks(machine.rq, 1, 0, MIGRATE_H_LOAD, 128 + 146 + 160, 0)
    assert [task.group for task in gone] == [A, A]
