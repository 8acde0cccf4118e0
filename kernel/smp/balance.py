"""Periodic load balancing: a CPU that runs less than the busiest one takes tasks from it.

Every CPU looks now and then, at a tick, whether another has more than its share: often when it
idles, ``busy_factor`` times as rarely when it runs something, and less often as long as it finds
nothing. What it looks at is the load table (``kernel.smp.load``), so the whole decision falls in
the kernel. The busiest CPU is then told by how much it is too busy for whom (EFF_BALANCE); it knows
its queue, picks the tasks (``kernel.sched.detach``), sends them, and says how many went
(REQ_PUSHED for each, REQ_BALANCED for all). After a few passes in which nothing could go, cache-hot
tasks go too, and at last the running one (active balance).

A CPU that has just become idle does not wait for its turn: the kernel asks the busiest CPU for one
task at once (``kernel.smp.load.pull_task``, Linux's newidle_balance()).

A pass without an imbalance changes nothing but intervals, and there is none while no CPU has two
runnable tasks. Then there are no passes; ``_catch_up`` does to the intervals what they would have
done. So a machine without queues pays nothing, and one with queues a few dozen passes a second.

On a machine with a configured topology the sums of groups count (``kernel.smp.groups``), and of
each group one CPU looks for all; on a flat one every CPU is a group of its own.

Source: kernel/sched/fair.c (rebalance_domains, load_balance, find_busiest_group,
calculate_imbalance), kernel/sched/topology.c:sd_init() of Linux 6.1.
Deviation: load is the weight of what is runnable at the moment, not PELT's decaying average of it,
and a CPU with a runnable task counts as fully used. A pass takes no CPU time. Idle CPUs look for
themselves at their own intervals; in Linux a busy one's tick wakes one of them to look for all.
newidle_balance() does not ask whether the CPU will be idle for long enough to be worth it. In
profile 2.6.34 the numbers are that kernel's, the rules are not.
"""

from typing import TYPE_CHECKING, Final

from kernel.bits import GOLDEN_GAMMA, MASK_64, find_next_bit_wrap, mix64
from kernel.messages import MIGRATE_LOAD, MIGRATE_TASK, NEVER, eff_balance
from kernel.profiles import profile_named
from kernel.sched.detach import CACHE_NICE_TRIES
from kernel.smp import groups
from kernel.smp.topology import MC, Level
from kernel.smp.weigh import cpu_load, span_load, uneven_loads

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.smp.topology import Topology

MAX_PINNED_INTERVAL_MS: Final = 512
SMT_IMBALANCE_PCT: Final = 110


class SchedDomain:
    """A domain as one of its CPUs sees it (Linux keeps one for each CPU). Intervals are in ms.

    Args:
        span: its CPUs, as a mask; ``others`` is the mask of those in other groups than this CPU's.
        level: whose domain it is; None for a flat machine's.

    ``cache_nice_tries``: passes that fail before cache-hot tasks may go; ``prefer_sibling``: tasks
    are spread over its groups before one of them is full; ``imb_numa_nr``: so many tasks may be
    together on one node while another idles. ``next_balance`` (``rq->next_balance``) and
    ``last_balance`` are in jiffies. ``asked``: the answer to the last pass is not here yet;
    ``pinned``: CPUs that, in this pass, had only tasks which may not come here.
    """

    __slots__ = (
        "asked",
        "balance_interval",
        "busy_factor",
        "busy_less",
        "cache_nice_tries",
        "imb_numa_nr",
        "imbalance_pct",
        "last_balance",
        "level",
        "max_interval",
        "min_interval",
        "next_balance",
        "nr_balance_failed",
        "others",
        "pinned",
        "prefer_sibling",
        "span",
    )

    def __init__(self, span: int, others: int, linux: str, level: Level | None = None) -> None:
        self.span = span
        self.others = others
        self.level = level or Level(MC, (), ())
        cpus = span.bit_count()
        profile = profile_named(linux)
        self.min_interval, self.max_interval = profile.sd_interval_ms or (cpus, 2 * cpus)
        self.balance_interval = self.min_interval
        self.busy_factor = profile.sd_busy_factor
        self.busy_less = profile.sd_busy_less
        self.imbalance_pct = profile.sd_imbalance_pct
        self.cache_nice_tries = CACHE_NICE_TRIES
        self.prefer_sibling = False
        self.imb_numa_nr = 0
        if self.level.shares_core:
            self.imbalance_pct = SMT_IMBALANCE_PCT
            self.cache_nice_tries = 0
            if profile.sd_interval_ms is not None:
                self.max_interval = 2
        elif self.level.distance:
            self.cache_nice_tries = 2
            if profile.sd_node_ms is not None:
                self.min_interval, self.max_interval, self.busy_factor = profile.sd_node_ms
                self.balance_interval = self.min_interval
        self.last_balance = 0
        self.next_balance = 0
        self.nr_balance_failed = 0
        self.asked = False
        self.pinned = 0


