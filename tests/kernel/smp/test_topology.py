"""Levels of domains: what is near, where two CPUs meet, and which levels do not fit together."""

import pytest

from kernel.machine import MachineSpec
from kernel.sched import classes
from kernel.smp.classes import SchedTable
from kernel.smp.topology import Level, Topology, build, flat
from tests.kernel.smp.machines import places


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
    assert smt.groups_of(5) == (1 << 5, 1 << 4)
    assert mc.groups_of(5) == (0b11 << 4, 0b11 << 6)
    assert numa.groups_of(5) == (0xF0, 0x0F)
    assert (smt.others[5], mc.others[5], numa.others[5]) == (1 << 4, 0b11 << 6, 0x0F)
    (level,) = flat(3).levels
    assert level.groups_of(1) == (0b010, 0b100, 0b001)


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


def names(topology: Topology) -> list[str]:
    return [level.name for level in topology.levels]


def sizes(topology: Topology) -> list[int]:
    return [level.spans[0].bit_count() for level in topology.levels]


def test_places_make_the_levels_that_linux_has() -> None:
    topology = build(places(sockets=2, llcs=2, cores=4, smt=2))
    assert names(topology) == ["SMT", "MC", "PKG", "NUMA"]
    assert sizes(topology) == [2, 8, 16, 32]
    old = build(places(sockets=2, llcs=2, cores=4, smt=2), (), "2.6.34")
    assert names(old) == ["SIBLING", "MC", "CPU", "NODE"]
    assert sizes(old) == sizes(topology)


def test_a_level_that_adds_nothing_is_left_out() -> None:
    assert names(build(places(cores=4))) == ["MC"]
    assert names(build(places(cores=1, smt=2))) == ["SMT"]
    assert names(build(places(sockets=2, cores=2))) == ["MC", "NUMA"]
    assert names(build(places(sockets=2, cores=2, nodes=1))) == ["MC", "PKG"]
    assert names(build(places())) == []


def test_clusters_are_a_level_if_a_cache_has_several_and_the_kernel_knows_them() -> None:
    rows = [(0, 0, 0, core // 2, core, 1024) for core in range(4)]
    assert names(build(rows)) == ["CLS", "MC"]
    assert names(build(rows, (), "2.6.34")) == ["MC"]


def test_each_distance_is_a_level_and_in_the_old_kernel_all_are_one() -> None:
    distances = [[10, 12, 32, 32], [12, 10, 32, 32], [32, 32, 10, 12], [32, 32, 12, 10]]
    topology = build(places(sockets=4, cores=2), distances)
    assert [(level.name, level.distance) for level in topology.levels] == [
        ("MC", 0),
        ("NUMA", 12),
        ("NUMA", 32),
    ]
    assert sizes(topology) == [2, 4, 8]
    assert sizes(build(places(sockets=4, cores=2), distances, "2.6.34")) == [2, 8]


RING = [
    [10, 20, 30, 30, 20],
    [20, 10, 20, 30, 30],
    [30, 20, 10, 20, 30],
    [30, 30, 20, 10, 20],
    [20, 30, 30, 20, 10],
]


def test_nodes_in_a_ring_have_domains_and_groups_that_overlap() -> None:
    topology = build(places(sockets=5, cores=2), RING)
    near, far = topology.levels[1:]
    assert near.spans[0] == 0b11_00_00_11_11
    assert near.spans[2] == 0b00_00_11_11_11
    assert near.groups_of(2) == (0b11_00, 0b11_00_00, 0b11)
    assert far.groups_of(2) == (0b11_11_11, 0b11_11_11_00_00)
    assert all(far.groups_of(cpu)[0] >> cpu & 1 for cpu in range(10))
    assert [far.balancers(cpu) for cpu in (0, 2, 9)] == [0b11, 0b11_00, 0b11_00_00_00_00]
    assert topology.level_between(0, 2) == 1 and topology.level_between(0, 5) == 2


def test_no_group_reaches_beyond_its_domain() -> None:
    nodes = range(8)
    far = [[10 * (1 + min(abs(a - b), 8 - abs(a - b))) for b in nodes] for a in nodes]
    topology = build(places(sockets=8), far)
    for level in topology.levels:
        for cpu in range(8):
            groups = level.groups_of(cpu)
            assert sum(1 for group in groups if group == level.groups[cpu]) == 1
            covered = 0
            for group in groups:
                covered |= group
            assert covered == level.spans[cpu]


def test_a_cache_over_two_nodes_counts_for_each_alone() -> None:
    rows = [(0, cpu // 2, 0, 0, cpu, 1024) for cpu in range(4)]
    topology = build(rows)
    assert names(topology) == ["MC", "NUMA"]
    assert topology.llcs == (0b0011, 0b0011, 0b1100, 0b1100)


def test_what_cpus_share_and_what_they_can_do_is_known_by_cpu() -> None:
    topology = build(places(llcs=2, cores=2, smt=2, capacity=[512, 1024]))
    assert topology.smt
    assert topology.cores[5] == 0b0011_0000
    assert topology.llcs[5] == 0b1111_0000
    assert topology.capacity_of(0b0001_0001) == 1536
    assert flat(3).capacity_of(0b011) == 2048
    assert not flat(3).smt and flat(3).flat and not topology.flat
