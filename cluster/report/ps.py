"""A process table as text: ps and pstree.

Source: procps ps(1) (columns, STAT letters), psmisc pstree(1) (the form of the tree).
"""

from collections.abc import Callable
from typing import Final

from cluster.report.process_table import ProcessTable, TaskRow
from kernel.trace.printable import printable
from kernel.uapi.clock import NSEC_PER_SEC


class ColumnError(ValueError):
    """There is no such column."""


def name(row: TaskRow) -> str:
    """Return the name of a task as ps shows it: kernel threads in brackets, the dead marked."""
    text = printable(row.comm)
    if row.state == "Z":
        return f"{text} <defunct>"
    return f"[{text}]" if row.kthread else text


def command(row: TaskRow) -> str:
    """Return a task's name and the arguments of its program, those that name it left out."""
    args = "" if row.state == "Z" or row.kthread else printable(row.args)
    return f"{name(row)} {args}".rstrip()


def command_line(row: TaskRow) -> str:
    """Return the arguments that a task's program was started with, its name where there are none.

    Source: procps ps/output.c:pr_args(): the kernel's cmdline, else the name in brackets.
    """
    if row.state == "Z" or row.kthread:
        return name(row)
    return printable(f"{row.program or row.comm} {row.args}".rstrip())


def stat_letters(table: ProcessTable, row: TaskRow) -> str:
    """Return state and marks: < N nice, s session leader, l several threads.

    Source: procps ps/output.c:pr_stat().
    """
    marks = row.state
    if row.nice < 0:
        marks += "<"
    elif row.nice > 0:
        marks += "N"
    if row.sid == row.tgid:
        marks += "s"
    leader = table.tasks.get(row.tgid, row)
    if len(leader.threads) > 1:
        marks += "l"
    return marks


def format_time(time_ns: int) -> str:
    """Return a CPU time as ``[DD-]hh:mm:ss.uuuuuu``."""
    seconds, rest = divmod(time_ns, NSEC_PER_SEC)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    head = f"{days}-" if days else ""
    return f"{head}{hour:02d}:{minute:02d}:{second:02d}.{rest // 1000:06d}"


def _time_of(table: ProcessTable, row: TaskRow, threads: bool) -> int:
    """Return the CPU time of a thread, or of a process's living threads."""
    rows = [row] if threads else table.threads_of(row)
    return sum(table.ran_ns(one) for one in rows)


# name -> (heading, right-aligned, value); the last argument says whether rows are threads
Cell = Callable[[ProcessTable, TaskRow, bool], str]
COLUMNS: Final[dict[str, tuple[str, bool, Cell]]] = {
    "pid": ("PID", True, lambda table, row, threads: str(row.tgid)),
    "tid": ("TID", True, lambda table, row, threads: str(row.pid)),
    "ppid": ("PPID", True, lambda table, row, threads: str(table.ppid_of(row))),
    "pgid": ("PGID", True, lambda table, row, threads: str(_leader(table, row).pgid)),
    "sid": ("SID", True, lambda table, row, threads: str(_leader(table, row).sid)),
    "nlwp": ("NLWP", True, lambda table, row, threads: str(len(_leader(table, row).threads))),
    "state": ("S", False, lambda table, row, threads: row.state),
    "stat": ("STAT", False, lambda table, row, threads: stat_letters(table, row)),
    "psr": ("PSR", True, lambda table, row, threads: str(row.cpu)),
    "ni": ("NI", True, lambda table, row, threads: str(row.nice)),
    "pri": ("PRI", True, lambda table, row, threads: str(19 - row.nice)),
    "time": (
        "TIME",
        True,
        lambda table, row, threads: format_time(_time_of(table, row, threads)),
    ),
    "etime": (
        "ELAPSED",
        True,
        lambda table, row, threads: format_time(table.now_ns - row.started_ns),
    ),
    "comm": ("COMMAND", False, lambda table, row, threads: name(row)),
    "command": ("COMMAND", False, lambda table, row, threads: command(row)),
    "args": ("COMMAND", False, lambda table, row, threads: command_line(row)),
}
# other names of columns, with the headings that these have
_ALIASES: Final = {
    "tgid": ("pid", "TGID"),
    "lwp": ("tid", "LWP"),
    "spid": ("tid", "SPID"),
    "pgrp": ("pgid", "PGRP"),
    "sess": ("sid", "SESS"),
    "session": ("sid", "SESS"),
    "thcount": ("nlwp", "THCNT"),
    "s": ("state", "S"),
    "nice": ("ni", "NI"),
    "cputime": ("time", "TIME"),
    "ucmd": ("comm", "CMD"),
    "cmd": ("args", "CMD"),
}
COLUMNS.update({name: (head, *COLUMNS[of][1:]) for name, (of, head) in _ALIASES.items()})
DEFAULT: Final = ("pid", "ppid", "pgid", "sid", "stat", "psr", "ni", "time", "command")
DEFAULT_THREADS: Final = (*DEFAULT[:4], "tid", *DEFAULT[4:])


