"""Load balancing on a machine with levels: passes of groups, and of CPUs that have become idle.

Every CPU looks at each of its domains at Linux's intervals (``kernel.smp.domains``); those that run
something at their own ticks. One that idles has no tick: while a CPU with a queue ticks it kicks
an idle one, which then looks for all of them that are due, itself last (``order``). What a pass
finds (``kernel.smp.groups``) is asked of the busiest CPU (EFF_BALANCE); ``balanced`` is told.

A CPU that has just become idle looks at once, the innermost domain first, unless it does not idle
for long enough: what passes cost is compared with how long it idles on average. It gets one task,
and none that is cache-hot before passes have failed.

If nothing can go but the task that runs, it is taken at last (active balance), and at once if it
needs a larger CPU than it has (misfit). So there are passes, too, while nobody waits: where two
siblings share a core and another core idles, and on machines of unequal CPUs.

Source: kernel/sched/fair.c (sched_balance_domains, sched_balance_rq, need_active_balance,
sched_balance_newidle, nohz_balancer_kick, kick_ilb, _nohz_idle_balance) of Linux 6.12.
Deviation: a pass takes no CPU time; compared with the time that a CPU idles it counts as 150 ns for
each CPU of the domain, where Linux measures. The answer of the busiest CPU comes later than the
look at it. A task that may not come here is not tried on another CPU of the group
(LBF_DST_PINNED). In profile 2.6.34 the numbers are that kernel's, the rules are not.
"""

from typing import TYPE_CHECKING, Final

from kernel.bits import find_first_bit
from kernel.messages import (
    MIGRATE_H_LOAD,
    MIGRATE_LOAD,
    MIGRATE_MISFIT,
    MIGRATE_TASK,
    NEVER,
    PINNED_ALL,
    PINNED_SOME,
    eff_balance,
)
from kernel.smp.averages import averages_of, capacity_of
from kernel.smp.domains import (
    SchedDomain,
    asked_after_ns,
    catch_up,
    get_sd_balance_interval,
    hurry,
    out_balanced,
    passing,
)
from kernel.smp.groups import (
    CPU_IDLE,
    CPU_NEWLY_IDLE,
    CPU_NOT_IDLE,
    find_busiest,
    reduced_capacity,
    should_we_balance,
)
from kernel.smp.h_load import grouped

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_PASS_NS: Final = 150  # for each CPU looked at
# what ``SchedDomain.asked`` waits for
ASKED_IN_PASS: Final = 1
ASKED_NEWLY_IDLE: Final = 2


def order(k: "Kernel") -> list[int]:
    """Return all CPUs in the order of their passes at one tick.

    Source: kernel/sched/fair.c:_nohz_idle_balance(), find_new_ilb().
    """
    idle = k.load.idle_mask
    cpus = [cpu for cpu in range(k.spec.cpus) if not idle >> cpu & 1]
    if idle:
        first = find_first_bit(idle)
        left = idle & ~(1 << first)
        while left:
            cpu = find_first_bit(left)
            left &= left - 1
            cpus.append(cpu)
        cpus.append(first)
    return cpus


def rebalance_levels(k: "Kernel", jiffies: int) -> int:
    """Do all passes that are due at ``jiffies``; return when the next is.

    Source: kernel/sched/fair.c:sched_balance_domains().
    """
    hz, cpus = k.spec.hz, k.spec.cpus
    nearest = NEVER
    somebody_waits = k.load.overloaded > 0
    inner = k.topology.levels[0]
    for cpu in order(k):
        for level in k.domains:
            sd = level[cpu]
            if sd.next_balance < jiffies:
                if k.load.nr_running[cpu] > 0:
                    catch_up(sd, jiffies, True, hz, cpus)
                else:
                    sd.next_balance = jiffies  # nobody has kicked it for long
            if sd.next_balance == jiffies:
                busy = k.load.nr_running[cpu] > 0
                if not somebody_waits and not sd.asym and sd.level is inner:
                    out_balanced(sd, all_pinned=False)  # one task for each CPU: nothing to find
                elif not sd.asked:  # by a barrier's quantum longer than the interval
                    sd.pinned = 0
                    load_balance(k, sd, cpu, CPU_NOT_IDLE if busy else CPU_IDLE)
                _decay_newidle_cost(sd, jiffies, hz)
                sd.last_balance = jiffies
                sd.next_balance = jiffies + get_sd_balance_interval(sd, busy, hz, cpus)
            if sd.next_balance < nearest:
                nearest = sd.next_balance
    return nearest


def load_balance(k: "Kernel", sd: SchedDomain, this_cpu: int, idle: int) -> bool:
    """One pass of ``this_cpu`` over its domain ``sd``; return whether another CPU was asked.

    ``idle``: CPU_NOT_IDLE, CPU_IDLE or CPU_NEWLY_IDLE.

    Source: kernel/sched/fair.c:sched_balance_rq().
    """
    newly = idle == CPU_NEWLY_IDLE
    busiest = -1
    kind = imbalance = 0
    if newly or should_we_balance(k, sd, this_cpu):
        busiest, kind, imbalance = find_busiest(k, sd, this_cpu, idle)
    if busiest < 0:
        _nothing(k, sd, newly)
        return False
    failed = sd.nr_balance_failed
    counts = not newly and kind != MIGRATE_MISFIT
    waiting = k.load.nr_running[busiest] > 1
    if counts and not waiting:
        sd.nr_balance_failed = failed + 1
    active = need_active_balance(k, sd, this_cpu, busiest, kind, idle, failed + counts)
    if not waiting and not active:
        sd.balance_interval = sd.min_interval
        return False
    if kind == MIGRATE_LOAD and grouped(k):
        kind = MIGRATE_H_LOAD
    sd.asked = ASKED_NEWLY_IDLE if newly else ASKED_IN_PASS
    tries = -1 if sd.level.shares_core else sd.cache_nice_tries  # siblings have one cache
    at_ns = k.now_ns if newly else k.now_ns + asked_after_ns(k, this_cpu)
    k.send(busiest, eff_balance(at_ns, this_cpu, idle, kind, imbalance, failed, active, tries))
    return True


