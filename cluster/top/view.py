"""What ``smplab top`` shows, as lines: on a terminal in colours, elsewhere as they are."""

import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.text import Text

from cluster.report.process_table import TaskRow
from cluster.report.ps import command, stat_letters
from cluster.report.units import format_ns
from cluster.top.machine import COUNTED, Machine, Window
from kernel.trace.printable import printable, printable_line
from kernel.uapi.clock import NSEC_PER_SEC

_MIN_WIDTH: Final = 40
_CPU_SHARE: Final = 0.5  # of the height, at most for CPUs
_FULL, _SHORT, _TINY = 38, 24, 10  # least width of a CPU
_MOST_TASKS: Final = 25  # where there is no height
_LOCK_LINES: Final = 5
_STATES: Final = (
    ("S", "sleeping"),
    ("I", "idle"),
    ("D", "uninterruptible"),
    ("T", "stopped"),
    ("t", "traced"),
    ("P", "parked"),
    ("Z", "zombie"),
)
_HEAD_STYLE: Final = "bold reverse"
_TASK_HEAD: Final = "   PPID STAT  NI  CPU   %CPU       TIME COMMAND"

SORTS: Final = ("cpu", "time", "pid", "name")


@dataclass(slots=True)
class Looks:
    """How somebody wants to see it."""

    sort: str = "cpu"  # one of SORTS
    backwards: bool = False
    threads: bool = False
    locks: bool = True
    first_task: int = 0  # that is shown
    first_cpu: int = 0


@dataclass(slots=True)
class Shown:
    """What there is to be shown.

    ``locks_before`` empty: locks are counted since the beginning. ``notes`` stand on the first
    line, after the name.
    """

    name: str
    notes: Sequence[str]
    machine: Machine
    window: Window
    end_ns: int
    locks: Sequence[Mapping[str, Any]]
    locks_before: Sequence[Mapping[str, Any]] = ()
    locks_at: str = ""  # of when they are


def lines_of(shown: Shown, looks: Looks, width: int, height: int | None) -> list[Text]:
    """Return the lines of a screen.

    Args:
        width: of the screen; what is longer is cut off.
        height: at most so many lines; None: all CPUs, and the first tasks.
    """
    width = max(width, _MIN_WIDTH)
    room = None if height is None else max(1, int((height - 6) * _CPU_SHARE))
    lines = [*_head(shown, width), Text(), *_cpus(shown, looks, width, room)]
    if looks.locks and shown.locks and (height is None or height >= 24):
        lines += [Text(), *_locks(shown)]
    left = _MOST_TASKS + 1 if height is None else height - len(lines) - 1
    if left >= 2:
        lines += [Text(), *_tasks(shown, looks, width, left)]
    for line in lines:
        line.truncate(width)
    return lines if height is None else lines[:height]


# -- the head --------------------------------------------------------------------------------------


def _head(shown: Shown, width: int) -> list[Text]:
    machine, window = shown.machine, shown.window
    first = Text().append(printable_line(shown.name), "bold")
    first.append("".join(f"  {printable_line(note)}" for note in shown.notes if note))
    told = f"{format_ns(machine.now_ns)} of {format_ns(shown.end_ns)} "
    cells = max(0, width - len(told) - 2)
    share = machine.now_ns / shown.end_ns if shown.end_ns else 1.0
    done = min(cells, int(cells * share))
    bar = Text(told).append("[").append("=" * done, "cyan").append(" " * (cells - done)).append("]")
    return [first, bar, _counts(machine), *_rates(window, width)]


def _counts(machine: Machine) -> Text:
    states: Counter[str] = Counter()
    running = 0
    for row in machine.table.tasks.values():
        if row.state == "R" and row.since_ns >= 0:
            running += 1
        else:
            states[row.state] += 1
    words = [f"{len(machine.table.tasks):,} tasks", f"{running:,} running"]
    words.append(f"{states['R']:,} runnable")
    words += [f"{states[letter]:,} {name}" for letter, name in _STATES if states[letter]]
    return Text(", ".join(words))


