"""What a busiest queue gives when it is too busy for another CPU."""

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.messages import MIGRATE_LOAD, MIGRATE_TASK, PINNED_SOME
from kernel.sched import core
from kernel.sched.detach import SCHED_NR_MIGRATE, detach_tasks
from kernel.sched.rq import Rq
from kernel.sched.sched_class import FAIR_RANK
from kernel.uapi.policy import SCHED_IDLE

MS = 1_000_000
COLD_NS = 10 * MS


def queue(*tasks, clock_ns=COLD_NS):
    """A queue that runs the first of ``tasks``; the others wait and have never run here."""
    rq = Rq(0, MachineSpec(cpus=2))
    for task in tasks:
        core.activate_task(rq, task, core.ENQUEUE_INITIAL)
    core.put_prev_task(rq, rq.curr)
    core.pick_next_task(rq)
    rq.clock_ns = clock_ns
    return rq


def tasks(number, **fields):
    made = [CpuTask(pid, pid, f"t{pid}", **fields) for pid in range(1, number + 1)]
    rq = Rq(0, MachineSpec(cpus=2))
    for place, task in enumerate(made):
        core.class_of(rq, task)
        task.se.vruntime = place  # picked in this order
    return made


def pids(detached):
    return [task.pid for task in detached[0]]


def test_an_idle_cpu_gets_the_number_it_asked_for_and_never_the_running_one():
    rq = queue(*tasks(6))
    assert pids(detach_tasks(rq, 1, True, MIGRATE_TASK, 3, 0)) == [2, 3, 4]
    assert rq.nr_running == 3 and rq.curr.pid == 1


def test_an_idle_cpu_leaves_one_task():
    rq = queue(*tasks(3))
    assert pids(detach_tasks(rq, 1, True, MIGRATE_TASK, 9, 0)) == [2, 3]
    assert rq.nr_running == 1


def test_tasks_leave_until_their_load_makes_up_for_the_imbalance():
    rq = queue(*tasks(6))
    assert len(pids(detach_tasks(rq, 1, False, MIGRATE_LOAD, 1024, 0))) == 1
    assert len(pids(detach_tasks(rq, 1, False, MIGRATE_LOAD, 1500, 0))) == 1
    assert rq.nr_running == 4


def test_a_task_heavier_than_the_imbalance_goes_after_passes_that_failed():
    # 3 spinners on 2 CPUs: the difference to the average is half a task
    rq = queue(*tasks(2))
    assert detach_tasks(rq, 1, False, MIGRATE_LOAD, 512, 0) == ([], False)
    assert pids(detach_tasks(rq, 1, False, MIGRATE_LOAD, 512, 1)) == [2]


def test_a_lighter_task_goes_where_a_heavier_one_would_be_too_much():
    heavy, running, light = tasks(3)
    heavy.se.vruntime = 5
    core.set_user_nice(Rq(0, MachineSpec()), light, 5)
    rq = queue(running, heavy, light)
    assert rq.curr is running
    assert pids(detach_tasks(rq, 1, False, MIGRATE_LOAD, 400, 0)) == [light.pid]


def test_a_task_bound_to_other_cpus_stays_and_is_reported():
    first, second, third = tasks(3)
    first.cpus_allowed = second.cpus_allowed = third.cpus_allowed = (0,)
    rq = queue(first, second, third)
    assert detach_tasks(rq, 1, True, MIGRATE_TASK, 1, 9) == ([], True)
    third.cpus_allowed = (0, 1)
    detached = detach_tasks(rq, 1, True, MIGRATE_TASK, 1, 9)
    assert pids(detached) == [3] and detached[1] == 0


def test_a_running_task_that_may_go_is_reason_enough_not_to_call_all_of_them_bound():
    running, waiting = tasks(2)
    waiting.cpus_allowed = (0,)
    assert detach_tasks(queue(running, waiting), 1, True, MIGRATE_TASK, 1, 9) == ([], PINNED_SOME)


def test_a_cache_hot_task_stays_until_two_passes_have_failed():
    running, waiting = tasks(2)
    rq = queue(running, waiting)
    waiting.exec_start_ns = rq.clock_ns - 499_999
    for failed in (0, 1):
        assert detach_tasks(rq, 1, True, MIGRATE_TASK, 1, failed) == ([], False)
    assert pids(detach_tasks(rq, 1, True, MIGRATE_TASK, 1, 2)) == [2]


def test_half_a_millisecond_later_it_is_cold():
    running, waiting = tasks(2)
    rq = queue(running, waiting)
    waiting.exec_start_ns = rq.clock_ns - 500_000
    assert pids(detach_tasks(rq, 1, True, MIGRATE_TASK, 1, 0)) == [2]


def test_a_task_that_should_run_next_is_hot_only_for_a_cpu_that_has_work():
    running, waiting = tasks(2)
    rq = queue(running, waiting)
    rq.of[FAIR_RANK].next = waiting
    assert detach_tasks(rq, 1, False, MIGRATE_TASK, 1, 0) == ([], False)
    assert pids(detach_tasks(rq, 1, True, MIGRATE_TASK, 1, 0)) == [2]


def test_an_idle_policy_task_is_never_hot():
    running, waiting = tasks(2)
    waiting = CpuTask(2, 2, "idle", 0, SCHED_IDLE)
    core.class_of(Rq(0, MachineSpec(cpus=2)), waiting)
    waiting.se.vruntime = 1
    rq = queue(running, waiting)
    waiting.exec_start_ns = rq.clock_ns - 1
    assert pids(detach_tasks(rq, 1, True, MIGRATE_TASK, 1, 0)) == [2]


def test_one_pass_looks_at_32_tasks_and_the_next_goes_on_behind_them():
    bound = tasks(40)
    for task in bound[:39]:
        task.cpus_allowed = (0,)
    rq = queue(*bound)
    assert detach_tasks(rq, 1, True, MIGRATE_TASK, 1, 0) == ([], True)
    assert pids(detach_tasks(rq, 1, True, MIGRATE_TASK, 1, 0)) == [40]


def test_one_pass_moves_at_most_32_tasks():
    rq = queue(*tasks(100))
    # the running one is last in line
    assert len(pids(detach_tasks(rq, 1, True, MIGRATE_TASK, 50, 0))) == SCHED_NR_MIGRATE
