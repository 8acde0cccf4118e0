"""Groups of CPUs: how full each is, and which of them has too much.

Of a machine with levels what counts is not one CPU but a group of them: a socket with one idle CPU
has room though each of the others queues. ``kernel.smp.select`` places new tasks by it, and
``kernel.smp.passes`` moves those that wait. Whether a group is full is not a matter of numbers
alone: one with more tasks than CPUs has room as long as its CPUs are used less than they could be,
and nobody waits long (``util``, ``runnable``: ``kernel.smp.averages``).

Source: kernel/sched/fair.c (update_sg_lb_stats, group_classify, find_busiest_group,
calculate_imbalance, find_busiest_queue, should_we_balance) of Linux 6.12.
Deviation: no machine here packs tasks onto preferred CPUs (SD_ASYM_PACKING), and NUMA balancing,
which moves tasks to their memory, is not there. On a CPU with several tasks none counts as too
large for it (misfit). Of a group that overlaps the own one, what both have is relieved at lower
levels only.
"""

from typing import TYPE_CHECKING, Final

from kernel.bits import find_first_bit
from kernel.messages import MIGRATE_LOAD, MIGRATE_MISFIT, MIGRATE_TASK, MIGRATE_UTIL
from kernel.smp.asym import fits_capacity
from kernel.smp.averages import (
    averages_of,
    capacity_of,
    cpu_util,
    cpus_of,
    group_sum,
    settle,
    settle_task,
)
from kernel.smp.h_load import h_load_of
from kernel.smp.topology import SCHED_CAPACITY_SCALE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.smp.domains import SchedDomain
    from kernel.task import TaskStruct

# Source: kernel/sched/fair.c (enum group_type); 4 is asym_packing
HAS_SPARE: Final = 0
FULLY_BUSY: Final = 1
MISFIT_TASK: Final = 2
SMT_BALANCE: Final = 3
IMBALANCED: Final = 5
OVERLOADED: Final = 6

# Source: kernel/sched/idle.h (enum cpu_idle_type)
CPU_NOT_IDLE: Final = 0
CPU_IDLE: Final = 1
CPU_NEWLY_IDLE: Final = 2

NUMA_IMBALANCE_MIN: Final = 2


def capacity_greater(one: int, other: int) -> bool:
    """Tell whether a capacity is greater by more than 5 percent. Source: kernel/sched/fair.c."""
    return one * 1024 > other * 1078


class Group:
    """What one group of CPUs has.

    Args:
        cpus: its mask; those in ``pinned`` count for nothing but its size.
        pct: ``imbalance_pct`` of the domain.
        without: a task that does not count where it is: one that is about to leave for elsewhere.

    ``load``, ``util``, ``runnable``: of fair tasks; ``capacity``: what is left for them. ``kind``:
    HAS_SPARE … OVERLOADED; ``average``: load for SCHED_CAPACITY_SCALE of capacity; ``misfit``: the
    greatest load of a CPU whose task needs more than it has.

    Source: kernel/sched/fair.c:update_sg_lb_stats(), update_sg_wakeup_stats(), group_classify().
    """

    __slots__ = (
        "average",
        "capacity",
        "cpus",
        "idle",
        "kind",
        "load",
        "max_capacity",
        "min_capacity",
        "misfit",
        "runnable",
        "running",
        "util",
        "weight",
    )

    def __init__(
        self,
        k: "Kernel",
        cpus: int,
        pct: int,
        without: "TaskStruct | None" = None,
        pinned: int = 0,
    ) -> None:
        table = k.load
        averages = averages_of(k)
        self.cpus = cpus
        self.weight = cpus.bit_count()
        self.capacity = k.topology.capacity_of(cpus)
        cpus &= ~pinned
        self.running = table.running_in(cpus)
        self.idle = (table.idle_mask & cpus).bit_count()
        kept = group_sum(k, cpus)
        load, util, runnable = kept.load, kept.util, kept.runnable
        self.capacity -= kept.taken
        if without is not None and cpus >> without.cpu & 1:
            its = settle_task(k, without)
            load = max(0, load - h_load_of(k, without, its.load))
            util = max(0, util - its.util)
            runnable = max(0, runnable - its.runnable)
            self.running -= 1
            if table.nr_running[without.cpu] == 1:
                self.idle += 1
        self.load = load
        self.util = util
        self.runnable = runnable
        self.misfit = 0
        self.max_capacity = self.min_capacity = SCHED_CAPACITY_SCALE
        if k.topology.capacity:
            each = [capacity_of(k, cpu) for cpu in cpus_of(self.cpus)]
            self.max_capacity, self.min_capacity = max(each), min(each)
        self.average = load * SCHED_CAPACITY_SCALE // max(1, self.capacity)
        if self.cpus in averages.imbalanced and not self._overloaded(pct):
            self.kind = IMBALANCED
        else:
            self.classify(pct)

    def classify(self, pct: int) -> None:
        """Set ``kind`` by numbers and averages alone."""
        if self._overloaded(pct):
            self.kind = OVERLOADED
        elif self.misfit:
            self.kind = MISFIT_TASK
        else:
            self.kind = HAS_SPARE if self._has_capacity(pct) else FULLY_BUSY

    def _overloaded(self, pct: int) -> bool:
        """Source: kernel/sched/fair.c:group_is_overloaded()."""
        return self.running > self.weight and (
            self.capacity * 100 < self.util * pct or self.capacity * pct < self.runnable * 100
        )

    def _has_capacity(self, pct: int) -> bool:
        """Source: kernel/sched/fair.c:group_has_capacity()."""
        if self.running < self.weight:
            return True
        if self.capacity * pct < self.runnable * 100:
            return False
        return self.capacity * 100 > self.util * pct


