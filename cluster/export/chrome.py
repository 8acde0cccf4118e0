"""Chrome's trace event format: JSON that many viewers draw, and none computes with.

- process ``CPUs``: a thread for each CPU, with a slice for each stay of a task on it; counters of
  the tasks that are runnable there.
- each process, with its threads: slices of their states (running, runnable, sleeping, …), instants
  for exec, signals and exit, and flows from who forked or woke a task to where that one runs next.

Times are us with three decimals, so ns are exact. Numbers of threads are never 0, which readers
take for the number of the process, and CPUs are no threads of a process of the machine.

Source: "Trace Event Format" of Chromium's trace viewer.
Deviation: system calls are left out: they go over the slices of states, and slices must nest.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from cluster.export.queues import Queues
from cluster.export.stream import Records, reported_state
from cluster.export.tasks import CHANGES, Tasks
from kernel import events as ev
from kernel.uapi.task_state import TASK_REPORT_MAX

_CPUS: Final = 1 << 30  # the process that CPUs are threads of
_STATES: Final = {
    0: "runnable",
    1: "sleeping",
    2: "uninterruptible",
    4: "stopped",
    8: "traced",
    0x40: "parked",
    0x80: "idle",
    TASK_REPORT_MAX: "preempted",
}
_ENDED: Final = frozenset((0x10, 0x20))


def write(records: Records, out: BinaryIO) -> None:
    """Write a trace; see ``cluster.export``."""
    events = _Events(records)
    out.write(b'{"displayTimeUnit":"ns","otherData":{"clock":"virtual"},"traceEvents":[\n')
    out.write(",\n".join(events.begin()).encode())
    for batch in records.batches():
        lines = events.encode(batch)
        if lines:
            out.write((",\n" + ",\n".join(lines)).encode())
    lines = events.end()
    if lines:
        out.write((",\n" + ",\n".join(lines)).encode())
    out.write(b"\n]}\n")


def _us(time_ns: int) -> str:
    return f"{time_ns // 1000}.{time_ns % 1000:03d}"


@dataclass(slots=True)
class _Stay:
    """What a CPU runs, or which state a task is in, since when."""

    name: str
    since_ns: int
    pid: int = 0
    cpu: int = -1


class _Events:
    """Encodes records; a line is one event."""

    def __init__(self, records: Records) -> None:
        self._cpu_of = records.cpu_of
        self._tasks = Tasks()
        self._queues = Queues(records.cpus)
        self._on_cpu = [_Stay("swapper", -1) for _ in range(records.cpus)]
        self._states: dict[int, _Stay] = {}
        self._quoted: dict[str, str] = {}
        self._lines: list[str] = []
        self._flows = 0
        self._arriving: dict[int, list[tuple[int, str]]] = {}
        self._last_ns = 0
        self._handlers: dict[int, Callable[[int, int, list[Any], int], None]] = {
            ev.SCHED_SWITCH: self._switch,
            ev.SCHED_WAKEUP: self._wakeup,
            ev.SCHED_WAKEUP_NEW: self._wakeup,
            ev.SCHED_WAKING: self._waking,
            ev.SCHED_MIGRATE_TASK: self._migrate,
            ev.SCHED_PROCESS_FORK: self._fork,
            ev.TASK_RENAME: self._rename,
            ev.SCHED_PROCESS_EXEC: self._exec,
            ev.SCHED_PROCESS_EXIT: self._exit,
            ev.SIGNAL_GENERATE: self._signal,
            ev.SCHED_PROCESS_FREE: self._free,
        }

    def begin(self) -> list[str]:
        """Return the names of the CPUs."""
        cpus = range(len(self._on_cpu))
        return [
            _named("process_name", _CPUS, 1, '"CPUs"'),
            *(_named("thread_name", _CPUS, cpu + 1, f'"CPU {cpu}"') for cpu in cpus),
        ]

    def encode(self, batch: list[list[Any]]) -> list[str]:
        """Return the events of a batch."""
        self._lines = []
        for row in batch:
            event = row[1]
            cpu, at = self._cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            if event in CHANGES:
                self._tasks.follow(event, row, at)
            handler = self._handlers.get(event)
            if handler is not None and cpu >= 0:
                handler(row[0], cpu, row, at)
        self._last_ns = batch[-1][0]
        return self._lines

    def end(self) -> list[str]:
        """Return slices of what still goes on."""
        self._lines = []
        for cpu in range(len(self._on_cpu)):
            self._ran(cpu, self._last_ns, "")
        for pid in sorted(self._states):
            self._state(pid, self._last_ns, None)
        return self._lines

    # Lines

    def _quote(self, text: str) -> str:
        found = self._quoted.get(text)
        if found is None:
            if len(self._quoted) > 1 << 16:
                self._quoted.clear()
            found = self._quoted[text] = json.dumps(text)
        return found

    def _where(self, pid: int) -> str:
        return f'"pid":{self._tasks.group(pid)},"tid":{pid}'

    def _instant(self, time_ns: int, pid: int, name: str, arguments: str) -> None:
        self._lines.append(
            f'{{"ph":"i","s":"t","name":{self._quote(name)},"ts":{_us(time_ns)},'
            f'{self._where(pid)},"args":{{{arguments}}}}}'
        )

    def _ran(self, cpu: int, time_ns: int, state: str) -> None:
        """End the stay of a task on a CPU."""
        stay = self._on_cpu[cpu]
        if stay.pid:
            self._lines.append(
                f'{{"ph":"X","name":{self._quote(stay.name)},"ts":{_us(stay.since_ns)},'
                f'"dur":{_us(time_ns - stay.since_ns)},"pid":{_CPUS},"tid":{cpu + 1},'
                f'"args":{{"pid":{stay.pid},"state":"{state}"}}}}'
            )

    def _state(self, pid: int, time_ns: int, name: str | None, cpu: int = -1) -> None:
        """End the state of a task; the next one is ``name``, or none that is shown."""
        stay = self._states.pop(pid, None)
        if stay is not None:
            where = f'"cpu":{stay.cpu}' if stay.cpu >= 0 else ""
            self._lines.append(
                f'{{"ph":"X","name":"{stay.name}","ts":{_us(stay.since_ns)},'
                f'"dur":{_us(time_ns - stay.since_ns)},{self._where(pid)},"args":{{{where}}}}}'
            )
        if name is not None:
            self._states[pid] = _Stay(name, time_ns, pid, cpu)

    def _lengths(self, time_ns: int, cpus: tuple[int, ...]) -> None:
        for cpu in cpus:
            self._lines.append(
                f'{{"ph":"C","name":"CPU {cpu} runnable","ts":{_us(time_ns)},"pid":{_CPUS},'
                f'"args":{{"tasks":{self._queues.length[cpu]}}}}}'
            )

    def _flow(self, time_ns: int, pid: int, name: str, to: int) -> None:
        self._flows += 1
        self._arriving.setdefault(to, []).append((self._flows, name))
        self._lines.append(
            f'{{"ph":"s","cat":"sched","name":"{name}","id":{self._flows},"ts":{_us(time_ns)},'
            f"{self._where(pid)}}}"
        )

    # Records

    def _switch(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        _, prev, _, state, comm, pid, _, _ = row[at:]
        state = reported_state(state, thread=self._tasks.is_thread(prev))
        name = "ended" if state in _ENDED else _STATES.get(state, f"state {state:#x}")
        self._lengths(time_ns, self._queues.switch(cpu, prev, row[at + 3], pid))
        self._ran(cpu, time_ns, name)
        if prev:
            self._state(prev, time_ns, None if state in _ENDED else name)
        self._on_cpu[cpu] = _Stay(comm, time_ns, pid)
        if pid:
            self._state(pid, time_ns, "running", cpu)
            for flow, kind in self._arriving.pop(pid, ()):
                self._lines.append(
                    f'{{"ph":"f","bp":"e","cat":"sched","name":"{kind}","id":{flow},'
                    f'"ts":{_us(time_ns)},{self._where(pid)}}}'
                )

    def _wakeup(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        pid = row[at + 1]
        self._lengths(time_ns, self._queues.wake(pid, row[at + 3]))
        now = self._states.get(pid)
        if now is None or now.name not in ("running", "runnable", "preempted"):
            self._state(pid, time_ns, "runnable")

    def _waking(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        if self._on_cpu[cpu].pid:  # else an interrupt of the idle task
            self._flow(time_ns, self._on_cpu[cpu].pid, "wake", row[at + 1])

    def _migrate(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        self._lengths(time_ns, self._queues.move(row[at + 1], row[at + 4]))

    def _fork(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        _, parent, comm, pid = row[at:-1]
        self._name(pid, comm)
        if parent and self._on_cpu[cpu].pid == parent:
            self._flow(time_ns, parent, "fork", pid)

    def _name(self, pid: int, comm: str) -> None:
        group = self._tasks.group(pid)
        self._lines.append(_named("thread_name", group, pid, self._quote(comm)))
        if group == pid:
            self._lines.append(_named("process_name", pid, pid, self._quote(comm)))

    def _rename(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        pid, _, comm, _ = row[at:-1]
        self._name(pid, comm)
        if self._on_cpu[cpu].pid == pid:
            self._on_cpu[cpu].name = comm

    def _exec(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        filename, pid, old, _ = row[at:]
        if old != pid:
            self._state(old, time_ns, None)
            self._state(pid, time_ns, "running", cpu)
            self._on_cpu[cpu].pid = pid
        self._instant(time_ns, pid, "exec", f'"filename":{json.dumps(filename)}')

    def _exit(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        self._instant(time_ns, row[at + 1], "exit", f'"exit_code":{row[at + 4]}')

    def _signal(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        sig, _, code, _, pid, _, _ = row[at:-1]
        self._instant(time_ns, pid, f"signal {sig}", f'"code":{code}')

    def _free(self, time_ns: int, cpu: int, row: list[Any], at: int) -> None:
        self._arriving.pop(row[at + 1], None)
        self._states.pop(row[at + 1], None)


def _named(kind: str, pid: int, tid: int, quoted: str) -> str:
    return f'{{"ph":"M","name":"{kind}","pid":{pid},"tid":{tid},"args":{{"name":{quoted}}}}}'
