"""Trace records as lines of text, in the form of ftrace's ``trace`` file.

    comm-pid [cpu] seconds.nanoseconds: event: field=value …

``comm-pid`` is the task that the CPU ran at that time, as in ftrace. Records do not carry it: it
follows from the sched_switch records before, so the writer of lines must see every record of a
CPU, also those it does not print.

Source: kernel/trace/trace_output.c:trace_print_context(); include/trace/events/sched.h.
Deviation: nine decimals instead of six, and no irq/preempt flags.
"""

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


def _value(value: Any) -> str:
    if isinstance(value, str):
        return printable(value)
    return str(int(value) if isinstance(value, bool) else value)


class TraceText:
    """Formats records, given in merged order, and follows which task each CPU runs."""

    def __init__(self, current: dict[int, tuple[str, int]] | None = None) -> None:
        """Start with ``current`` (cpu -> comm, pid), as ``TraceReader.current_at`` returns it."""
        self._current = dict(current or {})

    def actor(self, record: TraceRecord) -> tuple[str, int]:
        """Return comm and pid of the task during which ``record`` was made; pid -1: not known.

        Ask before ``follow`` is called with the same record.
        """
        if record.event == "sched_switch":
            return record.fields["prev_comm"], record.fields["prev_pid"]
        if record.cpu is None:
            return _UNKNOWN
        current = self._current.get(record.cpu)
        # a CPU that has not switched yet runs its idle task
        return (f"swapper/{record.cpu}", 0) if current is None else current

    def follow(self, record: TraceRecord) -> None:
        """Take note of what ``record`` changes: the current task of its CPU, or that one's name."""
        cpu = record.cpu
        if cpu is None:
            return
        fields = record.fields
        if record.event == "sched_switch":
            self._current[cpu] = fields["next_comm"], fields["next_pid"]
        elif record.event == "task_rename":
            for one, (_, pid) in self._current.items():
                if pid == fields["pid"]:
                    self._current[one] = fields["newcomm"], pid

    def line(self, record: TraceRecord) -> str:
        """Return ``record`` as one line. Call ``follow`` afterwards."""
        comm, pid = self.actor(record)
        who = f"{printable(comm)}-{pid if pid >= 0 else '?'}"
        where = "[---]" if record.cpu is None else f"[{record.cpu:03d}]"
        seconds, rest = divmod(record.time_ns, NSEC_PER_SEC)
        fields = record.fields
        words = [f"{name}={_value(value)}" for name, value in fields.items()]
        if record.event == "sched_switch":
            names = list(fields)
            words[names.index("prev_state")] = f"prev_state={state_letters(fields['prev_state'])}"
            words.insert(names.index("next_comm"), "==>")
        elif record.event == "task_newtask":
            words[list(fields).index("clone_flags")] = f"clone_flags={fields['clone_flags']:x}"
        return f"{who:>24} {where} {seconds:5d}.{rest:09d}: {record.event}: {' '.join(words)}"
