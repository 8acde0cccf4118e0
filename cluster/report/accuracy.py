"""How far synchronisation schemes are from ``exact``: a table for people, JSON, CSV.

An error is ``100 * (value - that of exact) / that of exact``, signed, between two runs that differ
in their scheme alone: number of CPUs and seed are the same. Of several seeds it is the median of
these errors. Where exact has 0 and the scheme has not, there is no error to tell in per cent.

Host times come last and apart from everything else: ``wall`` in JSON, ``wall_ns`` and ``cpu_ns`` in
CSV, ``HOST_TITLES`` in the table. All the rest is the same for equal input.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Any, Final

from cluster.config.accuracy import COMPARED, LATENESS, REFERENCE, labels_of
from cluster.config.experiment import Experiment, Point
from cluster.config.measures import TIMES
from cluster.report.sweep import failure_lines
from cluster.report.units import format_ns
from kernel.trace.printable import printable_line

#: heads of the table
TITLES: Final = {
    "virtual": "makespan",
    "fork_mean": "fork",
    "queue_mean": "wait",
    "switches": "switches",
    "migrations": "migrations",
    "lock_wait": "lock wait",
    "violations": "late",
    "late_mean": "mean",
    "late_p99": "p99",
    "late_max": "max",
}
HOST_TITLES: Final = ("wall", "speed", "by CPU time")
_CLOCKS: Final = ("wall_ns", "cpu_ns")
_DIGITS: Final = 4  # of an error in per cent

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A scheme on a number of CPUs, over all seeds.

    Attributes:
        values: the median of each measure; None: there was nothing to measure.
        errors: of each of ``COMPARED`` the median, least and greatest error in per cent; None:
            there is none.
        runs, failed: how many there were.
        wall_ns, cpu_ns: medians of the host's time, and CPU time; None: not known.
        speed, cpu_speed: those of exact, divided by them.
    """

    cpus: str
    scheme: str
    values: dict[str, int | None]
    errors: dict[str, tuple[float, float, float] | None]
    runs: int
    failed: int
    wall_ns: int | None
    speed: float | None
    cpu_ns: int | None
    cpu_speed: float | None


def rows_of(experiment: Experiment, results: Sequence[Result]) -> list[Row]:
    """Return a row for each number of CPUs and scheme, in the order of the points.

    Args:
        experiment: as ``read_comparison`` gave it.
        results: of its points, in their order, with ``wall_ns``.
    """
    by_labels: dict[tuple[str, ...], list[tuple[Point, Result]]] = {}
    for point, result in zip(experiment.points, results, strict=True):
        by_labels.setdefault(point.labels, []).append((point, result))
    rows = []
    for (cpus, scheme), runs in by_labels.items():
        exact = [result for _, result in by_labels[cpus, REFERENCE]]
        good = [result for _, result in runs if not result["error"]]
        finished = [result for result in exact if not result["error"]]
        times = [_host_time(good, finished, clock) for clock in _CLOCKS]
        rows.append(
            Row(
                cpus,
                scheme,
                {name: _middle(good, name) for name in (*COMPARED, *LATENESS)},
                {name: _errors(name, [result for _, result in runs], exact) for name in COMPARED},
                len(runs),
                len(runs) - len(good),
                *times[0],
                *times[1],
            )
        )
    return rows


def _host_time(
    results: Sequence[Result], exact: Sequence[Result], clock: str
) -> tuple[int | None, float | None]:
    """Return a median of host times, and how often it goes into that of exact."""
    times = [result[clock] for result in results if result[clock]]
    if not times:
        return None, None
    time_ns = int(median(times))
    of_exact = [result[clock] for result in exact if result[clock]]
    return time_ns, round(int(median(of_exact)) / time_ns, _DIGITS) if of_exact else None


def _middle(results: Sequence[Result], name: str) -> int | None:
    values = [result["measures"][name] for result in results]
    there = [value for value in values if value is not None]
    return int(median(there)) if there else None


def _errors(
    name: str, runs: Sequence[Result], exact: Sequence[Result]
) -> tuple[float, float, float] | None:
    """Return median, least and greatest error over the seeds in which there is one."""
    found = []
    for run, reference in zip(runs, exact, strict=True):
        error = error_of(run["measures"].get(name), reference["measures"].get(name))
        if error is not None:
            found.append(error)
    if not found:
        return None
    middle, least, most = (
        float(round(error, _DIGITS)) for error in (median(found), min(found), max(found))
    )
    return middle, least, most


def error_of(value: int | None, reference: int | None) -> Fraction | None:
    """Return the signed error of ``value`` in per cent; None: there is none to tell."""
    if value is None or reference is None:
        return None
    if value == reference:
        return Fraction(0)
    return Fraction(100 * (value - reference), reference) if reference else None


