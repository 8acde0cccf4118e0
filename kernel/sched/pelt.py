"""PELT: how much of the time a task, or a queue, was runnable and running, the latest most.

Time is cut into periods of 1024 us. What happened n periods ago counts ``y**n`` times, with
``y**32 = 1/2``: after 32 ms half of it is forgotten, after 345 ms nothing is left (LOAD_AVG_MAX is
the sum of it all). Three sums are kept of everything: of the time in which it was runnable, once
weighted (load) and once not, and of the time in which it ran (util). The averages are the sums in
parts of the greatest that they can be: util of 1024 is a CPU that ran all the time, load is in
units of weight, ``runnable`` of a queue is 1024 for each task on it.

A queue has the averages of all that is on it and of all that has left it asleep, decaying
(*blocked*). A task that goes to another CPU takes its part along. A new task begins with the load
of its weight, and with half of the utilisation that its CPU has to spare.

The CPU keeps the averages (decision 6): those of its fair tasks (``CpuTask.avg``), of its fair
queue, and the utilisation by its real-time and deadline tasks. ``kernel.sched.core`` tells of what
begins and ends here before it happens, whatever the class; so it is for every fair class.

On a CPU of less capacity time runs slower while it runs something, so that a utilisation means as
much everywhere; what is missing while it idles is made up for.

Only machines with a configured topology have averages: placement and balancing of the flat one go
by numbers of tasks. Elsewhere ``rq.pelt`` is None, and nothing is computed.

Source: kernel/sched/pelt.c, kernel/sched/pelt.h, kernel/sched/fair.c (post_init_entity_util_avg,
attach_entity_load_avg, detach_entity_load_avg, reweight_entity) of Linux 6.12.
Deviation: no util_est, so a task that slept long is small until it has run again; no pressure by
interrupts or heat. A task in delayed dequeue counts as asleep. Profile 2.6.34 has these averages,
too; Linux has had them since 3.8. The load of a queue counts tasks of groups with their own weight;
the kernel takes the part of it that the groups have now (``kernel.smp.h_load``).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from kernel.sched.sched_class import DEADLINE_RANK, DEQUEUE_MOVE, FAIR_RANK, RT_RANK
from kernel.sched.weights import weight_of

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.rq import Rq

LOAD_AVG_PERIOD: Final = 32
LOAD_AVG_MAX: Final = 47742
PELT_MIN_DIVIDER: Final = LOAD_AVG_MAX - 1024
SCHED_CAPACITY_SCALE: Final = 1024
# floor((2**32 - 1) * y**n). Source: Documentation/scheduler/sched-pelt.c
RUNNABLE_AVG_YN_INV: Final[tuple[int, ...]] = (
    0xFFFFFFFF, 0xFA83B2DA, 0xF5257D14, 0xEFE4B99A, 0xEAC0C6E6, 0xE5B906E6, 0xE0CCDEEB, 0xDBFBB796,
    0xD744FCC9, 0xD2A81D91, 0xCE248C14, 0xC9B9BD85, 0xC5672A10, 0xC12C4CC9, 0xBD08A39E, 0xB8FBAF46,
    0xB504F333, 0xB123F581, 0xAD583EE9, 0xA9A15AB4, 0xA5FED6A9, 0xA2704302, 0x9EF5325F, 0x9B8D39B9,
    0x9837F050, 0x94F4EFA8, 0x91C3D373, 0x8EA4398A, 0x8B95C1E3, 0x88980E80, 0x85AAC367, 0x82CD8698,
)  # fmt: skip
UNATTACHED: Final = -1  # ``last_update_ns`` of a task whose part no queue has


class SchedAvg:
    """The sums and averages of one task or queue (``struct sched_avg``).

    ``last_update_ns``: up to when they are; ``period_contrib``: how far that is into its period, in
    units of 1024 ns. ``weight``: with which a task is in its queue's load. ``said``: the period in
    which a task's CPU told the kernel last.
    """

    __slots__ = (
        "last_update_ns",
        "load_avg",
        "load_sum",
        "period_contrib",
        "runnable_avg",
        "runnable_sum",
        "said",
        "util_avg",
        "util_sum",
        "weight",
    )

    def __init__(self) -> None:
        self.last_update_ns = 0
        self.period_contrib = 0
        self.load_sum = 0
        self.runnable_sum = 0
        self.util_sum = 0
        self.load_avg = 0
        self.runnable_avg = 0
        self.util_avg = 0
        self.weight = 0
        self.said = -1

    def pack(self) -> list[int]:
        """Return all of it as plain data."""
        return [
            self.last_update_ns,
            self.period_contrib,
            self.load_sum,
            self.runnable_sum,
            self.util_sum,
            self.load_avg,
            self.runnable_avg,
            self.util_avg,
            self.weight,
            self.said,
        ]

    @classmethod
    def unpack(cls, data: Sequence[int] | None) -> "SchedAvg | None":
        """Return what ``pack`` described; None for None."""
        if data is None:
            return None
        sa = cls()
        (
            sa.last_update_ns,
            sa.period_contrib,
            sa.load_sum,
            sa.runnable_sum,
            sa.util_sum,
            sa.load_avg,
            sa.runnable_avg,
            sa.util_avg,
            sa.weight,
            sa.said,
        ) = data
        return sa


# -- arithmetic ----------------------------------------------------------------------------------


def decay_load(value: int, periods: int) -> int:
    """Return ``value * y**periods``, rounded down. Source: kernel/sched/pelt.c:decay_load()."""
    if periods > LOAD_AVG_PERIOD * 63:
        return 0
    return (value >> periods // 32) * RUNNABLE_AVG_YN_INV[periods % 32] >> 32


def accumulate_sum(sa: SchedAvg, delta: int, load: int, runnable: int, running: bool) -> int:
    """Let ``delta`` units of 1024 ns pass; return how many periods have begun in them.

    Source: kernel/sched/pelt.c:accumulate_sum(), __accumulate_pelt_segments().
    """
    contrib = delta
    before = sa.period_contrib
    delta += before
    periods = delta >> 10
    if periods:
        sa.load_sum = decay_load(sa.load_sum, periods)
        sa.runnable_sum = decay_load(sa.runnable_sum, periods)
        sa.util_sum = decay_load(sa.util_sum, periods)
        delta &= 1023
        if load:
            # the end of the old period, the whole ones between, and the beginning of this one
            contrib = decay_load(1024 - before, periods)
            contrib += LOAD_AVG_MAX - decay_load(LOAD_AVG_MAX, periods) - 1024 + delta
    sa.period_contrib = delta
    if load:
        sa.load_sum += load * contrib
        if runnable:
            sa.runnable_sum += runnable * contrib << 10
        if running:
            sa.util_sum += contrib << 10
    return periods


def update_load_sum(sa: SchedAvg, now_ns: int, load: int, runnable: int, running: bool) -> bool:
    """Bring the sums up to ``now_ns``; return whether a period has begun since.

    Args:
        load, runnable, running: what it was all that time: weight, tasks, whether one ran. Without
            load there is nothing of the other two.

    Source: kernel/sched/pelt.c:___update_load_sum().
    """
    delta = now_ns - sa.last_update_ns
    if delta < 1024:
        if delta < 0:
            sa.last_update_ns = now_ns
        return False
    delta >>= 10
    sa.last_update_ns += delta << 10
    return accumulate_sum(sa, delta, load, runnable, running) > 0


def update_load_avg(sa: SchedAvg, weight: int) -> None:
    """Make averages of the sums; ``weight`` of a task, 1 of a queue, whose load has weights in it.

    Source: kernel/sched/pelt.c:___update_load_avg(), kernel/sched/pelt.h:get_pelt_divider().
    """
    divider = PELT_MIN_DIVIDER + sa.period_contrib
    sa.load_avg = weight * sa.load_sum // divider
    sa.runnable_avg = sa.runnable_sum // divider
    sa.util_avg = sa.util_sum // divider


# -- one CPU -------------------------------------------------------------------------------------


class PeltRq:
    """The averages of one CPU.

    Args:
        capacity: what it does in a time, of SCHED_CAPACITY_SCALE.

    ``cfs``: of its fair queue; ``rt``, ``dl``: utilisation by tasks of these classes. ``weight``,
    ``nr_runnable``: of what is on the fair queue. ``clock_ns``: PELT's time as of ``task_ns``;
    ``lost_ns``: by how much it is behind for good.
    """

    __slots__ = (
        "capacity",
        "cfs",
        "clock_ns",
        "dl",
        "lost_ns",
        "nr_runnable",
        "rt",
        "task_ns",
        "weight",
    )

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.cfs = SchedAvg()
        self.rt = SchedAvg()
        self.dl = SchedAvg()
        self.weight = 0
        self.nr_runnable = 0
        self.clock_ns = 0
        self.task_ns = 0
        self.lost_ns = 0

    def pack(self) -> list[Any]:
        """Return all of it but the capacity as plain data."""
        averages = [self.cfs.pack(), self.rt.pack(), self.dl.pack()]
        clocks = [self.clock_ns, self.task_ns, self.lost_ns]
        return [averages, self.weight, self.nr_runnable, clocks]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        averages, self.weight, self.nr_runnable, clocks = data
        cfs, rt, dl = (SchedAvg.unpack(each) for each in averages)
        if cfs is not None and rt is not None and dl is not None:
            self.cfs, self.rt, self.dl = cfs, rt, dl
        self.clock_ns, self.task_ns, self.lost_ns = clocks


def update_clock(rq: "Rq", pelt: PeltRq) -> int:
    """Bring PELT's clock up to ``rq.clock_ns``, and return it.

    Source: kernel/sched/pelt.h:update_rq_clock_pelt(), rq_clock_pelt().
    """
    now_ns = rq.clock_ns
    if pelt.capacity == SCHED_CAPACITY_SCALE:
        return now_ns
    passed_ns = now_ns - pelt.task_ns
    if passed_ns > 0:
        pelt.task_ns = now_ns
        if rq.curr is rq.idle:
            pelt.clock_ns = now_ns
        else:
            pelt.clock_ns += passed_ns * pelt.capacity // SCHED_CAPACITY_SCALE
    return pelt.clock_ns - pelt.lost_ns


def _sync_clock(pelt: PeltRq) -> None:
    """The CPU begins to idle: the slow clock catches up.

    Not if the CPU was busy all the time: it would have been so on a faster one, too.

    Source: kernel/sched/pelt.h:update_idle_rq_clock_pelt().
    """
    busy = pelt.cfs.util_sum + pelt.rt.util_sum + pelt.dl.util_sum
    if busy >= (PELT_MIN_DIVIDER << 10) - LOAD_AVG_MAX:
        pelt.lost_ns += pelt.task_ns - pelt.clock_ns
    pelt.clock_ns = pelt.task_ns


def update_rq(rq: "Rq", pelt: PeltRq) -> int:
    """Bring the averages of the CPU up to date; return PELT's time.

    Source: kernel/sched/pelt.c:__update_load_avg_cfs_rq(), update_other_load_avgs().
    """
    now_ns = update_clock(rq, pelt)
    curr = rq.curr
    cls = curr.sched_class
    rank = FAIR_RANK if cls is None else cls.rank
    cfs = pelt.cfs
    runs = rank == FAIR_RANK and curr.on_rq
    if update_load_sum(cfs, now_ns, pelt.weight, pelt.nr_runnable, runs):
        update_load_avg(cfs, 1)
    for sa, its_rank in ((pelt.rt, RT_RANK), (pelt.dl, DEADLINE_RANK)):
        runs = rank == its_rank
        if (runs or sa.util_sum) and update_load_sum(sa, now_ns, runs, runs, runs):
            update_load_avg(sa, 1)
        elif not sa.util_sum:
            sa.last_update_ns = now_ns
    return now_ns


def update_se(sa: SchedAvg, now_ns: int, on_rq: bool, running: bool) -> None:
    """Bring the averages of a task up to ``now_ns``.

    Source: kernel/sched/pelt.c:__update_load_avg_se(), __update_load_avg_blocked_se().
    """
    if update_load_sum(sa, now_ns, on_rq, on_rq, running):
        update_load_avg(sa, sa.weight)


def attach(pelt: PeltRq, sa: SchedAvg) -> None:
    """Add a task's part to the queue, which is up to date.

    Source: kernel/sched/fair.c:attach_entity_load_avg().
    """
    cfs = pelt.cfs
    divider = PELT_MIN_DIVIDER + cfs.period_contrib
    sa.last_update_ns = cfs.last_update_ns
    sa.period_contrib = cfs.period_contrib
    sa.util_sum = sa.util_avg * divider
    sa.runnable_sum = sa.runnable_avg * divider
    sa.load_sum = max(1, sa.load_avg * divider // sa.weight)
    cfs.load_avg += sa.load_avg
    cfs.load_sum += sa.weight * sa.load_sum
    cfs.util_avg += sa.util_avg
    cfs.util_sum += sa.util_sum
    cfs.runnable_avg += sa.runnable_avg
    cfs.runnable_sum += sa.runnable_sum


def detach(pelt: PeltRq, sa: SchedAvg) -> None:
    """Take a task's part off the queue; both are up to date. Rounding leaves nothing negative.

    Source: kernel/sched/fair.c:detach_entity_load_avg(), dequeue_load_avg().
    """
    cfs = pelt.cfs
    _take_load(cfs, sa)
    cfs.util_avg = max(0, cfs.util_avg - sa.util_avg)
    cfs.util_sum = max(cfs.util_avg * PELT_MIN_DIVIDER, cfs.util_sum - sa.util_sum)
    cfs.runnable_avg = max(0, cfs.runnable_avg - sa.runnable_avg)
    cfs.runnable_sum = max(cfs.runnable_avg * PELT_MIN_DIVIDER, cfs.runnable_sum - sa.runnable_sum)
    sa.last_update_ns = UNATTACHED
    sa.said = -1


def _take_load(cfs: SchedAvg, sa: SchedAvg) -> None:
    cfs.load_avg = max(0, cfs.load_avg - sa.load_avg)
    cfs.load_sum = max(cfs.load_avg * PELT_MIN_DIVIDER, cfs.load_sum - sa.weight * sa.load_sum)


def new_average(pelt: PeltRq, weight: int) -> SchedAvg:
    """Return the averages of a task that is new on the CPU, which is up to date.

    Its utilisation is as that of the others for its weight, at most half of what is left.

    Source: kernel/sched/fair.c:init_entity_runnable_average(), post_init_entity_util_avg().
    """
    sa = SchedAvg()
    sa.weight = weight
    sa.load_avg = weight
    sa.util_avg = sa.runnable_avg = initial_util(
        pelt.capacity, weight, pelt.cfs.util_avg, pelt.cfs.load_avg
    )
    return sa


def initial_util(capacity: int, weight: int, util: int, load: int) -> int:
    """Return the utilisation a task of ``weight`` begins with beside ``util`` and ``load``."""
    most = (capacity - util) // 2 if capacity > util else 0
    return min(most, util * weight // (load + 1)) if util else most


# -- what happens on a CPU: called by kernel.sched.core, before it happens -------------------------


def enqueued(rq: "Rq", pelt: PeltRq, p: "CpuTask") -> None:
    """``p``, whose class is known, joins its queue. Source: fair.c:enqueue_entity()."""
    now_ns = update_rq(rq, pelt)
    if p.sched_class.rank != FAIR_RANK:  # type: ignore[union-attr]
        return
    weight = weight_of(p.nice, p.policy)
    sa = p.avg
    if sa is None:
        sa = p.avg = new_average(pelt, weight)
        attach(pelt, sa)
    elif sa.last_update_ns == UNATTACHED:
        if sa.weight != weight:
            sa.load_avg = sa.load_avg * weight // sa.weight
            sa.weight = weight
        attach(pelt, sa)
    else:
        update_se(sa, now_ns, False, False)
    pelt.weight += sa.weight
    pelt.nr_runnable += 1


def dequeued(rq: "Rq", pelt: PeltRq, p: "CpuTask", flags: int) -> None:
    """``p``, which waits or runs, leaves its queue. Source: fair.c:dequeue_entity()."""
    now_ns = update_rq(rq, pelt)
    sa = p.avg
    if sa is None or p.sched_class.rank != FAIR_RANK:  # type: ignore[union-attr]
        return
    if p.parked:
        update_se(sa, now_ns, False, False)
    else:
        update_se(sa, now_ns, True, p is rq.curr)
        pelt.weight -= sa.weight
        pelt.nr_runnable -= 1
    if flags & DEQUEUE_MOVE:
        detach(pelt, sa)


def put(rq: "Rq", pelt: PeltRq, p: "CpuTask") -> None:
    """``p`` runs no longer. Source: kernel/sched/fair.c:put_prev_entity()."""
    now_ns = update_rq(rq, pelt)
    sa = p.avg
    if sa is None or not p.on_rq or p.parked:
        return
    if p.sched_class.rank == FAIR_RANK:  # type: ignore[union-attr]
        update_se(sa, now_ns, True, True)


def picked(rq: "Rq", pelt: PeltRq, p: "CpuTask") -> None:
    """``p`` will run, in place of ``rq.curr``. Source: kernel/sched/fair.c:set_next_entity()."""
    now_ns = update_rq(rq, pelt)
    sa = p.avg
    if p is rq.idle:
        _sync_clock(pelt)
    elif sa is not None and p is not rq.curr and p.sched_class.rank == FAIR_RANK:  # type: ignore[union-attr]
        update_se(sa, now_ns, True, False)


def ticked(rq: "Rq", pelt: PeltRq) -> None:
    """The tick: all that changes while nothing happens. Source: fair.c:entity_tick()."""
    put(rq, pelt, rq.curr)


def gone(rq: "Rq", pelt: PeltRq, p: "CpuTask") -> None:
    """``p``, on no queue, leaves the CPU for another, for another class, or for ever.

    Source: kernel/sched/fair.c:remove_entity_load_avg(), detach_task_cfs_rq().
    """
    sa = p.avg
    if sa is None or sa.last_update_ns == UNATTACHED:
        return
    update_se(sa, update_rq(rq, pelt), False, False)
    detach(pelt, sa)


def reweighted(rq: "Rq", pelt: PeltRq, p: "CpuTask") -> None:
    """``p`` has got another nice value or policy of the fair class.

    Source: kernel/sched/fair.c:reweight_entity().
    """
    sa = p.avg
    weight = weight_of(p.nice, p.policy)
    if sa is None or sa.weight == weight or sa.last_update_ns == UNATTACHED:
        return
    counts = p.on_rq and not p.parked
    update_se(sa, update_rq(rq, pelt), counts, p is rq.curr and counts)
    if counts:
        pelt.weight += weight - sa.weight
    cfs = pelt.cfs
    _take_load(cfs, sa)
    sa.weight = weight
    sa.load_avg = weight * sa.load_sum // (PELT_MIN_DIVIDER + sa.period_contrib)
    cfs.load_avg += sa.load_avg
    cfs.load_sum += weight * sa.load_sum


# -- what the kernel is told -----------------------------------------------------------------------


def report(rq: "Rq", pelt: PeltRq, p: "CpuTask") -> tuple[int, ...] | None:
    """Return what the kernel is to know of ``p``, which runs, and its CPU; None: as the last time.

    That is load, runnable and util of the task (-1: it has none) and of the fair queue, and the
    utilisation by real-time and deadline tasks. It is said at most once a period of each task.
    """
    sa = p.avg
    if sa is not None and rq.clock_ns >> 20 == sa.said:
        return None
    now_ns = update_rq(rq, pelt)
    cfs = pelt.cfs
    load = runnable = util = -1
    if sa is not None:
        if p.sched_class.rank == FAIR_RANK and p.on_rq:  # type: ignore[union-attr]
            update_se(sa, now_ns, True, True)
            load, runnable, util = sa.load_avg, sa.runnable_avg, sa.util_avg
        sa.said = rq.clock_ns >> 20
    return (
        load,
        runnable,
        util,
        cfs.load_avg,
        cfs.runnable_avg,
        cfs.util_avg,
        pelt.rt.util_avg,
        pelt.dl.util_avg,
    )