def misfit_load(k: "Kernel", cpu: int) -> int:
    """Return the load of a task that runs alone on ``cpu`` and needs more than that has, or 0.

    Source: kernel/sched/fair.c:update_misfit_status().
    """
    if k.load.nr_running[cpu] != 1:
        return 0
    avg = settle(k, cpu)
    if fits_capacity(avg.util, capacity_of(k, cpu)):
        return 0
    return max(1, avg.load)


def reduced_capacity(k: "Kernel", sd: "SchedDomain", cpu: int) -> bool:
    """Tell whether other classes take so much of ``cpu`` that its task had better leave.

    Source: kernel/sched/fair.c:check_cpu_capacity().
    """
    return capacity_of(k, cpu) * sd.imbalance_pct < averages_of(k).capacity[cpu] * 100


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


def find_busiest(k: "Kernel", sd: "SchedDomain", this_cpu: int, idle: int) -> tuple[int, int, int]:
    """Return ``(CPU, migration type, how much)`` for a pass of ``this_cpu``; CPU -1 for none.

    CPUs in ``sd.pinned`` do not count. ``idle``: CPU_NOT_IDLE, CPU_IDLE or CPU_NEWLY_IDLE.

    Source: kernel/sched/fair.c:find_busiest_group(), find_busiest_queue().
    """
    pct = sd.imbalance_pct
    groups = [Group(k, mask, pct, None, sd.pinned) for mask in sd.level.groups_of(this_cpu)]
    local = groups[0]
    by_average = k.bugs.group_imbalance
    busiest: Group | None = None
    for group in groups[1:]:
        _classify_remote(k, sd, group, idle)
        if by_average:
            busier = group.running > 0 and (busiest is None or group.average > busiest.average)
        else:
            busier = _is_busier(k, sd, group, busiest, local, this_cpu)
        if busier:
            busiest = group
    if busiest is None:
        return -1, 0, 0
    capacity = sum(group.capacity for group in groups)
    average = sum(group.load for group in groups) * SCHED_CAPACITY_SCALE // max(1, capacity)
    if by_average:
        kind, imbalance = _imbalance_of_load(local, busiest, average)
    elif _is_imbalance(k, sd, local, busiest, average, idle):
        kind, imbalance = _imbalance(k, sd, local, busiest, average, idle)
    else:
        return -1, 0, 0
    if imbalance <= 0:
        return -1, 0, 0
    cpus = busiest.cpus & sd.others & ~sd.pinned
    return _busiest_queue(k, sd, cpus, this_cpu, kind, imbalance), kind, imbalance


def _classify_remote(k: "Kernel", sd: "SchedDomain", group: Group, idle: int) -> None:
    """Add what counts of another group only: tasks that do not fit, siblings that share a core.

    Source: kernel/sched/fair.c:update_sg_lb_stats(), sched_reduced_capacity(), smt_balance().
    """
    if sd.asym or idle:
        left = group.cpus & ~k.load.idle_mask & ~sd.pinned
        while left:
            cpu = find_first_bit(left)
            left &= left - 1
            if sd.asym:
                group.misfit = max(group.misfit, misfit_load(k, cpu))
            elif k.load.nr_running[cpu] == 1 and reduced_capacity(k, sd, cpu):
                group.misfit = max(group.misfit, settle(k, cpu).load)
    if group.kind in (IMBALANCED, OVERLOADED):
        return
    core = group.cpus == k.topology.cores[find_first_bit(group.cpus)]
    if idle and group.weight > 1 and group.running > 1 and core:
        group.kind = SMT_BALANCE
    elif group.misfit:
        group.kind = MISFIT_TASK


