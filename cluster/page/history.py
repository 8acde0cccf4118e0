"""A trace as a page draws it: who ran where, how long the queues were, how long waits took.

One pass over the records. What is drawn piece by piece (stays of tasks on CPUs, wake-ups) is kept
in columns of numbers, a few bytes a piece; curves and histograms are added up on the way, in a
fixed number of bins, whose width doubles as time goes on.
"""

from array import array
from dataclasses import dataclass
from typing import Any, Final

from cluster.export.queues import Queues
from cluster.export.stream import Records, reported_state
from cluster.export.tasks import CHANGES, Tasks
from kernel import events as ev
from kernel.uapi.task_state import TASK_REPORT_MAX

BINS: Final = 600
_FIRST_WIDTH_NS: Final = 1024
_OCTAVE: Final = 4  # buckets of a histogram in each power of two

#: how a stay on a CPU ends, as ``Stays.state`` has it
RUNNABLE, SLEEPS, BLOCKED, STOPPED, ZOMBIE, DEAD = range(6)
_ENDINGS: Final = {
    0: RUNNABLE,
    TASK_REPORT_MAX: RUNNABLE,
    1: SLEEPS,
    0x80: SLEEPS,
    0x40: SLEEPS,
    2: BLOCKED,
    4: STOPPED,
    8: STOPPED,
    0x10: DEAD,
    0x20: ZOMBIE,
}


@dataclass(slots=True)
class TaskLine:
    """One task: a number may be used again, so tasks are told apart by their place in a list."""

    pid: int
    tgid: int
    parent: int  # place of the process that made it; -1: none
    comm: str
    start_ns: int
    end_ns: int = -1  # when it was freed; -1: not in this trace
    ran_ns: int = 0


class Stays:
    """Stays of tasks on one CPU, in order of time; idle ones are left out."""

    def __init__(self) -> None:
        self.start = array("d")  # ns
        self.length = array("d")
        self.task = array("I")
        self.name = array("I")  # of the task at that time
        self.state = array("B")


class Curve:
    """A number over time: its mean in each of at most BINS bins."""

    def __init__(self) -> None:
        self.width_ns = _FIRST_WIDTH_NS
        self.sums: list[int] = []  # value times ns
        self._value = 0
        self._since_ns = 0

    def set(self, time_ns: int, value: int) -> None:
        """From now on it is ``value``."""
        self._fill(time_ns)
        self._value = value

    def end(self, time_ns: int) -> None:
        """Time ends here."""
        self._fill(time_ns)

    def means(self) -> list[float]:
        """Return the mean of each bin."""
        ends = [self.width_ns * place for place in range(1, len(self.sums) + 1)]
        if ends:
            ends[-1] = self._since_ns
        return [
            total / max(1, end_ns - self.width_ns * place)
            for place, (total, end_ns) in enumerate(zip(self.sums, ends))
        ]

    def widen(self, width_ns: int) -> None:
        """Make the bins so wide; ``width_ns`` is a width times a power of two."""
        while self.width_ns < width_ns:
            self._halve()

    def _fill(self, time_ns: int) -> None:
        while time_ns >= self.width_ns * BINS:
            self._halve()
        width, value, since = self.width_ns, self._value, self._since_ns
        place = since // width
        while since < time_ns:
            if place == len(self.sums):
                self.sums.append(0)
            until = min(time_ns, (place + 1) * width)
            self.sums[place] += value * (until - since)
            since, place = until, place + 1
        self._since_ns = max(self._since_ns, time_ns)

    def _halve(self) -> None:
        self.width_ns *= 2
        if len(self.sums) % 2:
            self.sums.append(0)
        self.sums = [a + b for a, b in zip(self.sums[::2], self.sums[1::2])]


