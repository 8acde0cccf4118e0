"""What the kernel knows of PELT's averages: what CPUs said last, brought up to now.

CPUs own the averages (``kernel.sched.pelt``); this is what placement and balancing read of them
(decision 6). A CPU says them before a request, once a period for each task. Since then the kernel
goes on as it knows: the load table has who is runnable where, so a queue's load and runnable rise
to what is on it, its utilisation to that of a CPU that always runs something, and all of them decay
where nothing is. Of a task it is not known how much of a shared CPU it had: while it is runnable
its utilisation is taken to stay; while it sleeps it decays. What a task adds to its CPU is moved
along with it as soon as the kernel decides that it moves, before either CPU could say so.

Machines whose topology is not configured have none of it: ``k.averages`` is None.

Source: kernel/sched/fair.c (cpu_load, cpu_runnable, cpu_util, cpu_util_without, task_h_load,
task_util, scale_rt_capacity), kernel/sched/core.c:ttwu_do_activate() (avg_idle).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kernel.bits import find_first_bit
from kernel.sched.pelt import SCHED_CAPACITY_SCALE, decay_load, initial_util
from kernel.sched.sched_class import SYSCTL_SCHED_MIGRATION_COST_NS
from kernel.sched.weights import NICE_0_LOAD
from kernel.smp.h_load import cpu_h_load, grouped, h_load_of, update_h_loads, weight_share
from kernel.smp.weigh import task_load

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.smp.topology import Topology
    from kernel.task import TaskStruct

_PERIOD_SHIFT: Final = 20  # 1024 us
_PERIOD_NS: Final = 1 << _PERIOD_SHIFT


class TaskAvg:
    """The averages of one task as of the period ``at``."""

    __slots__ = ("at", "load", "runnable", "util")

    def __init__(self, load: int, util: int, at: int) -> None:
        self.load = load
        self.runnable = util
        self.util = util
        self.at = at


class CpuAvg:
    """The averages of one CPU as of the period ``at``, and how long it idles.

    ``rt``, ``dl``: utilisation by these classes. ``idle_stamp``: since when it idles, -1: it does
    not, or got a task by balancing; ``avg_idle``: how long it does, in ns.
    """

    __slots__ = ("at", "avg_idle", "dl", "idle_stamp", "load", "rt", "runnable", "util")

    def __init__(self) -> None:
        self.at = 0
        self.load = 0
        self.runnable = 0
        self.util = 0
        self.rt = 0
        self.dl = 0
        self.idle_stamp = -1
        self.avg_idle = 2 * SYSCTL_SCHED_MIGRATION_COST_NS


class GroupSum:
    """What the CPUs of a mask have together as of the period ``at``; -1: it is to be summed up.

    ``taken``: what other classes have of their capacity.
    """

    __slots__ = ("at", "cpus", "load", "runnable", "taken", "util")

    def __init__(self, cpus: tuple[int, ...]) -> None:
        self.cpus = cpus
        self.at = -1
        self.load = 0
        self.runnable = 0
        self.util = 0
        self.taken = 0


class Averages:
    """Those of all CPUs.

    ``sums``: by mask those of groups that were looked at, ``sums_of``: by CPU those it is in. An
    average changes once a period by itself (``settle``), and else where ``_changed`` says so.
    ``latest``: the latest period that was settled; requests of one round go back in time.
    ``warm``: mask of the CPUs that have any; ``imbalanced``: groups in which tasks that may not
    move stood in the way of balance (``sgc->imbalance``); ``scans``: first CPU of a last-level
    cache -> until when, and how many CPUs a wake-up looks at there; ``crowded``: how many groups
    of several CPUs have two or more that run something.
    """

    __slots__ = (
        "capacity",
        "cpus",
        "crowded",
        "imbalanced",
        "latest",
        "scans",
        "sums",
        "sums_of",
        "warm",
    )

    def __init__(self, topology: "Topology") -> None:
        self.cpus = [CpuAvg() for _ in range(topology.cpus)]
        self.capacity = topology.capacity or (SCHED_CAPACITY_SCALE,) * topology.cpus
        self.warm = 0
        self.crowded = 0
        self.imbalanced: dict[int, None] = {}
        self.scans: dict[int, tuple[int, int]] = {}
        self.latest = 0
        self.sums: dict[int, GroupSum] = {}
        self.sums_of: list[list[GroupSum]] = [[] for _ in range(topology.cpus)]


def averages_of(k: "Kernel") -> Averages:
    """Return them on a machine that has them."""
    averages = k.averages
    if averages is None:
        raise AssertionError("a flat machine has no averages")
    return averages


def toward(value: int, target: int, periods: int) -> int:
    """Return what becomes of an average when it was ``target`` for so many periods."""
    return decay_load(value, periods) + target - decay_load(target, periods)


# -- CPUs ----------------------------------------------------------------------------------------


def settle(k: "Kernel", cpu: int) -> CpuAvg:
    """Bring the averages of ``cpu`` up to now; call it before its number of tasks changes."""
    averages = averages_of(k)
    avg = averages.cpus[cpu]
    now = k.now_ns >> _PERIOD_SHIFT
    periods = now - avg.at
    if periods <= 0:
        return avg
    avg.at = now
    if now > averages.latest:
        averages.latest = now
    number = k.load.nr_running[cpu]
    weight = NICE_0_LOAD * number
    if number > 0:
        if k.groups.groups:
            weight = cpu_h_load(k, update_h_loads(k, _PERIOD_NS), cpu)
        else:
            weight += k.uneven_cpus.get(cpu, 0)
    if weight <= 0:
        number = weight = 0
    bit = 1 << cpu
    if not number and not averages.warm & bit:
        return avg
    averages.warm |= bit
    avg.load = toward(avg.load, weight, periods)
    avg.runnable = toward(avg.runnable, SCHED_CAPACITY_SCALE * number, periods)
    avg.util = toward(avg.util, SCHED_CAPACITY_SCALE if number else 0, periods)
    if avg.rt or avg.dl:
        avg.rt = decay_load(avg.rt, periods)
        avg.dl = decay_load(avg.dl, periods)
    elif not number and not avg.load and not avg.runnable and not avg.util:
        averages.warm &= ~bit
    return avg


def count(k: "Kernel", cpu: int, change: int) -> None:
    """``cpu`` is about to have one task more (``change`` 1) or less (-1).

    Source: kernel/sched/core.c:ttwu_do_activate(), update_avg().
    """
    avg = settle(k, cpu)
    averages = averages_of(k)
    if k.load.nr_running[cpu] == (change < 0):  # it begins or ceases to idle
        others = ~k.load.idle_mask & ~(1 << cpu)
        for level in k.topology.levels[1:]:
            if (level.groups[cpu] & others).bit_count() == 1:
                averages.crowded += change
    if change < 0:
        return
    if not averages.warm >> cpu & 1:
        averages.warm |= 1 << cpu
        _changed(averages, cpu)  # from now on it is settled with its groups
    if avg.idle_stamp >= 0 and not k.load.nr_running[cpu]:
        delta = k.now_ns - avg.idle_stamp
        avg.idle_stamp = -1
        avg.avg_idle += (delta - avg.avg_idle) // 8
        avg.avg_idle = min(avg.avg_idle, 2 * SYSCTL_SCHED_MIGRATION_COST_NS)


def pulled(k: "Kernel", cpu: int) -> None:
    """Balancing brings ``cpu`` a task: how long it idled till then tells nothing.

    Source: kernel/sched/fair.c:newidle_balance().
    """
    averages_of(k).cpus[cpu].idle_stamp = -1


def cpu_util(k: "Kernel", cpu: int) -> int:
    """Return the utilisation of ``cpu`` by fair tasks, at most what it has.

    Source: kernel/sched/fair.c:cpu_util().
    """
    return min(settle(k, cpu).util, averages_of(k).capacity[cpu])


def capacity_of(k: "Kernel", cpu: int) -> int:
    """Return what ``cpu`` has for fair tasks.

    Source: kernel/sched/fair.c:scale_rt_capacity().
    """
    averages = averages_of(k)
    avg = averages.cpus[cpu]
    most = averages.capacity[cpu]
    if not avg.rt and not avg.dl:
        return most
    settle(k, cpu)
    return max(1, most - avg.rt - avg.dl)


def loaded(k: "Kernel", cpus: int) -> int:
    """Return those of ``cpus`` that have averages or tasks: the others count as nothing."""
    return cpus & (averages_of(k).warm | ~k.load.idle_mask)


def group_sum(k: "Kernel", cpus: int) -> GroupSum:
    """Return what the CPUs of a mask have together, now; the next look changes it.

    Source: kernel/sched/fair.c:update_sg_lb_stats(), its loop.
    """
    averages = averages_of(k)
    found = averages.sums.get(cpus)
    if found is None:
        found = averages.sums[cpus] = GroupSum(cpus_of(cpus))
        for cpu in found.cpus:
            averages.sums_of[cpu].append(found)
    now = k.now_ns >> _PERIOD_SHIFT
    if found.at == now and averages.latest == now:
        return found
    found.at = now
    load = util = runnable = taken = 0
    of, capacity = averages.cpus, averages.capacity
    live = loaded(k, cpus)
    for cpu in found.cpus:
        avg = of[cpu]
        if avg.at < now and live >> cpu & 1:
            settle(k, cpu)
        most = capacity[cpu]
        load += avg.load
        util += avg.util if avg.util < most else most
        runnable += avg.runnable
        if avg.rt or avg.dl:
            taken += most - capacity_of(k, cpu)
    found.load, found.util, found.runnable, found.taken = load, util, runnable, taken
    return found


def _changed(averages: Averages, cpu: int) -> None:
    """The averages of ``cpu`` have become others within their period."""
    for each in averages.sums_of[cpu]:
        each.at = -1


def cpus_of(mask: int) -> tuple[int, ...]:
    """Return the CPUs of a mask."""
    found = []
    while mask:
        found.append(find_first_bit(mask))
        mask &= mask - 1
    return tuple(found)


# -- tasks ---------------------------------------------------------------------------------------


def task_h_load(k: "Kernel", task: "TaskStruct") -> int:
    """Return what ``task`` counts for a CPU: of a group it has a part only.

    Source: kernel/sched/fair.c:task_h_load().
    """
    return h_load_of(k, task, settle_task(k, task).load)


def settle_task(k: "Kernel", task: "TaskStruct") -> TaskAvg:
    """Bring the averages of ``task`` up to now; call it before it sleeps or wakes.

    One that no CPU has spoken of has the load of its weight and no utilisation yet.
    """
    now = k.now_ns >> _PERIOD_SHIFT
    avg = task.avg
    if avg is None:
        avg = task.avg = TaskAvg(task_load(k, task), 0, now)
        return avg
    periods = now - avg.at
    if periods <= 0:
        return avg
    avg.at = now
    if task.on_rq:
        avg.load = toward(avg.load, task_load(k, task), periods)
        avg.runnable = toward(avg.runnable, SCHED_CAPACITY_SCALE, periods)
        if k.load.nr_running[task.cpu] == 1:  # it has the CPU for itself
            avg.util = toward(avg.util, SCHED_CAPACITY_SCALE, periods)
    else:
        avg.load = decay_load(avg.load, periods)
        avg.runnable = decay_load(avg.runnable, periods)
        avg.util = decay_load(avg.util, periods)
    return avg


def heard(k: "Kernel", cpu: int, pid: int, said: Sequence[int]) -> None:
    """``cpu`` has said the averages of its current task ``pid`` and its own, as of now.

    ``said``: as ``kernel.sched.pelt.report`` returned it.
    """
    averages = k.averages
    if averages is None:
        return
    now = k.now_ns >> _PERIOD_SHIFT
    avg = averages.cpus[cpu]
    avg.load, avg.runnable, avg.util, avg.rt, avg.dl = said[3:]
    avg.at = now
    if grouped(k):
        avg.load = weight_share(update_h_loads(k, _PERIOD_NS), cpu, avg.load)
    averages.warm |= 1 << cpu
    _changed(averages, cpu)
    if said[0] >= 0:
        task = k.find_task(pid)
        if task.avg is None:
            task.avg = TaskAvg(0, 0, now)
        its = task.avg
        its.load, its.runnable, its.util = said[:3]
        its.at = now


def attach_new(k: "Kernel", task: "TaskStruct", cpu: int) -> None:
    """``task`` is new, and will start on ``cpu``; nothing on a flat machine.

    Source: kernel/sched/fair.c:post_init_entity_util_avg().
    """
    if k.averages is None:
        return
    avg = settle(k, cpu)
    weight = task_load(k, task)
    if not weight:
        return
    its = settle_task(k, task)
    its.load = weight
    part = h_load_of(k, task, weight)
    its.util = initial_util(averages_of(k).capacity[cpu], part, avg.util, avg.load)
    its.runnable = its.util
    _add(k, cpu, its, part)


def moved(k: "Kernel", task: "TaskStruct", source: int, dest: int) -> None:
    """``task`` leaves ``source``, where it slept or waited, for ``dest``."""
    its = settle_task(k, task)
    load = h_load_of(k, task, its.load)
    _take(k, source, its, load)
    _add(k, dest, its, load)


def dead(k: "Kernel", task: "TaskStruct") -> None:
    """``task`` has left its CPU for ever. Source: kernel/sched/fair.c:remove_entity_load_avg()."""
    its = settle_task(k, task)
    _take(k, task.cpu, its, h_load_of(k, task, its.load))


def _add(k: "Kernel", cpu: int, its: TaskAvg, load: int) -> None:
    avg = settle(k, cpu)
    avg.load += load
    avg.runnable += its.runnable
    avg.util += its.util
    averages = averages_of(k)
    averages.warm |= 1 << cpu
    _changed(averages, cpu)


def _take(k: "Kernel", cpu: int, its: TaskAvg, load: int) -> None:
    avg = settle(k, cpu)
    _changed(averages_of(k), cpu)
    avg.load = max(0, avg.load - load)
    avg.runnable = max(0, avg.runnable - its.runnable)
    avg.util = max(0, avg.util - its.util)


# -- how far a wake-up looks -----------------------------------------------------------------------


def nr_idle_scan(k: "Kernel", cpus: int, imbalance_pct: int) -> int:
    """Return how many CPUs of the last-level cache ``cpus`` a wake-up looks at for an idle one.

    The fuller they are the fewer. Computed once in as many ms as it has CPUs.

    Source: kernel/sched/fair.c:update_idle_cpu_scan() (SIS_UTIL).
    Deviation: Linux computes it in passes of periodic balancing over the cache; here there are none
        while no task waits.
    """
    averages = averages_of(k)
    first = find_first_bit(cpus)
    until_ns, number = averages.scans.get(first, (0, 0))
    if k.now_ns < until_ns:
        return number
    weight = cpus.bit_count()
    total = 0
    left = loaded(k, cpus)
    while left:
        total += cpu_util(k, find_first_bit(left))
        left &= left - 1
    used = (total // weight * imbalance_pct) ** 2 // (10_000 * SCHED_CAPACITY_SCALE)
    number = (SCHED_CAPACITY_SCALE - min(used, SCHED_CAPACITY_SCALE)) * weight
    number //= SCHED_CAPACITY_SCALE
    averages.scans[first] = (k.now_ns + 1_000_000 * weight, number)
    return number
