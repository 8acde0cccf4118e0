"""The tasks of a trace as perf knows them: by number, with name, process and parent.

Source: tools/perf/builtin-sched.c:timehist_get_commstr(), timestamp__scnprintf_usec(), Linux 6.1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from cluster.trace.reader import TraceRecord
from kernel.trace.printable import printable
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.clone import CLONE_THREAD

PREEMPTED: Final = 0x100  # prev_state of a task that stays runnable
DEAD: Final = 0x80


@dataclass(slots=True)
class SchedTask:
    """One thread. ``tgid`` is its process, ``ppid`` who made that, both -1 where not known."""

    pid: int
    comm: str
    tgid: int = -1
    ppid: int = -1
    prio: int = 120
    dead: bool = False

    @property
    def name(self) -> str:
        """Return ``comm[tid]``, or ``comm[tid/pid]`` for a thread that is not its process's first.

        Source: timehist_get_commstr().
        """
        if self.pid == 0:
            return "<idle>"
        if self.tgid in (-1, self.pid):
            return f"{printable(self.comm)}[{self.pid}]"
        return f"{printable(self.comm)}[{self.pid}/{self.tgid}]"


T = TypeVar("T", bound=SchedTask)


class Tasks(Generic[T]):
    """All tasks that records have named; a number that is used again is another task."""

    def __init__(self, make: Callable[[int, str], T]) -> None:
        """Start with none; ``make(pid, comm)`` makes one."""
        self.make = make
        self.by_pid: dict[int, T] = {}
        self.ended: list[T] = []  # those whose number somebody else has now

    def get(self, pid: int, comm: str) -> T:
        """Return the task of that number, which has that name now."""
        task = self.by_pid.get(pid)
        if task is None:
            task = self.by_pid[pid] = self.make(pid, comm)
        else:
            task.comm = comm
        return task

    def everybody(self) -> Iterator[T]:
        """Iterate over all tasks but the idle ones, by number."""
        yield from self.ended
        for pid in sorted(self.by_pid):
            if pid:
                yield self.by_pid[pid]

    def follow(self, record: TraceRecord) -> None:
        """Take note of births, names and deaths; other records are of no account."""
        fields = record.fields
        event = record.event
        if event == "task_newtask":
            pid = fields["pid"]
            old = self.by_pid.get(pid)
            if old is not None and old.dead:
                self.ended.append(self.by_pid.pop(pid))
            task = self.get(pid, fields["comm"])
            task.tgid = -2 if fields["clone_flags"] & CLONE_THREAD else pid
        elif event == "sched_process_fork":
            task = self.get(fields["child_pid"], fields["child_comm"])
            maker = self.by_pid.get(fields["parent_pid"])
            group = fields["parent_pid"] if maker is None or maker.tgid < 0 else maker.tgid
            task.ppid = group
            task.tgid = group if task.tgid == -2 else task.pid
        elif event == "task_rename":
            self.get(fields["pid"], fields["newcomm"])
        elif event == "sched_process_exec":
            # a thread that was not the first has the number of its process from now on
            named = self.by_pid.get(fields["pid"])
            if named is not None:
                named.tgid, named.dead = named.pid, False


def seconds(time_ns: int) -> str:
    """Return a time in s with six decimals, the rest cut off, as perf writes it."""
    whole, rest = divmod(time_ns, NSEC_PER_SEC)
    return f"{whole}.{rest // 1000:06d}"


def milliseconds(time_ns: int, width: int) -> str:
    """Return a span in ms with three decimals, the rest cut off.

    Args:
        time_ns: the span.
        width: of the digits before the point.

    Source: print_sched_time().
    """
    return f"{time_ns // 1_000_000:{width}d}.{time_ns // 1000 % 1000:03d}"
