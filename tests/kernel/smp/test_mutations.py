"""The seeded bugs of balancing: what they change of a machine, and whom they are about."""

import pytest

from kernel.smp import groups
from kernel.smp.mutations import (
    GROUP_CONSTRUCTION,
    GROUP_IMBALANCE,
    MISSING_DOMAINS,
    SCHED_MUTATIONS,
    SchedMutations,
    why_not,
)
from kernel.smp.topology import Topology, build, flat
from tests.kernel.smp.machines import machine, places
from tests.kernel.smp.test_topology import RING


def ring() -> Topology:
    return build(places(sockets=5, cores=2), RING)


def test_a_machine_without_them_is_the_one_that_is_configured() -> None:
    topology = ring()
    assert SchedMutations(()).rebuilt(topology) is topology


def test_without_domains_of_nodes_the_node_is_the_outermost_level() -> None:
    topology = SchedMutations((MISSING_DOMAINS,)).rebuilt(ring())
    assert [level.name for level in topology.levels] == ["MC"]
    assert topology.level_between(0, 2) == -1


def test_groups_from_the_first_cpu_put_far_nodes_into_each_of_them() -> None:
    far = SchedMutations((GROUP_CONSTRUCTION,)).rebuilt(ring()).levels[-1]
    # as CPU 0 counts them out: nodes 4, 0, 1; then 1, 2, 3; node 1 is in both
    assert set(far.groups_of(2)) == {0b11_00_00_11_11, 0b00_11_11_11_00}
    assert set(far.groups_of(6)) == set(far.groups_of(2))
    assert far.groups_of(6)[0] == 0b00_11_11_11_00


def test_by_average_load_one_heavy_task_keeps_waiting_ones_away() -> None:
    # node 0: one task of nice -20 and an idle CPU; node 1: four tasks on two CPUs
    k = machine([1, 0, 2, 2], cpu=1, sockets=2, cores=2)
    k.averages.cpus[0].load = 88761
    sd = k.domains[-1][1]
    assert groups.find_busiest(k, sd, 1, groups.CPU_IDLE)[0] == 2
    k.bugs = SchedMutations((GROUP_IMBALANCE,))
    assert groups.find_busiest(k, sd, 1, groups.CPU_IDLE)[0] == -1


@pytest.mark.parametrize("name", SCHED_MUTATIONS)
def test_they_are_about_machines_with_several_nodes(name: str) -> None:
    assert why_not(name, ring()) == ""
    assert "several nodes" in why_not(name, flat(4))
    assert "several nodes" in why_not(name, build(places(cores=4)))


def test_what_is_no_mutation_and_what_changes_nothing_is_told() -> None:
    nested = build(places(sockets=2, cores=2))
    assert why_not("sched.nothing", nested) == "there is no such mutation"
    assert "not near to each other" in why_not(GROUP_CONSTRUCTION, nested)
