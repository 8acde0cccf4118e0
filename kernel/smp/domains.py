"""Domains as balancing sees them: how often a CPU looks at one, and what it remembers of it.

Source: kernel/sched/fair.c (get_sd_balance_interval, update_next_balance), kernel/sched/topology.c
(sd_init, build_sched_domains) of Linux 6.12 and 2.6.34.
"""

from typing import TYPE_CHECKING, Final

from kernel.bits import GOLDEN_GAMMA, MASK_64, mix64
from kernel.profiles import profile_named
from kernel.sched.detach import CACHE_NICE_TRIES
from kernel.smp.topology import MC, Level

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

    ``asym``: its CPUs are not equal (SD_ASYM_CPUCAPACITY).
    ``cache_nice_tries``: passes that fail before cache-hot tasks may go; ``prefer_sibling``: tasks
    are spread over its groups before one of them is full; ``imb_numa_nr``: so many tasks may be
    together on one node while another idles. ``next_balance`` (``rq->next_balance``) and
    ``last_balance`` are in jiffies. ``max_newidle_lb_cost``, in ns: what a look at it costs a CPU
    that has just become idle, forgotten slowly from ``last_decay`` on; ``newidle_cost``: what that
    look and those before it have cost. ``asked``: the answer to the last pass is not here yet;
    ``pinned``: CPUs that, in this pass, had only tasks which may not come here.
    """

    __slots__ = (
        "asked",
        "asym",
        "balance_interval",
        "busy_factor",
        "busy_less",
        "cache_nice_tries",
        "imb_numa_nr",
        "imbalance_pct",
        "last_balance",
        "last_decay",
        "level",
        "max_interval",
        "max_newidle_lb_cost",
        "min_interval",
        "newidle_cost",
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
        self.asked = 0
        self.pinned = 0
        self.asym = False
        self.max_newidle_lb_cost = 0
        self.newidle_cost = 0
        self.last_decay = 0


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
            for level in domains:
                level[cpu].asym = _asym(topology, level[cpu].span)
            _relate([level[cpu] for level in domains], profile_named(linux).sd_node_ms is None)
    return domains


def _asym(topology: "Topology", span: int) -> bool:
    """Tell whether the CPUs of ``span`` differ in capacity.

    Source: kernel/sched/topology.c:asym_cpu_capacity_classify().
    """
    return len({each for cpu, each in enumerate(topology.capacity) if span >> cpu & 1}) > 1


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
        sd.prefer_sibling = below is not None and not below.level.distance and not sd.asym
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


def passing(k: "Kernel") -> bool:
    """Tell whether passes can find anything: somebody waits, or runs where he should not.

    Source: kernel/sched/fair.c:nohz_balancer_kick().
    """
    if k.load.overloaded:
        return True
    averages = k.averages
    idle = k.load.idle_mask
    if averages is None or not idle:
        return False
    return averages.crowded > 0 or (bool(k.topology.capacity) and idle != k.topology.online)


def start_balancing(k: "Kernel") -> None:
    """Passes have a meaning from now on, and had none before."""
    if k.spec.cpus == 1:
        return
    due_ns = k.next_balance * k.tick_ns
    k.balance_ns = due_ns if due_ns > k.now_ns else (k.now_ns // k.tick_ns + 1) * k.tick_ns


def catch_up(sd: SchedDomain, jiffies: int, busy: bool, hz: int, cpus: int) -> None:
    """Note the passes that found nothing, because no CPU had two tasks, up to ``jiffies``."""
    sd.nr_balance_failed = 0
    sd.balance_interval = max(sd.balance_interval, sd.max_interval)
    interval = get_sd_balance_interval(sd, busy, hz, cpus)
    sd.next_balance += -((sd.next_balance - jiffies) // interval) * interval
    sd.last_balance = sd.next_balance - interval


def asked_after_ns(k: "Kernel", this_cpu: int) -> int:
    """Return how long after the tick a pass comes to the busiest CPU, which has one, too.

    That CPU may change its task at this tick. Whether the pass finds the old one running or the new
    one is a race between two CPUs, and it decides which task goes: the one that waits. If it always
    ended alike, tasks would move in step with the ticks, and of three on two CPUs one would get a
    fifth more than the others. So the seed decides, each way as often as the other.

    Source: kernel/sched/fair.c:sched_balance_softirq(), kernel/sched/core.c:sched_tick(): both are
        behind the tick interrupt, on two CPUs.
    """
    return _toss(k, this_cpu, k.now_ns) % (2 * k.spec.costs.tick + 1)


def _toss(k: "Kernel", cpu: int, moment: int) -> int:
    """Return 64 bits that the seed gives for ``cpu`` and a moment, in any unit of time."""
    return mix64((k.spec.seed << 20) + cpu + moment * GOLDEN_GAMMA & MASK_64)


def due_after(k: "Kernel", sd: SchedDomain, cpu: int, jiffies: int) -> int:
    """Return when ``cpu``, of a flat machine, does the next pass after the one at ``jiffies``.

    All CPUs tick at once, and one, the first that runs something, keeps jiffies. Another that is to
    balance at the tick sees the number before or after it goes on, and in the first case the pass
    is a tick late. That is a race, too, and the seed decides. Without it the passes of two CPUs
    would keep a distance for ever, and with some distances, as between the turns of CFS, the same
    one of three tasks would wait at each pass, go each time, and never have a CPU for itself.

    Source: kernel/sched/fair.c:sched_balance_trigger(), kernel/time/tick-sched.c:
        tick_sched_do_timer().
    """
    hz, cpus = k.spec.hz, k.spec.cpus
    busy = k.load.nr_running[cpu] > 0
    due = jiffies + get_sd_balance_interval(sd, busy, hz, cpus)
    if busy and ~k.load.idle_mask & (1 << cpu) - 1:
        due += _toss(k, cpu, jiffies) >> 63
    return due


def out_balanced(sd: SchedDomain, *, all_pinned: bool) -> None:
    """Nothing to do here: look less often."""
    sd.nr_balance_failed = 0
    limit = MAX_PINNED_INTERVAL_MS if all_pinned else sd.max_interval
    if sd.balance_interval < max(limit, sd.max_interval):
        sd.balance_interval *= 2


def hurry(k: "Kernel", sd: SchedDomain, cpu: int) -> None:
    """Let the next pass of ``cpu`` be when its interval, which may be another now, says."""
    if k.averages is None:
        due = due_after(k, sd, cpu, sd.last_balance)
    else:
        busy = k.load.nr_running[cpu] > 0
        due = sd.last_balance + get_sd_balance_interval(sd, busy, k.spec.hz, k.spec.cpus)
    sd.next_balance = max(due, k.now_ns // k.tick_ns + 1)
    if sd.next_balance < k.next_balance:
        k.next_balance = sd.next_balance
    due_ns = sd.next_balance * k.tick_ns
    if due_ns < k.balance_ns and passing(k):
        k.balance_ns = due_ns
