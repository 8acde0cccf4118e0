"""``perf sched latency``: how long tasks ran, how often they were switched to, their waits.

A wait begins with the wake-up of a sleeping task, or when a runnable one is switched out, and ends
when it is switched to.

Source: tools/perf/builtin-sched.c:latency_switch_event(), latency_wakeup_event(),
output_lat_thread(), Linux 6.1.
Deviation: run time is that between two switches (perf adds up sched_stat_runtime, which leaves out
the switch itself); a task that runs when the trace ends has run until then. A preempted task waits,
as perf means it: perf 6.1 does not know the state R+ that kernels since 4.14 give, and leaves such
waits, and the switches that end them, out.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cluster.report.sched.tasks import DEAD, PREEMPTED, SchedTask, Tasks, seconds
from cluster.trace.reader import TraceRecord
from kernel.trace.printable import printable

SORT_KEYS: Final = ("avg", "max", "switch", "runtime")
_RULE: Final = f" {'-' * 113}"


@dataclass(slots=True)
class LatencyTask(SchedTask):
    """A task, or all those of one name, and its waits; times in ns."""

    waits_since_ns: int = -1
    on_cpu: bool = False
    run_ns: int = 0
    switches: int = 0
    wait_ns: int = 0
    max_ns: int = 0
    max_from_ns: int = 0
    merged: int = 1

    @property
    def avg_ns(self) -> float:
        """Return the mean wait."""
        return self.wait_ns / self.switches if self.switches else 0.0


class Latency:
    """The table of one trace."""

    def __init__(
        self, records: Iterable[TraceRecord], cpus: Collection[int] = (), end_ns: int = 0
    ) -> None:
        """Read ``records``, in merged order.

        Args:
            records: of the trace.
            cpus: only what happened on these; all if empty. A task that moves waits anew.
            end_ns: when the run ended, if later than the last record.
        """
        self.tasks: Tasks[LatencyTask] = Tasks(LatencyTask)
        self._cpus = cpus
        self._running: dict[int, tuple[LatencyTask, int]] = {}  # on a CPU, since when
        for record in records:
            self._follow(record)
            end_ns = max(end_ns, record.time_ns)
        for cpu, (task, since_ns) in self._running.items():
            if not cpus or cpu in cpus:
                task.run_ns += end_ns - since_ns

    def _follow(self, record: TraceRecord) -> None:
        fields = record.fields
        event = record.event
        if event == "sched_switch":
            self._switch(record)
        elif event in ("sched_wakeup", "sched_wakeup_new"):
            task = self.tasks.get(fields["pid"], fields["comm"])
            if task.waits_since_ns < 0 and not task.on_cpu:
                task.waits_since_ns = record.time_ns
        elif event == "sched_migrate_task":
            task = self.tasks.get(fields["pid"], fields["comm"])
            if self._cpus and task.waits_since_ns >= 0:
                task.waits_since_ns = record.time_ns
        else:
            self.tasks.follow(record)

    def _switch(self, record: TraceRecord) -> None:
        fields = record.fields
        now_ns, cpu = record.time_ns, record.cpu or 0
        _, since_ns = self._running.pop(cpu, (None, now_ns))
        chosen = not self._cpus or cpu in self._cpus
        if fields["prev_pid"]:
            prev = self.tasks.get(fields["prev_pid"], fields["prev_comm"])
            if chosen:
                prev.run_ns += now_ns - since_ns
            prev.on_cpu = False
            prev.dead = bool(fields["prev_state"] & DEAD)
            prev.waits_since_ns = now_ns if fields["prev_state"] in (0, PREEMPTED) else -1
        if fields["next_pid"]:
            task = self.tasks.get(fields["next_pid"], fields["next_comm"])
            self._running[cpu] = task, now_ns
            task.on_cpu = True
            if chosen:
                task.switches += 1
            if chosen and task.waits_since_ns >= 0:
                wait_ns = now_ns - task.waits_since_ns
                task.wait_ns += wait_ns
                if wait_ns > task.max_ns:
                    task.max_ns, task.max_from_ns = wait_ns, task.waits_since_ns
            task.waits_since_ns = -1

    def rows(self, sort: Iterable[str] = SORT_KEYS, *, pids: bool = False) -> list[LatencyTask]:
        """Return the rows of the table, the largest first.

        Args:
            sort: keys, the most important one first.
            pids: a row for each task, not for each name.
        """
        rows: list[LatencyTask] = []
        by_comm: dict[str, LatencyTask] = {}
        for task in self.tasks.everybody():
            if not task.switches:
                continue
            if pids or task.comm not in by_comm:
                row = LatencyTask(task.pid, task.comm, merged=0)
                by_comm[task.comm] = row
                rows.append(row)
            row = by_comm[task.comm]
            row.merged += 1
            row.run_ns += task.run_ns
            row.switches += task.switches
            row.wait_ns += task.wait_ns
            if task.max_ns > row.max_ns:
                row.max_ns, row.max_from_ns = task.max_ns, task.max_from_ns
        keys = tuple(sort)
        return sorted(rows, key=lambda row: (*(-_key(row, key) for key in keys), row.pid))


def _key(row: LatencyTask, key: str) -> float:
    if key == "avg":
        return row.avg_ns
    return {"max": row.max_ns, "switch": row.switches, "runtime": row.run_ns}[key]


def latency_lines(rows: list[LatencyTask]) -> Iterator[str]:
    """Yield the table as text, in the layout of perf."""
    yield ""
    rule = f" {'-' * 139}"
    yield rule
    yield (
        "  Task                  |   Runtime ms  | Switches | Avg delay ms    | Max delay ms    "
        "| Max delay start           | Max delay end          |"
    )
    yield rule
    for row in rows:
        name = f"  {printable(row.comm)}:{row.pid if row.merged == 1 else f'({row.merged})'} "
        yield (
            f"{name:24}|{row.run_ns / 1e6:11.3f} ms |{row.switches:9d} "
            f"| avg:{row.avg_ns / 1e6:8.3f} ms | max:{row.max_ns / 1e6:8.3f} ms "
            f"| max start: {seconds(row.max_from_ns):>12} s "
            f"| max end: {seconds(row.max_from_ns + row.max_ns):>12} s"
        )
    yield _RULE
    run_ns, switches = sum(row.run_ns for row in rows), sum(row.switches for row in rows)
    yield f"  TOTAL:                |{run_ns / 1e6:11.3f} ms |{switches:9d} |"
    yield " ---------------------------------------------------"
    yield ""


def latency_plain(rows: list[LatencyTask]) -> dict[str, Any]:
    """Return the table as plain data; times in ns, ``avg_ns`` cut off."""
    return {
        "tasks": [
            {
                "comm": row.comm,
                "pid": row.pid if row.merged == 1 else None,
                "tasks": row.merged,
                "run_ns": row.run_ns,
                "switches": row.switches,
                "wait_ns": row.wait_ns,
                "avg_ns": row.wait_ns // row.switches,
                "max_ns": row.max_ns,
                "max_start_ns": row.max_from_ns,
                "max_end_ns": row.max_from_ns + row.max_ns,
            }
            for row in rows
        ],
        "total": {
            "run_ns": sum(row.run_ns for row in rows),
            "switches": sum(row.switches for row in rows),
        },
    }