def domains_of(topology: "Topology", linux: str) -> list[list[SchedDomain]]:
    """Return the domains of all CPUs, level by level, the innermost first.

    Source: kernel/sched/topology.c:build_sched_domains().
    """
    domains = [
        [SchedDomain(span, others, linux, level) for span, others in zip(level.spans, level.others)]
        for level in topology.levels
    ]
    if not topology.flat:
        for cpu in range(topology.cpus):
            _relate([level[cpu] for level in domains], profile_named(linux).sd_node_ms is None)
    return domains


def _relate(chain: list[SchedDomain], numa_nr: bool) -> None:
    """Set what a domain of one CPU has from those below and above it.

    Args:
        chain: the innermost first.
        numa_nr: whether this kernel leaves a few tasks together on their node.

    Source: kernel/sched/topology.c:build_sched_domains() (imb_numa_nr, 5.18), kernel/sched/fair.c:
        update_sd_lb_stats() (prefer_sibling).
    """
    limit, span, below = 0, 0, None
    for place, sd in enumerate(chain):
        sd.prefer_sibling = below is None or not below.level.distance
        weight = sd.span.bit_count()
        if limit:
            sd.imb_numa_nr = limit * max(1, weight // span)
        elif numa_nr and not sd.level.shares_llc and below is not None and below.level.shares_llc:
            caches = weight // below.span.bit_count()
            limit = sd.imb_numa_nr = max(1, weight >> 3 if caches == 1 else caches)
            wider = [each.span.bit_count() for each in chain[place + 1 :] if each.level.distance]
            span = wider[0] if wider else weight
        below = sd


def msecs_to_jiffies(ms: int, hz: int) -> int:
    """Return ``ms`` in ticks, rounded up. Source: include/linux/jiffies.h."""
    return -(-ms * hz // 1000)


def get_sd_balance_interval(sd: SchedDomain, busy: bool, hz: int, cpus: int) -> int:
    """Return the jiffies from one pass of a CPU to its next.

    A busy CPU's are one less than a multiple, so that CPUs and levels do not keep in step.

    Source: kernel/sched/fair.c:get_sd_balance_interval(), update_max_interval().
    """
    if not busy:
        interval = msecs_to_jiffies(sd.balance_interval, hz)
    else:
        interval = msecs_to_jiffies(sd.balance_interval * sd.busy_factor, hz) - sd.busy_less
    return max(1, min(interval, hz * cpus // 10))


def start_balancing(k: "Kernel") -> None:
    """A CPU has two runnable tasks, and none had before: passes have a meaning from now on."""
    if k.spec.cpus == 1:
        return
    due_ns = k.next_balance * k.tick_ns
    k.balance_ns = due_ns if due_ns > k.now_ns else (k.now_ns // k.tick_ns + 1) * k.tick_ns


def run_rebalance_domains(k: "Kernel") -> None:
    """Do the passes of all CPUs that are due at ``k.balance_ns``, and set when the next are.

    Source: kernel/sched/fair.c:run_rebalance_domains(), rebalance_domains().
    """
    hz, cpus = k.spec.hz, k.spec.cpus
    k.now_ns = k.balance_ns
    jiffies = k.now_ns // k.tick_ns
    more: dict[int, int] | None = None
    nearest = NEVER
    for level in k.domains:
        for cpu, sd in enumerate(level):
            if sd.next_balance < jiffies:
                _catch_up(sd, jiffies, k.load.nr_running[cpu] > 0, hz, cpus)
            if sd.next_balance == jiffies:
                if not sd.asked:  # by a barrier's quantum longer than the interval
                    if more is None:
                        more = uneven_loads(k)
                    sd.pinned = 0
                    load_balance(k, sd, cpu, more)
                sd.last_balance = jiffies
                busy = k.load.nr_running[cpu] > 0
                sd.next_balance = jiffies + get_sd_balance_interval(sd, busy, hz, cpus)
            if sd.next_balance < nearest:
                nearest = sd.next_balance
    k.next_balance = nearest
    k.balance_ns = nearest * k.tick_ns if k.load.overloaded else NEVER


def _catch_up(sd: SchedDomain, jiffies: int, busy: bool, hz: int, cpus: int) -> None:
    """Note the passes that found nothing, because no CPU had two tasks, up to ``jiffies``."""
    sd.nr_balance_failed = 0
    sd.balance_interval = max(sd.balance_interval, sd.max_interval)
    interval = get_sd_balance_interval(sd, busy, hz, cpus)
    sd.next_balance += -((sd.next_balance - jiffies) // interval) * interval
    sd.last_balance = sd.next_balance - interval


def load_balance(k: "Kernel", sd: SchedDomain, this_cpu: int, more: dict[int, int]) -> bool:
    """One pass of ``this_cpu`` over its domain ``sd``: ask the busiest CPU for what is too much.

    Args:
        more: as ``uneven_loads`` gave it.

    Returns:
        Whether another CPU was asked; its answer goes to ``balanced``.

    Source: kernel/sched/fair.c:load_balance(), need_active_balance().
    """
    idle = k.load.nr_running[this_cpu] <= 0
    kind = imbalance = 0
    if k.topology.flat:
        busiest = find_busiest_queue(k, sd, this_cpu, more)
        if busiest >= 0:
            kind, imbalance = calculate_imbalance(k, sd, this_cpu, busiest, more)
    elif groups.should_we_balance(k, sd, this_cpu):
        busiest, kind, imbalance = groups.find_busiest(k, sd, this_cpu, more)
    else:
        busiest = -1
    if busiest < 0 or imbalance <= 0:
        _out_balanced(sd, all_pinned=sd.pinned != 0)
        return False
    sd.asked = True
    active = kind == MIGRATE_TASK and sd.nr_balance_failed + 1 > sd.cache_nice_tries + 2
    failed = sd.nr_balance_failed
    if sd.level.shares_core:
        failed += CACHE_NICE_TRIES + 1  # task_hot(): siblings have one cache
    elif failed:
        failed -= sd.cache_nice_tries - CACHE_NICE_TRIES  # the CPU knows one number of tries
    at_ns = k.now_ns + _asked_after_ns(k, this_cpu)
    k.send(busiest, eff_balance(at_ns, this_cpu, idle, kind, imbalance, failed, active))
    return True


def _asked_after_ns(k: "Kernel", this_cpu: int) -> int:
    """Return how long after the tick a pass comes to the busiest CPU, which has one, too.

    That CPU may change its task at this tick. Whether the pass finds the old one running or the new
    one is a race between two CPUs, and it decides which task goes: the one that waits. If it always
    ended alike, tasks would move in step with the ticks, and of three on two CPUs one would get a
    fifth more than the others. So the seed decides, each way as often as the other.

    Source: kernel/sched/fair.c:sched_balance_softirq(), kernel/sched/core.c:sched_tick(): both are
        behind the tick interrupt, on two CPUs.
    """
    state = (k.spec.seed << 20) + this_cpu + k.now_ns * GOLDEN_GAMMA
    return mix64(state & MASK_64) % (2 * k.spec.costs.tick + 1)


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


def balanced(
    k: "Kernel", source: int, dest: int, moved: int, all_pinned: bool, active: bool
) -> None:
    """CPU ``source`` has answered the pass of ``dest``: ``moved`` tasks are on their way.

    Args:
        all_pinned: none of its tasks may run on ``dest``; then the next busiest is asked.
        active: none could go but the running one, which does.

    Source: kernel/sched/fair.c:load_balance(), after detach_tasks().
    """
    sd = k.domains[k.topology.level_between(dest, source)][dest]
    sd.asked = False
    if all_pinned:
        sd.pinned |= 1 << source
        if load_balance(k, sd, dest, uneven_loads(k)):
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
    _hurry(k, sd, dest)


def newly_idle(k: "Kernel", cpu: int) -> None:
    """``cpu`` idles and could get nothing at once: its passes come at an idle CPU's intervals now.

    Source: kernel/sched/fair.c:newidle_balance(), update_next_balance().
    """
    for level in k.domains:
        _hurry(k, level[cpu], cpu)


def _out_balanced(sd: SchedDomain, *, all_pinned: bool) -> None:
    """Nothing to do here: look less often."""
    sd.nr_balance_failed = 0
    limit = MAX_PINNED_INTERVAL_MS if all_pinned else sd.max_interval
    if sd.balance_interval < max(limit, sd.max_interval):
        sd.balance_interval *= 2


def _hurry(k: "Kernel", sd: SchedDomain, cpu: int) -> None:
    """Let the next pass of ``cpu`` be when its interval, which may be another now, says."""
    hz, cpus = k.spec.hz, k.spec.cpus
    interval = get_sd_balance_interval(sd, k.load.nr_running[cpu] > 0, hz, cpus)
    sd.next_balance = max(sd.last_balance + interval, k.now_ns // k.tick_ns + 1)
    if sd.next_balance < k.next_balance:
        k.next_balance = sd.next_balance
    due_ns = sd.next_balance * k.tick_ns
    if k.load.overloaded and due_ns < k.balance_ns:
        k.balance_ns = due_ns
