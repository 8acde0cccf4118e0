"""Which CPU looks for its group, which group has too much, and how much of it is to go."""

import pytest

from kernel.messages import MIGRATE_LOAD, MIGRATE_MISFIT, MIGRATE_TASK, MIGRATE_UTIL
from kernel.smp import groups
from kernel.smp.domains import SchedDomain
from tests.kernel.smp.machines import machine


def lookers(k, level):
    domains = k.domains[level]
    return [cpu for cpu, sd in enumerate(domains) if groups.should_we_balance(k, sd, cpu)]


def busiest(k, level, cpu):
    idle = k.load.nr_running[cpu] <= 0
    return groups.find_busiest(k, k.domains[level][cpu], cpu, idle)


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


def test_a_group_with_fewer_tasks_than_cpus_or_that_is_little_used_has_spare_capacity():
    k = machine([2, 0, 1, 1, 3, 1], llcs=3, cores=2)
    kinds = [groups.Group(k, mask, 117).kind for mask in (0b01, 0b10, 0b11, 0b1100, 0b110000)]
    assert kinds == [
        groups.OVERLOADED,
        groups.HAS_SPARE,
        groups.HAS_SPARE,
        groups.FULLY_BUSY,
        groups.OVERLOADED,
    ]
    k.averages.cpus[1].util = 1024
    k.averages.cpus[1].runnable = 1024
    k.averages.warm |= 0b10
    assert groups.Group(k, 0b11, 117).kind == groups.FULLY_BUSY


def test_a_group_with_more_tasks_than_cpus_is_overloaded_once_they_use_it_or_wait_long():
    k = machine([2, 2], cores=2)
    cpus = k.averages.cpus

    def kind(util, runnable):
        for avg in cpus:
            avg.util, avg.runnable = util, runnable
        return groups.Group(k, 0b11, 117).kind

    assert kind(870, 1000) == groups.HAS_SPARE  # 117 % of 870 are less than 1024
    assert kind(880, 1000) == groups.OVERLOADED
    assert kind(100, 1190) == groups.HAS_SPARE
    assert kind(100, 1200) == groups.OVERLOADED


def test_an_idle_cache_takes_as_much_utilisation_from_an_overloaded_one_as_it_has_room_for():
    k = machine([5, 1, 0, 0], llcs=2, cores=2)
    assert busiest(k, 1, 2) == (0, MIGRATE_UTIL, 2048)
    k.averages.cpus[2].util = 700  # of a sleeper
    k.averages.warm |= 0b100
    assert busiest(k, 1, 2) == (0, MIGRATE_UTIL, 1348)
    k.averages.cpus[2].util = k.averages.cpus[3].util = 1024
    k.averages.warm |= 0b1000
    assert busiest(k, 1, 2) == (0, MIGRATE_TASK, 1)


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


def test_tasks_are_spread_over_caches_before_one_is_full_but_a_lone_one_stays():
    assert busiest(machine([1, 1, 0, 0], llcs=2, cores=2), 1, 2) == (0, MIGRATE_TASK, 1)
    assert busiest(machine([1, 0, 0, 0], llcs=2, cores=2), 1, 2)[0] == -1
    assert busiest(machine([1, 1, 1, 0], llcs=2, cores=2), 1, 3)[0] == -1


def test_nothing_is_spread_over_cpus_of_different_capacity():
    k = machine([1, 1, 0, 0], llcs=2, cores=2, capacity=[1024, 512])
    assert busiest(k, 1, 2)[0] == -1


def test_of_two_siblings_that_both_run_something_one_goes_to_an_idle_core():
    k = machine([1, 1, 0, 0], cores=2, smt=2)
    assert busiest(k, 1, 2) == (0, MIGRATE_TASK, 1)
    assert busiest(k, 1, 0)[0] == -1
    assert busiest(machine([1, 1, 1, 0], cores=2, smt=2), 1, 3)[0] == -1


def test_a_task_that_needs_more_than_its_cpu_has_goes_to_a_larger_one_that_idles():
    k = machine([1, 0, 0, 0], llcs=2, cores=2, capacity=[512, 1024])
    k.averages.cpus[0].util = 400
    assert busiest(k, 1, 2)[0] == -1
    k.averages.cpus[0].util = 410  # 80 % of 512 are less
    assert busiest(k, 1, 2) == (0, MIGRATE_MISFIT, 1)
    assert busiest(machine([0, 0, 1, 0], llcs=2, cores=2, capacity=[512, 1024]), 1, 0)[0] == -1


def test_a_cpu_that_real_time_tasks_use_gives_its_task_away():
    k = machine([1, 0], cores=2)
    k.averages.cpus[0].rt = 400
    cpu, kind, amount = busiest(k, 0, 1)
    assert (cpu, kind, amount) == (0, MIGRATE_LOAD, 1024)


def test_a_group_in_which_bound_tasks_stood_in_the_way_is_balanced_above():
    k = machine([3, 0, 1, 0], llcs=2, cores=2)
    k.averages.cpus[0].util = 100
    k.averages.cpus[0].runnable = 100
    k.averages.imbalanced[0b0011] = None
    assert busiest(k, 1, 3) == (0, MIGRATE_TASK, 1)
    del k.averages.imbalanced[0b0011]
    assert busiest(k, 1, 3) == (0, MIGRATE_TASK, 1)
    k.averages.imbalanced[0b1100] = None
    assert busiest(k, 1, 1) == (2, MIGRATE_TASK, 1)


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
    assert [level[0].prefer_sibling for level in k.domains] == [False, True, True, True]
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
