"""Groups of CPUs: how full each is, and which of them has too much.

Of a machine with levels what counts is not one CPU but a group of them: a socket with one idle CPU
has room though each of the others queues. ``kernel.smp.select`` places new tasks by it, and
``kernel.smp.balance`` moves waiting ones.

Source: kernel/sched/fair.c (update_sg_lb_stats, group_classify, find_busiest_group,
calculate_imbalance, should_we_balance) of Linux 6.12.
Deviation: a CPU with a runnable task counts as fully used, for there is no PELT; so a group has
spare capacity while it has fewer tasks than CPUs, and an idle group takes as many tasks as it has
idle CPUs (MIGRATE_UTIL). Groups have no misfit tasks, no packing, and no mark that affinity is in
the way of their balance; only CPUs where a task waits are relieved. Of a group that overlaps the
own one, what both have is relieved at lower levels only.
"""

from typing import TYPE_CHECKING, Final

from kernel.bits import find_first_bit, find_next_bit_wrap
from kernel.messages import MIGRATE_LOAD, MIGRATE_TASK
from kernel.smp.topology import SCHED_CAPACITY_SCALE
from kernel.smp.weigh import cpu_load, span_load

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.smp.balance import SchedDomain

# Source: kernel/sched/fair.c (enum group_type)
HAS_SPARE: Final = 0
FULLY_BUSY: Final = 1
OVERLOADED: Final = 2

NUMA_IMBALANCE_MIN: Final = 2


class Group:
    """What one group of CPUs has.

    Args:
        cpus: its mask.
        more: as ``kernel.smp.weigh.uneven_loads`` gave it.
        without: a CPU, -1 for none, of which one task does not count, of the load ``weight``.

    ``kind``: HAS_SPARE, FULLY_BUSY or OVERLOADED; ``average``: load for SCHED_CAPACITY_SCALE of
    capacity.

    Source: kernel/sched/fair.c:update_sg_lb_stats(), update_sg_wakeup_stats().
    """

    __slots__ = ("average", "capacity", "cpus", "idle", "kind", "load", "running", "weight")

    def __init__(
        self, k: "Kernel", cpus: int, more: dict[int, int], without: int = -1, weight: int = 0
    ) -> None:
        table = k.load
        self.cpus = cpus
        self.weight = cpus.bit_count()
        self.running = table.running_in(cpus)
        self.idle = (table.idle_mask & cpus).bit_count()
        self.load = span_load(k, cpus, more)
        if without >= 0 and cpus >> without & 1:
            self.running -= 1
            self.load -= weight
            if table.nr_running[without] == 1:
                self.idle += 1
        self.capacity = k.topology.capacity_of(cpus)
        self.average = self.load * SCHED_CAPACITY_SCALE // max(1, self.capacity)
        if self.running < self.weight:
            self.kind = HAS_SPARE
        else:
            self.kind = FULLY_BUSY if self.running == self.weight else OVERLOADED


def should_we_balance(k: "Kernel", sd: "SchedDomain", this_cpu: int) -> bool:
    """Tell whether ``this_cpu`` looks for its whole group: the first idle one does, else the first.

    An idle CPU of a core that is idle as a whole comes before one whose sibling is busy.

    Source: kernel/sched/fair.c:should_we_balance().
    """
    group = sd.level.balancers(this_cpu)
    idle = k.load.idle_mask & group
    if not idle:
        return find_first_bit(group) == this_cpu
    if k.topology.smt and not sd.level.shares_core:
        idle = idle_cores(k, idle) or idle
    return find_first_bit(idle) == this_cpu


def idle_cores(k: "Kernel", cpus: int) -> int:
    """Return those of ``cpus``, which are idle, whose cores are idle as a whole."""
    cores, idle = k.topology.cores, k.load.idle_mask
    found = 0
    while cpus:
        core = cores[find_first_bit(cpus)]
        if not core & ~idle:
            found |= core & cpus
        cpus &= ~core
    return found


def adjust_numa_imbalance(imbalance: int, running: int, limit: int) -> int:
    """Return ``imbalance``, or 0 if it is better to leave a few tasks together on their node.

    Args:
        running: tasks there would be on the node that takes.
        limit: how many may be there before nodes are balanced: ``SchedDomain.imb_numa_nr``.

    Source: kernel/sched/fair.c:adjust_numa_imbalance().
    """
    return 0 if running <= limit and imbalance <= NUMA_IMBALANCE_MIN else imbalance


