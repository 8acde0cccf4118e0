"""The tasks that wait on a queue of EEVDF, by virtual deadline, and the earliest eligible of them.

They stand in one order, by deadline and, of equal ones, by when they were queued; the order is cut
into parts of at most ``LONGEST`` tasks. A part knows a virtual run time that none of its tasks is
below (``least``), as a node of Linux's tree does, so the search for the earliest eligible task
passes by parts that have none. In the first other part it looks at one task after the other. The
bound may be too low, for a task that leaves does not raise it; a search that finds nobody does.

So a queue and a pick move and look at no more than the tasks of a part, and at a number for each
part before it. Mostly that is the very first task: who has the earliest deadline has waited long.
And a task that has had its slice goes to the end, where no search is needed.

Source: kernel/sched/fair.c of Linux 6.12 (``tasks_timeline``, min_vruntime_update()).
"""

from collections.abc import Sequence
from typing import Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.weighted import WeightedEntity
from kernel.sched.weights import vruntime_factor_of

LONGEST: Final = 64  # tasks of one part


class EevdfEntity(WeightedEntity):
    """The class's part of a task (``struct sched_entity``).

    ``vlag`` is the lag with which the task last left a queue; while it runs, the deadline it had
    when it was picked: as long as they are equal its slice is protected. ``deadline`` is relative
    to ``vruntime`` while ``rel_deadline``. ``slice_ns`` of 0 stands for the base slice.
    ``delayed``: it sleeps, and is on the queue until its lag is no longer negative.
    """

    __slots__ = (
        "deadline",
        "delayed",
        "key",
        "on_rq",
        "rel_deadline",
        "seq",
        "slice_ns",
        "vlag",
        "vruntime",
    )

    def __init__(self) -> None:
        super().__init__()
        self.vruntime = 0
        self.deadline = 0
        self.vlag = 0
        self.slice_ns = 0
        self.seq = 0  # its order of entry while the task waits, else 0
        self.key = 0  # its deadline when it began to wait
        self.on_rq = False  # counted on a queue: it runs, waits, or is delayed
        self.delayed = False
        self.rel_deadline = False

    def pack(self) -> list[Any]:
        """Return all of it; of a task on no queue the last three say nothing."""
        return [
            self.vruntime,
            self.deadline,
            self.vlag,
            self.slice_ns,
            self.weight,
            self.rel_deadline,
            self.seq,
            self.on_rq,
            self.delayed,
        ]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        (
            self.vruntime,
            self.deadline,
            self.vlag,
            self.slice_ns,
            self.weight,
            self.rel_deadline,
            self.seq,
            self.on_rq,
            self.delayed,
        ) = data
        self.vmult, self.vshift = vruntime_factor_of(self.weight)


class Part:
    """Tasks that stand next to each other in the order; at least one, at most ``LONGEST``."""

    __slots__ = ("least", "tasks")

    def __init__(self, tasks: list[CpuTask], least: int) -> None:
        self.tasks = tasks
        self.least = least  # no task's virtual run time is below


class Waiting:
    """All that wait on one queue. The virtual run time of one that waits does not change."""

    __slots__ = ("_part", "_place", "parts")

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._part = 0  # where the last search found somebody
        self._place = 0

    def tasks(self) -> list[CpuTask]:
        """Return them by deadline."""
        return [p for part in self.parts for p in part.tasks]

    def append(self, p: CpuTask) -> None:
        """Let ``p``, whose deadline no other's is after, wait at the end."""
        se: EevdfEntity = p.se
        se.key = se.deadline
        parts = self.parts
        if parts:
            part = parts[-1]
            if len(part.tasks) < LONGEST:
                part.tasks.append(p)
                if se.vruntime < part.least:
                    part.least = se.vruntime
                return
        parts.append(Part([p], se.vruntime))

    def insert(self, p: CpuTask) -> None:
        """Let ``p`` wait, behind those of equal deadline; its ``seq`` is above all others'."""
        se: EevdfEntity = p.se
        parts = self.parts
        deadline = se.deadline
        if not parts or _last(parts[-1]).key <= deadline:
            self.append(p)
            return
        se.key = deadline
        number = self._part_of(deadline, se.seq)
        part = parts[number]
        tasks = part.tasks
        tasks.insert(_place_in(tasks, deadline, se.seq), p)
        if se.vruntime < part.least:
            part.least = se.vruntime
        if len(tasks) > LONGEST:
            half = len(tasks) >> 1
            parts.insert(number + 1, Part(tasks[half:], part.least))
            del tasks[half:]

    def remove(self, p: CpuTask) -> None:
        """Let ``p``, which waits, wait no longer."""
        parts = self.parts
        number, place = self._part, self._place
        if not (
            number < len(parts)
            and place < len(parts[number].tasks)
            and parts[number].tasks[place] is p
        ):
            se: EevdfEntity = p.se
            number = self._part_of(se.key, se.seq)
            if number == len(parts):
                raise AssertionError(f"{p!r} does not wait on this queue")
            place = _place_in(parts[number].tasks, se.key, se.seq)
        part = parts[number]
        tasks = part.tasks
        if tasks[place] is not p:
            raise AssertionError(f"{p!r} does not wait on this queue where it should")
        tasks.pop(place)
        if len(tasks) <= LONGEST >> 2:
            self._shrink(number)

    def _shrink(self, number: int) -> None:
        """A part has become short: join it to the next one if there is room, drop it if empty."""
        parts = self.parts
        part = parts[number]
        if not part.tasks:
            parts.pop(number)
        elif number + 1 < len(parts):
            other = parts[number + 1]
            if len(part.tasks) + len(other.tasks) <= LONGEST:
                part.tasks.extend(other.tasks)
                if other.least < part.least:
                    part.least = other.least
                parts.pop(number + 1)

    def first(self) -> CpuTask:
        """Return the one with the earliest deadline; somebody waits."""
        self._part = self._place = 0
        return self.parts[0].tasks[0]

    def earliest(self, limit: int) -> CpuTask | None:
        """Return the one with the earliest deadline whose virtual run time is at most ``limit``."""
        for number, part in enumerate(self.parts):
            if part.least > limit:
                continue
            tasks = part.tasks
            least = _last(part).vruntime
            for place, p in enumerate(tasks):
                se: EevdfEntity = p.se
                vruntime = se.vruntime
                if vruntime <= limit:
                    self._part = number
                    self._place = place
                    return p
                if vruntime < least:
                    least = vruntime
            part.least = least
        return None

    def _part_of(self, deadline: int, seq: int) -> int:
        """Return the number of the first part that ends at a deadline, or after it."""
        parts = self.parts
        low, high = 0, len(parts)
        while low < high:
            middle = (low + high) >> 1
            se = _last(parts[middle])
            if se.key < deadline or (se.key == deadline and se.seq < seq):
                low = middle + 1
            else:
                high = middle
        return low


def _last(part: Part) -> EevdfEntity:
    return part.tasks[-1].se  # type: ignore[no-any-return]


def _place_in(tasks: list[CpuTask], deadline: int, seq: int) -> int:
    """Return where in a part a task is, or belongs."""
    low, high = 0, len(tasks)
    while low < high:
        middle = (low + high) >> 1
        se: EevdfEntity = tasks[middle].se
        if se.key < deadline or (se.key == deadline and se.seq < seq):
            low = middle + 1
        else:
            high = middle
    return low
