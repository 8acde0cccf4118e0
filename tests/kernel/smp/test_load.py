"""The load table: its masks and bounds say at any time what a look at all CPUs would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.smp.load import LoadTable

CPUS = 5
changes = st.lists(st.tuples(st.integers(0, CPUS - 1), st.sampled_from([1, 1, -1])), max_size=60)


def counted(steps: list[tuple[int, int]]) -> LoadTable:
    load = LoadTable(CPUS)
    for cpu, change in steps:
        load.count(cpu, change)
    return load


@given(changes)
def test_bounds_and_masks_are_those_of_the_numbers(steps: list[tuple[int, int]]) -> None:
    load = counted(steps)
    table = load.nr_running
    assert (load.least, load.most) == (min(table), max(table))
    assert load.overloaded == sum(number > 1 for number in table)
    assert load.idle_mask == sum(1 << cpu for cpu, number in enumerate(table) if number == 0)


@given(changes, st.integers(0, CPUS - 1))
def test_least_loaded_is_the_near_cpu_if_none_has_fewer_else_the_first(
    steps: list[tuple[int, int]], near: int
) -> None:
    load = counted(steps)
    table = load.nr_running
    least = min(table)
    assert load.least_loaded(near) == (near if table[near] == least else table.index(least))


@given(changes, st.integers(0, (1 << CPUS) - 1))
def test_busiest_is_the_first_of_those_with_most_that_may_have_one_to_give(
    steps: list[tuple[int, int]], pinned: int
) -> None:
    load = counted(steps)
    load.pinned = pinned
    giving = [
        (-number, cpu)
        for cpu, number in enumerate(load.nr_running)
        if number > 1 and not pinned >> cpu & 1
    ]
    assert load.busiest() == (min(giving)[1] if giving else -1)


@pytest.mark.parametrize(("start", "found"), [(0, 1), (1, 1), (2, 3), (4, 1)])
def test_the_search_for_an_idle_cpu_goes_round(start: int, found: int) -> None:
    load = counted([(0, 1), (2, 1), (4, 1)])
    assert load.idle_cpu_from(start) == found
