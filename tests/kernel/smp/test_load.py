"""The load table: its masks and bounds say at any time what a look at all CPUs would."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.smp.load import LoadTable

CPUS = 5
ALL = (1 << CPUS) - 1
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
    assert load.busy_mask == sum(1 << cpu for cpu, number in enumerate(table) if number > 1)
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
    assert load.busiest(ALL) == (min(giving)[1] if giving else -1)
    part = [each for each in giving if each[1] < 2]
    assert load.busiest(0b11) == (min(part)[1] if part else -1)


@given(changes, st.integers(1, ALL), st.integers(-1, CPUS - 1))
def test_of_some_cpus_the_least_loaded_is_found_and_all_that_run_there_are_counted(
    steps: list[tuple[int, int]], cpus: int, near: int
) -> None:
    load = counted(steps)
    table = {cpu: number for cpu, number in enumerate(load.nr_running) if cpus >> cpu & 1}
    least = [cpu for cpu, number in table.items() if number == min(table.values())]
    assert load.least_of(cpus, near) == (near if near in least else least[0])
    assert load.running_in(cpus) == sum(table.values())
