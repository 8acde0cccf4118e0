"""The queue of the O(1) scheduler: two arrays of lists, and the arithmetic of slices and bonuses.

``kernel.sched.o1`` has the theory and the operations of the class, which are made of these.

Source: kernel/sched.c of Linux 2.6.11.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.bits import find_first_bit
from kernel.cpu.task import CpuTask
from kernel.sched.fair import FairRq
from kernel.sched.fork_order import first_flags
from kernel.sched.sched_class import Entity
from kernel.sched.tunables import duration, integer
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.policy import SCHED_IDLE, SCHED_NORMAL
from kernel.uapi.prio import DEFAULT_PRIO, MAX_NICE, MAX_RT_PRIO

if TYPE_CHECKING:
    from kernel.sched.rq import Rq

MAX_PRIO: Final = 140
MAX_BONUS: Final = 10
INTERACTIVE_DELTA: Final = 2
ON_RUNQUEUE_WEIGHT: Final = 30
CHILD_PENALTY: Final = 95
EXIT_WEIGHT: Final = 3


@dataclass(frozen=True)
class O1Tunables:
    """The constants at the head of kernel/sched.c."""

    def_timeslice_ns: int = duration(
        100_000_000, 1_000_000, NSEC_PER_SEC, "Slice of a task of nice 0, in whole ticks."
    )
    min_timeslice_ns: int = duration(
        5_000_000,
        1_000_000,
        NSEC_PER_SEC,
        "Slice of nice 19 at least.",
        at_most="def_timeslice_ns",
    )
    granularity_ns: int = duration(
        10_000_000, 1_000_000, NSEC_PER_SEC, "After it an interactive task lets its equals go."
    )
    child_penalty: int = integer(
        CHILD_PENALTY, 0, 100, "Per cent of its parent's sleep average that a child begins with."
    )


class O1Entity(Entity):
    """The class's part of a task. ``prio`` is its dynamic priority, 100 to 139.

    ``timestamp_ns``: when it last went to sleep, woke, or stopped running. ``activated``: how it
    was woken, 0 once it has run, -1 from uninterruptible sleep.
    """

    __slots__ = (
        "activated",
        "array",
        "expired",
        "first_time_slice",
        "prio",
        "sleep_avg",
        "time_slice",
        "timestamp_ns",
    )

    def __init__(self) -> None:
        self.prio = DEFAULT_PRIO
        self.time_slice = 0  # ticks left; 0: it has not had one yet
        self.sleep_avg = 0  # ns
        self.timestamp_ns = 0
        self.activated = 0
        self.first_time_slice = False
        self.array: PrioArray | None = None  # the one it is in
        self.expired = False  # it is to go to the expired array of its next queue

    def pack(self) -> list[Any]:
        """Return what the task takes along."""
        return [
            self.prio,
            self.time_slice,
            self.sleep_avg,
            self.timestamp_ns,
            self.activated,
            self.first_time_slice,
            self.expired,
        ]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        (
            self.prio,
            self.time_slice,
            self.sleep_avg,
            self.timestamp_ns,
            self.activated,
            self.first_time_slice,
            self.expired,
        ) = data


class PrioArray:
    """Lists of tasks by priority (``prio_array_t``)."""

    __slots__ = ("bitmap", "nr_active", "queue")

    def __init__(self) -> None:
        self.nr_active = 0
        self.bitmap = 0
        self.queue: list[OrderedDict[CpuTask, None]] = [OrderedDict() for _ in range(MAX_PRIO)]

    def add(self, p: CpuTask) -> None:
        """Append ``p`` to the list of its priority. Source: enqueue_task()."""
        se: O1Entity = p.se
        p.prio = se.prio
        se.array = self
        self.queue[se.prio][p] = None
        self.bitmap |= 1 << se.prio
        self.nr_active += 1

    def remove(self, p: CpuTask) -> None:
        """Take ``p`` out of the list of its priority. Source: dequeue_task()."""
        se: O1Entity = p.se
        queue = self.queue[se.prio]
        del queue[p]
        if not queue:
            self.bitmap &= ~(1 << se.prio)
        self.nr_active -= 1
        se.array = None

    def requeue(self, p: CpuTask) -> None:
        """Move ``p`` to the end of its list. Source: requeue_task()."""
        se: O1Entity = p.se
        self.queue[se.prio].move_to_end(p)

    def tasks(self) -> list[CpuTask]:
        """Return all tasks, the highest list first."""
        return [p for queue in self.queue for p in queue]

    def first(self) -> CpuTask:
        """Return the first task of the highest list; there is one."""
        return next(iter(self.queue[find_first_bit(self.bitmap)]))


class O1Rq(FairRq):
    """The two arrays, and what decides whether the expired ones starve (``runqueue_t``)."""

    __slots__ = (
        "active",
        "best_expired_prio",
        "child_first",
        "children",
        "def_timeslice",
        "expired",
        "expired_since_ns",
        "forked",
        "granularity",
        "heirs",
        "max_sleep_avg_ns",
        "min_timeslice",
        "placed",
        "tick_ns",
        "tunables",
    )

    def __init__(self, tunables: O1Tunables, cpus: int, hz: int, fork_order: str) -> None:
        super().__init__()
        self.child_first = first_flags(fork_order)
        self.tunables = tunables
        self.tick_ns = NSEC_PER_SEC // hz
        self.def_timeslice, self.min_timeslice = whole_slices(tunables, self.tick_ns)
        self.granularity = max(1, tunables.granularity_ns // self.tick_ns) * cpus
        self.max_sleep_avg_ns = self.def_timeslice * MAX_BONUS * self.tick_ns
        self.active = PrioArray()
        self.expired = PrioArray()
        self.expired_since_ns = -1  # when the first task expired since the arrays last changed
        self.best_expired_prio = MAX_PRIO
        self.forked: tuple[CpuTask, CpuTask] | None = None  # a child not yet queued, its parent
        self.placed: CpuTask | None = None  # the same child, if it goes before its parent
        # child -> its parent, to whom the rest of its first slice goes; and the other way round
        self.heirs: dict[CpuTask, CpuTask] = {}
        self.children: dict[CpuTask, dict[CpuTask, None]] = {}

    def pack(self) -> list[Any]:
        """Return who is in which list, current, and what the expired ones are measured by."""
        return [
            [p.pid for p in self.tasks],
            [[p.pid for p in array.tasks()] for array in (self.active, self.expired)],
            None if self.curr is None else self.curr.pid,
            [[child.pid, parent.pid] for child, parent in self.heirs.items()],
            self.expired_since_ns,
            self.best_expired_prio,
        ]

    def unpack(self, data: Sequence[Any], tasks: Mapping[int, CpuTask]) -> None:
        """Take what ``pack`` returned."""
        everybody, arrays, curr, heirs, self.expired_since_ns, self.best_expired_prio = data
        self.tasks = OrderedDict((tasks[pid], None) for pid in everybody)
        self.nr_running = len(self.tasks)
        for array, pids in zip((self.active, self.expired), arrays):
            for pid in pids:
                array.add(tasks[pid])
        self.curr = None if curr is None else tasks[curr]
        self.heirs = {tasks[child]: tasks[parent] for child, parent in heirs}
        for child, parent in self.heirs.items():
            self.children.setdefault(parent, {})[child] = None


def static_prio(p: CpuTask) -> int:
    """Return the priority that follows from nice alone."""
    return DEFAULT_PRIO + (MAX_NICE if p.policy == SCHED_IDLE else p.nice)


def current_bonus(rq: O1Rq, se: O1Entity) -> int:
    """Return the bonus for what the task slept: 0 to 10. Source: CURRENT_BONUS()."""
    return se.sleep_avg // rq.tick_ns * MAX_BONUS // (rq.def_timeslice * MAX_BONUS)


def effective_prio(rq: O1Rq, p: CpuTask) -> int:
    """Return the dynamic priority. Source: kernel/sched.c:effective_prio()."""
    bonus = current_bonus(rq, p.se) - MAX_BONUS // 2 if p.policy == SCHED_NORMAL else 0
    return max(MAX_RT_PRIO, min(MAX_PRIO - 1, static_prio(p) - bonus))


def task_timeslice(rq: O1Rq, p: CpuTask) -> int:
    """Return a whole slice in ticks. Source: kernel/sched.c:task_timeslice()."""
    return timeslice(rq.def_timeslice, rq.min_timeslice, static_prio(p))


def timeslice(def_ticks: int, min_ticks: int, prio: int) -> int:
    """Return the slice of a task of static priority ``prio``, in ticks. Source: SCALE_PRIO()."""
    base = def_ticks * 4 if prio < DEFAULT_PRIO else def_ticks
    return max(base * (MAX_PRIO - prio) // 20, min_ticks)


def whole_slices(tunables: O1Tunables, tick_ns: int) -> tuple[int, int]:
    """Return the slice of nice 0 and the least one in ticks."""
    return (
        max(1, tunables.def_timeslice_ns // tick_ns),
        max(1, tunables.min_timeslice_ns // tick_ns),
    )


def interactive_delta(p: CpuTask) -> int:
    """Return the bonus from which on ``p`` is interactive: more, the nicer. Source: DELTA()."""
    nice = static_prio(p) - DEFAULT_PRIO
    scaled = nice * MAX_BONUS // 40 if nice >= 0 else -(-nice * MAX_BONUS // 40)
    return scaled + INTERACTIVE_DELTA


def task_interactive(p: CpuTask) -> bool:
    """Tell whether ``p`` has slept enough to be treated as interactive."""
    se: O1Entity = p.se
    return se.prio <= static_prio(p) - interactive_delta(p)


def interactive_sleep_ns(rq: O1Rq, p: CpuTask) -> int:
    """Return the sleep that makes ``p`` interactive at once. Source: INTERACTIVE_SLEEP()."""
    whole = rq.def_timeslice * MAX_BONUS
    ticks = whole * (MAX_BONUS // 2 + interactive_delta(p) + 1) // MAX_BONUS - 1
    return ticks * rq.tick_ns


def recalc_task_prio(rq: O1Rq, p: CpuTask, now_ns: int) -> None:
    """Add what ``p`` slept until ``now_ns`` to its average, and set its priority.

    Source: kernel/sched.c:recalc_task_prio().
    """
    se: O1Entity = p.se
    slept_ns = min(now_ns - se.timestamp_ns, rq.max_sleep_avg_ns)
    if slept_ns > 0:
        enough_ns = interactive_sleep_ns(rq, p)
        if se.activated != -1 and slept_ns > enough_ns:
            # idle rather than interactive: just enough to stay active
            se.sleep_avg = rq.max_sleep_avg_ns - rq.def_timeslice * rq.tick_ns
        else:
            slept_ns *= MAX_BONUS - current_bonus(rq, se) or 1
            if se.activated == -1:  # it waited for a device
                slept_ns = max(0, min(slept_ns, enough_ns - se.sleep_avg))
            se.sleep_avg = min(se.sleep_avg + slept_ns, rq.max_sleep_avg_ns)
    se.prio = effective_prio(rq, p)


def timeslice_granularity(rq: O1Rq, se: O1Entity) -> int:
    """Return after how many ticks an interactive task lets others go. Source: the macro."""
    return rq.granularity << ((MAX_BONUS - current_bonus(rq, se) or 1) - 1)


def charge(o1: O1Rq, p: CpuTask, now_ns: int) -> None:
    """``p`` stops running: its sleep average falls by what it ran, less the more interactive it is.

    Source: kernel/sched.c:schedule().
    """
    se: O1Entity = p.se
    ran_ns = min(now_ns - se.timestamp_ns, o1.max_sleep_avg_ns)
    if ran_ns > 0:
        se.sleep_avg = max(0, se.sleep_avg - ran_ns // (current_bonus(o1, se) or 1))
    se.timestamp_ns = now_ns
    if now_ns > p.exec_start_ns:
        p.sum_exec_ns += now_ns - p.exec_start_ns
        p.exec_start_ns = now_ns


def expired_starving(rq: "Rq", o1: O1Rq) -> bool:
    """Tell whether expired tasks have waited too long. Source: EXPIRED_STARVING()."""
    since_ns = o1.expired_since_ns
    limit_ns = o1.max_sleep_avg_ns * o1.nr_running + o1.tick_ns
    if since_ns >= 0 and rq.clock_ns - since_ns >= limit_ns:
        return True
    return static_prio(rq.curr) > o1.best_expired_prio


def check_arrays(o1: O1Rq, cpu: int, found: list[str]) -> None:
    """Append to ``found`` what is wrong with the queue of ``cpu``: counts, bitmaps, places."""
    where = f"cpu {cpu}"
    total = 0
    for name, array in (("active", o1.active), ("expired", o1.expired)):
        held = [(prio, p) for prio, queue in enumerate(array.queue) for p in queue]
        total += len(held)
        if array.nr_active != len(held):
            found.append(f"{where}: nr_active of {name} is {array.nr_active}, not {len(held)}")
        if array.bitmap != sum({1 << prio for prio, _ in held}):
            found.append(f"{where}: the bitmap of {name} is not that of its lists")
        for prio, p in held:
            se: O1Entity = p.se
            if se.prio != prio or se.array is not array:
                found.append(f"{where}: {p!r} is in a list of {name} that is not its own")
    if not total == o1.nr_running == len(o1.tasks):
        found.append(
            f"{where}: nr_running of o1 is {o1.nr_running}, {total} and {len(o1.tasks)} found"
        )
