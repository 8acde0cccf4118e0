"""A replay that is watched: it stops where one wants to look, and shows the machine there.

``Inspected`` is a run of the local engine with *stops*. Most are looked for between two rounds: a
time, a number of requests served, a record of a tracepoint, a request of a process. At granularity
``step`` a point of the kernel's source stops the run inside a round, before what stands there is
done; so does a step of a process's path. Stopping changes nothing: it is looking.

What is shown (``ps_lines`` and so on) is read from the structures of the machine themselves, and
not from a trace.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cluster import engine_api
from cluster.engine_api import RunRequest
from cluster.free_running import FreeHost
from cluster.local_engine import LocalRun
from cluster.sync.scheme import Horizons, Pending, Scheme, View
from cluster.trace import TraceRecord
from kernel.cpu.position import NAMES as POSITIONS
from kernel.events import EVENTS
from kernel.messages import NEVER, R_CODE, R_CPU, R_PID, R_TIME, REQ_RESUME, REQUESTS, Request
from kernel.process.tasklist import for_each_process, for_each_thread
from kernel.task import TaskStruct, task_state_letter
from kernel.trace.printable import printable
from kernel.uapi.syscalls import NAMES

if TYPE_CHECKING:
    from kernel.drive.active_path import ActivePath
    from kernel.drive.memory import Drain

_MOST_TASKS: Final = 200  # lines of a table


@dataclass(frozen=True, slots=True)
class Stops:
    """Where a replay stops: at ``until`` for good, elsewhere for somebody to look."""

    until_ns: int | None = None
    until_requests: int | None = None
    pids: tuple[int, ...] = ()
    events: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


class Quit(Exception):
    """Whoever looks has seen enough."""


class _Noted:
    """Notes what a scheme lets the kernel serve, and decides nothing."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self.served: list[Request] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheme, name)

    def limit(self, view: View) -> int:
        return self._scheme.limit(view)

    def ready(self, pending: Pending, view: View) -> list[Request]:
        found = self._scheme.ready(pending, view)
        self.served += found
        return found

    def horizons(self, view: View) -> Horizons:
        return self._scheme.horizons(view)


class NewRecords:
    """The records that a run on the local engine makes, as they come.

    Engines take records off the front of the lists that they are made in: after each time that one
    may have done so, ``skip``.
    """

    def __init__(self, run: LocalRun) -> None:
        cpus = (cpu.trace for cpu in run.group.cpus.values())
        self._traces: list[list[Any]] = [*cpus, run.host.kernel.trace]
        self._seen = [0] * len(self._traces)
        self._made = [0] * len(self._traces)  # numbers of records in their streams

    def take(self) -> list[TraceRecord]:
        """Return the records since the last call, in merged order."""
        found = []
        for lp, (trace, seen) in enumerate(zip(self._traces, self._seen, strict=True)):
            of_cpu = lp < len(self._traces) - 1
            for row in trace[seen:]:
                name, fields = EVENTS[row[1]]
                cpu, at = (lp, 2) if of_cpu else (row[2], 3)
                where = cpu if cpu >= 0 else None
                values = dict(zip(fields, row[at:]))
                found.append(TraceRecord(row[0], lp, self._made[lp], where, name, values))
                self._made[lp] += 1
        self.skip()
        return sorted(found, key=lambda record: (record.time_ns, record.lp, record.seq))

    def skip(self) -> None:
        """Take what the lists hold now as seen."""
        self._seen = [len(trace) for trace in self._traces]