def _rates(window: Window, width: int) -> list[Text]:
    words = [f"{_short(window.rate(name))} {name}" for name in COUNTED if window.number(name)]
    told = f"per virtual second: {', '.join(words)}" if words else "nothing has happened yet"
    return [Text(line) for line in textwrap.wrap(told, width)]


def _short(number: float) -> str:
    """Return a number in a few digits: 950, 12.3k, 4.56M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            value = number / size
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"
    return f"{number:.0f}"


# -- CPUs ------------------------------------------------------------------------------------------


def _cpus(shown: Shown, looks: Looks, width: int, room: int | None) -> list[Text]:
    """Return the block of CPUs, in as many columns as have room, and as much of each."""
    number = shown.machine.cpus
    least = _TINY + (number > 100) + (number > 1000)
    for each in (_FULL, _SHORT):
        columns = max(1, width // each)
        if room is None or -(-number // columns) <= room:
            least = each
            break
    columns = max(1, width // least)
    rows = -(-number // columns)
    columns = -(-number // rows)
    cell = width // columns
    first = 0
    if room is not None and rows > room:
        rows = room
        pages = -(-number // (rows * columns))
        first = (looks.first_cpu % pages) * rows * columns
    make = {_FULL: _full, _SHORT: _brief}.get(least, _tiny)
    heads = {_FULL: "CPU  busy  queue  current", _SHORT: "CPU busy queue current"}
    head = heads.get(least, "CPU busy queue")
    if first or number > rows * columns:
        last = min(number, first + rows * columns) - 1
        head += f"   (CPUs {first} to {last} of {number}: c shows others)"
    lines = [Text(head.ljust(width), _HEAD_STYLE)]
    for row in range(rows):
        line = Text()
        for column in range(columns):
            cpu = first + column * rows + row
            if cpu < number:
                text = make(shown, cpu, cell)
                text.truncate(cell, pad=True)
                line.append_text(text)
        line.rstrip()
        lines.append(line)
    return lines


def _full(shown: Shown, cpu: int, width: int) -> Text:
    """Return number, bar, share, queue and current task of a CPU."""
    share, queue, who = _of_cpu(shown, cpu)
    cells = max(4, min(20, width - 35))
    filled = round(cells * share)
    text = Text().append(f"{cpu:>3} ", "bold")
    text.append("|" * filled, "green").append("." * (cells - filled), "dim")
    text.append(f" {_per_cent(share)}").append(f" {queue:>3} ", _queue_style(queue))
    return text.append_text(_cut(who, width - len(text) - 1))


def _cut(who: Text, width: int) -> Text:
    """Return who runs, in so many columns: rather without the end of a name than without pid."""
    name, _, pid = who.plain.rpartition(" ")
    if len(who) > width and name:
        name = name[: max(1, width - len(pid) - 1)]
        return Text(f"{name} {pid}"[:width])
    return who


def _brief(shown: Shown, cpu: int, width: int) -> Text:
    """Return number, share, queue and current task of a CPU."""
    _, _, who = _of_cpu(shown, cpu)
    text = _tiny(shown, cpu, width)
    return text.append(" ").append_text(_cut(who, width - len(text) - 2))


def _tiny(shown: Shown, cpu: int, _width: int) -> Text:
    """Return number, share and queue of a CPU, in ten columns."""
    share, queue, _ = _of_cpu(shown, cpu)
    text = Text().append(f"{cpu:>3}", "bold")
    text.append(f" {_per_cent(share)}", "green" if share >= 0.5 else "")
    return text.append(f"{queue:>2}" if queue < 100 else "++", _queue_style(queue))


def _of_cpu(shown: Shown, cpu: int) -> tuple[float, int, Text]:
    """Return how busy a CPU is, the length of its queue, and who runs."""
    machine = shown.machine
    pid, comm = machine.current[cpu]
    row = machine.table.tasks.get(pid)
    name = row.comm if row is not None else comm
    who = Text(f"{printable(name)} {pid}") if pid else Text("idle", "dim")
    return shown.window.busy(cpu), machine.queue(cpu), who


def _per_cent(share: float) -> str:
    return f"{100 * share:>3.0f}%"


def _queue_style(queue: int) -> str:
    return "yellow" if queue > 1 else "" if queue else "dim"


# -- locks -----------------------------------------------------------------------------------------


def _locks(shown: Shown) -> list[Text]:
    """Return the block of locks: who was waited for longest comes first."""
    before = {lock["name"]: lock for lock in shown.locks_before}
    rows = []
    for lock in shown.locks:
        old = before.get(lock["name"], {})
        names = "wait_ns", "acquisitions", "contended", "hold_ns"
        values = [lock[name] - old.get(name, 0) for name in names]
        if values[1]:
            rows.append((-values[0], -values[1], lock["name"], values, lock["wait_max_ns"]))
    title = f"LOCK ({shown.locks_at})"
    head = f"{title:<17}{'taken':>11}{'contended':>11}{'waited':>11}{'longest':>11}{'held':>11}"
    lines = [Text(head, _HEAD_STYLE)]
    for _, _, name, (wait_ns, taken, contended, hold_ns), longest_ns in sorted(rows)[:_LOCK_LINES]:
        numbers = f"{taken:>11,}{contended:>11,}{format_ns(wait_ns):>11}"
        numbers += f"{format_ns(longest_ns):>11}{format_ns(hold_ns):>11}"
        lines.append(Text(f"{printable(name):<17}{numbers}", "yellow" if contended else ""))
    return lines


# -- tasks -----------------------------------------------------------------------------------------


def _tasks(shown: Shown, looks: Looks, width: int, room: int) -> list[Text]:
    """Return the heading and the tasks that have room."""
    table, window = shown.machine.table, shown.window
    if looks.threads:
        groups = [[row] for row in table.tasks.values()]
    else:
        groups = [table.threads_of(leader) for leader in table.processes()]
    rows = [
        (group[0], window.ran(group), sum(table.ran_ns(row) for row in group)) for group in groups
    ]
    rows.sort(key=_orders()[looks.sort], reverse=looks.backwards)
    first = max(0, min(looks.first_task, len(rows) - (room - 1)))
    title = "TID" if looks.threads else "PID"
    head = f"{title:>7} {_TASK_HEAD}"
    last = min(len(rows), first + room - 1)
    if last - first < len(rows):
        head += f"  ({first + 1} to {last} of {len(rows)})"
    lines = [Text(head.ljust(width), _HEAD_STYLE)]
    for row, share, ran_ns in rows[first:last]:
        text = Text(
            f"{row.pid:>7} {table.ppid_of(row):>7} {stat_letters(table, row):<4} {row.nice:>3} "
            f"{row.cpu:>4} {100 * share:>6.1f} {format_ns(ran_ns):>10} {command(row)}",
            _task_style(row),
        )
        lines.append(text)
    return lines


_Row = tuple[TaskRow, float, int]


def _orders() -> dict[str, Callable[[_Row], Any]]:
    return {
        "cpu": lambda row: (-row[1], -row[2], row[0].pid),
        "time": lambda row: (-row[2], row[0].pid),
        "pid": lambda row: row[0].pid,
        "name": lambda row: (row[0].comm, row[0].pid),
    }


def _task_style(row: TaskRow) -> str:
    if row.state == "R":
        return "bold" if row.since_ns >= 0 else "yellow"
    return "dim" if row.state == "Z" else ""


def speed_text(speed_ns: int) -> str:
    """Return a speed in words: virtual time that goes by in a second."""
    times = speed_ns / NSEC_PER_SEC
    told = f"{times:,.0f}x" if times >= 1 else f"1/{round(1 / times):,}" if times else "0"
    return f"{format_ns(speed_ns)}/s ({told})"
