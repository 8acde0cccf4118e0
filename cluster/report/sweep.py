"""The results of a sweep: a table for people, JSON, CSV. All in the order of the points."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster.config.experiment import Experiment
from cluster.config.measures import PARTS, is_time
from cluster.engine_api import INTERRUPTED
from cluster.report.units import format_ns
from kernel.trace.printable import printable_line


def sweep_lines(experiment: Experiment, results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a table: a row for each point, then why points failed."""
    heads = [*experiment.axes, *(["seed"] if experiment.seeded else [])]
    rows = [[*heads, *experiment.measure]]
    for point, result in zip(experiment.points, results, strict=True):
        seed = [str(point.seed)] if experiment.seeded else []
        values = [shown(name, result["measures"].get(name)) for name in experiment.measure]
        rows.append([*point.labels, *seed, *values])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(
            cell.ljust(width) if place < len(experiment.axes) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
    yield from failure_lines([" ".join(point.labels) for point in experiment.points], results)


def failure_lines(names: Sequence[str], results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each point that failed; one for all that somebody's stop cut short.

    Args:
        names: what points are called, in their order.
        results: of each.
    """
    stopped: list[str] = []
    for name, result in zip(names, results, strict=True):
        error: str = result["error"]
        if error.startswith(f"{INTERRUPTED}: "):
            stopped.append(error)
        elif error:
            yield printable_line(f"failed: {name}: {error}")
    if stopped:
        yield printable_line(f"{len(stopped)} of {len(names)} runs were not made: {stopped[0]}")


def shown(measure: str, value: int | None) -> str:
    """Return the value of a measure for people."""
    if value is None:
        return "-"
    if is_time(measure):
        return format_ns(value)
    return f"{value / PARTS[measure]:.4f}" if measure in PARTS else f"{value:,}"


def sweep_json(experiment: Experiment, results: Sequence[dict[str, Any]]) -> str:
    """Return name, axes, measures and points as one JSON value; times in ns, Jain in millionths."""
    points = [
        {
            "index": point.index,
            "axes": dict(zip(experiment.axes, point.labels, strict=True)),
            "seed": point.seed,
            "measures": result["measures"],
            "error": result["error"],
        }
        for point, result in zip(experiment.points, results, strict=True)
    ]
    return json.dumps(
        {"name": experiment.name, "measures": list(experiment.measure), "points": points}, indent=2
    )


def sweep_csv(experiment: Experiment, results: Sequence[dict[str, Any]]) -> str:
    """Return a head and a line for each point; an empty cell has nothing measured."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["index", *experiment.axes, "seed", *experiment.measure, "error"])
    for point, result in zip(experiment.points, results, strict=True):
        seed = "" if point.seed is None else point.seed
        values = [result["measures"].get(name) for name in experiment.measure]
        cells = ["" if value is None else value for value in values]
        writer.writerow([point.index, *point.labels, seed, *cells, result["error"]])
    return file.getvalue()