class Inspected(LocalRun):
    """A run that stops.

    Args:
        request: the replay.
        stops: where.
        prompt: called with the run and why it stopped; returns after how many rounds (at
            granularity ``step``, steps) to stop again, 0: at the next of ``stops``. Quit ends it.
    """

    def __init__(
        self, request: RunRequest, stops: Stops, prompt: "Callable[[Inspected, str], int]"
    ) -> None:
        super().__init__(request)
        self._stops = stops
        self._prompt = prompt
        self._steps = 0  # until the next stop that was asked for
        self._over = ""
        self._noted = _Noted(self.host.scheme)
        self.host.scheme = self._noted
        self._records = NewRecords(self)
        if self.host.kernel.stepwise:
            self.host.kernel.watch = _Steps(self)

    # -- where to stop ----------------------------------------------------------------------------

    def look(self) -> None:
        """See ``LocalRun.look``; before it, see whether this is a place to stop."""
        why = self._why()
        self._noted.served.clear()
        if why:
            self.ask(why)
        super().look()
        self._records.skip()

    def stop(self) -> tuple[str, str] | None:
        """See ``LocalRun.stop``; ``--until`` is one more reason."""
        stops = self._stops
        if stops.until_ns is not None and self.host.virtual_ns >= stops.until_ns:
            self._over = self._over or f"virtual time has come to {self.host.virtual_ns} ns"
        served = self.host.kernel.stats.requests
        if stops.until_requests is not None and served >= stops.until_requests:
            self._over = self._over or f"{served} requests have been served"
        if self._over:
            return engine_api.INTERRUPTED, self._over
        return super().stop()

    def _why(self) -> str:
        """Return why to stop after this round, or an empty string."""
        found = []
        if self._stops.events:
            found = [
                f"the tracepoint {_told(record)}"
                for record in self._records.take()
                if record.event in self._stops.events
            ]
        for request in self._noted.served:
            if request[R_PID] in self._stops.pids and request[R_CODE] <= REQ_RESUME:
                name = REQUESTS[request[R_CODE]][0]
                found.append(
                    f"pid {request[R_PID]}: {name} of cpu {request[R_CPU]} at {request[R_TIME]} ns"
                )
        if found:
            return "; ".join(found)
        if self._steps and not self.host.kernel.stepwise:
            self._steps -= 1
            return "" if self._steps else "so many rounds are over"
        return ""

    def at_step(self, entry: "ActivePath | Drain") -> None:
        """Granularity ``step``: ``entry`` is about to go."""
        name = entry.op[0]
        pid = entry.task.pid if entry.task is not None else 0
        if name in self._stops.points or (pid and pid in self._stops.pids):
            self.ask(f"before {name} of pid {pid} on cpu {entry.cpu} at {entry.now_ns} ns")
        elif self._steps:
            self._steps -= 1
            if not self._steps:
                self.ask(f"before {name} of pid {pid} on cpu {entry.cpu} at {entry.now_ns} ns")

    def ask(self, why: str) -> None:
        """Let somebody look."""
        if self._over:
            return
        try:
            self._steps = self._prompt(self, why)
        except Quit:
            self._over = "that was enough"

    # -- what there is to see ---------------------------------------------------------------------

    def place(self) -> str:
        """Return in one line where the run stands."""
        kernel = self.host.kernel
        return (
            f"round {self.host.supersteps}, {kernel.stats.requests} requests served, "
            f"nothing happens before {self.host.virtual_ns} ns"
        )

    def ps_lines(self) -> list[str]:
        """Return all threads: who they are, where they stand, what they wait for."""
        rows = [("PID", "TGID", "PPID", "S", "CPU", "COMMAND", "IN")]
        for task in for_each_thread(self.host.kernel):
            call = NAMES.get(task.in_syscall, "-") if task.in_syscall >= 0 else "-"
            parent = task.real_parent.tgid
            numbers = str(task.pid), str(task.tgid), str(parent)
            letter = task_state_letter(task)
            rows.append((*numbers, letter, str(task.cpu), printable(task.comm), call))
        return _table(rows)

    def tree_lines(self) -> list[str]:
        """Return the family tree of processes."""
        children: dict[int, list[TaskStruct]] = {}
        for task in for_each_process(self.host.kernel):
            children.setdefault(task.real_parent.tgid, []).append(task)
        lines: list[str] = []
        stack = [(task, 0) for task in reversed(children.get(0, []))]
        while stack and len(lines) < _MOST_TASKS:
            task, depth = stack.pop()
            name = f"{printable(task.comm)}({task.pid}) {task_state_letter(task)}"
            threads = len(task.signal.threads)
            lines.append(f"{'  ' * depth}{name}{f' {threads} threads' if threads > 1 else ''}")
            stack += [(child, depth + 1) for child in reversed(children.get(task.tgid, []))]
        return lines

    def lock_lines(self) -> list[str]:
        """Return the classes of locks that were taken, and at ``step`` who has or wants which."""
        rows: list[tuple[str, ...]] = [("LOCK", "TAKEN", "CONTENDED", "WAITED ns", "HELD ns")]
        for name, stat in sorted(self.host.kernel.lock_stats.items()):
            numbers = stat.acquisitions, stat.contended, stat.wait_ns, stat.hold_ns
            if stat.acquisitions:
                rows.append((name, *map(str, numbers)))
        lines = _table(rows)
        for path in self.host.kernel.active:
            has = ", ".join(held[0].name for held in path.held)
            wants = path.blocked_on
            if has or wants is not None:
                waits = f" waits for {wants.name}" if wants is not None else ""
                lines.append(f"pid {path.task.pid} on cpu {path.cpu}: has {has or 'none'}{waits}")
        return lines

    def queue_lines(self) -> list[str]:
        """Return where each CPU stands and what it has to run, and what is under way."""
        rows = [("CPU", "CLOCK ns", "CURRENT", "STANDS", "RUNNABLE", "NEXT ns")]
        next_ns = self.host.view.cpu_next
        for number, cpu in self.group.cpus.items():
            rq = cpu.rq
            comm = f"{printable(rq.curr.comm)}({rq.curr.pid})"
            upcoming = "-" if next_ns[number] >= NEVER else str(next_ns[number])
            stands = POSITIONS[rq.curr.at]
            rows.append((str(number), str(cpu.now_ns), comm, stands, str(rq.nr_running), upcoming))
        lines = _table(rows)
        pending = self.host.pending.requests
        lines.append(f"{len(pending)} requests wait to be served")
        timer_ns = self.host.kernel.next_ns()
        due = "nothing" if timer_ns >= NEVER else f"something at {timer_ns} ns"
        lines.append(f"the kernel has {due} to do by itself")
        if isinstance(self.host, FreeHost):
            away = [str(group) for group, on_way in enumerate(self.host.on_way) if on_way]
            lines.append(f"on their way: {', '.join(away) or 'nobody'}")
        return lines


class _Steps:
    """Tells an inspected run of each step (``kernel.drive.step_watch``)."""

    def __init__(self, run: Inspected) -> None:
        self._run = run

    def begin(self, entry: "ActivePath | Drain") -> None:
        self._run.at_step(entry)

    def go_on(self, path: "ActivePath") -> None:
        pass

    def end(self) -> None:
        pass

    def aside(self, on: bool, of: TaskStruct | None = None, timed: bool = False) -> None:
        pass


def _told(record: TraceRecord) -> str:
    told = " ".join(f"{field}={_shown(value)}" for field, value in record.fields.items())
    return f"{record.event} at {record.time_ns} ns: {told}"


def _shown(value: Any) -> str:
    return printable(value) if isinstance(value, str) else str(value)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows in columns, the first row as heading; of many the first."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in rows[: _MOST_TASKS + 1]
    ]
    if len(rows) > _MOST_TASKS + 1:
        lines.append(f"… and {len(rows) - _MOST_TASKS - 1} more")
    return lines