def find_busiest(
    k: "Kernel", sd: "SchedDomain", this_cpu: int, more: dict[int, int]
) -> tuple[int, int, int]:
    """Return ``(CPU, migration type, how much)`` for a pass of ``this_cpu``; CPU -1 for none.

    CPUs in ``sd.pinned`` do not count.

    Source: kernel/sched/fair.c:find_busiest_group(), find_busiest_queue().
    """
    masks = [mask & ~sd.pinned for mask in sd.level.groups_of(this_cpu)]
    groups = [Group(k, mask, more) for mask in masks if mask]
    local = groups[0]
    by_average = k.bugs.group_imbalance
    busiest: Group | None = None
    for group in groups[1:]:
        if group.running > 0 and (busiest is None or _is_busier(group, busiest, by_average)):
            busiest = group
    if busiest is None or (local.kind > busiest.kind and not by_average):
        return -1, 0, 0
    capacity = sum(group.capacity for group in groups)
    average = sum(group.load for group in groups) * SCHED_CAPACITY_SCALE // max(1, capacity)
    idle = k.load.nr_running[this_cpu] <= 0
    if by_average:
        kind, imbalance = _imbalance_of_load(local, busiest, average)
    elif _is_imbalance(sd, local, busiest, average, idle):
        kind, imbalance = _imbalance(sd, local, busiest, average)
    else:
        return -1, 0, 0
    if imbalance <= 0:
        return -1, 0, 0
    return _busiest_queue(k, busiest.cpus & sd.others, this_cpu, kind, more), kind, imbalance


def _is_busier(group: Group, than: Group, by_average: bool) -> bool:
    """Source: kernel/sched/fair.c:update_sd_pick_busiest()."""
    if by_average:
        return group.average > than.average
    if group.kind != than.kind:
        return group.kind > than.kind
    if group.kind == HAS_SPARE:
        return (-group.idle, group.running) > (-than.idle, than.running)
    return group.average > than.average


def _is_imbalance(
    sd: "SchedDomain", local: Group, busiest: Group, average: int, idle: bool
) -> bool:
    """Tell whether the difference between two groups is worth a move.

    Source: kernel/sched/fair.c:find_busiest_group().
    """
    if local.kind == OVERLOADED:
        if local.average >= busiest.average or local.average >= average:
            return False
        if 100 * busiest.average <= sd.imbalance_pct * local.average:
            return False
    if sd.prefer_sibling and local.kind == HAS_SPARE and busiest.running - local.running > 1:
        return True
    if busiest.kind != OVERLOADED:
        if not idle or busiest.running == 1:
            return False
        return busiest.weight == 1 or local.idle > busiest.idle + 1
    return True


def _imbalance(sd: "SchedDomain", local: Group, busiest: Group, average: int) -> tuple[int, int]:
    """Return ``(migration type, how much)``. Source: kernel/sched/fair.c:calculate_imbalance()."""
    if local.kind == HAS_SPARE:
        if busiest.kind == OVERLOADED and not sd.level.shares_llc:
            return MIGRATE_TASK, max(1, local.idle)
        if busiest.weight == 1 or sd.prefer_sibling:
            imbalance = max(0, busiest.running - local.running)
        else:
            imbalance = max(0, local.idle - busiest.idle)
        if sd.level.distance:
            imbalance = adjust_numa_imbalance(imbalance, local.running + 1, sd.imb_numa_nr)
        return MIGRATE_TASK, imbalance >> 1
    return _imbalance_of_load(local, busiest, average)


def _imbalance_of_load(local: Group, busiest: Group, average: int) -> tuple[int, int]:
    """Return the load that brings neither group past the average, if ``local`` is below it."""
    if local.average >= busiest.average or local.average >= average:
        return MIGRATE_LOAD, 0
    given = (busiest.average - average) * busiest.capacity
    taken = (average - local.average) * local.capacity
    return MIGRATE_LOAD, min(given, taken) // SCHED_CAPACITY_SCALE


def _busiest_queue(k: "Kernel", cpus: int, this_cpu: int, kind: int, more: dict[int, int]) -> int:
    """Return the CPU of ``cpus`` that is to give: with most tasks or most load; -1 if none waits.

    Source: kernel/sched/fair.c:find_busiest_queue().
    """
    table, topology = k.load, k.topology
    mask = table.busy_mask & cpus
    best, most = -1, 0
    while mask:
        cpu = find_next_bit_wrap(mask, this_cpu)
        mask ^= 1 << cpu
        if kind == MIGRATE_TASK:
            value = table.nr_running[cpu]
        else:
            capacity = topology.capacity_of(1 << cpu)
            value = cpu_load(k, cpu, more) * SCHED_CAPACITY_SCALE // max(1, capacity)
        if value > most:
            best, most = cpu, value
    return best
