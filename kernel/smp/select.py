"""On which CPU a fair task starts or wakes, on a machine whose topology is configured.

A new program or task goes down the levels, each time into the idlest group of CPUs, and there to
the idlest CPU. A woken one goes where its cache is or where its waker is, and from there to an idle
CPU that shares the last-level cache, in an idle core if there is one.

Source: kernel/sched/fair.c (select_task_rq_fair, find_idlest_group, find_idlest_cpu, wake_affine,
wake_wide, select_idle_sibling) of Linux 6.12.
Load and utilisation are PELT's (``kernel.smp.averages``).
Deviation: of idle CPUs the nearest is taken, not the one that idled last or sleeps lightest. A CPU
that runs only SCHED_IDLE tasks is not idle. The flag that there are idle cores is always right.
"""

from typing import TYPE_CHECKING

from kernel.bits import find_first_bit, find_next_bit_wrap
from kernel.sched.weights import NICE_0_LOAD
from kernel.smp.affinity import cpumask_any_and_distribute
from kernel.smp.asym import asym_fits_cpu, fits_capacity, select_idle_capacity
from kernel.smp.averages import capacity_of, nr_idle_scan, settle, settle_task, task_h_load
from kernel.smp.groups import (
    HAS_SPARE,
    IMBALANCED,
    MISFIT_TASK,
    Group,
    adjust_numa_imbalance,
    idle_cores,
)
from kernel.smp.smp_class import SELECT_EXEC, SELECT_WAKE
from kernel.task import TaskStruct, Wakes
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.smp.domains import SchedDomain


def select_task_rq_levels(
    k: "Kernel", task: TaskStruct, previous: int, why: int, allowed: int
) -> int:
    """Return the CPU for ``task``.

    Args:
        previous: where it was, for a new one its parent.
        why: SELECT_WAKE, SELECT_FORK or SELECT_EXEC.
        allowed: CPUs that it may use, 0 for all.

    Source: kernel/sched/fair.c:select_task_rq_fair(), kernel/sched/core.c:select_task_rq().
    """
    allowed = allowed or k.topology.online
    if not allowed & (allowed - 1):
        return allowed.bit_length() - 1
    if why == SELECT_WAKE:
        cpu = _select_wake(k, task, previous, allowed)
    else:
        cpu = _find_idlest_cpu(k, task, previous, why == SELECT_EXEC, allowed)
    return cpu if allowed >> cpu & 1 else cpumask_any_and_distribute(k, allowed, cpu)


# -- fork and exec -------------------------------------------------------------------------------


def _find_idlest_cpu(k: "Kernel", task: TaskStruct, cpu: int, on_it: bool, allowed: int) -> int:
    """Go down the levels from the widest in which tasks start; ``on_it``: ``task`` runs on ``cpu``.

    Source: kernel/sched/fair.c:find_idlest_cpu().
    """
    without = task if on_it else None
    for level in reversed(k.domains):
        sd = level[cpu]
        if sd.level.wide or not sd.others:
            continue
        group = _find_idlest_group(k, sd, cpu, allowed, task, without)
        if group:
            cpu = _idlest_in(k, group & allowed, cpu, without)
    return cpu


def _find_idlest_group(
    k: "Kernel",
    sd: "SchedDomain",
    cpu: int,
    allowed: int,
    task: TaskStruct,
    without: TaskStruct | None,
) -> int:
    """Return the group of ``sd`` that is idler than the one of ``cpu``, 0 if none is.

    Source: kernel/sched/fair.c:find_idlest_group().
    """
    local: Group | None = None
    idlest: Group | None = None
    for mask in sd.level.groups_of(cpu):
        if not mask & allowed:
            continue
        group = Group(k, mask, sd.imbalance_pct, without)
        if sd.asym:
            group.misfit = not _fits(k, task, mask)
            group.classify(sd.imbalance_pct)
        if mask >> cpu & 1:
            local = group
        elif idlest is None or _is_idler(group, idlest, k.bugs.group_imbalance):
            idlest = group
    if idlest is None:
        return 0
    if k.bugs.group_imbalance and local is not None:
        worth_it = 200 * local.average >= (100 + sd.imbalance_pct) * idlest.average
        return idlest.cpus if worth_it and local.average else 0
    if local is None or local.kind > idlest.kind:
        return idlest.cpus
    if local.kind < idlest.kind or not _is_worth_it(sd, local, idlest, allowed):
        return 0
    return idlest.cpus


def _fits(k: "Kernel", task: TaskStruct, cpus: int) -> bool:
    """Tell whether ``task`` fits on a CPU of ``cpus``. Source: fair.c:task_fits_cpu()."""
    util = settle_task(k, task).util
    while cpus:
        cpu = find_first_bit(cpus)
        cpus &= cpus - 1
        if fits_capacity(util, capacity_of(k, cpu)):
            return True
    return False