def _is_busier(
    k: "Kernel",
    sd: "SchedDomain",
    group: Group,
    than: Group | None,
    local: Group,
    this_cpu: int,
) -> bool:
    """Source: kernel/sched/fair.c:update_sd_pick_busiest()."""
    if group.running <= 0:
        return False
    mine = capacity_of(k, this_cpu)
    helps = capacity_greater(mine, group.max_capacity) and local.kind == HAS_SPARE
    if sd.asym and group.kind == MISFIT_TASK and not helps:
        return False
    if than is not None:
        if group.kind != than.kind:
            return group.kind > than.kind
        if group.kind == IMBALANCED:
            return False
        if group.kind == MISFIT_TASK:
            return group.misfit > than.misfit
        if group.kind in (OVERLOADED, FULLY_BUSY):
            if group.average <= than.average:
                return False
        elif (-group.idle, group.running) <= (-than.idle, than.running):
            return False
    # it is no use to move what has a larger CPU for itself to a smaller one
    return not (sd.asym and group.kind <= FULLY_BUSY and capacity_greater(group.min_capacity, mine))


def _sibling_imbalance(k: "Kernel", local: Group, busiest: Group, idle: int) -> int:
    """Return by how many tasks ``busiest`` has more, for as many cores as ``local`` has.

    Source: kernel/sched/fair.c:sibling_imbalance().
    """
    if not idle or busiest.running <= 0:
        return 0
    ours, theirs = _cores(k, local.cpus), _cores(k, busiest.cpus)
    if ours == theirs:
        return max(0, busiest.running - local.running)
    imbalance = max(0, ours * busiest.running - theirs * local.running)
    imbalance = (2 * imbalance + ours + theirs) // (ours + theirs)
    if imbalance <= 1 and not local.running and busiest.running > 1:
        imbalance = 2  # an empty group is to be used
    return imbalance


def _cores(k: "Kernel", cpus: int) -> int:
    """Source: struct sched_group, ``cores``."""
    if not k.topology.smt:
        return cpus.bit_count()
    number = 0
    while cpus:
        cpus &= ~k.topology.cores[find_first_bit(cpus)]
        number += 1
    return number


def _is_imbalance(
    k: "Kernel", sd: "SchedDomain", local: Group, busiest: Group, average: int, idle: int
) -> bool:
    """Tell whether the difference between two groups is worth a move.

    Source: kernel/sched/fair.c:sched_balance_find_src_group().
    """
    if busiest.kind in (MISFIT_TASK, IMBALANCED):
        return True
    if local.kind > busiest.kind:
        return False
    if local.kind == OVERLOADED:
        if local.average >= busiest.average or local.average >= average:
            return False
        if 100 * busiest.average <= sd.imbalance_pct * local.average:
            return False
    spread = sd.prefer_sibling and local.kind == HAS_SPARE
    if spread and _sibling_imbalance(k, local, busiest, idle) > 1:
        return True
    if busiest.kind != OVERLOADED:
        if not idle:
            return False
        if busiest.weight > 1 and local.idle <= busiest.idle + 1:
            return False
        return busiest.running != 1
    return True


def _imbalance(
    k: "Kernel", sd: "SchedDomain", local: Group, busiest: Group, average: int, idle: int
) -> tuple[int, int]:
    """Return ``(migration type, how much)``. Source: kernel/sched/fair.c:calculate_imbalance()."""
    if busiest.kind == MISFIT_TASK:
        return (MIGRATE_MISFIT, 1) if sd.asym else (MIGRATE_LOAD, busiest.misfit)
    if busiest.kind in (SMT_BALANCE, IMBALANCED):
        return MIGRATE_TASK, 1
    if local.kind == HAS_SPARE:
        if busiest.kind > FULLY_BUSY and not sd.level.shares_llc:
            spare = max(0, local.capacity - local.util)
            return (MIGRATE_UTIL, spare) if spare or not idle else (MIGRATE_TASK, 1)
        if busiest.weight == 1 or sd.prefer_sibling:
            imbalance = _sibling_imbalance(k, local, busiest, idle)
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


def _busiest_queue(
    k: "Kernel", sd: "SchedDomain", cpus: int, this_cpu: int, kind: int, imbalance: int
) -> int:
    """Return the CPU of ``cpus`` that is to give: with most tasks, load or utilisation; or -1.

    Source: kernel/sched/fair.c:sched_balance_find_src_rq().
    """
    table = k.load
    mine = capacity_of(k, this_cpu)
    best, most, most_capacity = -1, 0, 1
    left = cpus & ~table.idle_mask
    while left:
        cpu = find_first_bit(left)
        left &= left - 1
        number = table.nr_running[cpu]
        capacity = capacity_of(k, cpu)
        if sd.asym and number == 1 and not capacity_greater(mine, capacity):
            continue
        value = 0
        if kind == MIGRATE_LOAD:
            value = settle(k, cpu).load
            if number == 1 and value > imbalance and not reduced_capacity(k, sd, cpu):
                continue
            if value * most_capacity <= most * capacity:
                continue
            most_capacity = capacity
        elif kind == MIGRATE_UTIL:
            if number > 1:
                value = max(cpu_util(k, cpu), settle(k, cpu).runnable)
        elif kind == MIGRATE_TASK:
            value = number
        else:
            value = misfit_load(k, cpu)
        if kind == MIGRATE_LOAD or value > most:
            best, most = cpu, value
    return best
