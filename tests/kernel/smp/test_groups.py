"""Which CPU looks for its group, which group has too much, and how much of it is to go."""

import pytest

from kernel.messages import MIGRATE_LOAD, MIGRATE_TASK
from kernel.smp import groups
from kernel.smp.balance import SchedDomain
from tests.kernel.smp.machines import machine


def lookers(k, level):
    domains = k.domains[level]
    return [cpu for cpu, sd in enumerate(domains) if groups.should_we_balance(k, sd, cpu)]


def busiest(k, level, cpu):
    return groups.find_busiest(k, k.domains[level][cpu], cpu, {})


def test_of_each_group_the_first_idle_cpu_looks_else_the_first():
    k = machine([1, 1, 0, 0], llcs=2, cores=2)
    assert lookers(k, 0) == [0, 1, 2, 3]
    assert lookers(k, 1) == [0, 2]
    assert lookers(machine([1, 0, 2, 0], llcs=2, cores=2), 1) == [1, 3]


def test_an_idle_core_looks_before_an_idle_sibling_of_a_busy_thread():
    # two caches of two cores with two threads
    k = machine([1, 0, 0, 0, 1, 0, 1, 0], llcs=2, cores=2, smt=2)
    assert lookers(k, 2) == [2, 5]
    assert lookers(k, 0) == list(range(8))


def test_a_group_with_fewer_tasks_than_cpus_has_spare_capacity():
    k = machine([2, 0, 1, 1, 3, 1], llcs=3, cores=2)
    kinds = [groups.Group(k, mask, {}).kind for mask in (0b01, 0b10, 0b11, 0b1100, 0b110000)]
    assert kinds == [
        groups.OVERLOADED,
        groups.HAS_SPARE,
        groups.FULLY_BUSY,
        groups.FULLY_BUSY,
        groups.OVERLOADED,
    ]


def test_an_idle_cache_takes_as_many_tasks_from_an_overloaded_one_as_it_has_cpus():
    k = machine([5, 1, 0, 0], llcs=2, cores=2)
    assert busiest(k, 1, 2) == (0, MIGRATE_TASK, 2)


def test_siblings_are_evened_out_by_half_the_difference():
    assert busiest(machine([5, 0], cores=2), 0, 1) == (0, MIGRATE_TASK, 2)


def test_the_sum_of_a_group_counts_and_not_its_busiest_cpu():
    # cache 0 has one queue of 3 and two idle CPUs, cache 1 two tasks everywhere
    k = machine([3, 0, 0, 2, 2, 2, 1, 1, 1], llcs=3, cores=3)
    cpu, kind, amount = busiest(k, 1, 6)
    assert cpu in (3, 4, 5)
    assert (kind, amount > 0) == (MIGRATE_LOAD, True)


def test_a_loaded_group_ignores_a_difference_of_17_percent_and_a_core_one_of_10():
    assert busiest(machine([6, 6, 7, 7], llcs=2, cores=2), 1, 0)[0] == -1
    assert busiest(machine([5, 5, 6, 6], llcs=2, cores=2), 1, 0)[0] == 2
    assert busiest(machine([6, 7], smt=2), 0, 0)[0] == 1  # 110 % of 6 are 6.6


def test_who_has_more_capacity_is_to_have_more_tasks():
    k = machine([4, 4, 4, 4], llcs=2, cores=2, capacity=[512, 1024])
    assert busiest(k, 1, 2)[0] in (0, 1)
    assert busiest(k, 1, 0)[0] == -1
    k = machine([2, 2, 4, 4], llcs=2, cores=2, capacity=[512, 1024])
    assert busiest(k, 1, 2)[0] == busiest(k, 1, 0)[0] == -1


def test_nobody_is_asked_where_no_task_waits():
    k = machine([1, 1, 0, 0], llcs=2, cores=2)
    assert busiest(k, 1, 2)[0] == -1


def test_cpus_that_can_give_nothing_do_not_count():
    k = machine([5, 1, 0, 0], llcs=2, cores=2)
    k.domains[1][2].pinned = 0b0001
    assert busiest(k, 1, 2)[0] == -1


@pytest.mark.parametrize(("imbalance", "running", "left"), [(2, 4, 0), (3, 4, 3), (2, 5, 2)])
def test_a_small_imbalance_between_nodes_is_left_while_few_tasks_run(imbalance, running, left):
    assert groups.adjust_numa_imbalance(imbalance, running, 4) == left


def numbers(sd: SchedDomain):
    return sd.min_interval, sd.max_interval, sd.busy_factor, sd.imbalance_pct, sd.cache_nice_tries


def test_the_numbers_of_a_domain_are_its_levels():
    k = machine([0] * 16, sockets=2, llcs=2, cores=2, smt=2)
    assert [numbers(level[0]) for level in k.domains] == [
        (2, 4, 16, 110, 0),
        (4, 8, 16, 117, 1),
        (8, 16, 16, 117, 1),
        (16, 32, 16, 117, 2),
    ]
    assert [level[0].prefer_sibling for level in k.domains] == [True] * 4
    # two caches a node: so many tasks may be together on one
    assert [level[0].imb_numa_nr for level in k.domains] == [0, 0, 2, 2]


def test_the_old_kernel_has_its_own_numbers_for_each_level():
    k = machine([0] * 16, linux="2.6.34", sockets=2, llcs=2, cores=2, smt=2)
    assert [numbers(level[0]) for level in k.domains] == [
        (1, 2, 64, 110, 0),
        (1, 4, 64, 125, 1),
        (1, 4, 64, 125, 1),
        (8, 32, 32, 125, 2),
    ]
    assert [level[0].imb_numa_nr for level in k.domains] == [0] * 4
