"""The points of an experiment run, each on a local engine of its own, several at a time.

What comes of it does not depend on how many processes there are: results are in the order of the
points, and a point is the same run in any of them. A point that fails leaves its reason, and the
others go on.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from cluster.build import look_at_machine
from cluster.config.errors import ConfigError
from cluster.config.experiment import TRACED, Experiment, Point, said_word
from cluster.engine import run_machine
from cluster.engine_api import DONE
from cluster.report.sched.stats import SchedStats
from cluster.request import request_of
from cluster.rundir import RunDir
from cluster.trace import TraceReader
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from cluster.engine_api import RunResult

WINDOW_NS: Final = 100_000_000  # of fairness
_SAID: Final = re.compile(rb"^([A-Za-z_][A-Za-z0-9_]*) ([0-9]+)$", re.MULTILINE)

Result = dict[str, Any]


def run_point(measures: tuple[str, ...], point: Point) -> Result:
    """Run ``point`` and return its result as plain data.

    Returns:
        ``index``; ``measures``, a number or None (there was nothing to measure) for each;
        ``error``, why there are none, else empty.
    """
    return _run(measures, point)[0]


def run_point_timed(measures: tuple[str, ...], point: Point) -> Result:
    """As ``run_point``, with what the host took from the first event to the last.

    Returns:
        Besides: ``wall_ns``, and ``cpu_ns``, the CPU time of this process; None: it is not known,
        as that of actors is not.
    """
    result, wall = _run(measures, point)
    return {**result, "wall_ns": wall.get("loop_ns"), "cpu_ns": wall.get("loop_cpu_ns")}


def _run(measures: tuple[str, ...], point: Point) -> tuple[Result, dict[str, Any]]:
    loaded = point.load()
    spec, problems = look_at_machine(loaded)
    if problems:
        raise ConfigError(problems)
    request = request_of(loaded, spec)
    with TemporaryDirectory(prefix="smplab-sweep-") as folder:
        directory = RunDir.create(Path(folder), "point")
        request.out_dir = directory.path
        result = run_machine(request)
        error = _why_failed(result, loaded.config.expect.exit_status)
        found = {} if error else _measure(measures, directory, result, spec.cpus)
    measured = {"index": point.index, "measures": found, "error": error}
    return measured, result.wall


def _why_failed(result: "RunResult", expected: int | str) -> str:
    if result.exit_kind != DONE:
        return f"{result.exit_kind}: {result.message}"
    statuses = [status for _, _, status in result.statuses]
    wrong = [
        status
        for status in statuses
        if status is None or not os.WIFEXITED(status) or os.WEXITSTATUS(status) != expected
    ]
    if expected == "any" or not wrong:
        return ""
    return f"{len(wrong)} of {len(statuses)} programs did not exit with {expected}"


def _measure(
    measures: tuple[str, ...], directory: RunDir, result: "RunResult", cpus: int
) -> dict[str, int | None]:
    summary = result.summary
    end_ns: int = summary["run"]["virtual_ns"]
    lateness = summary["causality"]["lateness_ns"]
    late = lateness["count"] > 0
    found: dict[str, int | None] = {
        "virtual": end_ns,
        "migrations": summary["migrations"]["total"],
        "switches": summary["switches"]["total"],
        "fork_mean": _mean(result, "fork_to_run"),
        "queue_mean": _mean(result, "rq_wait"),
        "lock_wait": sum(lock["wait_ns"] for lock in summary["locks"]),
        "violations": summary["causality"]["violations"],
        "late_mean": _mean(result, "lateness"),
        "late_p99": lateness["p99"] if late else None,
        "late_max": lateness["max"] if late else None,
    }
    if not TRACED.isdisjoint(measures):
        found |= _measure_trace(directory, cpus, end_ns)
    said = _said(directory)
    for measure in measures:
        asked = said_word(measure)
        if asked is not None:
            count = said.get(asked[1])
            if count is not None and asked[0] == "rate":
                count = count * NSEC_PER_SEC // max(end_ns, 1)
            found[measure] = count
    return {measure: found[measure] for measure in measures}


def _mean(result: "RunResult", name: str) -> int | None:
    count, total = result.totals[name]
    return total // count if count else None


def _measure_trace(directory: RunDir, cpus: int, end_ns: int) -> dict[str, int | None]:
    """Return the measures that the trace has."""
    stats = SchedStats(cpus, WINDOW_NS, 0)
    with TraceReader(directory.trace_path) as reader:
        stats.read(reader.select(), end_ns)
    windows, jain, _ = stats.fairness.jain
    waits = stats.waits
    return {
        "wait_p50": waits.percentile(50),
        "wait_p95": waits.percentile(95),
        "wait_p99": waits.percentile(99),
        "wait_max": waits.maximum,
        "jain": jain // windows if windows else None,
    }


def _said(directory: RunDir) -> dict[str, int]:
    """Return the sums of the numbers in lines ``WORD NUMBER`` that programs wrote, by word."""
    written: dict[str, bytes] = {}
    with directory.outputs() as reader:
        for piece in reader.pieces():
            if piece.stream == "stdout":
                written[piece.label] = written.get(piece.label, b"") + piece.data
    sums: dict[str, int] = {}
    for data in written.values():
        for word, number in _SAID.findall(data):
            sums[word.decode()] = sums.get(word.decode(), 0) + int(number)
    return sums


def run_points(
    experiment: Experiment,
    jobs: int,
    done: Callable[[Result], None] | None = None,
    run_one: Callable[[tuple[str, ...], Point], Result] = run_point,
) -> list[Result]:
    """Run all points, ``jobs`` at a time, and return the results in the order of the points.

    Args:
        experiment: a checked one.
        jobs: processes; with 1 everything happens in this one.
        done: is called with each result, in order.
        run_one: ``run_point`` or ``run_point_timed``.
    """
    run = partial(run_one, experiment.measure)
    results = []
    for result in _results(run, experiment.points, min(jobs, len(experiment.points))):
        if done is not None:
            done(result)
        results.append(result)
    return results


def _results(
    run: Callable[[Point], Result], points: Iterable[Point], jobs: int
) -> Iterator[Result]:
    if jobs <= 1:
        yield from map(run, points)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        try:
            yield from pool.map(run, points)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