# -- for people -------------------------------------------------------------------------------


def accuracy_lines(
    experiment: Experiment, results: Sequence[Result], rows: Sequence[Row]
) -> Iterator[str]:
    """Yield a table: of exact what it measured, of the others by how much they differ.

    Args:
        rows: as ``rows_of`` gave them.
    """
    cells = [["cpus", "scheme", *TITLES.values(), *HOST_TITLES]]
    for row in rows:
        exact = row.scheme == REFERENCE
        cells.append(
            [
                row.cpus if exact else "",
                row.scheme,
                *(_value(name, row) if exact else _error(row.errors[name]) for name in COMPARED),
                *(_value(name, row) for name in LATENESS),
                *host_cells(row),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield printable_line(
            "  ".join(
                cell.ljust(width) if place == 1 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
        )
    names = [f"{' '.join(point.labels[:2])} seed {point.seed}" for point in experiment.points]
    yield from failure_lines(names, results)


def host_cells(row: Row) -> list[str]:
    """Return what stands under ``HOST_TITLES``."""
    speeds = ["-" if speed is None else f"{speed:.2f}" for speed in (row.speed, row.cpu_speed)]
    return ["-" if row.wall_ns is None else format_ns(row.wall_ns), *speeds]


def _value(name: str, row: Row) -> str:
    value = row.values[name]
    if value is None:
        return "-"
    return format_ns(value) if name in TIMES else f"{value:,}"


def _error(error: tuple[float, float, float] | None) -> str:
    return "-" if error is None else format_error(error[0])


def format_error(percent: float) -> str:
    """Return an error for people: ``+0.31 %``, ``+7,034 %``, and ``0`` if there is none at all."""
    digits = 2 if abs(percent) < 100 else 1 if abs(percent) < 1000 else 0
    return f"{percent:+,.{digits}f} %" if percent else "0"


# -- for programs -----------------------------------------------------------------------------


def accuracy_json(experiment: Experiment, results: Sequence[Result], rows: Sequence[Row]) -> str:
    """Return all there is as one JSON value; times in ns, errors in per cent, host times apart."""
    return json.dumps(
        {
            "name": experiment.name,
            "reference": REFERENCE,
            "cpus": [int(label) for label in labels_of(experiment, 0)],
            "schemes": labels_of(experiment, 1),
            "seeds": list(dict.fromkeys(point.seed for point in experiment.points)),
            "rows": [
                {
                    "cpus": int(row.cpus),
                    "scheme": row.scheme,
                    "runs": row.runs,
                    "failed": row.failed,
                    "median": row.values,
                    "errors_percent": {
                        name: dict(zip(("median", "min", "max"), error, strict=True))
                        if error
                        else None
                        for name, error in row.errors.items()
                    },
                }
                for row in rows
            ],
            "points": [
                {
                    "index": point.index,
                    "cpus": int(point.labels[0]),
                    "scheme": point.labels[1],
                    "seed": point.seed,
                    "measures": result["measures"],
                    "error": result["error"],
                }
                for point, result in zip(experiment.points, results, strict=True)
            ],
            "wall": {
                "rows": [
                    {
                        "cpus": int(row.cpus),
                        "scheme": row.scheme,
                        "wall_ns": row.wall_ns,
                        "speed": row.speed,
                        "cpu_ns": row.cpu_ns,
                        "cpu_speed": row.cpu_speed,
                    }
                    for row in rows
                ],
                "points": [
                    {"wall_ns": result["wall_ns"], "cpu_ns": result["cpu_ns"]} for result in results
                ],
            },
        },
        indent=2,
    )


def accuracy_csv(experiment: Experiment, results: Sequence[Result]) -> str:
    """Return a head and a line for each run; host times are in the last two columns."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    errors = [f"{name}_error_percent" for name in COMPARED]
    measures = (*COMPARED, *LATENESS)
    writer.writerow(["index", "cpus", "scheme", "seed", *measures, *errors, "error", *_CLOCKS])
    exact = {
        (point.labels[0], point.seed): result["measures"]
        for point, result in zip(experiment.points, results, strict=True)
        if point.labels[1] == REFERENCE
    }
    for point, result in zip(experiment.points, results, strict=True):
        found = result["measures"]
        reference = exact[point.labels[0], point.seed]
        off = [error_of(found.get(name), reference.get(name)) for name in COMPARED]
        writer.writerow(
            [
                point.index,
                *point.labels,
                point.seed,
                *("" if found.get(name) is None else found[name] for name in measures),
                *("" if error is None else float(round(error, _DIGITS)) for error in off),
                result["error"],
                *("" if result[clock] is None else result[clock] for clock in _CLOCKS),
            ]
        )
    return file.getvalue()