def _is_idler(group: Group, than: Group, by_average: bool) -> bool:
    """Source: kernel/sched/fair.c:update_pick_idlest()."""
    if by_average:
        return group.average < than.average
    if group.kind != than.kind:
        return group.kind < than.kind
    if group.kind == MISFIT_TASK:
        return group.max_capacity > than.max_capacity
    if group.kind == HAS_SPARE:
        return (group.idle, -group.util) > (than.idle, -than.util)
    return group.average < than.average


def _is_worth_it(sd: "SchedDomain", local: Group, idlest: Group, allowed: int) -> bool:
    """Tell whether a task leaves its group for one that is as full or as free as that."""
    if local.kind == IMBALANCED:
        return False
    if local.kind == MISFIT_TASK:
        return idlest.max_capacity > local.max_capacity
    if local.kind == HAS_SPARE:
        if sd.level.distance:
            imbalance = abs(local.idle - idlest.idle)
            limit = min(sd.imb_numa_nr, (allowed & sd.span).bit_count())
            if not adjust_numa_imbalance(imbalance, local.running + 1, limit):
                return False
        return local.idle < idlest.idle
    margin = NICE_0_LOAD * (sd.imbalance_pct - 100) // 100
    if sd.level.distance and idlest.average + margin >= local.average:
        return False
    if idlest.average >= local.average + margin:
        return False
    return 100 * local.average > sd.imbalance_pct * idlest.average


def _idlest_in(k: "Kernel", cpus: int, near: int, without: TaskStruct | None) -> int:
    """Return an idle CPU of ``cpus``, the nearest to ``near``, else the least loaded one.

    Source: kernel/sched/fair.c:find_idlest_group_cpu().
    """
    idle = k.load.idle_mask & cpus
    if without is not None and k.load.nr_running[without.cpu] == 1:
        idle |= 1 << without.cpu & cpus
    if idle:
        return k.topology.nearest(idle, near)
    best, least = -1, 0
    while cpus:
        cpu = find_next_bit_wrap(cpus, 0)
        cpus &= cpus - 1
        load = settle(k, cpu).load
        if best < 0 or load < least:
            best, least = cpu, load
    return best


# -- wake-up -------------------------------------------------------------------------------------


def _select_wake(k: "Kernel", task: TaskStruct, previous: int, allowed: int) -> int:
    """Choose between where the task was and where its waker is; then an idle CPU beside that."""
    this = k.cpu
    waker = k.current
    wakes = _wakes_of(task)
    if waker is not task:
        _record_wakee(k, waker, task)
    if k.bugs.wakeup and allowed >> this & 1:
        return _select_idle_sibling(k, task, this, this, None, allowed)
    target = previous
    meet = k.topology.level_between(this, previous) if this != previous else -1
    if (
        meet >= 0
        and allowed >> this & 1
        and not k.topology.levels[meet].wide
        and not _wake_wide(k, waker, task, this)
    ):
        target = _wake_affine(k, k.domains[meet][this], task, this, previous)
    return _select_idle_sibling(k, task, previous, target, wakes, allowed)


def _wakes_of(task: TaskStruct) -> Wakes:
    wakes = task.wakes
    if wakes is None:
        wakes = task.wakes = Wakes()
    return wakes


def _record_wakee(k: "Kernel", waker: TaskStruct, task: TaskStruct) -> None:
    """Count how often ``waker`` wakes another task than before; the count halves in a second.

    Source: kernel/sched/fair.c:record_wakee().
    """
    wakes = _wakes_of(waker)
    if k.now_ns > wakes.decay_ns + NSEC_PER_SEC:
        wakes.flips >>= 1
        wakes.decay_ns = k.now_ns
    if wakes.last != task.pid:
        wakes.last = task.pid
        wakes.flips += 1


def _wake_wide(k: "Kernel", waker: TaskStruct, task: TaskStruct, this: int) -> bool:
    """Tell whether ``waker`` wakes too many, and they too many, to have them beside it.

    Source: kernel/sched/fair.c:wake_wide().
    """
    factor = k.topology.llcs[this].bit_count()
    slave, master = sorted((_wakes_of(waker).flips, _wakes_of(task).flips))
    return slave >= factor and master >= slave * factor


