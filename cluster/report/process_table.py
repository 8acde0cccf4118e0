"""The process table of a run at any virtual time, put together from its trace.

The table follows the records one after the other: who made whom with which clone flags, new names,
parents, groups and sessions, sleeps and wake-ups, who ran how long where, who died and who is
gone. Of what happened before the first record only boot is known: swapper made init and kthreadd.

Source: what the columns mean is that of procps' ps(1) and psmisc's pstree(1).
Deviation: of a command line the trace has 256 characters. A new thread counts as one of its process
from the moment it is made. TIME has microseconds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from cluster.trace.reader import TraceRecord
from cluster.trace.text import state_letters
from kernel.uapi.clone import CLONE_PARENT, CLONE_THREAD

KTHREADD: Final = 2
_DEAD_STATE: Final = 0x80


@dataclass(slots=True)
class TaskRow:
    """One thread at the table's time. Pids are those at the root of the machine.

    ``state`` is a letter as in /proc/PID/stat; ``since_ns`` is when it was put on its CPU, -1 if
    it is on none.
    """

    pid: int
    tgid: int
    ppid: int  # thread id of the parent
    comm: str
    pgid: int = 0
    sid: int = 0
    nice: int = 0
    state: str = "R"
    cpu: int = 0
    started_ns: int = 0
    ran_ns: int = 0
    since_ns: int = -1
    program: str = ""  # what names it on its command line; empty: its name
    args: str = ""  # the other arguments
    kthread: bool = False
    exiting: bool = False
    freed: bool = False
    flags: int = 0  # clone flags it was made with
    threads: dict[int, None] = field(default_factory=dict)  # of a process: its thread ids


class ProcessTable:
    """All tasks of a run. ``follow`` takes its records in merged order."""

    def __init__(self) -> None:
        self.tasks: dict[int, TaskRow] = {}
        self.now_ns = 0

    @classmethod
    def at(cls, records: Iterable[TraceRecord], at_ns: int | None) -> "ProcessTable":
        """Return the table after every record at or before ``at_ns`` (None: all of them)."""
        table = cls()
        for record in records:
            if at_ns is not None and record.time_ns > at_ns:
                break
            table.follow(record)
        if at_ns is not None:
            table.now_ns = at_ns
        return table

    def copy(self) -> "ProcessTable":
        """Return a table that is as this one is now, and goes on by itself."""
        other = ProcessTable()
        other.now_ns = self.now_ns
        other.tasks = {
            pid: replace(row, threads=dict(row.threads)) for pid, row in self.tasks.items()
        }
        return other

    def follow(self, record: TraceRecord) -> None:
        """Take note of what one record changes."""
        self.now_ns = max(self.now_ns, record.time_ns)
        handler = _HANDLERS.get(record.event)
        if handler is not None:
            handler(self, record)

    # -- birth ------------------------------------------------------------------------------------

    def _newtask(self, record: TraceRecord) -> None:
        fields = record.fields
        pid = fields["pid"]
        row = TaskRow(pid, pid, 0, fields["comm"], started_ns=record.time_ns)
        row.threads[pid] = None
        row.flags = fields["clone_flags"]
        self.tasks[pid] = row

    def _fork(self, record: TraceRecord) -> None:
        """Give a new task what it has from the one that made it."""
        row = self.tasks.get(record.fields["child_pid"])
        maker = self.tasks.get(record.fields["parent_pid"])
        if row is None:
            return
        row.comm = record.fields["child_comm"]
        row.state = "S"  # until sched_wakeup_new; what was made at boot sleeps when time begins
        if maker is None:  # the idle task
            row.kthread = row.pid == KTHREADD
            return
        row.pgid, row.sid = maker.pgid, maker.sid
        row.nice = maker.nice
        row.kthread = maker.kthread
        row.program, row.args = maker.program, maker.args
        row.ppid = maker.ppid if row.flags & (CLONE_PARENT | CLONE_THREAD) else maker.pid
        if row.flags & CLONE_THREAD:
            row.tgid = maker.tgid
            leader = self.tasks.get(maker.tgid)
            if leader is not None:
                leader.threads[row.pid] = None

    # -- life -------------------------------------------------------------------------------------

    def _exec(self, record: TraceRecord) -> None:
        """A thread that was not the leader has the process's pid from now on."""
        pid, old_pid = record.fields["pid"], record.fields["old_pid"]
        if old_pid in self.tasks:
            self.tasks[old_pid].program = self.tasks[old_pid].args = ""
        if pid == old_pid:
            return
        row = self.tasks.pop(old_pid, None)
        leader = self.tasks.get(pid)
        if row is None or leader is None:
            return
        row.pid = row.tgid = pid
        row.freed = False  # that was said of the old leader, which had got this thread's id
        row.threads = {pid: None}
        row.ppid, row.pgid, row.sid = leader.ppid, leader.pgid, leader.sid
        row.started_ns = leader.started_ns
        self.tasks[pid] = row
        for other in self.tasks.values():
            if other.ppid == old_pid:
                other.ppid = pid

    def _args(self, record: TraceRecord) -> None:
        row = self.tasks.get(record.fields["pid"])
        if row is not None:
            row.program, row.args = record.fields["program"], record.fields["args"]

    def _rename(self, record: TraceRecord) -> None:
        row = self.tasks.get(record.fields["pid"])
        if row is not None:
            row.comm = record.fields["newcomm"]

    def _change(self, record: TraceRecord) -> None:
        row = self.tasks.get(record.fields["pid"])
        if row is None:
            return
        name, value = record.fields["field"], record.fields["value"]
        if name == "sid":
            row.sid = row.pgid = value
        elif name == "pgid":
            row.pgid = value
        elif name == "ppid":
            for tid in row.threads:
                thread = self.tasks.get(tid)
                if thread is not None:
                    thread.ppid = value
        elif name == "nice":
            row.nice = value
        elif name == "cpu":
            row.cpu = value

    def _switch(self, record: TraceRecord) -> None:
        fields = record.fields
        cpu = record.cpu or 0
        row = self.tasks.get(fields["prev_pid"])
        if row is not None:
            if row.since_ns >= 0:
                row.ran_ns += record.time_ns - row.since_ns
            row.since_ns = -1
            if not row.exiting:
                row.state = state_letters(fields["prev_state"])[0]
            elif fields["prev_state"] & _DEAD_STATE:
                row.state = "Z"
        row = self.tasks.get(fields["next_pid"])
        if row is not None:
            row.cpu = cpu
            row.since_ns = record.time_ns
            row.state = "R"

    def _wakeup(self, record: TraceRecord) -> None:
        row = self.tasks.get(record.fields["pid"])
        if row is not None:
            row.cpu = record.fields["target_cpu"]
            row.state = "R"

    def _migrate(self, record: TraceRecord) -> None:
        row = self.tasks.get(record.fields["pid"])
        if row is not None:
            row.cpu = record.fields["dest_cpu"]

    # -- death ------------------------------------------------------------------------------------

    def _exit(self, record: TraceRecord) -> None:
        row = self.tasks.get(record.fields["pid"])
        if row is not None:
            row.exiting = True
            self._forget(row)

    def _free(self, record: TraceRecord) -> None:
        """A task is gone once it has ended, too: in virtual time a reaper may be ahead of it."""
        row = self.tasks.get(record.fields["pid"])
        if row is not None:
            row.freed = True
            self._forget(row)

    def _forget(self, row: TaskRow) -> None:
        if not (row.exiting and row.freed):
            return
        del self.tasks[row.pid]
        leader = self.tasks.get(row.tgid)
        if leader is not None:
            leader.threads.pop(row.pid, None)

    # -- what it says -----------------------------------------------------------------------------

    def processes(self) -> list[TaskRow]:
        """Return the leader of every process, by pid."""
        return [row for pid, row in sorted(self.tasks.items()) if row.tgid == pid]

    def threads_of(self, leader: TaskRow) -> list[TaskRow]:
        """Return the threads of a process, its leader first."""
        return [self.tasks[tid] for tid in leader.threads if tid in self.tasks]

    def ppid_of(self, row: TaskRow) -> int:
        """Return the id of the parent's process."""
        parent = self.tasks.get(row.ppid)
        return row.ppid if parent is None else parent.tgid

    def ran_ns(self, row: TaskRow) -> int:
        """Return how long a thread has been on a CPU, up to now."""
        return row.ran_ns + (self.now_ns - row.since_ns if row.since_ns >= 0 else 0)


_HANDLERS: Final[dict[str, Callable[[ProcessTable, TraceRecord], None]]] = {
    "task_newtask": ProcessTable._newtask,
    "sched_process_fork": ProcessTable._fork,
    "sched_process_exec": ProcessTable._exec,
    "task_rename": ProcessTable._rename,
    "task_change": ProcessTable._change,
    "task_args": ProcessTable._args,
    "sched_switch": ProcessTable._switch,
    "sched_migrate_task": ProcessTable._migrate,
    "sched_wakeup": ProcessTable._wakeup,
    "sched_wakeup_new": ProcessTable._wakeup,
    "sched_process_exit": ProcessTable._exit,
    "sched_process_free": ProcessTable._free,
}
#: names of the events that change a table
FOLLOWED: Final = frozenset(_HANDLERS)