class Histogram:
    """Times by size, in buckets that are a quarter of a power of two wide."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.number = 0
        self.largest = 0

    def add(self, value_ns: int) -> None:
        """Count one."""
        bucket = bucket_of(value_ns)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.number += 1
        self.largest = max(self.largest, value_ns)

    def rows(self) -> list[tuple[int, int, int]]:
        """Return least and (excluded) largest time of each bucket from first to last, and count."""
        if not self.counts:
            return []
        buckets = range(min(self.counts), max(self.counts) + 1)
        return [(least(b), least(b + 1), self.counts.get(b, 0)) for b in buckets]


def bucket_of(value: int) -> int:
    """Return the bucket of a number: exact up to 3, then four in each power of two."""
    if value < _OCTAVE:
        return max(value, 0)
    octave = value.bit_length() - 3
    return _OCTAVE * octave + (value >> octave)


def least(bucket: int) -> int:
    """Return the least number in a bucket."""
    if bucket < 2 * _OCTAVE:
        return bucket
    octave = bucket // _OCTAVE - 1
    return (bucket % _OCTAVE + _OCTAVE) << octave


class History:
    """All that a page shows of a trace.

    Args:
        records: the trace, to be gone through here.

    Attributes:
        tasks: in the order in which they were made.
        names: that tasks had.
        stays: by CPU.
        woken_ns, woken: when, and which task, in order of time.
        queues: length of each CPU's runqueue, who runs included.
        waits: from being runnable to running.
        first_runs: from a fork to the child's first turn.
        end_ns: time of the last record.
    """

    def __init__(self, records: Records) -> None:
        self.tasks: list[TaskLine] = []
        self.names: dict[str, int] = {}
        self.stays = [Stays() for _ in range(records.cpus)]
        self.woken_ns = array("d")
        self.woken = array("I")
        self.queues = [Curve() for _ in range(records.cpus)]
        self.waits = Histogram()
        self.first_runs = Histogram()
        self.end_ns = 0
        self._at: dict[int, int] = {}  # pid -> place in tasks
        self._known = Tasks()
        self._lengths = Queues(records.cpus)
        self._on: list[tuple[int, int]] = [(0, 0)] * records.cpus  # pid, since when
        self._waits_since: dict[int, int] = {}
        self._forked: dict[int, int] = {}
        for batch in records.batches():
            self._take(batch, records.cpu_of)
        for cpu, (pid, since_ns) in enumerate(self._on):
            self._stay(cpu, pid, since_ns, self.end_ns, RUNNABLE)
            self.queues[cpu].end(self.end_ns)

    def _take(self, batch: list[list[Any]], cpu_of: list[int | None]) -> None:
        wakes = (ev.SCHED_WAKEUP, ev.SCHED_WAKEUP_NEW)
        for row in batch:
            time_ns, event = row[0], row[1]
            cpu, at = cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            if event == ev.SCHED_SWITCH:
                self._switch(time_ns, cpu, row, at)
            elif event in wakes:
                self._wake(time_ns, row[at + 1], row[at + 3])
            elif event == ev.SCHED_MIGRATE_TASK:
                self._changed(time_ns, self._lengths.move(row[at + 1], row[at + 4]))
            elif event == ev.SCHED_PROCESS_EXEC and row[at + 1] != row[at + 2]:
                self._become(time_ns, cpu, row[at + 2], row[at + 1])
            if event in CHANGES:
                self._change(time_ns, event, row, at)
        self.end_ns = max(self.end_ns, batch[-1][0])

    def _change(self, time_ns: int, event: int, row: list[Any], at: int) -> None:
        if event == ev.SCHED_PROCESS_FREE:
            place = self._at.get(row[at + 1], -1)  # kept: it may still be on its CPU
            if place >= 0:
                self.tasks[place].end_ns = time_ns
        self._known.follow(event, row, at)
        if event == ev.SCHED_PROCESS_FORK:
            pid = row[at + 3]
            group = self._known.group(pid)
            parent = self._known.parent.get(group, 0) if group == pid else group
            self._at[pid] = len(self.tasks)
            line = TaskLine(pid, group, self._at.get(parent, -1), row[at + 2], time_ns)
            self.tasks.append(line)
            self._forked[pid] = time_ns
        elif event == ev.TASK_RENAME and row[at] in self._at:
            self.tasks[self._at[row[at]]].comm = row[at + 2]

    def _wake(self, time_ns: int, pid: int, cpu: int) -> None:
        place = self._at.get(pid, -1)
        if place >= 0:
            self.woken_ns.append(time_ns)
            self.woken.append(place)
        self._waits_since.setdefault(pid, time_ns)
        self._changed(time_ns, self._lengths.wake(pid, cpu))

    def _become(self, time_ns: int, cpu: int, old: int, pid: int) -> None:
        """A thread that is not the first has become its process."""
        self._stay(cpu, old, self._on[cpu][1], time_ns, DEAD)
        self._on[cpu] = pid, time_ns

    def _switch(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        prev, state, pid = row[at + 1], row[at + 3], row[at + 5]
        place = self._at.get(prev, -1)
        told = reported_state(state, thread=place >= 0 and self.tasks[place].tgid != prev)
        ending = _ENDINGS.get(told, SLEEPS)
        self._stay(cpu, prev, self._on[cpu][1], time_ns, ending)
        self._on[cpu] = pid, time_ns
        if prev and ending == RUNNABLE:
            self._waits_since[prev] = time_ns
        if pid:
            since_ns = self._waits_since.pop(pid, time_ns)
            forked_ns = self._forked.pop(pid, -1)
            if forked_ns >= 0:
                self.first_runs.add(time_ns - forked_ns)
            else:
                self.waits.add(time_ns - since_ns)
        self._changed(time_ns, self._lengths.switch(cpu, prev, state, pid))

    def _stay(self, cpu: int, pid: int, since_ns: int, time_ns: int, ending: int) -> None:
        place = self._at.get(pid, -1) if pid else -1
        if place < 0 or time_ns < since_ns:
            return
        stays = self.stays[cpu]
        stays.start.append(since_ns)
        stays.length.append(time_ns - since_ns)
        stays.task.append(place)
        task = self.tasks[place]
        stays.name.append(self.names.setdefault(task.comm, len(self.names)))
        stays.state.append(ending)
        task.ran_ns += time_ns - since_ns

    def _changed(self, time_ns: int, cpus: tuple[int, ...]) -> None:
        for cpu in cpus:
            self.queues[cpu].set(time_ns, self._lengths.length[cpu])
