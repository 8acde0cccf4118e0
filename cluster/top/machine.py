"""The machine of a run at a virtual time, as its records tell it: tasks, CPUs, queues, counts.

What happens by the second or in per cent is the difference to a ``Mark``, made some time before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster.export.queues import Queues
from cluster.report.process_table import FOLLOWED, ProcessTable, TaskRow
from cluster.trace.reader import TraceRecord
from kernel import events as ev
from kernel.uapi.clock import NSEC_PER_SEC

#: what is counted: name -> events
COUNTED: Final[dict[str, tuple[int, ...]]] = {
    "forks": (ev.SCHED_PROCESS_FORK,),
    "execs": (ev.SCHED_PROCESS_EXEC,),
    "exits": (ev.SCHED_PROCESS_EXIT,),
    "lifecycles": (ev.SCHED_PROCESS_FREE,),
    "switches": (ev.SCHED_SWITCH,),
    "wake-ups": (ev.SCHED_WAKEUP, ev.SCHED_WAKEUP_NEW),
    "migrations": (ev.SCHED_MIGRATE_TASK,),
    "page faults": (ev.PAGE_FAULT_USER,),
    "signals": (ev.SIGNAL_GENERATE,),
    "system calls": (ev.SYS_ENTER,),
}
_WAKES: Final = frozenset((ev.SCHED_WAKEUP, ev.SCHED_WAKEUP_NEW))
_NAMES: Final = {
    number: described for number, described in ev.EVENTS.items() if described[0] in FOLLOWED
}


@dataclass(slots=True)
class Mark:
    """What had come together at a time."""

    now_ns: int
    busy_ns: list[int]  # by CPU
    ran_ns: dict[tuple[int, int], int]  # by pid and begin: a pid may be used again
    counts: list[int]  # by event


class Machine:
    """A machine after some of its records.

    Args:
        cpu_of: of each logical process which CPU it is; None: the kernel.

    Attributes:
        now_ns: the time.
        table: its tasks.
        current: by CPU the pid and the name of who runs; pid 0: nobody.
    """

    def __init__(self, cpu_of: Sequence[int | None]) -> None:
        self._cpu_of = cpu_of
        self.cpus = sum(cpu is not None for cpu in cpu_of)
        self.now_ns = 0
        self.table = ProcessTable()
        self.current: list[tuple[int, str]] = [(0, "")] * self.cpus
        self._since_ns = [0] * self.cpus
        self._busy_ns = [0] * self.cpus
        self._queues = Queues(self.cpus)
        self._counts = [0] * (max(ev.EVENTS) + 1)

    def copy(self) -> "Machine":
        """Return one that stands where this one does, and goes on by itself."""
        other = Machine(self._cpu_of)
        other.now_ns = self.now_ns
        other.table = self.table.copy()
        other.current = list(self.current)
        other._since_ns = list(self._since_ns)
        other._busy_ns = list(self._busy_ns)
        other._queues = self._queues.copy()
        other._counts = list(self._counts)
        return other

    def take(self, rows: Iterable[list[Any]]) -> None:
        """Take records as ``TraceReader.batches`` has them."""
        cpu_of, counts, queues, follow = self._cpu_of, self._counts, self._queues, self.table.follow
        now_ns = self.now_ns
        for row in rows:
            time_ns, event = row[0], row[1]
            cpu, at = cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            counts[event] += 1
            if time_ns > now_ns:
                now_ns = time_ns
            named = _NAMES.get(event)
            if named is not None:
                name, fields = named
                where = cpu if cpu >= 0 else None
                values = dict(zip(fields, row[at:-1]))
                follow(TraceRecord(time_ns, row[-1], -1, where, name, values))
            if event == ev.SCHED_SWITCH:
                self._switch(time_ns, cpu, row, at)
            elif event in _WAKES:
                queues.wake(row[at + 1], row[at + 3])
            elif event == ev.SCHED_MIGRATE_TASK:
                queues.move(row[at + 1], row[at + 4])
            elif event == ev.SCHED_PROCESS_EXEC and row[at + 1] != row[at + 2]:
                self._renumber(row[at + 2], row[at + 1])
        self.go_to(now_ns)

    def go_to(self, now_ns: int) -> None:
        """Let time go by until ``now_ns``; nothing happens."""
        if now_ns > self.now_ns:
            self.now_ns = self.table.now_ns = now_ns

    def _switch(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        if self.current[cpu][0]:
            self._busy_ns[cpu] += time_ns - self._since_ns[cpu]
        self._since_ns[cpu] = time_ns
        self.current[cpu] = row[at + 5], row[at + 4]
        self._queues.switch(cpu, row[at + 1], row[at + 3], row[at + 5])

    def _renumber(self, before: int, pid: int) -> None:
        """A thread that was no leader did exec, and has the number of its process."""
        self.current = [(pid, name) if on == before else (on, name) for on, name in self.current]

    # -- what it says -----------------------------------------------------------------------------

    def queue(self, cpu: int) -> int:
        """Return how many tasks are runnable on a CPU, who runs included."""
        return self._queues.length[cpu]

    def busy_ns(self, cpu: int) -> int:
        """Return how long a CPU has run tasks so far."""
        running = self.now_ns - self._since_ns[cpu] if self.current[cpu][0] else 0
        return self._busy_ns[cpu] + max(0, running)

    def mark(self) -> Mark:
        """Return what has come together, to compare with later."""
        table = self.table
        return Mark(
            self.now_ns,
            [self.busy_ns(cpu) for cpu in range(self.cpus)],
            {(pid, row.started_ns): table.ran_ns(row) for pid, row in table.tasks.items()},
            list(self._counts),
        )

    def beginning(self) -> Mark:
        """Return the mark that was before everything."""
        return Mark(0, [0] * self.cpus, {}, [0] * len(self._counts))


class Window:
    """What has happened since a mark."""

    def __init__(self, machine: Machine, since: Mark) -> None:
        self._machine = machine
        self._since = since
        self.span_ns = max(0, machine.now_ns - since.now_ns)

    def busy(self, cpu: int) -> float:
        """Return the share of time that a CPU was busy, from 0 to 1.

        Of a run that goes on CPUs are not all known up to the same time, hence the bound.
        """
        return min(1.0, self._share(self._machine.busy_ns(cpu) - self._since.busy_ns[cpu]))

    def ran(self, rows: Iterable[TaskRow]) -> float:
        """Return the share of one CPU that tasks have had together."""
        before, ran_ns = self._since.ran_ns, self._machine.table.ran_ns
        return self._share(
            sum(ran_ns(row) - before.get((row.pid, row.started_ns), 0) for row in rows)
        )

    def rate(self, name: str) -> float:
        """Return how often a second of virtual time what is counted under a name has happened."""
        counts, before = self._machine._counts, self._since.counts
        number = sum(counts[event] - before[event] for event in COUNTED[name])
        return number * NSEC_PER_SEC / self.span_ns if self.span_ns else 0.0

    def number(self, name: str) -> int:
        """Return how often it has happened since the beginning."""
        return sum(self._machine._counts[event] for event in COUNTED[name])

    def _share(self, ns: int) -> float:
        return min(ns / self.span_ns, float(self._machine.cpus)) if self.span_ns else 0.0
