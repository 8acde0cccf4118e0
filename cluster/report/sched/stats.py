"""Statistics of a schedule: use of the CPUs, fairness, waits and what they were for.

A wait is the time in which a task is runnable and does not run. It is divided where it changes its
kind: ``queue`` since the task was woken, ``preempted`` since it was switched out runnable,
``migrated`` since it was moved to another CPU while it waited. A wait ends with the record of the
switch to the task, where the summary of a run counts the switch itself, too; and it begins with the
record of the wake-up, where the summary has the wake-up itself: that may be a tick or a switch of
the CPU earlier.

What a move costs beyond the wait is counted apart (``refills_ns``): the user time that a task then
takes to fill its cache (``moved``), or after a long absence (``away``), if the machine has that.

Classes follow from the priority: below 0 deadline, below 100 real-time, else fair.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from typing import Any, Final

from cluster.report.sched.fairness import Fairness, FairTask
from cluster.report.sched.tasks import DEAD, PREEMPTED, Tasks
from cluster.trace.reader import TraceReader, TraceRecord
from kernel.stats import Histogram
from kernel.uapi.prio import DEFAULT_PRIO, MAX_RT_PRIO

CLASSES: Final = ("deadline", "rt", "fair", "idle")
KINDS: Final = ("queue", "preempted", "migrated")


def class_of(pid: int, prio: int) -> str:
    """Return the class of a task, by its number and priority."""
    if pid == 0:
        return "idle"
    if prio < 0:
        return "deadline"
    return "rt" if prio < MAX_RT_PRIO else "fair"


@dataclass(slots=True)
class WaitTask(FairTask):
    """A task and the wait it is in: ``parts`` are (kind, CPU, since)."""

    parts: list[tuple[str, int, int]] = field(default_factory=list)
    on_cpu: int = -1
    waits: int = 0
    waited_ns: int = 0


@dataclass(slots=True)
class Wait:
    """One wait. ``over`` is False if it had not ended when the trace did."""

    pid: int
    comm: str
    parts: list[tuple[str, int, int]]
    end_ns: int
    over: bool
    causes: dict[tuple[int, str], int] = field(default_factory=dict)

    @property
    def start_ns(self) -> int:
        """Return when it began."""
        return self.parts[0][2]

    def spans(self) -> Iterator[tuple[str, int, int, int]]:
        """Iterate over the parts: kind, CPU, begin, end."""
        ends = [part[2] for part in self.parts[1:]] + [self.end_ns]
        for (kind, cpu, from_ns), to_ns in zip(self.parts, ends, strict=True):
            yield kind, cpu, from_ns, max(to_ns, from_ns)


class SchedStats:
    """Everything that one reading of a trace tells; ``add_causes`` needs a second one."""

    def __init__(self, cpus: int, window_ns: int, longest: int) -> None:
        """Start at time 0, when every CPU idles.

        Args:
            cpus: how many the machine has.
            window_ns: length of the windows of fairness.
            longest: how many of the longest waits are kept.
        """
        self.cpus = cpus
        self.end_ns = 0
        self.tasks: Tasks[WaitTask] = Tasks(WaitTask)
        self.fairness = Fairness(cpus, window_ns)
        self.class_ns = [dict.fromkeys(CLASSES, 0) for _ in range(cpus)]
        self.switches = [0] * cpus
        self.wakeups = [0] * cpus
        self.moved_in = [0] * cpus
        self.moved_out = [0] * cpus
        self.waits = Histogram()
        self.kinds = {kind: Histogram() for kind in KINDS}
        self.refills = {"moved": Histogram(), "away": Histogram()}
        self._keep = longest
        self._longest: list[tuple[int, int, int, Wait]] = []  # a heap: the shortest first
        self._since = [0] * cpus
        self._class = ["idle"] * cpus
        self._current: list[WaitTask | None] = [None] * cpus

    def read(self, records: Iterable[TraceRecord], end_ns: int = 0) -> None:
        """Follow ``records``, in merged order.

        Args:
            records: all of the trace.
            end_ns: when the run ended, if later than the last record.
        """
        handlers = self._handlers()
        for record in records:
            self.fairness.close_windows(record.time_ns)
            self.end_ns = max(self.end_ns, record.time_ns)
            handlers.get(record.event, self.tasks.follow)(record)
        self.end_ns = max(self.end_ns, end_ns)
        self.fairness.finish(self.end_ns)
        for cpu in range(self.cpus):
            self.class_ns[cpu][self._class[cpu]] += self.end_ns - self._since[cpu]
        for task in self.tasks.everybody():
            if task.parts:
                self._note(task, self.end_ns, over=False)

    def _handlers(self) -> dict[str, Callable[[TraceRecord], None]]:
        return {
            "sched_switch": self._switch,
            "sched_wakeup": self._wakeup,
            "sched_wakeup_new": self._wakeup,
            "sched_migrate_task": self._migrate,
            "sched_process_fork": self._fork,
            "task_change": self._change,
            "cache_refill": self._refill,
        }

    def _fork(self, record: TraceRecord) -> None:
        self.tasks.follow(record)
        maker = self.tasks.by_pid.get(record.fields["parent_pid"])
        child = self.tasks.by_pid.get(record.fields["child_pid"])
        if maker is not None and child is not None:
            child.policy = maker.policy

    def _change(self, record: TraceRecord) -> None:
        fields = record.fields
        task = self.tasks.by_pid.get(fields["pid"])
        if task is None:
            return
        if fields["field"] == "policy":
            task.policy = fields["value"]
        elif fields["field"] == "nice" and task.is_fair():
            task.prio = DEFAULT_PRIO + fields["value"]
        else:
            return
        self.fairness.reweigh(task, record.time_ns)

    def _wakeup(self, record: TraceRecord) -> None:
        fields, cpu = record.fields, record.fields["target_cpu"]
        task = self.tasks.get(fields["pid"], fields["comm"])
        task.prio = fields["prio"]
        self.wakeups[cpu] += 1
        if task.on_cpu < 0 and not task.parts:
            task.parts = [("queue", cpu, record.time_ns)]
            self.fairness.join(task, cpu, record.time_ns)

    def _migrate(self, record: TraceRecord) -> None:
        fields = record.fields
        dest = fields["dest_cpu"]
        self.moved_out[fields["orig_cpu"]] += 1
        self.moved_in[dest] += 1
        task = self.tasks.get(fields["pid"], fields["comm"])
        # a sleeper that is woken elsewhere moves before it is queued
        if task.parts and task.parts[-1][1] != dest:
            task.parts.append(("migrated", dest, record.time_ns))
            self.fairness.join(task, dest, record.time_ns)

    def _switch(self, record: TraceRecord) -> None:
        fields, now_ns, cpu = record.fields, record.time_ns, record.cpu or 0
        self.switches[cpu] += 1
        self.class_ns[cpu][self._class[cpu]] += now_ns - self._since[cpu]
        self._since[cpu] = now_ns
        self._class[cpu] = class_of(fields["next_pid"], fields["next_prio"])
        self._switched_out(record, cpu)
        task = None
        if fields["next_pid"]:
            task = self.tasks.get(fields["next_pid"], fields["next_comm"])
            if task.prio != fields["next_prio"] or task.cpu != cpu:
                task.prio = fields["next_prio"]
                self.fairness.join(task, cpu, now_ns)
            if task.parts:
                self._note(task, now_ns, over=True)
            task.on_cpu = cpu
        self._current[cpu] = task
        self.fairness.run(task, cpu, now_ns)

    def _refill(self, record: TraceRecord) -> None:
        fields = record.fields
        why = "moved" if fields["orig_cpu"] != record.cpu else "away"
        self.refills[why].record(fields["refill_ns"])

    def _switched_out(self, record: TraceRecord, cpu: int) -> None:
        fields, now_ns = record.fields, record.time_ns
        state = fields["prev_state"]
        before = self._current[cpu]
        if before is not None and before.pid != fields["prev_pid"]:
            # a thread that executed a program has its process's number now
            before.on_cpu = -1
            self.fairness.leave(before, now_ns)
        if not fields["prev_pid"]:
            return
        prev = self.tasks.get(fields["prev_pid"], fields["prev_comm"])
        prev.on_cpu = -1
        prev.dead = bool(state & DEAD)
        prev.parts = []
        stays = state in (0, PREEMPTED)
        if stays:
            prev.parts = [("preempted", cpu, now_ns)]
        if not stays or prev.cpu != cpu or prev.prio != fields["prev_prio"]:
            prev.prio = fields["prev_prio"]
            self.fairness.leave(prev, now_ns)
            if stays:
                self.fairness.join(prev, cpu, now_ns)

    def _note(self, task: WaitTask, now_ns: int, *, over: bool) -> None:
        """A wait has ended, or the trace has."""
        wait = Wait(task.pid, task.comm, task.parts, now_ns, over)
        task.parts = []
        length_ns = max(now_ns - wait.start_ns, 0)
        if over:
            self.waits.record(length_ns)
            for kind, _, from_ns, to_ns in wait.spans():
                self.kinds[kind].record(to_ns - from_ns)
            task.waits += 1
            task.waited_ns += length_ns
        if self._keep:
            entry = (length_ns, -wait.start_ns, -task.pid, wait)
            if len(self._longest) < self._keep:
                heappush(self._longest, entry)
            elif entry[:3] > self._longest[0][:3]:
                heappushpop(self._longest, entry)

    def longest(self) -> list[Wait]:
        """Return the longest waits, the longest first."""
        return [entry[3] for entry in sorted(self._longest, key=lambda entry: entry[:3])[::-1]]

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain data: times in ns, counts, shares in millionths."""
        return {
            "end_ns": self.end_ns,
            "cpus": [
                {
                    "cpu": cpu,
                    **{f"{name}_ns": self.class_ns[cpu][name] for name in CLASSES},
                    "switches": self.switches[cpu],
                    "wakeups": self.wakeups[cpu],
                    "migrations_in": self.moved_in[cpu],
                    "migrations_out": self.moved_out[cpu],
                }
                for cpu in range(self.cpus)
            ],
            "fairness": self.fairness.plain(),
            "waits_ns": {
                name: {**histogram.summary(), "total": histogram.total}
                for name, histogram in (("all", self.waits), *self.kinds.items())
            },
            "refills_ns": {
                name: {**histogram.summary(), "total": histogram.total}
                for name, histogram in self.refills.items()
            },
            "longest": [
                {
                    "comm": wait.comm,
                    "pid": wait.pid,
                    "start_ns": wait.start_ns,
                    "end_ns": wait.end_ns,
                    "over": wait.over,
                    "parts": [
                        {"kind": kind, "cpu": cpu, "from_ns": from_ns, "to_ns": to_ns}
                        for kind, cpu, from_ns, to_ns in wait.spans()
                    ],
                    "ran_meanwhile": [
                        {"comm": comm, "pid": pid, "run_ns": run_ns}
                        for (pid, comm), run_ns in sorted(
                            wait.causes.items(), key=lambda item: (-item[1], item[0])
                        )
                    ],
                }
                for wait in self.longest()
            ],
        }


