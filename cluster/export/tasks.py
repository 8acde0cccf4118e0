"""Which tasks there are, from their records: whose threads they are, and how they are called."""

from typing import Any

from kernel import events as ev
from kernel.uapi.clone import CLONE_THREAD


class Tasks:
    """The tasks of a machine at the time of the record that was followed last.

    Attributes:
        tgid: task -> process.
        parent: process -> who forked it, a process.
        comm: task -> name.
    """

    def __init__(self) -> None:
        self.tgid: dict[int, int] = {0: 0}
        self.parent: dict[int, int] = {}
        self.comm: dict[int, str] = {0: "swapper"}
        self._thread = 0  # being made

    def group(self, pid: int) -> int:
        """Return the process of a task; of one that is not known, the task."""
        return self.tgid.get(pid, pid)

    def is_thread(self, pid: int) -> bool:
        """Tell whether a task is one of somebody else's process."""
        return self.tgid.get(pid, pid) != pid

    def follow(self, event: int, row: list[Any], at: int) -> None:
        """Take note of a record whose event is one of ``CHANGES``."""
        if event == ev.TASK_NEWTASK:
            self._thread = row[at] if row[at + 2] & CLONE_THREAD else 0
        elif event == ev.SCHED_PROCESS_FORK:
            _, parent, comm, pid = row[at : at + 4]
            group = self.group(parent)
            self.comm[pid] = comm
            if pid == self._thread:
                self.tgid[pid] = group
            else:
                self.tgid[pid] = pid
                self.parent[pid] = group
        elif event == ev.TASK_RENAME:
            self.comm[row[at]] = row[at + 2]
        elif event == ev.SCHED_PROCESS_FREE:
            pid = row[at + 1]
            self.tgid.pop(pid, None)
            self.parent.pop(pid, None)
            self.comm.pop(pid, None)


#: events that ``Tasks.follow`` wants
CHANGES = frozenset((ev.TASK_NEWTASK, ev.SCHED_PROCESS_FORK, ev.TASK_RENAME, ev.SCHED_PROCESS_FREE))
