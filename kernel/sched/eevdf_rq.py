"""The queue of EEVDF: who is on it, the average virtual time, and whom the rules choose.

``kernel.sched.eevdf`` has the theory and the operations of the class, which are made of these.

The tasks that wait, by deadline, and the search among them, are in ``kernel.sched.eevdf_waiting``.

Virtual times are only ever compared with each other, so ``zero_vruntime`` is any point near them
that keeps the sums small; Linux uses the least one of the queue.

Source: kernel/sched/fair.c of Linux 6.12.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.cfs_rq import get_update_sysctl_factor
from kernel.sched.eevdf_waiting import LONGEST, Waiting
from kernel.sched.eevdf_waiting import EevdfEntity as EevdfEntity
from kernel.sched.fair import FairRq
from kernel.sched.fork_order import first_flags
from kernel.sched.tunables import duration, switch
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from kernel.sched.rq import Rq

_FAR: Final = 1 << 40  # ns of virtual time between the average and zero before that is moved


@dataclass(frozen=True)
class EevdfTunables:
    """The class's base slice, before ``sched_tunable_scaling``, and its features."""

    base_slice_ns: int = duration(
        700_000, 100_000, NSEC_PER_SEC, "Time a task asks for, until its next virtual deadline."
    )
    run_to_parity: bool = switch(True, "A task that has been picked keeps the CPU for its slice.")
    preempt_short: bool = switch(True, "A woken task of a shorter slice preempts nevertheless.")
    delay_dequeue: bool = switch(True, "A task that sleeps in debt stays until it has paid.")
    place_lag: bool = switch(True, "A task comes back with the lag it left with.")
    place_deadline_initial: bool = switch(True, "The first slice of a new task is half as long.")


class EevdfRq(FairRq):
    """The queue of the class (``cfs_rq``).

    ``avg_load`` and ``avg_vruntime`` are the sums of weight, and of weight times distance from
    ``zero_vruntime``, of the tasks that wait: current is added where they are used. ``average``
    is V as of the last ``pick_eevdf``.
    ``nr_queued`` counts delayed tasks, too, ``nr_running`` does not.
    ``put``: ``curr`` has been put, and whether it is picked again or waits is open yet.
    """

    __slots__ = (
        "average",
        "avg_load",
        "avg_vruntime",
        "base_slice_ns",
        "child_first",
        "features",
        "first",
        "nr_queued",
        "put",
        "seq",
        "tick_ns",
        "waiting",
        "zero_vruntime",
    )

    def __init__(self, tunables: EevdfTunables, cpus: int, hz: int, fork_order: str) -> None:
        super().__init__()
        self.child_first = first_flags(fork_order)
        self.features = tunables
        self.base_slice_ns = tunables.base_slice_ns * get_update_sysctl_factor(cpus)
        self.tick_ns = NSEC_PER_SEC // hz
        self.put = False
        self.first: CpuTask | None = None  # a child that is to be ``next`` once it is queued
        self.waiting = Waiting()
        self.seq = 0
        self.nr_queued = 0
        self.avg_load = 0
        self.avg_vruntime = 0
        self.average = 0
        self.zero_vruntime = 0

    def pack(self) -> list[Any]:
        """Return who is on the queue, where, and current, and where virtual time stands."""
        roles = [None if p is None else p.pid for p in (self.curr, self.next)]
        return [
            [p.pid for p in self.tasks],
            [p.pid for p in self.waiting.tasks()],
            roles,
            self.put,
            self.seq,
            self.zero_vruntime,
            self.packed_groups(),
        ]

    def unpack(self, data: Sequence[Any], tasks: Mapping[int, CpuTask]) -> None:
        """Take what ``pack`` returned."""
        everybody, waiting, roles, self.put, self.seq, self.zero_vruntime, groups = data
        tasks = self.unpack_groups(groups, tasks)
        self.tasks = OrderedDict((tasks[pid], None) for pid in everybody)
        self.nr_running = len(self.tasks)
        for pid in waiting:
            p = tasks[pid]
            self.waiting.append(p)
            se: EevdfEntity = p.se
            self.avg_load += se.weight
            self.avg_vruntime += (se.vruntime - self.zero_vruntime) * se.weight
        self.curr, self.next = (None if pid is None else tasks[pid] for pid in roles)
        self.nr_queued = len(waiting) + counts_curr(self)


# -- virtual time ---------------------------------------------------------------------------------


def counts_curr(cfs: EevdfRq) -> bool:
    """Tell whether the current task is to be added to the sums of those that wait."""
    curr = cfs.curr
    if curr is None:
        return False
    se: EevdfEntity = curr.se
    return se.on_rq


