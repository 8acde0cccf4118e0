"""On which CPU a task starts and wakes, on machines with levels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.smp.averages import TaskAvg
from kernel.smp.select import select_task_rq_levels
from kernel.smp.smp_class import SELECT_EXEC, SELECT_FORK, SELECT_WAKE
from kernel.smp.topology import build
from kernel.task import TaskStruct, Wakes
from tests.kernel.smp.machines import Kernel, machine, places


def select(k, previous, why, allowed=0):
    return select_task_rq_levels(k, TaskStruct(7, 7, "t"), previous, why, allowed)


def waker(k, flips, task):
    k.current.wakes, task.wakes = Wakes(), Wakes()
    k.current.wakes.flips, task.wakes.flips = flips
    k.current.wakes.last = task.pid
    k.current.wakes.decay_ns = k.now_ns


# -- fork and exec -------------------------------------------------------------------------------


def test_a_child_goes_to_the_cache_with_most_idle_cpus_and_there_to_an_idle_core():
    # 0-3, 4-7 are two caches of two cores with two threads
    k = machine([1, 0, 1, 0, 0, 1, 0, 0], llcs=2, cores=2, smt=2)
    assert select(k, 0, SELECT_FORK) == 6


def test_a_child_stays_beside_its_parent_where_no_group_is_idler():
    k = machine([1, 0, 0, 0, 1, 0, 0, 0], llcs=2, cores=4)
    assert select(k, 0, SELECT_FORK) == 1
    assert select(k, 4, SELECT_FORK) == 5


def test_a_child_leaves_the_sibling_of_a_busy_thread_for_an_idle_core():
    assert select(machine([1, 0, 0, 0], cores=2, smt=2), 0, SELECT_FORK) == 2


def test_a_few_tasks_stay_together_on_their_node():
    # 2 nodes of 16 CPUs with two caches each: up to 4 tasks may be on one
    shape = {"sockets": 2, "llcs": 2, "cores": 8}
    k = machine([1] + [0] * 31, **shape)
    assert select(k, 0, SELECT_FORK) == 8  # the other cache
    k = machine([1] * 6 + [0] * 26, **shape)
    assert select(k, 0, SELECT_FORK) == 16


def test_the_old_kernel_spreads_over_nodes_at_once():
    k = machine([1] + [0] * 31, linux="2.6.34", sockets=2, llcs=2, cores=8)
    assert select(k, 0, SELECT_FORK) == 16


def test_nothing_starts_on_a_node_that_is_too_far_away():
    far = [[10, 40], [40, 10]]
    assert select(machine([3, 3, 0, 0], distances=far, sockets=2, cores=2), 0, SELECT_FORK) < 2
    near = [[10, 32], [32, 10]]
    assert select(machine([3, 3, 0, 0], distances=near, sockets=2, cores=2), 0, SELECT_FORK) == 2


def test_where_all_are_overloaded_load_for_capacity_decides():
    # 4 tasks on a CPU of 1024 are less than 3 on one of 512
    k = machine([3, 3, 4, 4], llcs=2, cores=2, capacity=[512, 1024])
    assert select(k, 0, SELECT_FORK) == 2
    k = machine([3, 3, 4, 4], llcs=2, cores=2)
    assert select(k, 0, SELECT_FORK) == 0


def test_an_exec_does_not_count_the_task_itself():
    k = machine([1, 0, 0, 0], cores=2, smt=2)
    assert select(k, 0, SELECT_EXEC) == 0
    k = machine([1, 1, 0, 0], cores=2, smt=2)
    assert select(k, 0, SELECT_EXEC) == 2


# -- wake-up -------------------------------------------------------------------------------------


def test_a_task_wakes_where_it_was_if_that_cpu_is_idle():
    assert select(machine([1, 0, 0, 0], cores=4), 2, SELECT_WAKE) == 2


def test_an_idle_core_comes_before_an_idle_sibling_and_that_before_waiting():
    assert select(machine([1, 0, 1, 0, 0, 0], cores=3, smt=2), 0, SELECT_WAKE) == 4
    assert select(machine([1, 0, 1, 0, 1, 0], cores=3, smt=2), 2, SELECT_WAKE) == 3
    assert select(machine([1, 1, 1, 1], cores=2, smt=2), 2, SELECT_WAKE) == 2


def test_no_idle_cpu_of_another_cache_is_taken():
    assert select(machine([1, 1, 0, 0], llcs=2, cores=2), 0, SELECT_WAKE) in (0, 1)


def test_a_woken_task_comes_to_its_wakers_cache_if_that_has_less_load():
    k = machine([1, 0, 3, 3], cpu=0, llcs=2, cores=2)
    assert select(k, 2, SELECT_WAKE) == 1
    k = machine([3, 3, 1, 1], cpu=0, llcs=2, cores=2)
    assert select(k, 2, SELECT_WAKE) == 2


def test_a_waker_of_many_does_not_draw_them_to_itself():
    k = machine([1, 0, 3, 3], cpu=0, llcs=2, cores=2)
    task = TaskStruct(7, 7, "t")
    waker(k, (3, 2), task)  # fewer flips than 2 * 2
    assert select_task_rq_levels(k, task, 2, SELECT_WAKE, 0) == 1
    waker(k, (4, 2), task)
    assert select_task_rq_levels(k, task, 2, SELECT_WAKE, 0) == 2


def test_flips_are_counted_when_another_is_woken_and_halve_in_a_second():
    k = machine([1, 0, 0, 0], cores=4)
    tasks = [TaskStruct(pid, pid, "t") for pid in (7, 8)]
    for task in (*tasks, *tasks, tasks[1]):
        select_task_rq_levels(k, task, 1, SELECT_WAKE, 0)
    assert k.current.wakes.flips == 4
    k.now_ns += 1_000_000_001
    select_task_rq_levels(k, tasks[1], 1, SELECT_WAKE, 0)
    assert k.current.wakes.flips == 2


def test_a_waker_that_is_about_to_sleep_leaves_its_cpu_to_whom_it_wakes():
    k = machine([1, 1], cpu=0, llcs=2, cores=1)
    assert select(k, 1, SELECT_WAKE) == 1
    k.wake_sync = True
    assert select(k, 1, SELECT_WAKE) == 0
    k = machine([2, 1], cpu=0, llcs=2, cores=1)
    k.wake_sync = True
    assert select(k, 1, SELECT_WAKE) == 1  # not if others wait there


def test_load_of_a_waker_that_is_about_to_sleep_does_not_count():
    k = machine([3, 3], cpu=0, llcs=2, cores=1)
    task = TaskStruct(7, 7, "t")
    task.avg, k.current.avg = TaskAvg(100, 0, k.now_ns >> 20), TaskAvg(400, 0, k.now_ns >> 20)
    k.averages.cpus[1].load = 2900
    assert select_task_rq_levels(k, task, 1, SELECT_WAKE, 0) == 1  # 3172 and 108 % of 2800
    k.wake_sync = True
    assert select_task_rq_levels(k, task, 1, SELECT_WAKE, 0) == 0


def test_in_a_full_cache_a_wake_up_looks_at_no_cpu_and_in_half_a_full_one_at_some():
    k = machine([1, 1, 1, 1, 1, 1, 1, 0], cores=8)
    assert select(k, 0, SELECT_WAKE) == 0  # 117 % of seven eighths are full
    k = machine([1, 1, 1, 1, 0, 0, 0, 0], cores=8)
    assert select(k, 3, SELECT_WAKE) == 4
    k = machine([1, 1, 1, 1, 1, 0, 0, 0], cores=8)
    assert select(k, 0, SELECT_WAKE) == 0  # of those after 0 three are looked at
    assert select(k, 3, SELECT_WAKE) == 5


def test_nobody_is_drawn_over_a_distance_that_is_too_far():
    k = machine([1, 0, 3, 3], cpu=0, distances=[[10, 40], [40, 10]], sockets=2, cores=2)
    assert select(k, 2, SELECT_WAKE) == 2


def test_the_cpu_before_the_last_is_tried_if_it_shares_the_cache():
    k = machine([1, 0, 0, 0], cores=4)
    task = TaskStruct(7, 7, "t")
    task.wakes = Wakes()
    task.wakes.recent = 3
    assert select_task_rq_levels(k, task, 0, SELECT_WAKE, 0) == 3
    assert task.wakes.recent == 0


def test_the_cpu_before_the_last_is_kept_while_the_last_will_do():
    k = machine([1, 0, 0, 0], cores=4)
    task = TaskStruct(7, 7, "t")
    task.wakes = Wakes()
    task.wakes.recent = 3
    assert select_task_rq_levels(k, task, 1, SELECT_WAKE, 0) == 1
    assert task.wakes.recent == 3


def clustered(running, cpu, previous, recent=-1):
    """Wake a task that was on ``previous``, and on ``recent`` before: clusters of two cores."""
    rows = [(0, 0, 0, core // 2, core, 1024) for core in range(len(running))]
    k = Kernel(build(rows), running, cpu=cpu)
    k.wake_sync = True  # its target is the waker's CPU
    task = TaskStruct(7, 7, "t")
    task.wakes = Wakes()
    task.wakes.recent = recent
    return select_task_rq_levels(k, task, previous, SELECT_WAKE, 0)


def test_an_idle_cpu_of_the_wakers_cluster_comes_before_the_last_one_in_another():
    assert clustered([1, 0, 0, 0, 0, 0, 0, 0], 0, 4) == 1


def test_the_last_cpu_in_another_cluster_comes_before_the_rest_of_the_cache_is_given_up():
    busy = [1, 1, 1, 1, 1, 1, 1, 0]
    assert clustered(busy, 0, 7) == 7
    assert clustered(busy, 0, 3, recent=7) == 7


def test_idle_cpus_of_the_cluster_come_first():
    rows = [(0, 0, 0, core // 2, core, 1024) for core in range(6)]
    k = Kernel(build(rows), [0, 0, 1, 0, 0, 0], cpu=2)
    assert select(k, 2, SELECT_WAKE) == 3
    k = Kernel(build(rows), [0, 0, 0, 1, 0, 0], cpu=3)
    assert select(k, 3, SELECT_WAKE) == 2


# -- affinity ------------------------------------------------------------------------------------


def test_a_task_bound_to_one_cpu_goes_there():
    k = machine([9, 0, 0, 0], cores=2, smt=2)
    for why in (SELECT_WAKE, SELECT_FORK, SELECT_EXEC):
        assert select(k, 1, why, 0b0001) == 0


SHAPES = [
    {"cores": 3},
    {"cores": 2, "smt": 2},
    {"llcs": 2, "cores": 2, "smt": 2},
    {"sockets": 2, "llcs": 2, "cores": 2},
    {"llcs": 2, "cores": 2, "capacity": [300, 1024]},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@given(data=st.data())
def test_a_mask_is_never_violated_and_an_idle_cpu_of_its_own_is_never_left(shape, data):
    topology = build(places(**shape))
    cpus = st.integers(0, topology.cpus - 1)
    numbers = data.draw(st.lists(st.integers(0, 3), min_size=topology.cpus, max_size=topology.cpus))
    allowed = data.draw(st.integers(1, topology.online))
    k = Kernel(topology, numbers, cpu=data.draw(cpus))
    why = data.draw(st.sampled_from((SELECT_WAKE, SELECT_FORK, SELECT_EXEC)))
    previous = data.draw(cpus)
    if why == SELECT_EXEC:
        k.load.count(previous, 1)
    found = select(k, previous, why, allowed)
    assert allowed >> found & 1
    if why == SELECT_WAKE and (k.load.idle_mask & allowed) >> previous & 1:
        assert k.load.idle_mask >> found & 1
