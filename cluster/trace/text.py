"""Trace records as lines of text, in the form of ftrace's ``trace`` file.

    comm-pid [cpu] seconds.nanoseconds: event: field=value …

``comm-pid`` is the task that the CPU ran at that time, as in ftrace. Records do not carry it: it
follows from the sched_switch records before, so the writer of lines must see every record of a
CPU, also those it does not print.

Source: kernel/trace/trace_output.c:trace_print_context(); include/trace/events/sched.h.
Deviation: nine decimals instead of six, and no irq/preempt flags.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from cluster.trace.reader import TraceRecord
from kernel.task import (
    TASK_DEAD,
    TASK_INTERRUPTIBLE,
    TASK_NOLOAD,
    TASK_PARKED,
    TASK_STOPPED_BIT,
    TASK_TRACED_BIT,
    TASK_UNINTERRUPTIBLE,
)
from kernel.trace.printable import printable
from kernel.uapi.clock import NSEC_PER_SEC

_UNKNOWN: Final = ("<...>", -1)
_PREEMPTED: Final = 0x100
_MOST_KEPT: Final = 1 << 16  # texts that are made once
_STATE_LETTERS: Final = (
    (TASK_INTERRUPTIBLE, "S"),
    (TASK_UNINTERRUPTIBLE, "D"),
    (TASK_STOPPED_BIT, "T"),
    (TASK_TRACED_BIT, "t"),
    (TASK_PARKED, "P"),
    (TASK_DEAD, "X"),
)


def state_letters(state: int) -> str:
    """Return the letters that ftrace prints for ``prev_state`` of sched_switch.

    Args:
        state: the task's ``state``, or 0x100 for one that was preempted.

    Deviation: a task that died is X; Linux shows Z until it is reaped.

    Source: include/trace/events/sched.h:TRACE_EVENT(sched_switch).
    """
    if state == _PREEMPTED:
        return "R+"
    if state & TASK_NOLOAD and state & TASK_UNINTERRUPTIBLE:
        return "I"
    for bit, letter in _STATE_LETTERS:
        if state & bit:
            return letter
    return "R"


class _Layout:
    """How the records of one event are printed: a template for their values, and special places."""

    __slots__ = ("switch", "template")

    def __init__(self, event: str, names: Iterable[str]) -> None:
        names = list(names)
        words = [f"{name}=%{'x' if name == 'clone_flags' else 's'}" for name in names]
        self.switch: tuple[int, int, int] | None = None  # who left a CPU, and its state
        if event == "sched_switch":
            words.insert(names.index("next_comm"), "==>")
            comm, pid, state = map(names.index, ("prev_comm", "prev_pid", "prev_state"))
            self.switch = comm, pid, state
        self.template = f"%s %s %5d.%09d: {event}: {' '.join(words)}"


class TraceText:
    """Formats records of one trace, given in merged order, and follows which task each CPU runs."""

    def __init__(self, current: dict[int, tuple[str, int]] | None = None) -> None:
        """Start with ``current`` (cpu -> comm, pid), as ``TraceReader.current_at`` returns it."""
        self._current = dict(current or {})
        self._layouts: dict[str, _Layout] = {}
        # what comes again and again is made once
        self._texts = lru_cache(_MOST_KEPT)(printable)
        self._letters = lru_cache(_MOST_KEPT)(state_letters)
        self._who = lru_cache(_MOST_KEPT)(_who)

    def actor(self, record: TraceRecord) -> tuple[str, int]:
        """Return comm and pid of the task during which ``record`` was made; pid -1: not known.

        Ask before ``follow`` is called with the same record.
        """
        if record.event == "sched_switch":
            return record.fields["prev_comm"], record.fields["prev_pid"]
        return self._running(record.cpu)

    def _running(self, cpu: int | None) -> tuple[str, int]:
        if cpu is None:
            return _UNKNOWN
        current = self._current.get(cpu)
        # a CPU that has not switched yet runs its idle task
        return (f"swapper/{cpu}", 0) if current is None else current

    def begin(self, record: TraceRecord) -> None:
        """Take note of what holds for ``record`` itself already: an exec is the process's.

        To be called before ``actor`` and ``line``.
        """
        if record.event == "sched_process_exec" and record.cpu is not None:
            self.execed(record.cpu, record.fields["old_pid"], record.fields["pid"])

    def follow(self, record: TraceRecord) -> None:
        """Take note of what ``record`` changes: the current task of its CPU, or that one's name."""
        fields = record.fields
        if record.cpu is None:
            return
        if record.event == "sched_switch":
            self.switched(record.cpu, fields["next_comm"], fields["next_pid"])
        elif record.event == "task_rename":
            self.renamed(fields["pid"], fields["newcomm"])

    def switched(self, cpu: int, comm: str, pid: int) -> None:
        """Take note that ``cpu`` runs another task."""
        self._current[cpu] = comm, pid

    def execed(self, cpu: int, old: int, pid: int) -> None:
        """Take note that ``old`` is ``pid`` now: a thread may have become its process."""
        comm, running = self._current.get(cpu, _UNKNOWN)
        if running == old:
            self._current[cpu] = comm, pid

    def renamed(self, pid: int, comm: str) -> None:
        """Take note that a task has another name."""
        for cpu, (_, running) in self._current.items():
            if running == pid:
                self._current[cpu] = comm, pid

    def line(self, record: TraceRecord) -> str:
        """Return ``record`` as one line. Call ``begin`` before and ``follow`` afterwards."""
        fields = record.fields
        return self.text(record.time_ns, record.cpu, record.event, fields, list(fields.values()))

    def text(
        self, time_ns: int, cpu: int | None, event: str, names: Iterable[str], values: list[Any]
    ) -> str:
        """Return a record as one line, as ``line`` does, of its parts.

        Args:
            names: of its fields; those of the first record of an event go for all.
            values: of its fields.
        """
        layout = self._layouts.get(event)
        if layout is None:
            layout = self._layouts[event] = _Layout(event, names)
        texts = self._texts
        shown: list[Any] = [
            one if type(one) is int else texts(one) if type(one) is str else int(one)
            for one in values
        ]
        if layout.switch is None:
            comm, pid = self._running(cpu)
        else:
            at_comm, at_pid, at_state = layout.switch
            comm, pid = values[at_comm], values[at_pid]
            shown[at_state] = self._letters(values[at_state])
        where = "[---]" if cpu is None else f"[{cpu:03d}]"
        seconds, rest = divmod(time_ns, NSEC_PER_SEC)
        return layout.template % (self._who(comm, pid), where, seconds, rest, *shown)


def _who(comm: str, pid: int) -> str:
    """Return task and pid as the head of a line."""
    who = f"{printable(comm)}-{pid if pid >= 0 else '?'}"
    return f"{who:>24}"
