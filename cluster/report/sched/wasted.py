"""CPUs that were idle while tasks which may run there waited elsewhere: a "wasted core".

For a moment that is no fault: balancing has to notice. What is told is a CPU that stood so without
a break for longer than a confirmation interval. A task waits if it is runnable on a CPU that runs
another one; one of the deadline class does not count, for it may be throttled, nor does one whose
group is (``cpu.max``).

Source: J.-P. Lozi et al.: The Linux Scheduler: a Decade of Wasted Cores (EuroSys 2016), section 4.1
and algorithm 2: the online sanity checker.
Deviation: the checker of the paper looks once a second, and again 100 ms later; this one follows
every record of a trace.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cluster.report.sched.tasks import PREEMPTED, SchedTask, Tasks
from cluster.report.units import format_ns
from cluster.trace.reader import TraceRecord
from kernel.trace.printable import printable

CONFIRM_NS: Final = 100_000_000


@dataclass(slots=True)
class WaitingTask(SchedTask):
    """A task, the CPUs it may use (0: all), and where it has waited since when, if it does.

    ``throttled``: its group may not run there.
    """

    cpus: int = 0
    on_cpu: int = -1
    waits_on: int = -1
    since_ns: int = 0
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A CPU that idled from one time to another.

    And who waited longest, where and for how long, when that had been so for long enough.
    """

    cpu: int
    from_ns: int
    to_ns: int
    comm: str
    pid: int
    waited_on: int
    waited_ns: int

    @property
    def length_ns(self) -> int:
        """How long it idled."""
        return self.to_ns - self.from_ns


