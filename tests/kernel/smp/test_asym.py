"""Where a task wakes on a machine of small and large CPUs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.smp.asym import asym_fits_cpu, asym_span, select_idle_capacity
from kernel.smp.averages import TaskAvg
from kernel.smp.select import select_task_rq_levels
from kernel.smp.smp_class import SELECT_WAKE
from kernel.task import TaskStruct
from tests.kernel.smp.machines import machine

ALL = (1 << 8) - 1


def task_of(k, util):
    task = TaskStruct(7, 7, "t")
    task.avg = TaskAvg(util, util, k.now_ns >> 20)
    return task


def hybrid(nr_running, **given):
    """CPUs 0-3 are small, under a cache of their own; 4-7 are large."""
    return machine(nr_running, llcs=2, cores=4, capacity=[459, 1024], **given)


def wakes(k, util, previous, allowed=0):
    return select_task_rq_levels(k, task_of(k, util), previous, SELECT_WAKE, allowed)


@pytest.mark.parametrize(("util", "fits"), [(0, True), (367, True), (368, False), (900, False)])
def test_a_cpu_is_large_enough_if_a_fifth_is_left(util, fits):
    k = hybrid([0] * 8)
    assert asym_fits_cpu(k, task_of(k, util), 0) is fits


def test_any_cpu_is_large_enough_where_all_are_equal():
    k = machine([0] * 4, cores=4)
    assert asym_fits_cpu(k, task_of(k, 1024), 0)


def test_a_small_task_wakes_where_it_was():
    assert wakes(hybrid([0] * 8, cpu=4), 100, 1) == 1
    assert wakes(hybrid([0] * 8, cpu=1), 100, 5) == 5


def test_a_large_task_leaves_a_small_cpu_for_an_idle_large_one_under_another_cache():
    assert wakes(hybrid([0, 0, 0, 0, 1, 1, 0, 1], cpu=1), 600, 1) == 6


def test_a_task_that_fits_nowhere_takes_the_idle_cpu_with_most_capacity():
    assert wakes(hybrid([0] * 8, cpu=1), 1000, 1) == 4
    assert wakes(hybrid([0, 0, 0, 0, 1, 1, 1, 1], cpu=1), 1000, 1) == 1


def test_a_task_that_may_not_use_large_cpus_stays_on_a_small_one():
    assert wakes(hybrid([1, 0, 0, 0, 0, 0, 0, 0], cpu=0), 1000, 0, allowed=0b1111) == 1


def test_what_real_time_tasks_use_of_a_cpu_is_not_there_for_others():
    k = hybrid([0] * 8, cpu=4)
    k.averages.cpus[4].rt = 700
    assert wakes(k, 500, 4) == 5


def test_the_domain_is_the_innermost_that_has_every_capacity():
    k = machine([0] * 16, sockets=2, llcs=2, cores=4, capacity=[459, 1024, 459, 1024])
    assert asym_span(k, 0) == ALL
    assert asym_span(k, 12) == ALL << 8
    one_kind_each = machine([0] * 8, sockets=2, cores=4, capacity=[459, 1024])
    assert asym_span(one_kind_each, 0) == ALL


@given(
    busy=st.lists(st.integers(0, 1), min_size=8, max_size=8),
    util=st.integers(0, 1024),
    target=st.integers(0, 7),
    allowed=st.integers(1, ALL),
)
def test_the_choice_is_idle_and_allowed_and_large_enough_if_any_is(busy, util, target, allowed):
    k = hybrid(busy)
    task = task_of(k, util)
    chosen = select_idle_capacity(k, task, target, allowed)
    idle = [cpu for cpu in range(8) if not busy[cpu] and allowed >> cpu & 1]
    large = [cpu for cpu in idle if asym_fits_cpu(k, task, cpu)]
    if large:
        assert chosen == min(large, key=lambda cpu: (cpu - target) % 8)
    elif idle:
        most = max(k.topology.capacity[cpu] for cpu in idle)
        best = [cpu for cpu in idle if k.topology.capacity[cpu] == most]
        assert chosen == min(best, key=lambda cpu: (cpu - target) % 8)
    else:
        assert chosen == target
