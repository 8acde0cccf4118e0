"""What tasks of groups weigh for their CPU: their part of their group's weight, and so on upwards.

A group has one weight, however many tasks there are in it and however many CPUs they are on. So a
task of it weighs its own weight times the group's, divided by that of all runnable tasks of the
group; inside other groups that goes on to the top. Balancing and placement count in this load
(task_h_load): with their own weights three sessions of 2, 4 and 6 spinners would look balanced as
soon as each CPU has six tasks, whoever they are.

It is computed of who is runnable where, not kept: a look costs as much as there are tasks, so of
many it is taken more rarely, and in between the number of a CPU's tasks says how its load changes.
A machine with one group has nothing of it (``grouped``).

Source: kernel/sched/fair.c (update_cfs_rq_h_load, task_h_load) of Linux 6.12.
Deviation: the part that a task has of its group is that of its weight in what is runnable now;
Linux divides decaying averages (PELT).
"""

from typing import TYPE_CHECKING, Final

from kernel.process.tasklist import for_each_process
from kernel.sched.task_group import BASE_GROUP
from kernel.sched.weights import NICE_0_LOAD
from kernel.smp.throttled import group_is_throttled
from kernel.smp.weigh import task_load, uneven_loads

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct

TASKS_PER_TICK: Final = 64  # so many are looked at as often as there is a reason
_SHIFT: Final = 20
_WHOLE: Final = 1 << _SHIFT


class HLoads:
    """The last look.

    ``parts``: by number of a group what of its own weight a task in it has, in ``_WHOLE``;
    ``loads``, ``weights``, ``numbers``: by CPU the load, what it would be without groups, and how
    many tasks there were; ``until_ns``: till when it is good enough.
    """

    __slots__ = ("loads", "numbers", "parts", "until_ns", "weights")

    def __init__(self) -> None:
        self.parts: dict[int, int] = {}
        self.loads: dict[int, int] = {}
        self.weights: dict[int, int] = {}
        self.numbers: list[int] = []
        self.until_ns = 0


def grouped(k: "Kernel") -> bool:
    """Tell whether there is more than one group, so that tasks weigh another than their weight."""
    return bool(k.groups.groups)


def runnable_by_group(k: "Kernel") -> dict[int, dict[int, int]]:
    """Return by group and CPU what the runnable tasks weigh that are in no group below it."""
    here: dict[int, dict[int, int]] = {}
    path_of = k.groups.path_of
    for process in for_each_process(k):
        for task in process.signal.threads:
            if not task.on_rq:
                continue
            load = task_load(k, task)
            if load:
                path = path_of(task)
                loads = here.setdefault(path[-1] if path else BASE_GROUP, {})
                loads[task.cpu] = loads.get(task.cpu, 0) + load
    return here


def update_h_loads(k: "Kernel", least_ns: int) -> HLoads:
    """Look at who is runnable where unless the last look is good enough; return it.

    Args:
        least_ns: a look is good for so long at least.

    Source: kernel/sched/fair.c:update_cfs_rq_h_load().
    """
    table = k.groups
    looked = table.h_loads
    if k.now_ns < looked.until_ns:
        return looked
    looked.until_ns = k.now_ns + least_ns + k.tasks.nr_threads // TASKS_PER_TICK * k.tick_ns
    here = runnable_by_group(k)
    inside = {gid: sum(loads.values()) for gid, loads in here.items()}
    groups = sorted(table.all(), key=lambda group: (len(group.path), group.gid))
    for group in reversed(groups):
        if group.parent is not None and inside.get(group.gid):
            above = group.parent.gid
            inside[above] = inside.get(above, 0) + group.shares
    parts: dict[int, int] = {}
    for group in groups:
        part = _WHOLE if group.parent is None else parts[group.parent.gid]
        parts[group.gid] = part * group.shares // (inside.get(group.gid) or NICE_0_LOAD)
    looked.parts = parts
    looked.loads, looked.weights = {}, {}
    for gid, loads in here.items():
        part = parts.get(gid, _WHOLE)  # those in no group stand at the top themselves
        for cpu, load in loads.items():
            if table.throttled and group_is_throttled(k, gid, cpu):
                continue
            looked.loads[cpu] = looked.loads.get(cpu, 0) + (load * part >> _SHIFT)
            looked.weights[cpu] = looked.weights.get(cpu, 0) + load
    looked.numbers = list(k.load.nr_running)
    return looked


def h_load_of(k: "Kernel", task: "TaskStruct", load: int) -> int:
    """Return what ``load`` of ``task``, its weight or an average, is for its CPU.

    Source: kernel/sched/fair.c:task_h_load().
    """
    if not k.groups.groups:
        return load
    path = k.groups.path_of(task)
    part = k.groups.h_loads.parts.get(path[-1] if path else BASE_GROUP, _WHOLE)
    return load * part >> _SHIFT


def cpu_h_load(k: "Kernel", looked: HLoads, cpu: int) -> int:
    """Return the load of ``cpu`` by the number of its tasks, which may be another by now."""
    number, before = k.load.nr_running[cpu], looked.numbers[cpu]
    load = looked.loads.get(cpu, 0)
    if number == before:
        return load
    if number <= 0:
        return 0
    return load * number // before if before > 0 else NICE_0_LOAD * number


def weight_share(looked: HLoads, cpu: int, load: int) -> int:
    """Return what is left of ``load`` of ``cpu``, in which every task counts with its own weight.

    So a CPU says its average.
    """
    weight = looked.weights.get(cpu, 0)
    return load * looked.loads[cpu] // weight if weight else load


def uneven_h_loads(k: "Kernel") -> dict[int, int]:
    """Return by CPU what its load is more than its number of tasks says, as ``uneven_loads`` does.

    On a machine with one group it is the same.
    """
    if not grouped(k):
        return uneven_loads(k)
    looked = update_h_loads(k, 0)
    more: dict[int, int] = {}
    for cpu, number in enumerate(k.load.nr_running):
        extra = cpu_h_load(k, looked, cpu) - NICE_0_LOAD * number
        if extra:
            more[cpu] = extra
    return more
