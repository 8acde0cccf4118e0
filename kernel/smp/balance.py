"""Periodic load balancing: a CPU that runs less than the busiest one takes tasks from it.

Every CPU looks now and then, at a tick, whether another has more than its share: often when it
idles, ``busy_factor`` times as rarely when it runs something, and less often as long as it finds
nothing. What it looks at is the load table (``kernel.smp.load``), so the whole decision falls in
the kernel. The busiest CPU is then told by how much it is too busy for whom (EFF_BALANCE); it knows
its queue, picks the tasks (``kernel.sched.detach``), sends them, and says how many went
(REQ_PUSHED for each, REQ_BALANCED for all). After a few passes in which nothing could go, cache-hot
tasks go too, and at last the running one (active balance).

With groups of tasks load is what the groups have of each CPU (``kernel.smp.h_load``).

This is the flat machine, of which every CPU is a group of its own. On one with a configured
topology groups are compared by PELT's averages: ``kernel.smp.passes``. A CPU of the flat machine
that has just become idle does not wait for its turn: the kernel asks the busiest CPU for one task
at once (``kernel.smp.load.pull_task``).

A pass without an imbalance changes nothing but intervals, and there is none while no CPU has two
runnable tasks. Then there are no passes; ``catch_up`` does to the intervals what they would have
done. So a machine without queues pays nothing, and one with queues a few dozen passes a second.

Source: kernel/sched/fair.c (rebalance_domains, load_balance, find_busiest_group,
calculate_imbalance) of Linux 6.1.
Deviation: of a flat machine load is the weight of what is runnable at the moment, not PELT's
decaying average of it, and a CPU with a runnable task counts as fully used. A pass takes no CPU
time. Its idle CPUs look for themselves at their own intervals, and take a waiting task, a cache-hot
one if there is no other, as soon as they idle. In profile 2.6.34 the numbers are that kernel's, the
rules are not.
"""

from typing import TYPE_CHECKING

from kernel.bits import find_next_bit_wrap
from kernel.messages import (
    MIGRATE_H_LOAD,
    MIGRATE_LOAD,
    MIGRATE_TASK,
    NEVER,
    PINNED_ALL,
    eff_balance,
)
from kernel.smp import passes
from kernel.smp.domains import (
    SchedDomain,
    asked_after_ns,
    catch_up,
    due_after,
    hurry,
    out_balanced,
    passing,
)
from kernel.smp.h_load import grouped, uneven_h_loads
from kernel.smp.weigh import cpu_load, span_load

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def run_rebalance_domains(k: "Kernel") -> None:
    """Do the passes of all CPUs that are due at ``k.balance_ns``, and set when the next are.

    Source: kernel/sched/fair.c:run_rebalance_domains(), rebalance_domains().
    """
    hz, cpus = k.spec.hz, k.spec.cpus
    k.now_ns = k.balance_ns
    jiffies = k.now_ns // k.tick_ns
    if k.averages is not None:
        k.next_balance = passes.rebalance_levels(k, jiffies)
        k.balance_ns = k.next_balance * k.tick_ns if passing(k) else NEVER
        return
    more: dict[int, int] | None = None
    nearest = NEVER
    for level in k.domains:
        for cpu, sd in enumerate(level):
            if sd.next_balance < jiffies:
                catch_up(sd, jiffies, k.load.nr_running[cpu] > 0, hz, cpus)
            if sd.next_balance == jiffies:
                if not sd.asked:  # by a barrier's quantum longer than the interval
                    if more is None:
                        more = uneven_h_loads(k)
                    sd.pinned = 0
                    load_balance(k, sd, cpu, more)
                sd.last_balance = jiffies
                sd.next_balance = due_after(k, sd, cpu, jiffies)
            if sd.next_balance < nearest:
                nearest = sd.next_balance
    k.next_balance = nearest
    k.balance_ns = nearest * k.tick_ns if k.load.overloaded else NEVER


