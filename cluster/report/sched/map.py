"""``perf sched map``: which task each CPU runs, one column a CPU, one line a switch.

Source: tools/perf/builtin-sched.c:map_switch_event(), Linux 6.1.
Deviation: colours are those of the options only, and only on a terminal.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from cluster.report.sched.tasks import seconds
from cluster.trace.reader import TraceRecord
from kernel.trace.printable import printable

_PID_COLOUR: Final = "\x1b[34m"
_CPU_COLOUR: Final = "\x1b[41m"
_NORMAL: Final = "\x1b[m"
_IDLE: Final = "."


class ShortNames:
    """A0, B0, … Z0, A1, … Z9, and A0 again."""

    def __init__(self) -> None:
        self.of: dict[int, str] = {0: _IDLE}
        self._next = 0

    def name(self, pid: int) -> str:
        """Return the short name of a task. Source: map_switch_event()."""
        known = self.of.get(pid)
        if known is not None:
            return known
        digit, letter = divmod(self._next, 26)
        self._next = (self._next + 1) % 260
        short = self.of[pid] = f"{chr(ord('A') + letter)}{digit}"
        return short


def switches(records: Iterable[TraceRecord], cpus: Collection[int] = ()) -> Iterator[TraceRecord]:
    """Iterate over the switches on these CPUs; on all if there are none."""
    for record in records:
        if record.event == "sched_switch" and (not cpus or record.cpu in cpus):
            yield record


class SchedMap:
    """Lines of the map."""

    def __init__(
        self,
        cpus: list[int],
        *,
        compact: bool = False,
        colour_pids: Collection[int] = (),
        colour_cpus: Collection[int] = (),
        colours: bool = False,
    ) -> None:
        """Make a map of these CPUs.

        Args:
            cpus: a column for each.
            compact: columns are those CPUs only that have switched, in that order.
            colour_pids: tasks that are shown in blue.
            colour_cpus: CPUs whose columns have another background.
            colours: the lines go to a terminal.
        """
        self._columns = [] if compact else list(cpus)
        self._compact = compact
        self._pids = colour_pids if colours else ()
        self._cpus = colour_cpus if colours else ()
        self._current: dict[int, int] = {}
        self._short = ShortNames()
        self._named: dict[int, str] = {}  # under which names tasks have been explained

    def lines(self, records: Iterable[TraceRecord]) -> Iterator[str]:
        """Yield a line for each of the switches."""
        for record in records:
            yield self._line(record)

    def _line(self, record: TraceRecord) -> str:
        cpu, fields = record.cpu or 0, record.fields
        pid = fields["next_pid"]
        new_cpu = self._compact and cpu not in self._columns
        if new_cpu:
            self._columns.append(cpu)
        self._current[cpu] = pid
        short = self._short.name(pid)
        cells = "".join(self._cell(column, column == cpu) for column in self._columns)
        comm = printable(fields["next_comm"]) if pid else "swapper"
        name = ""
        if self._named.get(pid) != comm:  # a new task, or one with a new name
            self._named[pid] = comm
            name = f"{short:2} => {comm}:{pid}"
        where = f" (CPU {cpu})" if new_cpu else ""
        return f"  {cells}  {seconds(record.time_ns):>12} secs {name}{where}"

    def _cell(self, column: int, switched: bool) -> str:
        pid = self._current.get(column)
        text = "  " if pid is None else f"{self._short.of[pid]:2}"
        if pid is not None and pid in self._pids:
            text = f"{_PID_COLOUR}{text}{_NORMAL}"
        cell = f"{'*' if switched else ' '}{text} "
        return f"{_CPU_COLOUR}{cell}{_NORMAL}" if column in self._cpus else cell


def map_plain(records: Iterable[TraceRecord]) -> Iterator[dict[str, Any]]:
    """Yield what the lines of the map say, as plain data, a dict for each switch."""
    short = ShortNames()
    for record in records:
        fields = record.fields
        yield {
            "time_ns": record.time_ns,
            "cpu": record.cpu,
            "name": short.name(fields["next_pid"]),
            "comm": fields["next_comm"],
            "pid": fields["next_pid"],
        }