def need_active_balance(
    k: "Kernel", sd: SchedDomain, this_cpu: int, busiest: int, kind: int, idle: int, failed: int
) -> bool:
    """Tell whether the running task of ``busiest`` goes if no other can.

    Source: kernel/sched/fair.c:need_active_balance(), imbalanced_active_balance().
    """
    if kind == MIGRATE_MISFIT:
        return True
    if kind == MIGRATE_TASK and failed > sd.cache_nice_tries + 2:
        return True
    if idle and k.load.nr_running[busiest] == 1 and reduced_capacity(k, sd, busiest):
        return capacity_of(k, busiest) * sd.imbalance_pct < capacity_of(k, this_cpu) * 100
    return False


def _nothing(k: "Kernel", sd: SchedDomain, newly: bool) -> None:
    """There is no imbalance, or nobody who may go.

    Source: kernel/sched/fair.c:sched_balance_rq(), out_balanced and out_all_pinned.
    """
    if not sd.pinned:
        averages_of(k).imbalanced.pop(sd.span, None)
    if newly:
        sd.nr_balance_failed = 0
    else:
        out_balanced(sd, all_pinned=sd.pinned != 0)


def balanced(
    k: "Kernel", level: int, source: int, dest: int, moved: int, pinned: int, active: bool
) -> None:
    """CPU ``source`` has answered the pass of ``dest`` at ``level``.

    Args:
        moved: so many tasks are on their way.
        pinned: PINNED_ALL, PINNED_SOME or 0: which may not run on ``dest``.
        active: none could go but the running one, which does.

    Source: kernel/sched/fair.c:sched_balance_rq(), after detach_tasks().
    """
    sd = k.domains[level][dest]
    newly = sd.asked == ASKED_NEWLY_IDLE
    sd.asked = 0
    if pinned == PINNED_SOME and level + 1 < len(k.domains):
        averages_of(k).imbalanced[sd.span] = None
    idle = k.load.nr_running[dest] <= 0
    if pinned == PINNED_ALL and not active:
        sd.pinned |= 1 << source
        kind = CPU_NEWLY_IDLE if newly else CPU_IDLE if idle else CPU_NOT_IDLE
        if (idle or not newly) and load_balance(k, sd, dest, kind):
            return
    elif moved:
        sd.nr_balance_failed = 0
        sd.balance_interval = sd.min_interval
    elif active:
        # back off: it may be all there is to move
        sd.nr_balance_failed = sd.cache_nice_tries + 1
        if sd.balance_interval < sd.max_interval:
            sd.balance_interval *= 2
    elif not newly:
        sd.nr_balance_failed += 1
        sd.balance_interval = sd.min_interval
    if newly and not moved and idle:
        _newidle(k, dest, level + 1, sd.newidle_cost)
    else:
        hurry(k, sd, dest)


# -- a CPU that has just become idle ---------------------------------------------------------------


def newidle_balance(k: "Kernel", cpu: int) -> None:
    """``cpu`` has nothing to run: ask for a task, or look again at an idle CPU's intervals.

    Source: kernel/sched/fair.c:sched_balance_newidle().
    """
    if not k.domains:
        return
    avg = averages_of(k).cpus[cpu]
    avg.idle_stamp = k.now_ns
    if passing(k) and avg.avg_idle >= k.domains[0][cpu].max_newidle_lb_cost:
        _newidle(k, cpu, 0, 0)
    else:
        for level in k.domains:
            hurry(k, level[cpu], cpu)


def _newidle(k: "Kernel", cpu: int, first: int, cost_ns: int) -> None:
    """Look at the domains from ``first`` on, after ``cost_ns`` of looking, until one is asked."""
    idles_ns = averages_of(k).cpus[cpu].avg_idle
    for level in k.domains[first:]:
        sd = level[cpu]
        hurry(k, sd, cpu)
        if idles_ns < cost_ns + sd.max_newidle_lb_cost:
            return
        if sd.asked or not sd.others or (k.bugs.wakeup and sd.level.distance):
            continue
        mine_ns = _PASS_NS * sd.span.bit_count()
        if mine_ns > sd.max_newidle_lb_cost:
            sd.max_newidle_lb_cost = mine_ns
            sd.last_decay = k.now_ns // k.tick_ns
        cost_ns += mine_ns
        sd.newidle_cost = cost_ns
        sd.pinned = 0
        if load_balance(k, sd, cpu, CPU_NEWLY_IDLE):
            return


def _decay_newidle_cost(sd: SchedDomain, jiffies: int, hz: int) -> None:
    """Forget one part in a hundred a second. Source: kernel/sched/fair.c:update_newidle_cost()."""
    if jiffies > sd.last_decay + hz:
        sd.max_newidle_lb_cost = sd.max_newidle_lb_cost * 253 // 256
        sd.last_decay = jiffies