def load_balance(k: "Kernel", sd: SchedDomain, this_cpu: int, more: dict[int, int]) -> bool:
    """One pass of ``this_cpu`` over its domain ``sd``: ask the busiest CPU for what is too much.

    Args:
        more: as ``uneven_h_loads`` gave it.

    Returns:
        Whether another CPU was asked; its answer goes to ``balanced``.

    Source: kernel/sched/fair.c:load_balance(), need_active_balance().
    """
    idle = k.load.nr_running[this_cpu] <= 0
    kind = imbalance = 0
    busiest = find_busiest_queue(k, sd, this_cpu, more)
    if busiest >= 0:
        kind, imbalance = calculate_imbalance(k, sd, this_cpu, busiest, more)
    if busiest < 0 or imbalance <= 0:
        out_balanced(sd, all_pinned=sd.pinned != 0)
        return False
    if kind == MIGRATE_LOAD and grouped(k):
        kind = MIGRATE_H_LOAD
    sd.asked = 1
    failed, tries = sd.nr_balance_failed, sd.cache_nice_tries
    active = kind == MIGRATE_TASK and failed + 1 > tries + 2
    at_ns = k.now_ns + asked_after_ns(k, this_cpu)
    k.send(busiest, eff_balance(at_ns, this_cpu, idle, kind, imbalance, failed, active, tries))
    return True


def find_busiest_queue(k: "Kernel", sd: SchedDomain, this_cpu: int, more: dict[int, int]) -> int:
    """Return the CPU of ``sd`` with the highest load of those with tasks that wait, or -1.

    Of equals the first after ``this_cpu``. CPUs in ``sd.pinned`` do not count. A CPU with one task
    has what it needs (``group_fully_busy``): it is never relieved of anything here.

    Source: kernel/sched/fair.c:update_sd_pick_busiest(), find_busiest_queue().
    """
    mask = k.load.busy_mask & sd.others & ~sd.pinned
    best, best_load = -1, 0
    while mask:
        cpu = find_next_bit_wrap(mask, this_cpu)
        mask ^= 1 << cpu
        load = cpu_load(k, cpu, more)
        if load > best_load:
            best, best_load = cpu, load
    return best


def calculate_imbalance(
    k: "Kernel", sd: SchedDomain, this_cpu: int, busiest: int, more: dict[int, int]
) -> tuple[int, int]:
    """Return ``(migration type, how much is to go)``; nothing if the difference is too small.

    An idle CPU takes half the difference in tasks. One that runs something takes load: not more
    than brings either of the two to the average, and only if it is below the average itself. If it
    has tasks waiting, too, a difference of less than ``imbalance_pct`` is left alone.

    Source: kernel/sched/fair.c:find_busiest_group(), calculate_imbalance().
    """
    number = k.load.nr_running[this_cpu]
    if number <= 0:
        return MIGRATE_TASK, k.load.nr_running[busiest] >> 1
    local, most = cpu_load(k, this_cpu, more), cpu_load(k, busiest, more)
    if local >= most:
        return MIGRATE_LOAD, 0
    average = span_load(k, sd.span, more) // sd.span.bit_count()
    if local >= average:
        return MIGRATE_LOAD, 0
    if number > 1 and 100 * most <= sd.imbalance_pct * local:
        return MIGRATE_LOAD, 0
    return MIGRATE_LOAD, min(most - average, average - local)


def balanced(k: "Kernel", source: int, dest: int, moved: int, pinned: int, active: bool) -> None:
    """CPU ``source`` has answered the pass of ``dest``: ``moved`` tasks are on their way.

    Args:
        pinned: PINNED_ALL: none of its tasks may run on ``dest``; then the next busiest is asked.
        active: none could go but the running one, which does.

    Source: kernel/sched/fair.c:load_balance(), after detach_tasks().
    """
    level = k.topology.level_between(dest, source)
    if k.averages is not None:
        passes.balanced(k, level, source, dest, moved, pinned, active)
        return
    sd = k.domains[level][dest]
    sd.asked = 0
    if pinned == PINNED_ALL:
        sd.pinned |= 1 << source
        if load_balance(k, sd, dest, uneven_h_loads(k)):
            return
    elif moved:
        sd.nr_balance_failed = 0
        sd.balance_interval = sd.min_interval
    elif active:
        # back off: it may be all there is to move
        sd.nr_balance_failed = sd.cache_nice_tries + 1
        if sd.balance_interval < sd.max_interval:
            sd.balance_interval *= 2
    else:
        sd.nr_balance_failed += 1
        sd.balance_interval = sd.min_interval
    hurry(k, sd, dest)


def newly_idle(k: "Kernel", cpu: int) -> None:
    """``cpu`` idles and could get nothing at once: its passes come at an idle CPU's intervals now.

    Source: kernel/sched/fair.c:newidle_balance(), update_next_balance().
    """
    for level in k.domains:
        hurry(k, level[cpu], cpu)
