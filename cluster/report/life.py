"""All processes of a run as one tree: who made whom, what each ran, when, and how it ended.

Unlike ``pstree``, which shows one moment, this has every process that ever was, in order of birth.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cluster.report.process_table import ProcessTable, TaskRow
from cluster.report.ps import command
from cluster.report.strace import ended
from cluster.report.units import format_ns
from cluster.trace.reader import TraceRecord


@dataclass(slots=True)
class _Process:
    """One process from birth to end."""

    row: TaskRow
    names: list[str] = field(default_factory=list)
    threads: int = 0
    end: str = "still there"
    end_ns: int = -1
    children: list["_Process"] = field(default_factory=list)


def life_lines(records: Iterable[TraceRecord], root: int) -> list[str]:
    """Return the tree of process ``root`` and all its descendants.

    Args:
        records: of the run, in merged order.
        root: its pid.
    """
    table = ProcessTable()
    alive: dict[int, _Process] = {}
    top: _Process | None = None
    for record in records:
        fields = record.fields
        leaving = table.tasks.get(fields.get("pid", -1)) if _ends(record) else None
        table.follow(record)
        if record.event == "sched_process_fork":
            row = table.tasks.get(fields["child_pid"])
            maker = table.tasks.get(fields["parent_pid"])
            if row is None:
                continue
            if maker is not None and row.tgid != row.pid:
                if row.tgid in alive:
                    alive[row.tgid].threads += 1
                continue
            parent = alive.get(maker.tgid) if maker is not None else None
            if row.pid == root and top is None:
                top = alive[row.pid] = _Process(row)
            elif parent is not None:
                alive[row.pid] = _Process(row, [command(row)])
                parent.children.append(alive[row.pid])
        elif record.event in ("sched_process_exec", "task_args"):
            row = table.tasks.get(fields["pid"])
            if row is not None and row.pid in alive:
                alive[row.pid].row = row
                if record.event == "sched_process_exec":
                    alive[row.pid].names.append("")
                alive[row.pid].names[-1] = command(row)
        elif leaving is not None and leaving.tgid in alive:
            process = alive.pop(leaving.tgid)
            process.end, process.end_ns = ended(fields["exit_code"]), record.time_ns
    return [] if top is None else _tree(top)


def _ends(record: TraceRecord) -> bool:
    return record.event == "sched_process_exit" and bool(record.fields["group_dead"])


def _tree(top: _Process) -> list[str]:
    lines: list[str] = []
    todo = [("", "", top)]
    while todo:
        first, rest, process = todo.pop()
        lines.append(first + _line(process))
        below = process.children
        for place, child in reversed(list(enumerate(below))):
            last = place == len(below) - 1
            todo.append((rest + ("`-" if last else "|-"), rest + ("  " if last else "| "), child))
    return lines


def _line(process: _Process) -> str:
    row = process.row
    what = " => ".join(process.names)
    threads = f", {process.threads} threads more" if process.threads else ""
    took = format_ns(process.end_ns - row.started_ns) if process.end_ns >= 0 else "?"
    return f"{row.pid} {what}: {process.end} after {took}{threads}"