def _leader(table: ProcessTable, row: TaskRow) -> TaskRow:
    """Return the row that has a thread's group and session."""
    return table.tasks.get(row.tgid, row)


def parse_columns(text: str) -> tuple[str, ...]:
    """Return the columns that ``pid,ppid,comm`` names.

    Raises:
        ColumnError: there is none of a name; says which there are.
    """
    names = [name.strip().lower() for name in text.replace(",", " ").split()]
    wrong = [name for name in names if name not in COLUMNS]
    if wrong or not names:
        known = ", ".join(sorted(COLUMNS))
        raise ColumnError(f"no column {', '.join(wrong) or 'at all'}; there are {known}")
    return tuple(names)


def ps_lines(
    table: ProcessTable, columns: tuple[str, ...] | None = None, *, threads: bool = False
) -> list[str]:
    """Return the table as lines, heading first, one for each process or thread, by pid."""
    names = columns or (DEFAULT_THREADS if threads else DEFAULT)
    rows: list[TaskRow] = []
    for leader in table.processes():
        rows += table.threads_of(leader) if threads else [leader]
    cells = [[COLUMNS[name][0] for name in names]]
    cells += [[COLUMNS[name][2](table, row, threads) for name in names] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(names))]
    right = [COLUMNS[name][1] for name in names]
    return [
        " ".join(
            cell.rjust(width) if align else cell.ljust(width)
            for cell, width, align in zip(line, widths, right)
        ).rstrip()
        for line in cells
    ]


def pstree_lines(
    table: ProcessTable,
    root: int = 0,
    *,
    pids: bool = True,
    threads: bool = True,
    arguments: bool = False,
) -> list[str]:
    """Return the tree of processes below ``root`` (0: everything), in pstree's form.

    Children are in the order of their pids, threads stand in braces before them.
    """
    children: dict[int, list[TaskRow]] = {}
    for row in table.processes():
        children.setdefault(table.ppid_of(row), []).append(row)
    lines: list[str] = []

    def label(row: TaskRow, thread: bool) -> str:
        text = name(row)
        number = f"({row.pid})" if pids else ""
        if thread:
            return f"{{{text}}}{number}"
        rest = printable(row.args) if arguments and row.state != "Z" and not row.kthread else ""
        return f"{text}{number} {rest}".rstrip()

    # (text in front of the first line, text in front of the others, row, is a thread)
    tops = [table.tasks[root]] if root in table.tasks else children.get(0, [])
    todo: list[tuple[str, str, TaskRow, bool]] = [("", "", top, False) for top in reversed(tops)]
    while todo:
        first, rest, row, thread = todo.pop()
        text = label(row, thread)
        below: list[tuple[TaskRow, bool]] = []
        if not thread:
            if threads:
                below += [(one, True) for one in table.threads_of(row) if one is not row]
            below += [(child, False) for child in children.get(row.tgid, [])]
        lines.append(first + text)
        for place, (child, is_thread) in reversed(list(enumerate(below))):
            last = place == len(below) - 1
            branch = "`-" if last else "|-"
            todo.append((rest + branch, rest + ("  " if last else "| "), child, is_thread))
    return lines
