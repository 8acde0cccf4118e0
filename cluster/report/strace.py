"""The system calls of a run as text, in the form of ``strace -f -ttt -o``: task, time, call.

A call that others come between is printed in two parts, ``<unfinished ...>`` and ``<... resumed>``.
Signals stand between dashes, the ends of tasks between plus signs. Only tasks below one process are
shown: what the machine does for itself is left out.

Source: strace(1). Time is virtual. What the trace has of a call is of ``kernel.trace.systrace``.
"""

import errno
import os
from collections.abc import Iterable, Iterator

from cluster.trace.reader import TraceRecord
from kernel.trace.printable import printable
from kernel.trace.strace_names import signal
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.syscalls import TABLE


def strace_lines(records: Iterable[TraceRecord], root: int) -> Iterator[str]:
    """Yield the lines of process ``root`` and of all its descendants, by virtual time.

    Args:
        records: of a run with ``trace.syscalls``, in merged order.
        root: its pid.
    """
    return _Strace(root).lines(records)


class _Strace:
    def __init__(self, root: int) -> None:
        self.family = {root}
        self.calls: dict[int, str] = {}  # task -> name of the call it is in
        self.open: tuple[int, str] | None = None  # the line that is not ended yet: task, text

    def lines(self, records: Iterable[TraceRecord]) -> Iterator[str]:
        for record in records:
            fields = record.fields
            if record.event == "sched_process_fork":
                if fields["parent_pid"] in self.family:
                    self.family.add(fields["child_pid"])
                continue
            pid = fields.get("pid")
            if pid not in self.family:
                continue
            head = f"{pid} {record.time_ns // NSEC_PER_SEC}.{record.time_ns % NSEC_PER_SEC:09d} "
            if record.event == "sys_enter":
                yield from self._cut()
                name = TABLE[fields["id"]][0] if fields["id"] in TABLE else str(fields["id"])
                self.calls[pid] = name
                self.open = pid, f"{head}{name}({printable(fields['args'])}"
            elif record.event == "sys_exit":
                yield from self._result(pid, head, printable(fields["ret"]))
            elif record.event == "signal_deliver":
                yield from self._cut()
                yield f"{head}--- {signal(fields['sig'])} {{si_code={_code(fields['code'])}}} ---"
            elif record.event == "sched_process_exit":
                yield from self._end(pid, head, fields["exit_code"])
        yield from self._cut()

    def _result(self, pid: int, head: str, ret: str) -> Iterator[str]:
        name = self.calls.pop(pid, "?")
        if self.open is not None and self.open[0] == pid:
            yield f"{self.open[1]}) = {_explained(ret)}"
            self.open = None
        else:
            yield from self._cut()
            yield f"{head}<... {name} resumed>) = {_explained(ret)}"

    def _end(self, pid: int, head: str, status: int) -> Iterator[str]:
        name = self.calls.pop(pid, "")
        if self.open is not None and self.open[0] == pid:
            yield f"{self.open[1]}) = ?"
            self.open = None
        else:
            yield from self._cut()
            if name:
                yield f"{head}<... {name} resumed>) = ?"
        yield f"{head}+++ {ended(status)} +++"

    def _cut(self) -> Iterator[str]:
        if self.open is not None:
            yield f"{self.open[1]} <unfinished ...>"
            self.open = None


def ended(status: int) -> str:
    """Return how a task ended, in strace's words."""
    if status & 0x7F:
        return f"killed by {signal(status & 0x7F)}{' (core dumped)' if status & 0x80 else ''}"
    return f"exited with {status >> 8 & 0xFF}"


def _explained(ret: str) -> str:
    """Return a result with the text of its error: ``-1 ENOENT (No such file or directory)``."""
    value, _, name = ret.partition(" ")
    number = getattr(errno, name, None) if value == "-1" else None
    return f"{ret} ({os.strerror(number)})" if isinstance(number, int) else ret


def _code(code: int) -> str:
    return {0: "SI_USER", 0x80: "SI_KERNEL", -6: "SI_TKILL", -1: "SI_QUEUE", -2: "SI_TIMER"}.get(
        code, str(code)
    )
