"""Which CPUs share what: the levels of scheduling domains, as masks.

A level says for each CPU which CPUs its domain spans there, and which of them are its own group,
the domain of the level below. What places tasks takes an idle CPU from the innermost span that has
one (``Topology.nearest``); what balances looks, level by level, at the span without the CPU's own
group (``Level.others``). Nothing else knows how CPUs hang together.

Source: kernel/sched/topology.c (sched_domain_topology_level, build_sched_domains, sd_init).
Deviation: a machine has one flat level, ``MC``, in which every CPU is a group of its own.
"""

from collections.abc import Sequence
from typing import Final

from kernel.bits import find_next_bit_wrap


class Level:
    """One level of domains.

    Args:
        name: as in ``sched_domain/*/name``: SMT, MC, PKG, NUMA.
        spans: by CPU, the mask of the CPUs in its domain.
        groups: by CPU, the mask of those in its group.

    ``others``: by CPU, its span without its group: where balancing looks.
    """

    __slots__ = ("groups", "name", "others", "spans")

    def __init__(self, name: str, spans: Sequence[int], groups: Sequence[int]) -> None:
        self.name = name
        self.spans = tuple(spans)
        self.groups = tuple(groups)
        self.others = tuple(span & ~group for span, group in zip(self.spans, self.groups))

    def groups_of(self, cpu: int) -> list[int]:
        """Return the groups in the domain of ``cpu``, its own first, then going round.

        Source: kernel/sched/topology.c:build_sched_groups().
        """
        found = [self.groups[cpu]]
        left = self.others[cpu]
        while left:
            group = self.groups[find_next_bit_wrap(left, cpu)]
            found.append(group)
            left &= ~group
        return found


class Topology:
    """All levels, the innermost first.

    Args:
        cpus: how many CPUs there are.
        levels: each one's groups are the spans of the one before, or single CPUs.

    Raises:
        ValueError: levels that do not fit on one another; the message says which, and the CPU.

    ``online``: mask of all CPUs.
    """

    __slots__ = ("_spans", "cpus", "levels", "online")

    def __init__(self, cpus: int, levels: Sequence[Level]) -> None:
        self.cpus = cpus
        self.online = (1 << cpus) - 1
        self.levels = tuple(levels)
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


def _check(level: Level, below: Sequence[int], online: int) -> None:
    """Raise ValueError unless ``level`` stands on the spans ``below``.

    Source: kernel/sched/topology.c:sched_domain_debug_one(), topology_span_sane().
    """
    if not len(level.spans) == len(level.groups) == len(below):
        raise ValueError(f"{level.name}: {len(below)} CPUs, {len(level.spans)} spans")
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
            if level.spans[other] != span:
                raise ValueError(f"{level.name}: cpus {cpu} and {other} differ about their span")


MC: Final = "MC"


def flat(cpus: int) -> Topology:
    """Return the topology in which all CPUs are equally near to one another."""
    single = [1 << cpu for cpu in range(cpus)]
    return Topology(cpus, [Level(MC, [(1 << cpus) - 1] * cpus, single)])