def avg_vruntime(cfs: EevdfRq) -> int:
    """Return the average virtual run time of the queue, rounded down: V.

    Source: kernel/sched/fair.c:avg_vruntime().
    """
    avg = cfs.avg_vruntime
    load = cfs.avg_load
    curr = cfs.curr
    if curr is not None:
        se: EevdfEntity = curr.se
        if se.on_rq:
            avg += (se.vruntime - cfs.zero_vruntime) * se.weight
            load += se.weight
    if not load:
        return cfs.zero_vruntime
    return cfs.zero_vruntime + avg // load


def entity_eligible(cfs: EevdfRq, se: EevdfEntity) -> bool:
    """Tell whether the lag of ``se`` is not negative, without a division.

    Source: kernel/sched/fair.c:vruntime_eligible().
    """
    avg = cfs.avg_vruntime
    load = cfs.avg_load
    zero = cfs.zero_vruntime
    curr = cfs.curr
    if curr is not None:
        mine: EevdfEntity = curr.se
        if mine.on_rq:
            avg += (mine.vruntime - zero) * mine.weight
            load += mine.weight
    return (se.vruntime - zero) * load <= avg


def slice_of(cfs: EevdfRq, se: EevdfEntity) -> int:
    """Return how much time the task asks for at once, in ns."""
    return se.slice_ns or cfs.base_slice_ns


def update_entity_lag(cfs: EevdfRq, se: EevdfEntity) -> None:
    """Note the lag of a task that is queued: at most two slices, or a tick, either way.

    Source: kernel/sched/fair.c:update_entity_lag().
    """
    lag = avg_vruntime(cfs) - se.vruntime
    limit = se.calc_delta_fair(max(2 * slice_of(cfs, se), cfs.tick_ns))
    se.vlag = max(-limit, min(limit, lag))


def div_s64(number: int, by: int) -> int:
    """Divide as C does, towards zero. Source: include/linux/math64.h."""
    return number // by if number >= 0 else -(-number // by)


def place_entity(cfs: EevdfRq, se: EevdfEntity, initial: bool) -> None:
    """Give a task that joins the queue its virtual run time and deadline.

    Its lag is to be, once it is on the queue and has moved the average, what it was when it left.
    A new task has none, and half a slice.

    Source: kernel/sched/fair.c:place_entity().
    """
    vslice = se.calc_delta_fair(slice_of(cfs, se))
    lag = 0
    if cfs.features.place_lag and cfs.nr_queued and se.vlag:
        load = cfs.avg_load
        curr = cfs.curr
        if curr is not None:
            mine: EevdfEntity = curr.se
            if mine.on_rq:
                load += mine.weight
        lag = div_s64(se.vlag * (load + se.weight), load or 1)
    se.vruntime = avg_vruntime(cfs) - lag
    if se.rel_deadline:
        se.deadline += se.vruntime
        se.rel_deadline = False
        return
    if initial and cfs.features.place_deadline_initial:
        vslice >>= 1
    se.deadline = se.vruntime + vslice


def update_curr(rq: "Rq", cfs: EevdfRq) -> None:
    """Charge the current task for what it ran; once its deadline is reached it has a new one.

    Then, or if a preemption by a shorter slice has left it without eligibility, others go first.

    Source: kernel/sched/fair.c:update_curr(), update_deadline(), did_preempt_short().
    """
    curr = cfs.curr
    if curr is None or cfs.put:
        return
    delta = rq.clock_ns - curr.exec_start_ns
    if delta <= 0:
        return
    curr.exec_start_ns = rq.clock_ns
    curr.sum_exec_ns += delta
    se: EevdfEntity = curr.se
    se.vruntime += se.calc_delta_fair(delta)
    if se.vruntime >= se.deadline:
        se.deadline = se.vruntime + se.calc_delta_fair(slice_of(cfs, se))
        if cfs.nr_queued == 1:
            return
    elif (
        cfs.nr_queued == 1
        or se.vlag == se.deadline
        or not cfs.features.preempt_short
        or entity_eligible(cfs, se)
    ):
        return
    rq.need_resched = True
    clear_buddies(cfs, curr)


