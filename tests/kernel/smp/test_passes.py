"""Passes of balancing on machines with levels: who looks when, and what is asked for."""

from kernel.messages import (
    EFF_BALANCE,
    MIGRATE_MISFIT,
    MIGRATE_TASK,
    MIGRATE_UTIL,
    PINNED_ALL,
    PINNED_SOME,
)
from kernel.smp import averages, passes
from kernel.smp.domains import passing
from kernel.smp.groups import CPU_IDLE, CPU_NEWLY_IDLE
from tests.kernel.smp.machines import machine


def sent(k):
    """What was asked of whom: (CPU, for which CPU, idle, kind, how much, active, tries)."""
    found = [
        (cpu, effect[3], effect[4], effect[5], effect[6], effect[8], effect[9])
        for cpu, effects in k.outbox.items()
        for effect in effects
        if effect[1] == EFF_BALANCE
    ]
    k.outbox.clear()
    return found


def test_a_newly_idle_cpu_looks_at_the_innermost_domain_first_and_goes_on_if_it_gets_nothing():
    k = machine([0, 2, 6, 1], llcs=2, cores=2)
    passes.newidle_balance(k, 0)
    assert sent(k) == [(1, 0, CPU_NEWLY_IDLE, MIGRATE_TASK, 1, False, 1)]
    passes.balanced(k, 0, 1, 0, 0, 0, False)
    assert sent(k) == [(2, 0, CPU_NEWLY_IDLE, MIGRATE_UTIL, 1024, False, 1)]
    passes.balanced(k, 1, 2, 0, 0, 0, False)
    assert sent(k) == []
    # such a look is no pass that has failed
    assert k.domains[0][0].nr_balance_failed == k.domains[1][0].nr_balance_failed == 0


def test_a_newly_idle_cpu_that_gets_a_task_looks_no_further():
    k = machine([0, 3, 4, 1], llcs=2, cores=2)
    passes.newidle_balance(k, 0)
    sent(k)
    k.load.count(0, 1)
    passes.balanced(k, 0, 1, 0, 1, 0, False)
    assert sent(k) == []


def test_a_cpu_that_idles_for_less_than_a_look_costs_does_not_look():
    k = machine([0, 3, 4, 1], llcs=2, cores=2)
    passes.newidle_balance(k, 0)
    sent(k)
    for level in k.domains:
        level[0].asked = 0
    assert k.domains[0][0].max_newidle_lb_cost == 300
    k.averages.cpus[0].avg_idle = 299
    passes.newidle_balance(k, 0)
    assert sent(k) == []
    k.averages.cpus[0].avg_idle = 650  # for the inner domain and no more
    k.domains[1][0].max_newidle_lb_cost = 600
    passes.newidle_balance(k, 0)
    assert [each[0] for each in sent(k)] == [1]
    passes.balanced(k, 0, 1, 0, 0, 0, False)
    assert sent(k) == []


def test_busy_cpus_look_first_then_those_that_idle_and_the_one_that_was_kicked_last():
    assert passes.order(machine([0, 2, 0, 1, 0], cores=5)) == [1, 3, 2, 4, 0]


def test_siblings_have_one_cache_so_none_of_their_tasks_is_hot():
    k = machine([0, 2], smt=2)
    passes.load_balance(k, k.domains[0][0], 0, CPU_IDLE)
    assert sent(k) == [(1, 0, CPU_IDLE, MIGRATE_TASK, 1, False, -1)]


def test_a_running_task_is_asked_for_after_passes_that_found_nobody_waiting():
    k = machine([1, 1, 0, 0], llcs=2, cores=2)
    sd = k.domains[1][2]
    for failed in range(1, 4):
        assert not passes.load_balance(k, sd, 2, CPU_IDLE)
        assert sd.nr_balance_failed == failed
    assert passes.load_balance(k, sd, 2, CPU_IDLE)
    assert sent(k) == [(0, 2, CPU_IDLE, MIGRATE_TASK, 1, True, 1)]
    passes.balanced(k, 1, 0, 2, 0, 0, True)
    assert (sd.nr_balance_failed, sd.asked) == (2, 0)


def test_a_task_too_large_for_its_cpu_is_asked_for_at_once():
    k = machine([1, 0, 0, 0], llcs=2, cores=2, capacity=[400, 1024])
    sd = k.domains[1][2]
    assert passes.load_balance(k, sd, 2, CPU_IDLE)
    assert sent(k) == [(0, 2, CPU_IDLE, MIGRATE_MISFIT, 1, True, 1)]
    assert sd.nr_balance_failed == 0


def test_bound_tasks_that_were_in_the_way_mark_the_group_until_a_pass_finds_it_even():
    k = machine([4, 0, 1, 1], llcs=2, cores=2)
    sd = k.domains[0][1]
    passes.load_balance(k, sd, 1, CPU_IDLE)
    passes.balanced(k, 0, 0, 1, 0, PINNED_SOME, False)
    assert list(k.averages.imbalanced) == [0b0011]
    sd.pinned = 0
    for change in (-1, -1, -1):
        averages.count(k, 0, change)
        k.load.count(0, change)
    passes.load_balance(k, sd, 1, CPU_IDLE)
    assert not k.averages.imbalanced


def test_a_cpu_whose_tasks_may_not_come_is_passed_over():
    k = machine([4, 0, 3], cores=3)
    sd = k.domains[0][1]
    passes.load_balance(k, sd, 1, CPU_IDLE)
    assert [each[0] for each in sent(k)] == [0]
    passes.balanced(k, 0, 0, 1, 0, PINNED_ALL, False)
    assert [each[0] for each in sent(k)] == [2]
    passes.balanced(k, 0, 2, 1, 0, PINNED_ALL, False)
    assert sent(k) == []
    assert sd.balance_interval > sd.min_interval


def test_there_are_passes_while_somebody_waits_or_runs_where_he_should_not():
    def wanted(numbers, **shape):
        k = machine([0] * len(numbers), **shape)
        for cpu, number in enumerate(numbers):
            for _ in range(number):
                averages.count(k, cpu, 1)
                k.load.count(cpu, 1)
        return passing(k)

    assert wanted([2, 1, 1, 1], cores=4)
    assert not wanted([1, 1, 1, 0], cores=4)
    assert wanted([1, 1, 0, 0], cores=2, smt=2)
    assert not wanted([1, 0, 1, 0], cores=2, smt=2)
    assert not wanted([1, 1, 1, 1], cores=2, smt=2)
    assert wanted([1, 0], llcs=2, cores=1, capacity=[400, 1024])
    assert not wanted([0, 0], llcs=2, cores=1, capacity=[400, 1024])


def test_an_idle_cpu_that_nobody_has_kicked_for_long_looks_at_all_its_domains_at_once():
    k = machine([0, 3, 2, 2], llcs=2, cores=2)
    jiffies = k.now_ns // k.tick_ns
    for level in k.domains:
        for sd in level:
            sd.next_balance = jiffies + 100
    for level in k.domains:
        level[0].next_balance = 5
    passes.rebalance_levels(k, jiffies)
    assert [each[0] for each in sent(k)] == [1, 2]
