"""What ``smplab diff`` says: the differences, and a table with a line for each program; or JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cluster.diff import DIFFERENT, INCONCLUSIVE, SAME, EmulatedOutcome, ProgramReport
from cluster.process_tree import Tree
from cluster.process_tree import outcome as status_text
from kernel.trace.printable import printable_line

_MACHINES_SHOWN = 4
_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Failure:
    """A program that could not be compared; ``kind`` is that of the line on stderr."""

    program: str
    kind: str
    message: str


Row = ProgramReport | Failure


def verdict(row: Row) -> str:
    """Return how the comparison of one program came out."""
    if isinstance(row, Failure):
        return row.kind
    return row.verdict


def render_table(rows: Sequence[Row]) -> str:
    """Return the table: runs and outcomes on both sides, and the verdict."""
    head = ("program", "host runs", "outcomes", "emulated runs", "outcomes", "verdict")
    lines = [head]
    for row in rows:
        if isinstance(row, Failure):
            cells = ("-", "-", "-", "-")
        else:
            counts = (row.host.total, len(row.host.runs), row.emulated_runs, len(row.emulated))
            cells = tuple(str(count) for count in counts)  # type: ignore[assignment]
        lines.append((row.program, *cells, verdict(row)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    # a longer name has a line of its own
    room = max(_WIDTH - sum(widths[1:]) - 2 * len(widths[1:]), len(head[0]))
    widths[0] = min(widths[0], room)
    texts = []
    for line in lines:
        if len(line[0]) > room:
            texts.append(printable_line(line[0]))
        first = printable_line(line[0] if len(line[0]) <= room else "").ljust(widths[0])
        numbers = [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1])]
        texts.append("  ".join([first, *numbers, line[-1]]))
    different = sum(verdict(row) == DIFFERENT for row in rows)
    inconclusive = sum(verdict(row) == INCONCLUSIVE for row in rows)
    failed = sum(isinstance(row, Failure) for row in rows)
    plural = "" if len(rows) == 1 else "s"
    texts.append(
        f"{len(rows)} program{plural}, {different} different, {inconclusive} inconclusive, "
        f"{failed} not compared"
    )
    return "\n".join(texts)


def render_details(row: Row) -> str:
    """Return what there is to say about one program; empty if all is well."""
    parts = []
    if isinstance(row, Failure):
        parts = [f"{row.program}: {row.kind}: {line}" for line in row.message.splitlines()]
        return "\n".join(map(printable_line, parts))
    for outcome in row.emulated:
        if outcome.verdict != SAME:
            parts.append(f"{row.program}: {outcome.verdict} {_where(outcome)}")
            parts += [f"  {line}" for line in outcome.explanation]
    return "\n".join(map(printable_line, parts))  # they have texts of guests in them


def _where(outcome: EmulatedOutcome) -> str:
    shown = [f"({machine})" for machine in outcome.machines[:_MACHINES_SHOWN]]
    more = len(outcome.machines) - len(shown)
    return "on " + " ".join(shown) + (f" and {more} more" if more else "")


def to_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the whole report as plain JSON data."""
    return [_row(row) for row in rows]


def _row(row: Row) -> dict[str, Any]:
    if isinstance(row, Failure):
        return {"program": row.program, "verdict": row.kind, "message": row.message}
    return {
        "program": row.program,
        "verdict": verdict(row),
        "unseen": round(row.host.unseen, 4),
        "isolation": row.host.runs[0].isolation,
        "host": [
            {"runs": count, **_outcome(run.stdout, run.stderr, run.status, run.tree)}
            for run, count in zip(row.host.runs, row.host.counts)
        ],
        "emulated": [
            {
                "runs": len(found.machines),
                "machines": [machine._asdict() for machine in found.machines],
                "verdict": found.verdict,
                "problem": found.run.problem,
                "explanation": list(found.explanation),
                **_outcome(found.run.stdout, found.run.stderr, found.run.status, found.run.tree),
            }
            for found in row.emulated
        ],
    }


def _outcome(stdout: bytes, stderr: bytes, status: int | None, tree: Tree) -> dict[str, Any]:
    return {
        "stdout": stdout.decode("utf-8", "backslashreplace"),
        "stderr": stderr.decode("utf-8", "backslashreplace"),
        "status": None if status is None else status_text(status),
        "tree": [[node.depth, node.outcome] for node in tree],
    }
