"""The queue of CFS: who is on it, in which order, and the arithmetic of virtual time.

``kernel.sched.cfs`` has the theory and the operations of the class, which are made of these.

Source: kernel/sched/fair.c of Linux 6.1.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.fair import FairRq
from kernel.sched.fork_order import first_flags
from kernel.sched.tunables import duration
from kernel.sched.weighted import WeightedEntity
from kernel.sched.weights import NICE_0_LOAD, WEIGHT_IDLEPRIO, WMULT_CONST, reduce_factor
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.policy import SCHED_IDLE

IDLE_MIN_GRANULARITY_NS: Final = 750_000  # sysctl_sched_idle_min_granularity, on any machine
LONGEST: Final = 512  # entries of one part of the timeline: taking the first moves the others


@dataclass(frozen=True)
class CfsTunables:
    """The class's sysctls, before ``sched_tunable_scaling``. Bounds are Linux's.

    Source: kernel/sched/fair.c of Linux 6.1, kernel/sched_fair.c of 2.6.34.
    """

    latency_ns: int = duration(
        6_000_000,
        100_000,
        NSEC_PER_SEC,
        "Period in which every task runs once.",
        by_linux={"2.6.34": 5_000_000},
    )
    min_granularity_ns: int = duration(
        750_000,
        100_000,
        NSEC_PER_SEC,
        "Least time before preemption.",
        at_most="latency_ns",
        by_linux={"2.6.34": 1_000_000},
    )
    wakeup_granularity_ns: int = duration(
        1_000_000, 0, NSEC_PER_SEC, "Lead a woken task needs to preempt."
    )


def get_update_sysctl_factor(cpus: int) -> int:
    """Return what the fair class's latencies are multiplied by on a machine of ``cpus`` CPUs.

    1 + log2(min(cpus, 8)), as with the default ``sched_tunable_scaling`` (logarithmic).

    Source: kernel/sched/fair.c:get_update_sysctl_factor().
    """
    return min(cpus, 8).bit_length()


class CfsEntity(WeightedEntity):
    """The class's part of a task (``struct sched_entity``).

    ``vruntime`` is relative to ``min_vruntime`` while the task is between two queues.
    ``seq``, its order of entry into the queue, breaks ties. ``prev_sum_exec_ns``: ``sum_exec_ns``
    when the task was last picked.
    """

    __slots__ = ("prev_sum_exec_ns", "seq", "vruntime")

    def __init__(self) -> None:
        super().__init__()
        self.vruntime = 0
        self.seq = 0
        self.prev_sum_exec_ns = 0

    def pack(self) -> list[Any]:
        """Return virtual run time, order of entry, and when it was picked."""
        return [self.vruntime, self.seq, self.prev_sum_exec_ns]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        self.vruntime, self.seq, self.prev_sum_exec_ns = data


class CfsRq(FairRq):
    """The queue of the class (``cfs_rq``).

    ``timeline`` holds ``(vruntime, seq, task)`` of every queued task but the current one, sorted.
    A sorted list beats a tree at the lengths runqueues have. Of a long queue it is the beginning:
    what is to the right of it is in ``far``, in sorted parts of at most ``LONGEST`` entries each.
    ``timeline`` is empty only if there is nobody.
    """

    __slots__ = (
        "far",
        "first",
        "latency_ns",
        "load_weight",
        "min_granularity_ns",
        "min_vruntime",
        "nr_latency",
        "seq",
        "skip",
        "timeline",
        "wakeup_granularity_ns",
    )

    def __init__(self, tunables: CfsTunables, cpus: int, fork_order: str) -> None:
        super().__init__()
        self.first = first_flags(fork_order)
        factor = get_update_sysctl_factor(cpus)
        self.latency_ns = tunables.latency_ns * factor
        self.min_granularity_ns = tunables.min_granularity_ns * factor
        self.wakeup_granularity_ns = tunables.wakeup_granularity_ns * factor
        # how many tasks share one latency period before the period grows
        self.nr_latency = -(-self.latency_ns // self.min_granularity_ns)
        self.timeline: list[tuple[int, int, CpuTask]] = []
        self.far: list[list[tuple[int, int, CpuTask]]] = []
        self.load_weight = 0
        self.min_vruntime = 0
        self.seq = 0
        self.skip: CpuTask | None = None

    def pack(self) -> list[Any]:
        """Return who is on the queue and current, and where virtual time stands."""
        roles = [None if p is None else p.pid for p in self._roles()]
        queued = [p.pid for _, _, p in self.waiting()]
        tasks = [p.pid for p in self.tasks]
        return [tasks, queued, roles, self.min_vruntime, self.seq, self.packed_groups()]

    def unpack(self, data: Sequence[Any], tasks: Mapping[int, CpuTask]) -> None:
        """Take what ``pack`` returned."""
        everybody, queued, roles, self.min_vruntime, self.seq, groups = data
        tasks = self.unpack_groups(groups, tasks)
        self.tasks = OrderedDict((tasks[pid], None) for pid in everybody)
        self.nr_running = len(self.tasks)
        for pid in queued:
            se: CfsEntity = tasks[pid].se
            insert(self, (se.vruntime, se.seq, tasks[pid]))
            self.load_weight += se.weight
        self.curr, self.next, self.last, self.skip = (
            None if pid is None else tasks[pid] for pid in roles
        )
        if self.curr is not None:
            mine: CfsEntity = self.curr.se
            self.load_weight += mine.weight

    def waiting(self) -> list[tuple[int, int, CpuTask]]:
        """Return ``timeline`` with all that is in ``far``."""
        return [*self.timeline, *chain.from_iterable(self.far)]

    def _roles(self) -> tuple[CpuTask | None, ...]:
        return self.curr, self.next, self.last, self.skip


def update_curr(cfs: CfsRq, now_ns: int) -> None:
    """Charge the current task for what it ran since the last update, up to ``now_ns``.

    Source: kernel/sched/fair.c:update_curr().
    """
    curr = cfs.curr
    if curr is None:
        return
    delta = now_ns - curr.exec_start_ns
    if delta <= 0:
        return
    curr.exec_start_ns = now_ns
    curr.sum_exec_ns += delta
    se: CfsEntity = curr.se
    if se.weight == NICE_0_LOAD:
        vruntime = se.vruntime + delta
    else:
        vruntime = se.vruntime + (delta * se.vmult >> se.vshift)
    se.vruntime = vruntime
    # update_min_vruntime(), of which this is by far the most frequent caller
    if curr.on_rq:
        if cfs.timeline and cfs.timeline[0][0] < vruntime:
            vruntime = cfs.timeline[0][0]
        if vruntime > cfs.min_vruntime:
            cfs.min_vruntime = vruntime
    else:
        update_min_vruntime(cfs)


def update_min_vruntime(cfs: CfsRq) -> None:
    """Move ``min_vruntime`` up to the least vruntime of the queue and current; never down.

    Source: kernel/sched/fair.c:update_min_vruntime().
    """
    curr = cfs.curr
    if curr is not None and curr.on_rq:
        se: CfsEntity = curr.se
        vruntime = se.vruntime
        if cfs.timeline and cfs.timeline[0][0] < vruntime:
            vruntime = cfs.timeline[0][0]
    elif cfs.timeline:
        vruntime = cfs.timeline[0][0]
    else:
        return
    if vruntime > cfs.min_vruntime:
        cfs.min_vruntime = vruntime


def sched_slice(cfs: CfsRq, p: CpuTask) -> int:
    """Return how long ``p`` may run in one period, in ns; never less than ``least_slice``.

    A task that is not queued yet is counted in.

    Source: kernel/sched/fair.c:sched_slice().
    """
    nr_running = cfs.nr_running
    load = cfs.load_weight
    se: CfsEntity = p.se
    if not p.on_rq:
        nr_running += 1
        load += se.weight
    least = cfs.min_granularity_ns
    part = slice_of_load(cfs.latency_ns, least, nr_running, se.weight, load)
    if p.policy == SCHED_IDLE:
        least = least_slice(least, cfs.nr_running, cfs.load_weight)
    return max(part, least)


def least_slice(least_ns: int, nr_running: int, load: int) -> int:
    """Return the least slice of a SCHED_IDLE task: the minimum granularity only among such tasks.

    Args:
        least_ns: the minimum granularity.
        nr_running: tasks on the queue.
        load: the sum of their weights; an idle task weighs less than any other.

    Source: kernel/sched/fair.c:sched_slice(), sched_idle_cfs_rq().
    Deviation: with tasks of several groups on a CPU the minimum granularity holds for idle tasks,
        too.
    """
    return least_ns if load == WEIGHT_IDLEPRIO * nr_running > 0 else IDLE_MIN_GRANULARITY_NS


def slice_of_load(latency_ns: int, least_ns: int, nr_running: int, weight: int, load: int) -> int:
    """Return what a task of ``weight`` has of one period of ``nr_running`` tasks, in ns.

    Args:
        latency_ns: one period, as long as nobody gets less than the minimum granularity.
        least_ns: the minimum granularity.
        nr_running: all tasks that share it.
        weight: of 1 to ``load``.
        load: the sum of their weights.

    Source: kernel/sched/fair.c:__sched_period(), __calc_delta().
    """
    in_latency = -(-latency_ns // least_ns)  # sched_nr_latency
    period = nr_running * least_ns if nr_running > in_latency else latency_ns
    factor, shift = reduce_factor(weight, WMULT_CONST // load)
    return period * factor >> shift


def place_entity(cfs: CfsRq, p: CpuTask, initial: bool) -> None:
    """Give a task that joins the queue its vruntime; never less than it has.

    A new task starts one (virtual) slice behind (START_DEBIT). A sleeper is put at most half a
    latency period before ``min_vruntime`` (GENTLE_FAIR_SLEEPERS), however long it slept.

    Source: kernel/sched/fair.c:place_entity().
    """
    vruntime = cfs.min_vruntime
    se: CfsEntity = p.se
    if initial:
        vruntime += se.calc_delta_fair(sched_slice(cfs, p))
    elif p.policy == SCHED_IDLE:
        vruntime -= cfs.min_granularity_ns >> 1
    else:
        vruntime -= cfs.latency_ns >> 1
    if vruntime > se.vruntime:
        se.vruntime = vruntime


def wakeup_preempt_entity(cfs: CfsRq, curr: CpuTask, p: CpuTask) -> int:
    """Compare: -1 ``curr`` is not behind ``p``; 0 it is, a little; 1 by more than the granularity.

    Source: kernel/sched/fair.c:wakeup_preempt_entity().
    """
    ours: CfsEntity = curr.se
    theirs: CfsEntity = p.se
    vdiff = ours.vruntime - theirs.vruntime
    if vdiff <= 0:
        return -1
    return 1 if vdiff > theirs.calc_delta_fair(cfs.wakeup_granularity_ns) else 0


def pick_entity(cfs: CfsRq) -> CpuTask:
    """Take who is to run next off the timeline, which is not empty, and return it.

    The leftmost, or the one that asked to go next or was cut off, if that is not unfair to it.

    Source: kernel/sched/fair.c:pick_next_entity().
    """
    if cfs.skip is None and cfs.next is None and cfs.last is None:
        return leftmost(cfs)
    left = p = cfs.timeline[0][2]
    if cfs.skip is left:
        other = second(cfs)
        if other is not None and wakeup_preempt_entity(cfs, other, left) < 1:
            p = other
    if cfs.next is not None and wakeup_preempt_entity(cfs, cfs.next, left) < 1:
        p = cfs.next
    elif cfs.last is not None and wakeup_preempt_entity(cfs, cfs.last, left) < 1:
        p = cfs.last
    clear_buddies(cfs, p)
    unlink_entity(cfs, p)
    return p


def enqueue_entity(cfs: CfsRq, p: CpuTask) -> None:
    """Put ``p`` into the timeline, behind those of equal vruntime."""
    se: CfsEntity = p.se
    seq = cfs.seq + 1
    cfs.seq = se.seq = seq
    insert(cfs, (se.vruntime, seq, p))


def insert(cfs: CfsRq, entry: tuple[int, int, CpuTask]) -> None:
    """Put an entry where it belongs; a part that becomes too long is halved.

    Mostly that is the end: who has just run has had the most virtual time.
    """
    timeline = cfs.timeline
    if not cfs.far and len(timeline) < LONGEST:
        if not timeline or timeline[-1][0] <= entry[0]:
            timeline.append(entry)
        else:
            insort(timeline, entry)
        return
    last = cfs.far[-1] if cfs.far else timeline
    if last[-1][0] <= entry[0]:
        if len(last) < LONGEST:
            last.append(entry)
        else:
            cfs.far.append([entry])
        return
    number = _part_of(cfs, entry[0], entry[1])
    part = cfs.far[number] if number >= 0 else timeline
    insort(part, entry)
    if len(part) > LONGEST:
        half = len(part) >> 1
        cfs.far.insert(number + 1, part[half:])
        del part[half:]


def _part_of(cfs: CfsRq, vruntime: int, seq: int) -> int:
    """Return the number of the part in ``far`` where an entry is or belongs; -1: ``timeline``."""
    # of two lists the first entries are compared, and no two entries have one ``seq``
    return bisect_left(cfs.far, [(vruntime, seq + 1)]) - 1


def leftmost(cfs: CfsRq) -> CpuTask:
    """Take the first of the timeline, which is not empty, off it, and return it."""
    timeline = cfs.timeline
    p = timeline.pop(0)[2]
    if not timeline and cfs.far:
        cfs.timeline = cfs.far.pop(0)
    return p


def second(cfs: CfsRq) -> CpuTask | None:
    """Return the second of the timeline, which is not empty, or None."""
    if len(cfs.timeline) > 1:
        return cfs.timeline[1][2]
    return cfs.far[0][0][2] if cfs.far else None


def unlink_entity(cfs: CfsRq, p: CpuTask) -> None:
    """Take ``p`` out of the timeline."""
    se: CfsEntity = p.se
    number = _part_of(cfs, se.vruntime, se.seq) if cfs.far else -1
    part = cfs.far[number] if number >= 0 else cfs.timeline
    place = bisect_left(part, (se.vruntime, se.seq))
    if place == len(part) or part[place][2] is not p:
        raise AssertionError(f"{p!r} is not in the timeline at its vruntime {se.vruntime}")
    part.pop(place)
    if part:
        return
    if number >= 0:
        cfs.far.pop(number)
    elif cfs.far:
        cfs.timeline = cfs.far.pop(0)


def clear_buddies(cfs: CfsRq, p: CpuTask) -> None:
    """Forget that ``p`` should be picked next, again, or not at all."""
    if cfs.next is p:
        cfs.next = None
    if cfs.last is p:
        cfs.last = None
    if cfs.skip is p:
        cfs.skip = None


def check_queue(cfs: CfsRq, cpu: int, found: list[str]) -> None:
    """Append to ``found`` what is wrong with the queue of ``cpu``: counts, order, weights."""
    where = f"cpu {cpu}"
    runnable = check_level(cfs, where, found)
    if cfs.nr_running != len(runnable):
        found.append(f"{where}: nr_running of cfs is {cfs.nr_running}, {len(runnable)} tasks found")
    if cfs.tasks.keys() != dict.fromkeys(runnable).keys():
        found.append(f"{where}: the balancing list does not hold the tasks of the queue")


def check_level(cfs: CfsRq, where: str, found: list[str]) -> list[CpuTask]:
    """Append to ``found`` what is wrong with order and weights; return who waits or is current."""
    curr = cfs.curr if cfs.curr is not None and cfs.curr.on_rq else None
    entries = cfs.waiting()
    waiting = [task for _, _, task in entries]
    runnable = waiting if curr is None else [*waiting, curr]
    load = sum(task.se.weight for task in runnable)
    if cfs.load_weight != load:
        found.append(f"{where}: load is {cfs.load_weight}, the weights add up to {load}")
    for index, (vruntime, seq, task) in enumerate(entries):
        se: CfsEntity = task.se
        if (se.vruntime, se.seq) != (vruntime, seq):
            found.append(f"{where}: {task!r} is queued at a vruntime it no longer has")
        if task is curr:
            found.append(f"{where}: {task!r} is queued and current at once")
        if index and entries[index - 1][:2] >= (vruntime, seq):
            found.append(f"{where}: {task!r} is out of order")
    if cfs.far and not all((cfs.timeline, *cfs.far)):
        found.append(f"{where}: a part of the timeline is empty")
    return runnable
