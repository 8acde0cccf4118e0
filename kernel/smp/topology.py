"""Which CPUs share what: the levels of scheduling domains, as masks.

A level says for each CPU which CPUs its domain spans there, and which of them are its own group,
the domain of the level below. What places tasks takes an idle CPU from the innermost span that has
one (``Topology.nearest``); what balances looks, level by level, at the span without the CPU's own
group (``Level.others``). Nothing else knows how CPUs hang together.

``flat`` is the machine of which nothing is configured; ``build`` makes the levels of one whose CPUs
have places (``MachineSpec.places``): in a core, a cluster, under a last-level cache, on a node.

Source: kernel/sched/topology.c (sched_domain_topology_level, build_sched_domains, sd_init).
Deviation: a machine without ``machine.topology`` has one flat level, ``MC``, in which every CPU is
a group of its own. Nodes up to 32 apart are near, on every machine, as Linux has it on AMD's
processors; elsewhere it is 30. 2.6.34 has one level of nodes, whatever their distances.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Final

from kernel.bits import find_first_bit, find_next_bit_wrap


class Level:
    """One level of domains.

    Args:
        name: as in ``sched_domain/*/name``: SMT, CLS, MC, PKG, NUMA.
        spans: by CPU, the mask of the CPUs in its domain.
        groups: by CPU, the mask of those in its group.
        distance: of its nodes, 0 if all of a domain is on one node.
        below: the level whose spans the groups are; None if they are single CPUs.
        from_first: groups are counted out from the first CPU of each domain, not from the one
            whose domain it is, as it should be (``kernel.smp.mutations``: group_construction).

    Where nodes that are near to one node are not near to each other, domains overlap, and so do
    the groups of the level above.

    ``others``: by CPU, its span without its group: where balancing looks. ``shares_core``,
    ``shares_llc``: what the CPUs of a domain have in common (SD_SHARE_CPUCAPACITY, SD_SHARE_LLC).
    ``wide``: it is too far away to start or wake a task there (no SD_BALANCE_FORK, _EXEC,
    SD_WAKE_AFFINE). Source: kernel/sched/topology.c:sd_init(), node_reclaim_distance.
    """

    __slots__ = (
        "_lists",
        "below",
        "distance",
        "from_first",
        "groups",
        "name",
        "others",
        "shares_core",
        "shares_llc",
        "spans",
        "wide",
    )

    def __init__(
        self,
        name: str,
        spans: Sequence[int],
        groups: Sequence[int],
        distance: int = 0,
        below: "Level | None" = None,
        from_first: bool = False,
    ) -> None:
        self.name = name
        self.spans = tuple(spans)
        self.groups = tuple(groups)
        self.below = below
        self.from_first = from_first
        self.others = tuple(span & ~group for span, group in zip(self.spans, self.groups))
        self.distance = distance
        self.shares_core = name in (SMT, SIBLING)
        self.shares_llc = name in (SMT, SIBLING, CLS, MC)
        self.wide = distance > RECLAIM_DISTANCE
        self._lists: dict[tuple[int, int], tuple[int, ...]] = {}  # what groups_of() gave

    def groups_of(self, cpu: int) -> tuple[int, ...]:
        """Return the groups in the domain of ``cpu``, its own first, then going round.

        They cover the domain and reach nowhere beyond it.

        Source: kernel/sched/topology.c:build_sched_groups(), build_overlap_sched_groups().
        """
        key = (self.groups[cpu], self.spans[cpu])
        known = self._lists.get(key)
        if known is not None:
            return known
        own, span = key
        if self.from_first:
            own = self.groups[find_first_bit(span)]
        start = find_first_bit(span if self.from_first else self.balancers(cpu))
        found = [own]
        left = span & ~own
        while left:
            group = self._within(find_next_bit_wrap(left, start), span)
            found.append(group)
            left &= ~group
        if self.from_first:
            # the first one that this CPU is in is local
            local = next((group for group in found if group >> cpu & 1), found[0])
            found.sort(key=lambda group: group is not local)
        self._lists[key] = tuple(found)
        return self._lists[key]

    def balancers(self, cpu: int) -> int:
        """Return those CPUs of the group of ``cpu`` that have no other group: one looks for all.

        Source: kernel/sched/topology.c:build_balance_mask().
        """
        own = self.groups[cpu]
        if not self.distance:
            return own
        mask, left = 0, own
        while left:
            bit = left & -left
            left ^= bit
            if self.groups[bit.bit_length() - 1] == own:
                mask |= bit
        return mask

    def _within(self, cpu: int, span: int) -> int:
        """Return the widest domain of ``cpu`` below this level that is all in ``span``.

        Source: kernel/sched/topology.c:find_descended_sibling().
        """
        level: Level | None = self
        while level is not None:
            if not level.groups[cpu] & ~span:
                return level.groups[cpu]
            level = level.below
        return 1 << cpu


class Topology:
    """All levels, the innermost first.

    Args:
        cpus: how many CPUs there are.
        levels: each one's groups are the spans of the one before, or single CPUs.
        capacity: by CPU, what it does in a time, of SCHED_CAPACITY_SCALE; () if all are equal.

    Raises:
        ValueError: levels that do not fit on one another; the message says which, and the CPU.

    ``online``: mask of all CPUs. ``flat``: nothing is configured of it, so placement and balancing
    ask for numbers of tasks only. ``cores``, ``clusters``, ``llcs``: by CPU, the masks of those
    with the same core, cluster and last-level cache; ``smt``: there are cores with several CPUs.
    """

    __slots__ = (
        "_spans",
        "capacity",
        "clusters",
        "cores",
        "cpus",
        "flat",
        "levels",
        "llcs",
        "online",
        "smt",
    )

    def __init__(self, cpus: int, levels: Sequence[Level], capacity: Sequence[int] = ()) -> None:
        self.cpus = cpus
        self.online = (1 << cpus) - 1
        self.levels = tuple(levels)
        self.capacity = tuple(capacity)
        self.flat = False
        single = tuple(1 << cpu for cpu in range(cpus))
        self.cores = self.clusters = self.llcs = single
        for each in self.levels:
            if each.shares_core:
                self.cores = each.spans
            if each.shares_core or each.name == CLS:
                self.clusters = each.spans
            if each.shares_llc:
                self.llcs = each.spans
        self.smt = self.cores != single
        self._spans = tuple(level.spans for level in self.levels)
        below = tuple(1 << cpu for cpu in range(cpus))
        for level in self.levels:
            _check(level, below, self.online)
            below = level.spans

    def nearest(self, mask: int, cpu: int) -> int:
        """Return the CPU of ``mask``, which is not 0, that is nearest to ``cpu``.

        In the innermost span that has one it is the first at or after ``cpu``, going round.
        """
        for spans in self._spans:
            near = mask & spans[cpu]
            if near:
                return find_next_bit_wrap(near, cpu)
        return find_next_bit_wrap(mask, cpu)

    def level_between(self, cpu: int, other: int) -> int:
        """Return the number of the innermost level whose domain has both; -1 if none has."""
        for number, spans in enumerate(self._spans):
            if spans[cpu] >> other & 1:
                return number
        return -1

    def capacity_of(self, cpus: int) -> int:
        """Return what the CPUs of a mask do together. Source: struct sched_group_capacity."""
        if not self.capacity:
            return SCHED_CAPACITY_SCALE * cpus.bit_count()
        return sum(each for cpu, each in enumerate(self.capacity) if cpus >> cpu & 1)


def _check(level: Level, below: Sequence[int], online: int) -> None:
    """Raise ValueError unless ``level`` stands on the spans ``below``.

    Source: kernel/sched/topology.c:sched_domain_debug_one(), topology_span_sane().
    """
    if not len(level.spans) == len(level.groups) == len(below):
        raise ValueError(f"{level.name}: {len(below)} CPUs, {len(level.spans)} spans")
    apart = level.distance != 0  # nodes near to one need not be near to each other
    seen: set[int] = set()  # spans that all their CPUs agree on
    for cpu, (span, group) in enumerate(zip(level.spans, level.groups)):
        if group != below[cpu]:
            raise ValueError(f"{level.name}: the group of cpu {cpu} is not its domain below")
        if span & ~online or group & ~span:
            raise ValueError(f"{level.name}: the span of cpu {cpu} is {span:#x}")
        left = 0 if span in seen else span
        seen.add(span)
        while left:
            other = find_next_bit_wrap(left, 0)
            left &= left - 1
            if level.spans[other] != span and not (apart and level.spans[other] >> cpu & 1):
                raise ValueError(f"{level.name}: cpus {cpu} and {other} differ about their span")


SMT: Final = "SMT"
CLS: Final = "CLS"
MC: Final = "MC"
PKG: Final = "PKG"
NUMA: Final = "NUMA"
# as 2.6.34 calls SMT, PKG and NUMA. Source: include/linux/topology.h, kernel/sched.c (SD_INIT)
SIBLING: Final = "SIBLING"
CPU: Final = "CPU"
NODE: Final = "NODE"

LOCAL_DISTANCE: Final = 10
RECLAIM_DISTANCE: Final = 32
SCHED_CAPACITY_SCALE: Final = 1024

# one CPU's place: package, node, last-level cache, cluster, core, capacity
Place = tuple[int, ...]


def flat(cpus: int) -> Topology:
    """Return the topology in which all CPUs are equally near to one another."""
    single = [1 << cpu for cpu in range(cpus)]
    topology = Topology(cpus, [Level(MC, [(1 << cpus) - 1] * cpus, single)])
    topology.flat = True
    return topology


def build(
    places: Sequence[Place], distances: Sequence[Sequence[int]] = (), linux: str = "6.12"
) -> Topology:
    """Return the topology of CPUs with places.

    Args:
        places: by CPU, numbers of package, node, last-level cache, cluster and core, each its own
            throughout the machine, and the capacity.
        distances: of each node from each, by number; () for 10 on the node itself and 20 elsewhere.

    A cache that reaches over several nodes counts for each of them alone. A level that adds nothing
    to the one below is left out.

    Source: kernel/sched/topology.c (default_topology, sched_init_numa, sd_degenerate),
    arch/x86/kernel/smpboot.c (match_llc, x86_topology), drivers/base/arch_topology.c.
    """
    old = linux == "2.6.34"
    same: list[tuple[str, Callable[[Place], Place], int]] = [
        (SIBLING if old else SMT, lambda place: (place[1], place[4]), 0),
        (CLS, lambda place: (place[1], place[3]), 0),
        (MC, lambda place: (place[1], place[2]), 0),
        (CPU if old else PKG, lambda place: (place[1],), 0),
    ]
    if old:
        del same[1]
    spans = [(name, _spans_by([key(place) for place in places]), far) for name, key, far in same]
    nodes = [place[1] for place in places]
    of_node = dict(zip(nodes, _spans_by(nodes)))
    for far in far_distances(nodes, distances)[-1 if old else 0 :]:
        wide = dict.fromkeys(of_node, 0)
        for node in of_node:
            for other, mask in of_node.items():
                if _far(distances, node, other) <= far:
                    wide[node] |= mask
        spans.append((NODE if old else NUMA, [wide[node] for node in nodes], far))
    if not old:  # a cluster that is all of a cache is none: cpu_clustergroup_mask()
        cores, clusters, caches = spans[0][1], spans[1][1], spans[2][1]
        spans[1] = (
            CLS,
            [
                core if cluster & cache == cache else cluster
                for core, cluster, cache in zip(cores, clusters, caches)
            ],
            0,
        )
    levels: list[Level] = []
    below = [1 << cpu for cpu in range(len(places))]
    for name, masks, far in spans:
        if masks != below:
            levels.append(Level(name, masks, below, far, levels[-1] if levels else None))
            below = masks
    capacity = [place[5] for place in places]
    return Topology(len(places), levels, capacity if len(set(capacity)) > 1 else ())


def far_distances(nodes: Sequence[int], distances: Sequence[Sequence[int]]) -> list[int]:
    """Return the distances there are between different nodes of ``nodes``, the least first."""
    known = sorted(set(nodes))
    return sorted({_far(distances, one, other) for one in known for other in known if one != other})


def _far(distances: Sequence[Sequence[int]], one: int, other: int) -> int:
    if one == other:
        return LOCAL_DISTANCE
    return distances[one][other] if distances else 2 * LOCAL_DISTANCE


def _spans_by(keys: Sequence[Hashable]) -> list[int]:
    """Return by CPU the mask of those with the same key."""
    masks: dict[Hashable, int] = {}
    for cpu, key in enumerate(keys):
        masks[key] = masks.get(key, 0) | 1 << cpu
    return [masks[key] for key in keys]
