"""``perf sched timehist``: a line for each time that a task was on a CPU, and a summary by task.

``wait time`` is how long the task had been off the CPU before, asleep or not; ``sch delay`` the
part of it since its wake-up (none for one that was preempted); ``run time`` how long it then ran.
The time in front is that of the switch away from it.

Source: tools/perf/builtin-sched.c:timehist_sched_change_event(), timehist_update_runtime_stats(),
timehist_print_sample(), timehist_print_summary(), Linux 6.1.
Deviation: a CPU that never idled is said to be busy (perf says that it idled all the time), and one
that idles when the trace ends has idled until then. Without sched_waking in the trace
(``trace.waking``) the line of a wake-up names the task that ran on the CPU where the task was
queued; with it, that which ran on the CPU that woke it, as perf does. Of a run that began before
the time chosen, wait and delay are those it had (perf counts them up to that time).
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from cluster.report.sched.tasks import DEAD, SchedTask, Tasks, milliseconds, seconds
from cluster.trace.reader import TraceRecord
from cluster.trace.text import state_letters
from kernel.trace.printable import printable

_WIDTH: Final = 30  # of names
_WAKING: Final = "sched_waking"
_EVENTS: Final = ("sched_wakeup", "sched_wakeup_new", _WAKING)


@dataclass(slots=True, frozen=True)
class Choice:
    """What is shown. Empty collections choose nothing: everything is shown.

    ``from_ns`` and ``to_ns`` are the first and the last time; a run that only partly lies between
    them is cut.
    """

    pids: Collection[int] = ()  # processes
    tids: Collection[int] = ()
    comms: Collection[str] = ()
    cpus: Collection[int] = ()
    from_ns: int = 0
    to_ns: int | None = None
    wakeups: bool = False
    migrations: bool = False
    next: bool = False
    state: bool = False
    visual: bool = False

    def takes(self, task: SchedTask) -> bool:
        """Tell whether a task is among those chosen."""
        return (
            (not self.pids or task.tgid in self.pids or task.pid in self.pids)
            and (not self.tids or task.pid in self.tids)
            and (not self.comms or task.comm in self.comms)
        )

    def takes_cpu(self, cpu: int) -> bool:
        """Tell whether a CPU is among those chosen."""
        return not self.cpus or cpu in self.cpus

    def takes_time(self, time_ns: int) -> bool:
        """Tell whether something at this time is shown."""
        return time_ns >= self.from_ns and (self.to_ns is None or time_ns <= self.to_ns)


@dataclass(slots=True)
class TimehistTask(SchedTask):
    """A task and its runs; times in ns."""

    ready_ns: int = -1  # when it was woken
    left_ns: int = -1  # when it was last switched out
    runs: int = 0
    run_ns: int = 0
    min_ns: int = 0
    max_ns: int = 0
    mean_ns: float = 0.0
    square: float = 0.0  # sum of squared differences from the mean
    migrations: int = 0
    waking: bool = False  # its waking has been seen, and the wake-up that follows is the same

    def ran(self, run_ns: int) -> None:
        """Count a run. Source: tools/perf/util/stat.c:update_stats()."""
        self.runs += 1
        self.run_ns += run_ns
        self.min_ns = run_ns if self.runs == 1 else min(self.min_ns, run_ns)
        self.max_ns = max(self.max_ns, run_ns)
        delta = run_ns - self.mean_ns
        self.mean_ns += delta / self.runs
        self.square += delta * (run_ns - self.mean_ns)

    @property
    def stddev(self) -> float:
        """Return the standard error of the mean run, in % of it.

        Source: tools/perf/util/stat.c:stddev_stats(), rel_stddev_stats().
        """
        if self.runs < 2 or not self.mean_ns:
            return 0.0
        return 100.0 * sqrt(self.square / (self.runs - 1) / self.runs) / self.mean_ns


@dataclass(slots=True, frozen=True)
class Entry:
    """A line: a run that ended (``kind`` is run), a wake-up or a migration."""

    kind: str
    time_ns: int
    cpu: int
    task: TimehistTask  # who ran
    other: TimehistTask  # who came next, was woken, or moved
    wait_ns: int = 0
    delay_ns: int = 0
    run_ns: int = 0
    state: str = ""
    from_cpu: int = 0
    to_cpu: int = 0


class Timehist:
    """Follows a trace; ``entries`` gives the lines, and afterwards the totals are there."""

    def __init__(self, cpus: int, choice: Choice) -> None:
        """Start at time 0, when every CPU idles.

        Args:
            cpus: how many the machine has.
            choice: what is shown.
        """
        self.cpus = cpus
        self.choice = choice
        self.tasks: Tasks[TimehistTask] = Tasks(TimehistTask)
        self.idle = [TimehistTask(0, "swapper") for _ in range(cpus)]
        self.first_ns = -1
        self.last_ns = 0
        self.switches = 0
        self._since = [0] * cpus  # the last switch of each CPU
        self._current: list[TimehistTask] = list(self.idle)

    def entries(self, records: Iterable[TraceRecord], end_ns: int = 0) -> Iterator[Entry]:
        """Follow ``records``, in merged order, and yield what is chosen.

        Args:
            records: of the trace.
            end_ns: when the run ended, if later than the last record.
        """
        for record in records:
            end_ns = max(end_ns, record.time_ns)
            if record.event == "sched_switch":
                entry = self._switch(record)
                if entry is not None:
                    yield entry
            elif record.event in _EVENTS:
                task = self.tasks.get(record.fields["pid"], record.fields["comm"])
                if record.event == "sched_wakeup" and task.waking:
                    task.waking = False  # perf prefers sched_waking where it is captured
                    continue
                task.waking = record.event == _WAKING
                if task.ready_ns < 0:
                    task.ready_ns = record.time_ns
                if self.choice.wakeups:
                    cpu = record.cpu if task.waking else record.fields["target_cpu"]
                    yield from self._event("wakeup", record, task, cpu or 0)
            elif record.event == "sched_migrate_task":
                task = self.tasks.get(record.fields["pid"], record.fields["comm"])
                if self.choice.takes_time(record.time_ns):
                    task.migrations += 1
                if self.choice.migrations:
                    yield from self._event("migration", record, task, record.cpu or 0)
            else:
                self.tasks.follow(record)
        self._end(end_ns)

    def _event(
        self, kind: str, record: TraceRecord, task: TimehistTask, cpu: int
    ) -> Iterator[Entry]:
        choice, fields = self.choice, record.fields
        runs = self._current[cpu]
        if (
            choice.takes_time(record.time_ns)
            and choice.takes_cpu(cpu)
            and (choice.takes(task) or choice.takes(runs))
        ):
            yield Entry(
                kind,
                record.time_ns,
                cpu,
                runs,
                task,
                from_cpu=fields.get("orig_cpu", cpu),
                to_cpu=fields.get("dest_cpu", cpu),
            )

    def _task(self, cpu: int, pid: int, comm: str) -> TimehistTask:
        return self.tasks.get(pid, comm) if pid else self.idle[cpu]

    def _switch(self, record: TraceRecord) -> Entry | None:
        fields, now_ns, cpu = record.fields, record.time_ns, record.cpu or 0
        task = self._task(cpu, fields["prev_pid"], fields["prev_comm"])
        after = self._task(cpu, fields["next_pid"], fields["next_comm"])
        state = fields["prev_state"]
        since_ns, self._since[cpu] = self._since[cpu], now_ns
        self._current[cpu] = after
        found = self._run(task, cpu, since_ns, now_ns)
        task.dead = bool(state & DEAD)
        task.left_ns, task.ready_ns = now_ns, -1
        if found is None:
            return None
        self.switches += 1
        wait_ns, delay_ns, run_ns = found
        letter = "I" if task.pid == 0 else state_letters(state)[0]
        # a run that goes beyond the chosen time is shown as ending there
        to_ns = self.choice.to_ns
        at_ns = now_ns if to_ns is None else min(now_ns, to_ns)
        return Entry("run", at_ns, cpu, task, after, wait_ns, delay_ns, run_ns, letter)

    def _run(
        self, task: TimehistTask, cpu: int, since_ns: int, now_ns: int
    ) -> tuple[int, int, int] | None:
        """Count a run of a task, as far as it is chosen; return its wait, delay and length."""
        choice = self.choice
        if now_ns < choice.from_ns or (choice.to_ns is not None and since_ns > choice.to_ns):
            return None
        if not choice.takes_cpu(cpu) or not choice.takes(task):
            return None
        wait_ns = since_ns - task.left_ns if 0 <= task.left_ns < since_ns else 0
        delay_ns = since_ns - task.ready_ns if 0 <= task.ready_ns < since_ns else 0
        since_ns = max(since_ns, choice.from_ns)
        if choice.to_ns is not None:
            now_ns = min(now_ns, choice.to_ns)
        self.first_ns = since_ns if self.first_ns < 0 else min(self.first_ns, since_ns)
        self.last_ns = max(self.last_ns, now_ns)
        task.ran(now_ns - since_ns)
        return wait_ns, delay_ns, now_ns - since_ns

    def _end(self, end_ns: int) -> None:
        """Count what the CPUs ran when the trace ended."""
        for cpu, task in enumerate(self._current):
            if end_ns > self._since[cpu]:
                self._run(task, cpu, self._since[cpu], end_ns)

    # -- the totals -------------------------------------------------------------------------------

    def ran(self, *, dead: bool) -> list[TimehistTask]:
        """Return the tasks that ran, those that ended or those that did not, by number."""
        return [task for task in self.tasks.everybody() if task.runs and task.dead == dead]

    def totals(self) -> dict[str, int]:
        """Return number of tasks and of switches, CPU times, and the length of the time shown."""
        ran = [task for task in self.tasks.everybody() if task.runs]
        return {
            "tasks": len(ran),
            "switches": self.switches,
            "run_ns": sum(task.run_ns for task in ran),
            "idle_ns": sum(task.run_ns for task in self.idle),
            "time_ns": self.last_ns - max(self.first_ns, 0),
            "cpus": self.cpus,
        }


# -- as text ---------------------------------------------------------------------------------------


def head_lines(cpus: int, choice: Choice) -> list[str]:
    """Return the heading of the lines. Source: timehist_header()."""
    visual = ("  ", "  ", "  ")
    if choice.visual:
        digits = "".join(f"{cpu % 16:x}" for cpu in range(cpus))
        visual = (f"  {digits}  ", f"  {'':{cpus}}  ", f"  {'-' * cpus}  ")
    state = ("  state", "       ", "  -----") if choice.state else ("", "", "")
    times = ("  wait time  sch delay   run time", "     (msec)     (msec)     (msec)")
    return [
        f"{'time':>15} {'cpu':>6}{visual[0]}{'task name':{_WIDTH}}{times[0]}{state[0]}",
        f"{'':15} {'':6}{visual[1]}{'[tid/pid]':{_WIDTH}}{times[1]}{state[1]}",
        f"{'-' * 15} {'-' * 6}{visual[2]}{'-' * _WIDTH}{'  ---------' * 3}{state[2]}",
    ]


def line(entry: Entry, cpus: int, choice: Choice) -> str:
    """Return an entry as a line. Source: timehist_print_sample() and its neighbours."""
    text = f"{seconds(entry.time_ns):>15} [{entry.cpu:04d}] "
    if choice.visual:
        mark = {"run": "i" if entry.task.pid == 0 else "s", "migration": "m"}.get(entry.kind, " ")
        text += f" {mark.rjust(entry.cpu + 1):{cpus}} "
    text += f" {entry.task.name:{_WIDTH}} "
    if entry.kind != "run":
        text += f"{'':34}"
        if entry.kind == "wakeup":
            return f"{text}awakened: {entry.other.name}"
        return f"{text}migrated: {entry.other.name} cpu {entry.from_cpu} => {entry.to_cpu}"
    for time_ns in (entry.wait_ns, entry.delay_ns, entry.run_ns):
        text += f"{milliseconds(time_ns, 6)} "
    if choice.state:
        text += f" {entry.state:>5} "
    if choice.next:
        other = entry.other  # perf does not name its process here
        name = f"{printable(other.comm)}[{other.pid}]" if other.pid else "<idle>"
        text += f" next: {name}"
    return text.rstrip()


def summary_lines(hist: Timehist) -> Iterator[str]:
    """Yield the summary. Source: timehist_print_summary()."""
    yield ""
    yield "Runtime summary"
    yield (
        f"{'comm':>{_WIDTH}}  parent   sched-in  "
        "   run-time    min-run     avg-run     max-run  stddev  migrations"
    )
    yield (
        f"{'':{_WIDTH}}            (count)       (msec)     (msec)      (msec)      (msec)       %"
    )
    yield "-" * 117
    yield from _rows(hist.ran(dead=False), "<no still running tasks>")
    yield ""
    yield "Terminated tasks:"
    yield from _rows(hist.ran(dead=True), "<no terminated tasks>")
    yield ""
    yield "Idle stats:"
    totals = hist.totals()
    for cpu, idle in enumerate(hist.idle):
        if not hist.choice.takes_cpu(cpu):
            continue
        if idle.runs:
            share = 100.0 * idle.run_ns / totals["time_ns"] if totals["time_ns"] else 0.0
            yield (
                f"    CPU {cpu:2d} idle for {milliseconds(idle.run_ns, 6)}  msec  ({share:6.2f}%)"
            )
        else:
            yield f"    CPU {cpu:2d} busy entire time window"
    yield ""
    yield f"    Total number of unique tasks: {totals['tasks']}"
    yield f"Total number of context switches: {totals['switches']}"
    yield f"           Total run time (msec): {milliseconds(totals['run_ns'], 2)}"
    yield (
        f"    Total scheduling time (msec): {milliseconds(totals['time_ns'], 2)} "
        f" (x {totals['cpus']})"
    )


def _rows(tasks: list[TimehistTask], nobody: str) -> Iterator[str]:
    if not tasks:
        yield nobody
    for task in tasks:
        yield (
            f"{task.name:>{_WIDTH}}   {task.ppid:5d}  {task.runs:9d} "
            f"{milliseconds(task.run_ns, 8)} {milliseconds(task.min_ns, 6)}  "
            f"{milliseconds(int(task.mean_ns), 6)}  {milliseconds(task.max_ns, 6)}   "
            f"{task.stddev:5.2f}   {task.migrations:5d}"
        )


# -- as data ---------------------------------------------------------------------------------------


def entry_plain(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain data; times in ns."""
    task = entry.task
    plain = {
        "kind": entry.kind,
        "time_ns": entry.time_ns,
        "cpu": entry.cpu,
        "comm": task.comm,
        "tid": task.pid,
        "pid": task.tgid,
    }
    if entry.kind == "run":
        plain |= {
            "wait_ns": entry.wait_ns,
            "delay_ns": entry.delay_ns,
            "run_ns": entry.run_ns,
            "state": entry.state,
            "next_comm": entry.other.comm,
            "next_tid": entry.other.pid,
        }
    else:
        plain |= {"other_comm": entry.other.comm, "other_tid": entry.other.pid}
        if entry.kind == "migration":
            plain |= {"from_cpu": entry.from_cpu, "to_cpu": entry.to_cpu}
    return plain


def summary_plain(hist: Timehist) -> dict[str, Any]:
    """Return the summary as plain data; times in ns, the mean cut off."""
    return {
        "kind": "summary",
        "tasks": [
            {
                "comm": task.comm,
                "tid": task.pid,
                "pid": task.tgid,
                "ppid": task.ppid,
                "terminated": task.dead,
                "runs": task.runs,
                "run_ns": task.run_ns,
                "min_ns": task.min_ns,
                "avg_ns": task.run_ns // task.runs,
                "max_ns": task.max_ns,
                "migrations": task.migrations,
            }
            for dead in (False, True)
            for task in hist.ran(dead=dead)
        ],
        "idle_ns": [idle.run_ns for idle in hist.idle],
        "total": hist.totals(),
    }