class Wasted:
    """Follows a trace; ``findings`` are in the order in which they ended."""

    def __init__(self, cpus: int, confirm_ns: int = CONFIRM_NS) -> None:
        """Start at time 0, when every CPU idles.

        Args:
            cpus: how many the machine has.
            confirm_ns: what is not longer is not told.
        """
        self.cpus = cpus
        self.confirm_ns = confirm_ns
        self.findings: list[Finding] = []
        self.tasks: Tasks[WaitingTask] = Tasks(WaitingTask)
        self._all = (1 << cpus) - 1
        self._idle = self._all
        self._here: list[dict[int, WaitingTask]] = [{} for _ in range(cpus)]  # who waits, by CPU
        self._masks: dict[int, int] = {}  # CPUs that waiting tasks may use -> how many such tasks
        self._wanted = 0  # all those CPUs together
        self._wasted = 0  # CPUs that are idle and wanted
        self._since_ns = [0] * cpus
        self._longest: dict[int, tuple[WaitingTask, int, int]] = {}  # of CPUs that are confirmed
        self._due_ns = 0  # before that none can be
        self._current: list[WaitingTask | None] = [None] * cpus
        self._now_ns = 0
        self._handlers: dict[str, Callable[[TraceRecord], None]] = {
            "sched_switch": self._switch,
            "sched_wakeup": self._wakeup,
            "sched_wakeup_new": self._wakeup,
            "sched_migrate_task": self._migrate,
            "sched_process_fork": self._fork,
            "task_change": self._change,
        }

    def read(self, records: Iterable[TraceRecord], end_ns: int = 0) -> None:
        """Follow ``records``, in merged order, up to ``end_ns`` if that is later than the last."""
        handlers, follow = self._handlers, self.tasks.follow
        for record in records:
            self._now_ns = max(self._now_ns, record.time_ns)
            if self._wasted and self._now_ns > self._due_ns:
                self._confirm()
            handlers.get(record.event, follow)(record)
        self._now_ns = max(self._now_ns, end_ns)
        self._confirm()
        self._close(self._wasted)

    # -- records ----------------------------------------------------------------------------------

    def _fork(self, record: TraceRecord) -> None:
        self.tasks.follow(record)
        maker = self.tasks.by_pid.get(record.fields["parent_pid"])
        child = self.tasks.by_pid.get(record.fields["child_pid"])
        if maker is not None and child is not None:
            child.cpus = maker.cpus

    def _change(self, record: TraceRecord) -> None:
        fields = record.fields
        field = fields["field"]
        if field not in ("cpus", "cpu", "throttled"):
            return
        task = self.tasks.by_pid.get(fields["pid"])
        if task is None:
            task = self.tasks.get(fields["pid"], "")
        cpu = task.waits_on
        if cpu >= 0:
            self._leave(task)
        if field == "throttled":
            task.throttled = fields["value"] != 0
        else:
            cpus = int(fields["value"], 16) if field == "cpus" else 1 << fields["value"]
            task.cpus = cpus & self._all
        if cpu >= 0:
            self._wait(task, cpu, task.since_ns)

    def _wakeup(self, record: TraceRecord) -> None:
        fields = record.fields
        task = self.tasks.get(fields["pid"], fields["comm"])
        task.prio = fields["prio"]
        if task.on_cpu < 0 and task.waits_on < 0:
            self._wait(task, fields["target_cpu"], record.time_ns)

    def _migrate(self, record: TraceRecord) -> None:
        fields = record.fields
        task = self.tasks.get(fields["pid"], fields["comm"])
        if task.waits_on >= 0:
            self._leave(task)
            self._wait(task, fields["dest_cpu"], task.since_ns)

    def _switch(self, record: TraceRecord) -> None:
        fields, cpu = record.fields, record.cpu or 0
        before = self._current[cpu]
        if before is not None:
            before.on_cpu = -1  # under another number if it has executed a program meanwhile
        self._current[cpu] = None
        if fields["prev_pid"]:
            prev = self.tasks.get(fields["prev_pid"], fields["prev_comm"])
            prev.prio, prev.on_cpu = fields["prev_prio"], -1
            if fields["prev_state"] in (0, PREEMPTED):
                self._wait(prev, cpu, record.time_ns)
        bit = 1 << cpu
        if not fields["next_pid"]:
            if not self._idle & bit:
                for task in self._here[cpu].values():
                    self._count(task, -1)
                self._idle |= bit
                self._look(bit)
            return
        task = self.tasks.get(fields["next_pid"], fields["next_comm"])
        task.prio = fields["next_prio"]
        if self._idle & bit:
            self._idle ^= bit
            self._look(bit)
            for other in self._here[cpu].values():
                self._count(other, 1)
        if task.waits_on >= 0:
            self._leave(task)
        task.throttled = False
        task.on_cpu = cpu
        self._current[cpu] = task

    # -- who waits, and for which CPUs ---------------------------------------------------------

    def _wait(self, task: WaitingTask, cpu: int, since_ns: int) -> None:
        task.waits_on, task.since_ns = cpu, since_ns
        self._here[cpu][task.pid] = task
        if not self._idle >> cpu & 1:
            self._count(task, 1)

    def _leave(self, task: WaitingTask) -> None:
        cpu, task.waits_on = task.waits_on, -1
        del self._here[cpu][task.pid]
        if not self._idle >> cpu & 1:
            self._count(task, -1)

    def _count(self, task: WaitingTask, change: int) -> None:
        if task.prio < 0 or task.throttled:
            return
        mask = task.cpus or self._all
        number = self._masks.get(mask, 0) + change
        if number:
            self._masks[mask] = number
        else:
            del self._masks[mask]
        if number <= 1:
            self._wanted = 0
            for each in self._masks:
                self._wanted |= each
            self._look(self._all)

    def _look(self, cpus: int) -> None:
        """See which of ``cpus`` are wasted now."""
        changed = (self._idle & self._wanted ^ self._wasted) & cpus
        if not changed:
            return
        self._close(self._wasted & changed)
        begun = changed & ~self._wasted
        if begun and self._wasted == 0:
            self._due_ns = self._now_ns + self.confirm_ns
        for cpu in _bits(begun):
            self._since_ns[cpu] = self._now_ns
        self._wasted ^= changed

    def _confirm(self) -> None:
        """Note who waits for the CPUs that have been wasted for long enough by now."""
        self._due_ns = self._now_ns + self.confirm_ns
        for cpu in _bits(self._wasted):
            if cpu in self._longest:
                continue
            at_ns = self._since_ns[cpu] + self.confirm_ns
            if self._now_ns <= at_ns:
                self._due_ns = min(self._due_ns, at_ns)
                continue
            task = min(self._waiting_for(cpu), key=lambda task: (task.since_ns, task.pid))
            self._longest[cpu] = (task, task.waits_on, self._now_ns - task.since_ns)

    def _waiting_for(self, cpu: int) -> Iterator[WaitingTask]:
        for number, here in enumerate(self._here):
            if not self._idle >> number & 1:
                for task in here.values():
                    can = task.prio >= 0 and not task.throttled
                    if can and (task.cpus or self._all) >> cpu & 1:
                        yield task

    def _close(self, cpus: int) -> None:
        """``cpus`` are wasted no longer."""
        for cpu in _bits(cpus):
            if cpu in self._longest:
                task, where, waited_ns = self._longest.pop(cpu)
                from_ns, to_ns = self._since_ns[cpu], self._now_ns
                self.findings.append(
                    Finding(cpu, from_ns, to_ns, task.comm, task.pid, where, waited_ns)
                )

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain data, times in ns."""
        return {
            "confirm_ns": self.confirm_ns,
            "cpus": len({each.cpu for each in self.findings}),
            "wasted_ns": sum(each.length_ns for each in self.findings),
            "findings": [
                {
                    "cpu": each.cpu,
                    "from_ns": each.from_ns,
                    "to_ns": each.to_ns,
                    "comm": each.comm,
                    "pid": each.pid,
                    "waited_on": each.waited_on,
                    "waited_ns": each.waited_ns,
                }
                for each in self.findings
            ],
        }


def wasted_lines(found: Wasted, longest: int) -> Iterator[str]:
    """Yield what was found as text: a line in all, and one for each of the longest."""
    least = format_ns(found.confirm_ns)
    if not found.findings:
        yield f"no CPU was idle for more than {least} while a task waited that may run there"
        return
    cpus = len({each.cpu for each in found.findings})
    lost = format_ns(sum(each.length_ns for each in found.findings))
    yield (
        f"{cpus} of {found.cpus} CPUs idled for more than {least} while tasks that may run there "
        f"waited: {lost} in all"
    )
    order = sorted(found.findings, key=lambda each: (-each.length_ns, each.cpu, each.from_ns))
    for each in order[:longest]:
        yield (
            f"  CPU {each.cpu}: {format_ns(each.length_ns)} from {format_ns(each.from_ns)}; "
            f"{printable(each.comm)}:{each.pid} had waited on CPU {each.waited_on} for "
            f"{format_ns(each.waited_ns)} when that was sure"
        )


def _bits(mask: int) -> Iterator[int]:
    """Iterate over the numbers of the bits of ``mask``."""
    while mask:
        bit = mask & -mask
        mask ^= bit
        yield bit.bit_length() - 1