def _wake_affine(k: "Kernel", sd: "SchedDomain", task: TaskStruct, this: int, previous: int) -> int:
    """Return ``this``, the waker's CPU, or ``previous``.

    A waker that is about to sleep (sync) leaves its CPU to whom it wakes: it does not count.

    Source: kernel/sched/fair.c:wake_affine_idle(), wake_affine_weight().
    """
    sync = k.wake_sync
    idle, topology = k.load.idle_mask, k.topology
    if idle >> this & 1 and topology.llcs[this] >> previous & 1:
        return previous if idle >> previous & 1 else this
    if sync and k.load.nr_running[this] == 1:
        return this
    if idle >> previous & 1:
        return previous
    here = settle(k, this).load
    if sync:
        here -= task_h_load(k, k.current)
        if here < 0:
            return this
    load = task_h_load(k, task)
    here = (here + load) * 100 * capacity_of(k, previous)
    there = max(0, settle(k, previous).load - load) * (100 + (sd.imbalance_pct - 100) // 2)
    there = there * capacity_of(k, this) + sync
    return this if here < there else previous


def _select_idle_sibling(
    k: "Kernel",
    task: TaskStruct,
    previous: int,
    target: int,
    wakes: Wakes | None,
    allowed: int,
) -> int:
    """Return an idle CPU at or near ``target``, else ``target``.

    In this order: itself; the previous CPU and the one before that, if they share its cache; an
    idle core; without one an idle sibling of the previous CPU; any idle CPU of its cache, those of
    its cluster first. Where there are clusters the previous two come at their place only if they
    are in that of ``target``, else at last. Where capacities differ it is one that is large enough,
    in any cache. The one before the last is forgotten only if neither ``target`` nor the last will
    do.

    Args:
        wakes: has the CPU before the last; None: there is none.

    Source: kernel/sched/fair.c:select_idle_sibling(), select_idle_cpu(), select_idle_smt().
    """
    topology = k.topology
    near = topology.llcs[target]
    idle = k.load.idle_mask & near & allowed
    beside = _cluster_of(k, target)  # cpus_share_resources()
    last = -1
    for cpu in (target, previous):
        if idle >> cpu & 1 and asym_fits_cpu(k, task, cpu):
            if beside >> cpu & 1:
                return cpu
            last = cpu
    if wakes is not None:
        recent, wakes.recent = wakes.recent, previous
        if recent >= 0 and idle >> recent & 1 and asym_fits_cpu(k, task, recent):
            if beside >> recent & 1:
                return recent
            last = recent if last < 0 else last
    if topology.capacity:
        return select_idle_capacity(k, task, target, allowed)
    if not idle:
        return target
    found = _select_idle_other(k, previous, target, idle, allowed)
    return found if found >= 0 else last if last >= 0 else target


def _cluster_of(k: "Kernel", cpu: int) -> int:
    """Return the CPUs that share as much as ``cpu`` can share: its cluster, else its cache.

    Source: kernel/sched/topology.c:update_top_cache_domain() (sd_share_id), kernel/sched/core.c:
        cpus_share_resources().
    """
    topology = k.topology
    cluster = topology.clusters[cpu]
    return topology.llcs[cpu] if cluster == topology.cores[cpu] else cluster


def _select_idle_other(k: "Kernel", previous: int, target: int, idle: int, allowed: int) -> int:
    """Return one of ``idle``, which share the cache of ``target``, -1 for none that is found.

    Source: kernel/sched/fair.c:select_idle_sibling(), its second half.
    """
    topology = k.topology
    near = topology.llcs[target]
    if topology.smt:
        whole = idle_cores(k, k.load.idle_mask & near) & allowed
        sibling = idle & topology.cores[previous]
        if whole:
            idle = whole
        elif sibling:
            return find_next_bit_wrap(sibling, 0)
        return _select_idle_cpu(k, target, near & allowed, idle, whole != 0)
    return _select_idle_cpu(k, target, near & allowed, idle, False)


def _select_idle_cpu(k: "Kernel", target: int, cpus: int, idle: int, whole: bool) -> int:
    """Return one of ``idle``, the first after ``target``, in its cluster if any, or -1.

    Not all of ``cpus`` are looked at: the fuller the cache the fewer. For an idle core all are.

    Source: kernel/sched/fair.c:select_idle_cpu().
    """
    topology = k.topology
    near = topology.llcs[target]
    left = topology.cpus
    pct = 0
    for level in k.domains:
        if level[target].level.shares_llc:
            pct = level[target].imbalance_pct
    if pct:
        left = nr_idle_scan(k, near, pct)
        if not left:
            return -1
    start = (target + 1) % topology.cpus
    cluster = topology.clusters[target]
    if cluster == topology.cores[target]:
        cluster = 0  # it has none
    for part in (cpus & cluster, cpus & ~cluster):
        if idle & part:
            found = find_next_bit_wrap(idle & part, start)
            return found if whole or _looked_at(part, start, found) <= left else -1
        left -= part.bit_count()
        if left <= 0 and not whole:
            break
    return -1


def _looked_at(cpus: int, start: int, found: int) -> int:
    """Return how many of ``cpus`` come from ``start`` on, going round, up to ``found``."""
    upto = cpus & (2 << found) - 1
    if found >= start:
        return (upto >> start).bit_count()
    return upto.bit_count() + (cpus >> start).bit_count()
