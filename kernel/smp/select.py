"""On which CPU a fair task starts or wakes, on a machine whose topology is configured.

A new program or task goes down the levels, each time into the idlest group of CPUs, and there to
the idlest CPU. A woken one goes where its cache is or where its waker is, and from there to an idle
CPU that shares the last-level cache, in an idle core if there is one.

Source: kernel/sched/fair.c (select_task_rq_fair, find_idlest_group, find_idlest_cpu, wake_affine,
wake_wide, select_idle_sibling) of Linux 6.12.
Deviation: load is not PELT's: it is the weight of what is runnable now. No new task is too large or
too small for a CPU; of those that wake ``kernel.smp.asym`` knows. Of idle CPUs the nearest is
taken, not the one that idled last or sleeps lightest. Wake-ups are never "sync", and a CPU that
runs only SCHED_IDLE tasks is not idle. All CPUs of the cache are searched, however long that takes,
and the flag that there are idle cores is always right.
"""

from typing import TYPE_CHECKING

from kernel.bits import find_next_bit_wrap
from kernel.sched.weights import NICE_0_LOAD
from kernel.smp.affinity import cpumask_any_and_distribute
from kernel.smp.asym import asym_fits_cpu, select_idle_capacity
from kernel.smp.groups import HAS_SPARE, Group, adjust_numa_imbalance, idle_cores
from kernel.smp.smp_class import SELECT_EXEC, SELECT_WAKE
from kernel.smp.weigh import cpu_load, task_load, uneven_loads
from kernel.task import TaskStruct, Wakes
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.smp.balance import SchedDomain


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
    more = uneven_loads(k)
    weight = task_load(k, task) if on_it else 0
    without = cpu if on_it else -1
    for level in reversed(k.domains):
        sd = level[cpu]
        if sd.level.wide or not sd.others:
            continue
        group = _find_idlest_group(k, sd, cpu, allowed, more, without, weight)
        if group:
            cpu = _idlest_in(k, group & allowed, cpu, more, without)
    return cpu


def _find_idlest_group(
    k: "Kernel",
    sd: "SchedDomain",
    cpu: int,
    allowed: int,
    more: dict[int, int],
    without: int,
    weight: int,
) -> int:
    """Return the group of ``sd`` that is idler than the one of ``cpu``, 0 if none is.

    Source: kernel/sched/fair.c:find_idlest_group().
    """
    local: Group | None = None
    idlest: Group | None = None
    for mask in sd.level.groups_of(cpu):
        if not mask & allowed:
            continue
        group = Group(k, mask, more, without, weight)
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
    if local.kind < idlest.kind or not _is_worth_it(sd, local, idlest):
        return 0
    return idlest.cpus


def _is_idler(group: Group, than: Group, by_average: bool) -> bool:
    """Source: kernel/sched/fair.c:update_pick_idlest()."""
    if by_average:
        return group.average < than.average
    if group.kind != than.kind:
        return group.kind < than.kind
    if group.kind == HAS_SPARE:
        return group.idle > than.idle
    return group.average < than.average


def _is_worth_it(sd: "SchedDomain", local: Group, idlest: Group) -> bool:
    """Tell whether a task leaves its group for one that is as full or as free as that."""
    if local.kind == HAS_SPARE:
        if sd.level.distance:
            imbalance = abs(local.idle - idlest.idle)
            if not adjust_numa_imbalance(imbalance, local.running + 1, sd.imb_numa_nr):
                return False
        return local.idle < idlest.idle
    margin = NICE_0_LOAD * (sd.imbalance_pct - 100) // 100
    if sd.level.distance and idlest.average + margin >= local.average:
        return False
    if idlest.average >= local.average + margin:
        return False
    return 100 * local.average > sd.imbalance_pct * idlest.average


def _idlest_in(k: "Kernel", cpus: int, near: int, more: dict[int, int], without: int) -> int:
    """Return an idle CPU of ``cpus``, the nearest to ``near``, else the least loaded one.

    Source: kernel/sched/fair.c:find_idlest_group_cpu().
    """
    idle = k.load.idle_mask & cpus
    if without >= 0 and k.load.nr_running[without] == 1:
        idle |= 1 << without & cpus
    if idle:
        return k.topology.nearest(idle, near)
    best, least = -1, 0
    while cpus:
        cpu = find_next_bit_wrap(cpus, 0)
        cpus &= cpus - 1
        load = cpu_load(k, cpu, more)
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
        return _select_idle_sibling(k, task, this, this, -1, allowed)
    target = previous
    meet = k.topology.level_between(this, previous) if this != previous else -1
    if (
        meet >= 0
        and allowed >> this & 1
        and not k.topology.levels[meet].wide
        and not _wake_wide(k, waker, task, this)
    ):
        target = _wake_affine(k, k.domains[meet][this], task, this, previous)
    recent, wakes.recent = wakes.recent, previous
    return _select_idle_sibling(k, task, previous, target, recent, allowed)


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

    Source: kernel/sched/fair.c:wake_affine_idle(), wake_affine_weight().
    """
    idle, topology = k.load.idle_mask, k.topology
    if idle >> this & 1 and topology.llcs[this] >> previous & 1:
        return previous if idle >> previous & 1 else this
    if idle >> previous & 1:
        return previous
    more = uneven_loads(k)
    here = (cpu_load(k, this, more) + task_load(k, task)) * 100
    there = cpu_load(k, previous, more) * (100 + (sd.imbalance_pct - 100) // 2)
    here *= topology.capacity_of(1 << previous)
    there *= topology.capacity_of(1 << this)
    return this if here < there else previous


def _select_idle_sibling(
    k: "Kernel", task: TaskStruct, previous: int, target: int, recent: int, allowed: int
) -> int:
    """Return an idle CPU at or near ``target``, else ``target``.

    In this order: itself; the previous CPU and the one before that, if they share its cache; an
    idle core; without one an idle sibling of the previous CPU; any idle CPU of its cache, those of
    its cluster first. Where capacities differ it is one that is large enough, in any cache.

    Source: kernel/sched/fair.c:select_idle_sibling(), select_idle_cpu(), select_idle_smt().
    """
    topology = k.topology
    near = topology.llcs[target]
    idle = k.load.idle_mask & near & allowed
    for cpu in (target, previous, recent):
        if cpu >= 0 and idle >> cpu & 1 and asym_fits_cpu(k, task, cpu):
            return cpu
    if topology.capacity:
        return select_idle_capacity(k, task, target, allowed)
    if not idle:
        return target
    if topology.smt:
        whole = idle_cores(k, k.load.idle_mask & near) & allowed
        sibling = idle & topology.cores[previous]
        if whole:
            idle = whole
        elif sibling:
            return find_next_bit_wrap(sibling, 0)
    idle = idle & topology.clusters[target] or idle
    return find_next_bit_wrap(idle, (target + 1) % topology.cpus)
