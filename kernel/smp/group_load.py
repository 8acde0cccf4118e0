"""How the weight of a group is divided among CPUs: what of it runs where.

A group has one weight, however many CPUs its tasks are on; on each it has the part of it that its
tasks there are of all its runnable tasks (``kernel.sched.task_group.calc_group_shares``). A CPU
knows its own; what is on the others is known here. As long as a CPU has two runnable tasks and
there is more than one group, the kernel looks at its ticks at who is runnable where, and tells a
CPU that has tasks of a group when the load of that group on other CPUs is another by more than a
64th. What it looks at changes at once when a task sleeps or wakes, so it follows slowly: a quarter
of the difference at each tick.

A look costs as much as there are tasks; of many it is taken as much more rarely.

Source: kernel/sched/fair.c (update_tg_load_avg, calc_group_shares) of Linux 6.12.
Deviation: Linux sums decaying averages that every queue keeps of its load (tg->load_avg, PELT),
which follow a task at once that goes to another CPU.
"""

from typing import TYPE_CHECKING, Final

from kernel.messages import eff_told
from kernel.sched.sched_class import FAIR_RANK
from kernel.sched.task_group import GROUP_OTHERS, MIN_SHARES
from kernel.smp.h_load import TASKS_PER_TICK, runnable_by_group
from kernel.timerq import TimerKind

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.smp.task_groups import TaskGroup


class GroupLoadTimer(TimerKind):
    """Looks at the groups of all CPUs."""

    def is_live(self, what: None, serial: int) -> bool:
        """Never: it moves nobody."""
        return False

    def expire(self, k: "Kernel", what: None, serial: int) -> object:
        """Look, and come again if that still makes a difference."""
        k.groups.looking = False
        if k.load.overloaded:
            update_tg_load_avg(k)
            watch_groups(k)
        return None


GROUP_LOAD_TIMER: Final = GroupLoadTimer()


def watch_groups(k: "Kernel") -> None:
    """Some CPU has two runnable tasks, or there is a new group: look at the next tick."""
    table = k.groups
    if table.looking or not table.groups or k.spec.cpus == 1 or not k.load.overloaded:
        return
    table.looking = True
    ticks = 1 + k.tasks.nr_threads // TASKS_PER_TICK
    k.timers.add((k.now_ns // k.tick_ns + ticks) * k.tick_ns, GROUP_LOAD_TIMER, None)


def update_tg_load_avg(k: "Kernel") -> None:
    """Look at who is runnable where; tell CPUs of groups that have more or less elsewhere.

    Source: kernel/sched/fair.c:update_tg_load_avg().
    """
    table = k.groups
    here = runnable_by_group(k)
    # those inside others first: what they weigh counts for those
    for group in sorted(table.all(), key=lambda group: (-len(group.path), group.gid)):
        loads = here.get(group.gid, {})
        _follow(group, loads)
        total = sum(group.loads.values())
        for cpu, load in loads.items():
            others = total - group.loads[cpu]
            if abs(others - group.told.get(cpu, 0)) > total >> 6 or (
                not others and group.told.get(cpu, 0)
            ):
                group.told[cpu] = others
                data = (group.gid, others)
                k.send(cpu, eff_told(k.now_ns, FAIR_RANK, GROUP_OTHERS, data))
            if group.parent is not None:
                above = here.setdefault(group.parent.gid, {})
                part = max(MIN_SHARES, group.shares * load // (others + load))
                above[cpu] = above.get(cpu, 0) + part


def _follow(group: "TaskGroup", loads: dict[int, int]) -> None:
    """Let what is known of ``group`` go a quarter of the way to what is there now."""
    known = group.loads
    for cpu in sorted(known.keys() | loads.keys()):
        load, before = loads.get(cpu, 0), known.get(cpu, 0)
        after = load if not before else before + ((load - before) >> 2)
        if abs(load - after) <= max(load, before) >> 6:
            after = load
        if after > 0:
            known[cpu] = after
        else:
            known.pop(cpu, None)
