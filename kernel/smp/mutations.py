"""Seeded bugs of placement and balancing: those of "The Linux Scheduler: a Decade of Wasted Cores".

Each was in Linux for years and left CPUs idle while tasks waited elsewhere. Named in
``MachineSpec.mutations`` it is in this kernel, too; otherwise nothing of it is. They are about
machines with levels. ``smplab sched wasted`` finds what they do.

Source: J.-P. Lozi, B. Lepers, J. Funston, F. Gaud, V. Quema, A. Fedorova: The Linux Scheduler: a
Decade of Wasted Cores (EuroSys 2016), section 3; kernel/sched/fair.c of Linux 4.1.
Deviation: no CPU goes off line and comes back: ``missing_domains`` has the machine as it was
afterwards, from the beginning.
"""

from collections.abc import Sequence
from typing import Final

from kernel.smp.topology import Level, Topology

PREFIX: Final = "sched."
GROUP_IMBALANCE: Final = "sched.group_imbalance"
GROUP_CONSTRUCTION: Final = "sched.group_construction"
OVERLOAD_ON_WAKEUP: Final = "sched.overload_on_wakeup"
MISSING_DOMAINS: Final = "sched.missing_domains"

# name -> what it does
SCHED_MUTATIONS: Final[dict[str, str]] = {
    GROUP_IMBALANCE: "Groups are compared by their average load, not by who has idle CPUs: one "
    "heavy task makes its whole group look busy.",
    GROUP_CONSTRUCTION: "Groups of nodes are counted out from the first CPU of a domain, whoever "
    "looks: two nodes that are far apart may be in each group together.",
    OVERLOAD_ON_WAKEUP: "A task that is woken from its own node stays there, though all CPUs of it "
    "are busy and others idle; and a CPU that begins to idle takes nothing from another node.",
    MISSING_DOMAINS: "There are no domains of nodes, as after a CPU was taken off line and put "
    "back: nothing is balanced between nodes.",
}


class SchedMutations:
    """Which of them a machine has."""

    __slots__ = ("group_construction", "group_imbalance", "missing_domains", "wakeup")

    def __init__(self, names: Sequence[str]) -> None:
        self.group_imbalance = GROUP_IMBALANCE in names
        self.group_construction = GROUP_CONSTRUCTION in names
        self.wakeup = OVERLOAD_ON_WAKEUP in names
        self.missing_domains = MISSING_DOMAINS in names

    def rebuilt(self, topology: Topology) -> Topology:
        """Return the topology that the machine has with them.

        Source: kernel/sched/core.c:build_overlap_sched_groups(), partition_sched_domains() of
        Linux 4.1.
        """
        levels = list(topology.levels)
        if self.missing_domains:
            levels = [level for level in levels if not level.distance]
        if self.group_construction:
            levels = [_from_first(level) if level.distance else level for level in levels]
        if topology.flat or levels == list(topology.levels):
            return topology
        return Topology(topology.cpus, levels, topology.capacity)


def _from_first(level: Level) -> Level:
    return Level(level.name, level.spans, level.groups, level.distance, level.below, True)


def why_not(name: str, topology: Topology) -> str:
    """Return why a machine with ``topology`` cannot have the mutation ``name``; "": it can."""
    if name not in SCHED_MUTATIONS:
        return "there is no such mutation"
    nodes = [level for level in topology.levels if level.distance]
    if topology.flat or not nodes:
        return "is about machines with several nodes (machine.topology)"
    if name == GROUP_CONSTRUCTION and not any(
        set(level.groups_of(cpu)) != set(_from_first(level).groups_of(cpu))
        for level in nodes
        for cpu in range(topology.cpus)
        if level.below is not None and level.below.distance
    ):
        return "is about machines whose nodes near to one are not near to each other"
    return ""
