"""A comparison for people, as JSON and as CSV."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from cluster.config.measures import PARTS, is_time
from cluster.report.sweep import shown
from cluster.sweep.differences import Comparison, Row
from cluster.sweep.intervals import NONE, PAIRED, WELCH
from kernel.trace.printable import printable_line

_TESTS = {PAIRED: "paired", WELCH: "Welch", NONE: "-"}


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Yield a table for each sample that is compared with the first, then what is to be noted."""
    first = found.samples[0]
    heads = [*first.axes, "measure", "A", "B", "B - A", "in %", "95 % interval of B - A"]
    left = len(first.axes) + 1
    for other in found.samples[1:]:
        yield printable_line(f"A: {first.name}")
        yield printable_line(f"B: {other.name}")
        rows = [[*heads, "runs", "test"]]
        rows += [_cells(row) for row in found.rows if row.b == other.name]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for cells in rows:
            padded = [
                cell.ljust(width) if place < left or place == len(cells) - 1 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
            ]
            yield printable_line("  ".join(padded).rstrip())
        yield ""
    if any(row.difference.test != NONE for row in found.rows):
        yield "* zero is not in the interval. paired: Student's t of the differences, seed by seed;"
        yield "Welch: Welch's t of two samples, where the seeds are not the same"
    else:
        yield "no intervals: there is one seed of each (seeds: in the experiment)"
    for note in found.notes:
        yield printable_line(note)


def _cells(row: Row) -> list[str]:
    found = row.difference
    interval = "-"
    if found.low is not None and found.high is not None:
        ends = f"{_value(row.measure, found.low)} to {_value(row.measure, found.high)}"
        interval = f"{ends} {'*' if found.clear else ' '}"
    runs = f"{found.runs_a}" if found.runs_a == found.runs_b else f"{found.runs_a}, {found.runs_b}"
    return [
        *row.labels,
        row.measure,
        _value(row.measure, found.mean_a),
        _value(row.measure, found.mean_b),
        _value(row.measure, found.value),
        "-" if found.percent is None else f"{found.percent:+.2f}",
        interval,
        runs,
        _TESTS[found.test],
    ]


def _value(measure: str, value: float) -> str:
    if is_time(measure) or measure in PARTS or value == round(value):
        return shown(measure, round(value))
    return f"{value:,.2f}"


def _plain(found: Comparison, row: Row) -> dict[str, Any]:
    of = row.difference
    return {
        "b": row.b,
        "axes": dict(zip(found.samples[0].axes, row.labels, strict=True)),
        "measure": row.measure,
        "mean_a": of.mean_a,
        "mean_b": of.mean_b,
        "difference": of.value,
        "percent": of.percent,
        "low": of.low,
        "high": of.high,
        "runs_a": of.runs_a,
        "runs_b": of.runs_b,
        "test": of.test,
    }


def comparison_json(found: Comparison) -> str:
    """Return names, rows and notes as one JSON value; times in ns, Jain in millionths."""
    rows = [_plain(found, row) for row in found.rows]
    first = found.samples[0].name
    return json.dumps({"a": first, "rows": rows, "notes": list(found.notes)}, indent=2)


def comparison_csv(found: Comparison) -> str:
    """Return a head and a line for each row; an empty cell has nothing to tell."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    axes = found.samples[0].axes
    numbers = ("mean_a", "mean_b", "difference", "percent", "low", "high", "runs_a", "runs_b")
    writer.writerow(["a", "b", *axes, "measure", *numbers, "test"])
    for row in found.rows:
        plain = _plain(found, row)
        cells = ["" if plain[name] is None else plain[name] for name in numbers]
        name = found.samples[0].name
        writer.writerow([name, row.b, *row.labels, row.measure, *cells, row.difference.test])
    return file.getvalue()
