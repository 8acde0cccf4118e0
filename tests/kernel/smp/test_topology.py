"""Levels of domains: what is near, where two CPUs meet, and which levels do not fit together."""

import pytest

from kernel.machine import MachineSpec
from kernel.sched import classes
from kernel.smp.classes import SchedTable
from kernel.smp.topology import Level, Topology, flat


def sockets() -> Topology:
    """Two sockets of two cores with two threads each: 0-1, 2-3 | 4-5, 6-7."""
    single = [1 << cpu for cpu in range(8)]
    cores = [0b11 << (cpu & ~1) for cpu in range(8)]
    packages = [0b1111 << (cpu & ~3) for cpu in range(8)]
    return Topology(
        8,
        [
            Level("SMT", cores, single),
            Level("MC", packages, cores),
            Level("NUMA", [0xFF] * 8, packages),
        ],
    )


@pytest.mark.parametrize(("start", "found"), [(0, 1), (1, 1), (2, 3), (4, 1)])
def test_where_all_cpus_are_equal_the_next_one_round_is_nearest(start: int, found: int) -> None:
    assert flat(5).nearest(0b01010, start) == found


@pytest.mark.parametrize(
    ("mask", "cpu", "found"),
    [
        (0b11111111, 5, 5),
        (0b11011111, 5, 4),
        (0b11001111, 5, 6),
        (0b00001111, 5, 0),
        (0b10000010, 3, 1),
    ],
)
def test_the_innermost_span_that_has_one_gives_the_nearest(mask: int, cpu: int, found: int) -> None:
    assert sockets().nearest(mask, cpu) == found


def test_two_cpus_meet_at_the_innermost_level_that_spans_both() -> None:
    topology = sockets()
    assert [topology.level_between(5, other) for other in range(8)] == [2, 2, 2, 2, 0, 0, 1, 1]


def test_a_domain_has_the_groups_of_the_level_below_its_own_first() -> None:
    smt, mc, numa = sockets().levels
    assert smt.groups_of(5) == [1 << 5, 1 << 4]
    assert mc.groups_of(5) == [0b11 << 4, 0b11 << 6]
    assert numa.groups_of(5) == [0xF0, 0x0F]
    assert (smt.others[5], mc.others[5], numa.others[5]) == (1 << 4, 0b11 << 6, 0x0F)
    (level,) = flat(3).levels
    assert level.groups_of(1) == [0b010, 0b100, 0b001]


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ([Level("MC", [3, 3, 3], [1, 2, 4])], "MC: 2 CPUs, 3 spans"),
        ([Level("MC", [3, 3], [3, 3])], "MC: the group of cpu 0 is not its domain below"),
        ([Level("MC", [7, 7], [1, 2])], "MC: the span of cpu 0 is 0x7"),
        ([Level("MC", [3, 2], [1, 2])], "MC: cpus 0 and 1 differ about their span"),
    ],
)
def test_levels_that_do_not_fit_are_refused(levels: list[Level], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Topology(2, levels)


def test_a_half_of_another_rank_than_its_class_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    table = SchedTable(MachineSpec())
    mine = classes.SchedClass("mine", 1, (), half=table.fair)
    monkeypatch.setitem(classes._registered, "mine", mine)
    with pytest.raises(ValueError, match="mine: its half is of rank 3, it of rank 1"):
        SchedTable(MachineSpec(classes=("mine",)))