def add_causes(reader: TraceReader, waits: Iterable[Wait]) -> None:
    """Find out which tasks ran on the CPUs where each of ``waits`` passed, and how long.

    Reads the stretches of the trace again in which they were.
    """
    for wait in waits:
        _add_causes_of(reader, wait)


def _add_causes_of(reader: TraceReader, wait: Wait) -> None:
    start_ns = wait.start_ns
    spans = list(wait.spans())
    running: dict[int, tuple[tuple[int, str], int]] = {
        cpu: ((pid, comm), start_ns) for cpu, (comm, pid) in reader.current_at(start_ns).items()
    }

    def ran(who: tuple[int, str], cpu: int, since_ns: int, until_ns: int) -> None:
        for _, on, from_ns, to_ns in spans:
            run_ns = min(to_ns, until_ns) - max(from_ns, since_ns)
            if on == cpu and run_ns > 0:
                wait.causes[who] = wait.causes.get(who, 0) + run_ns

    switches = reader.select(event="sched_switch", from_ns=start_ns, to_ns=wait.end_ns + 1)
    for record in switches:
        fields, cpu = record.fields, record.cpu or 0
        who, since_ns = running.get(cpu, ((0, f"swapper/{cpu}"), start_ns))
        ran(who, cpu, since_ns, record.time_ns)
        running[cpu] = (fields["next_pid"], fields["next_comm"]), record.time_ns
    for cpu in sorted({part[1] for part in spans}):
        who, since_ns = running.get(cpu, ((0, f"swapper/{cpu}"), start_ns))
        ran(who, cpu, since_ns, wait.end_ns)