def charge_ticks(cfs: EevdfRq, p: CpuTask, ticks: int, tick_ns: int) -> None:
    """Charge ``p``, alone on the queue, for ``ticks`` times ``tick_ns``, as by ``update_curr``."""
    se: EevdfEntity = p.se
    each = se.calc_delta_fair(tick_ns)
    until = -((se.vruntime - se.deadline) // each)  # ticks until the deadline is reached
    if ticks >= until:
        vslice = se.calc_delta_fair(slice_of(cfs, se))
        between = -(-vslice // each)
        last = until + (ticks - until) // between * between
        se.deadline = se.vruntime + last * each + vslice
    se.vruntime += ticks * each
    p.sum_exec_ns += ticks * tick_ns
    p.exec_start_ns += ticks * tick_ns


# -- who waits, and who is next -------------------------------------------------------------------


def link_entity(cfs: EevdfRq, p: CpuTask) -> None:
    """Let ``p`` wait, behind those of equal deadline. Source: fair.c:__enqueue_entity()."""
    se: EevdfEntity = p.se
    cfs.seq = se.seq = cfs.seq + 1
    cfs.avg_vruntime += (se.vruntime - cfs.zero_vruntime) * se.weight
    cfs.avg_load += se.weight
    cfs.waiting.insert(p)


def unlink_entity(cfs: EevdfRq, p: CpuTask) -> None:
    """Let ``p``, which waits, wait no longer. Source: fair.c:__dequeue_entity()."""
    cfs.waiting.remove(p)
    se: EevdfEntity = p.se
    se.seq = 0
    cfs.avg_vruntime -= (se.vruntime - cfs.zero_vruntime) * se.weight
    cfs.avg_load -= se.weight


def pick_eevdf(cfs: EevdfRq) -> CpuTask:
    """Return the eligible task with the earliest deadline; the queue is not empty.

    Current counts with the others, and goes before one of an equal deadline only if that is later;
    while its slice is protected it is the answer if it is eligible.

    Source: kernel/sched/fair.c:pick_eevdf().
    """
    curr = cfs.curr
    if curr is not None:
        mine: EevdfEntity = curr.se
        if not mine.on_rq:
            curr = None
    if cfs.nr_queued == 1:
        only = curr if curr is not None else cfs.waiting.first()
        mine = only.se
        cfs.average = mine.vruntime
        return only
    zero = cfs.zero_vruntime
    if curr is None:
        # a lag is not negative at or below this, rounded down or not
        average = cfs.average = zero + cfs.avg_vruntime // cfs.avg_load
        best = cfs.waiting.earliest(average)
        if best is None:
            raise AssertionError("no task of the queue is eligible")
        return best
    mine = curr.se
    weight = mine.weight
    own = cfs.avg_vruntime + (mine.vruntime - zero) * weight
    average = cfs.average = zero + own // (cfs.avg_load + weight)
    eligible = mine.vruntime <= average
    if eligible and mine.vlag == mine.deadline and cfs.features.run_to_parity:
        return curr
    best = cfs.waiting.earliest(average)
    if best is None:
        if not eligible:
            raise AssertionError("no task of the queue is eligible")
        return curr
    if eligible:
        theirs: EevdfEntity = best.se
        if mine.deadline < theirs.deadline:
            return curr
    return best


def clear_buddies(cfs: EevdfRq, p: CpuTask) -> None:
    """Forget that ``p`` should be picked next."""
    if cfs.next is p:
        cfs.next = None


def move_zero(cfs: EevdfRq) -> None:
    """Move the point from which virtual times are counted up to ``average``, if it is far."""
    delta = cfs.average - cfs.zero_vruntime
    if delta > _FAR:
        cfs.avg_vruntime -= delta * cfs.avg_load
        cfs.zero_vruntime += delta


def check_queue(cfs: EevdfRq, cpu: int, found: list[str]) -> None:
    """Append to ``found`` what is wrong with the queue of ``cpu``: counts, sums, order."""
    where = f"cpu {cpu}"
    runnable = [task for task in check_sums(cfs, where, found) if not task.se.delayed]
    if cfs.nr_running != len(runnable):
        found.append(
            f"{where}: nr_running of eevdf is {cfs.nr_running}, {len(runnable)} tasks found"
        )
    if cfs.tasks.keys() != dict.fromkeys(runnable).keys():
        found.append(f"{where}: the balancing list does not hold the tasks of the queue")


def check_sums(cfs: EevdfRq, where: str, found: list[str]) -> list[CpuTask]:
    """Append to ``found`` what is wrong with sums and order; return who waits or is current."""
    waiting = cfs.waiting.tasks()
    counted = [*waiting, cfs.curr] if cfs.curr is not None and counts_curr(cfs) else waiting
    if cfs.nr_queued != len(counted):
        found.append(f"{where}: nr_queued is {cfs.nr_queued}, {len(counted)} tasks found")
    load = sum(task.se.weight for task in waiting)
    avg = sum((task.se.vruntime - cfs.zero_vruntime) * task.se.weight for task in waiting)
    if (cfs.avg_load, cfs.avg_vruntime) != (load, avg):
        found.append(f"{where}: the sums of weights and virtual times are not those of the tasks")
    keys = [(task.se.deadline, task.se.seq) for task in waiting]
    if any(before >= key for before, key in pairwise(keys)):
        found.append(f"{where}: tasks do not wait in the order of their deadlines: {keys}")
    for part in cfs.waiting.parts:
        if not 0 < len(part.tasks) <= LONGEST:
            found.append(f"{where}: {len(part.tasks)} tasks wait in one part of the queue")
        if any(task.se.vruntime < part.least for task in part.tasks):
            found.append(f"{where}: a task is below the least virtual time of its part")
    return counted
