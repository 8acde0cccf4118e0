"""Lines that go wrong: as the seed says, the same every time, and every kind of fault."""

from collections import Counter

import pytest

from cluster.transport.faults import KINDS, FaultPlan, FaultyLine


def test_what_happens_is_a_function_of_seed_line_and_number_alone():
    plan = FaultPlan(3, *(100,) * 6)
    there = [plan.fault(line, number) for line in range(4) for number in range(200)]
    back = [plan.fault(line, number) for line in range(3, -1, -1) for number in range(199, -1, -1)]
    assert there == [plan.fault(line, number) for line in range(4) for number in range(200)]
    assert sorted(there) == sorted(back)
    assert there != [FaultPlan(4, *(100,) * 6).fault(i // 200, i % 200) for i in range(800)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_happens_about_as_often_as_the_plan_says(kind):
    plan = FaultPlan(1, **{kind: 100})
    happened = Counter(plan.fault(0, number)[0] for number in range(10_000))
    assert 850 < happened[kind] < 1150
    assert happened[""] == 10_000 - happened[kind]


def test_nothing_goes_wrong_after_the_end_of_the_plan():
    plan = FaultPlan(1, drop=1000, until=5)
    assert [plan.fault(0, number)[0] for number in range(7)] == ["drop"] * 5 + [""] * 2


@pytest.mark.parametrize("rates", [{"drop": -1}, {"drop": 600, "delay": 401}])
def test_rates_that_are_none_are_refused(rates):
    with pytest.raises(ValueError, match="rates of faults"):
        FaultPlan(1, **rates)


def line(**rates):
    counts = Counter()
    return FaultyLine(FaultPlan(1, **rates), 0, counts), counts


def test_what_is_dropped_never_arrives():
    dropping, counts = line(drop=1000)
    assert dropping.send(b"one") == []
    assert all(dropping.round() == [] for _ in range(20))
    assert counts == {"drop": 1}


def test_what_is_duplicated_arrives_twice():
    assert line(duplicate=1000)[0].send(b"one") == [b"one", b"one"]


def test_what_is_delayed_arrives_some_rounds_later():
    delaying, _ = line(delay=1000)
    assert delaying.send(b"one") == []
    assert [packet for _ in range(5) for packet in delaying.round()] == [b"one"]


def test_what_is_reordered_arrives_behind_the_next():
    reordering, counts = line(reorder=1000)
    assert reordering.send(b"one") == []
    assert reordering.send(b"two") == [b"one"]
    assert counts == {"reorder": 2}


def test_what_is_corrupted_has_one_bit_changed():
    [arrived] = line(corrupt=1000)[0].send(b"one")
    assert sum((a ^ b).bit_count() for a, b in zip(arrived, b"one", strict=True)) == 1


def test_what_is_truncated_is_a_part_of_it():
    [arrived] = line(truncate=1000)[0].send(b"one packet")
    assert len(arrived) < 10
    assert b"one packet".startswith(arrived)
