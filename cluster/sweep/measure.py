"""One point of an experiment run, and what is measured of it.

Whoever runs a point gets all of it in one ``Task``: machine and programs are in it, so a worker on
another host needs no file of this one.
"""

import os
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from cluster.build import look_at_machine
from cluster.config.errors import ConfigError
from cluster.config.experiment import Experiment, Point
from cluster.config.load import Loaded
from cluster.config.measures import TRACED, said_word, summary_place
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest
from cluster.report.sched.stats import SchedStats
from cluster.request import request_of
from cluster.rundir import RunDir
from cluster.trace import TraceReader
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from cluster.engine_api import RunResult
    from kernel.machine import MachineSpec

WINDOW_NS: Final = 100_000_000  # of fairness
CODE: Final = ("kernel", "workloads", "cluster")  # what a result may depend on
_SAID: Final = re.compile(rb"^([A-Za-z_][A-Za-z0-9_]*) ([0-9]+)$", re.MULTILINE)

Result = dict[str, Any]


@dataclass(slots=True)
class Task:
    """A point, ready to be run anywhere."""

    index: int
    request: RunRequest
    expected: int | str  # exit status of its programs, or any
    measures: tuple[str, ...]


def task_of(experiment: Experiment, point: Point) -> Task:
    """Return the task that a point is.

    Raises:
        ConfigError: it is not sound (any more).
    """
    loaded = point.load()
    spec, problems = look_at_machine(loaded)
    if problems:
        raise ConfigError(problems)
    request = request_for(loaded, spec)
    return Task(point.index, request, loaded.config.expect.exit_status, experiment.measure)


def request_for(loaded: Loaded, spec: "MachineSpec") -> RunRequest:
    """Return the run that the configuration of a point asks for.

    Args:
        loaded: the configuration.
        spec: the machine that was made of it.
    """
    request = request_of(loaded, spec)
    request.checkpoint = None  # a point that is cut short is run again
    return request


def digest_of(request: RunRequest, expected: int | str) -> str:
    """Return what tells this run from any other that a point may ask for."""
    told = (
        *(request.spec, request.scheme, request.scheme_from, request.quantum_ns, request.slack_ns),
        *(request.max_virtual_ns, request.max_wall_s, expected),
    )
    return sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@cache
def code_digest() -> str:
    """Return a hash of smplab's own source: results of another one may be others."""
    root = Path(__file__).resolve().parents[2]
    digest = sha256()
    for path in sorted(path for package in CODE for path in (root / package).rglob("*.py")):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:32]


def run_point(task: Task, scratch: Path | None = None, *, timed: bool = False) -> Result:
    """Run a point and return its result as plain data.

    Args:
        task: the point.
        scratch: folder for the files of the run, which are gone afterwards; None: the host's.
        timed: tell, too, what the host took from the first event to the last.

    Returns:
        ``index``; ``seed``; ``measures``, a number or None (there was nothing to measure) for each;
        ``error``, why there are none, else empty; ``digest`` of the run. Timed: ``wall_ns``, and
        ``cpu_ns``, the CPU time of this process; None: it is not known, as that of actors is not.
    """
    request = task.request
    with TemporaryDirectory(prefix="smplab-sweep-", dir=scratch) as folder:
        directory = RunDir.create(Path(folder), "point")
        request.out_dir = directory.path
        result = run_machine(request)
        error = _why_failed(result, task.expected)
        found = {} if error else _measure(task.measures, directory, result, request.spec.cpus)
    measured = {
        "index": task.index,
        "seed": request.spec.seed,
        "measures": found,
        "error": error,
        "digest": "" if error else result.digest,
    }
    if timed:
        wall = result.wall
        measured |= {"wall_ns": wall.get("loop_ns"), "cpu_ns": wall.get("loop_cpu_ns")}
    return measured


def failed(task: Task, error: str) -> Result:
    """Return the result of a point that could not be run to its end."""
    seed = task.request.spec.seed
    return {"index": task.index, "seed": seed, "measures": {}, "error": error, "digest": ""}


def run_point_safely(task: Task, scratch: Path | None = None, *, timed: bool = False) -> Result:
    """As ``run_point``; an exception is that point's failure, and not that of the sweep."""
    try:
        return run_point(task, scratch, timed=timed)
    except Exception as error:
        text = " ".join(str(error).split())[:500]
        name = type(error).__name__
        clocks = {"wall_ns": None, "cpu_ns": None} if timed else {}
        return failed(task, f"{name}: {text}" if text else name) | clocks


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
    end_ns: int = result.summary["run"]["virtual_ns"]
    found = of_summary(result.summary)
    for name, distribution in MEANS.items():
        found[name] = _mean(result, distribution)
    if not TRACED.isdisjoint(measures):
        found |= measure_trace(directory, cpus, end_ns)
    said = _said(directory)
    for measure in measures:
        asked = said_word(measure)
        place = summary_place(measure)
        if asked is not None:
            count = said.get(asked[1])
            if count is not None and asked[0] == "rate":
                count = count * NSEC_PER_SEC // max(end_ns, 1)
            found[measure] = count
        elif place is not None:
            found[measure] = number_at(result.summary, place)
    return {measure: found[measure] for measure in measures}


#: measures that a summary has no exact number of -> distribution of which they are the mean
MEANS: Final = {"fork_mean": "fork_to_run", "queue_mean": "rq_wait", "late_mean": "lateness"}


def of_summary(summary: dict[str, Any]) -> dict[str, int | None]:
    """Return the measures that a summary has."""
    lateness = summary["causality"]["lateness_ns"]
    late = lateness["count"] > 0
    return {
        "virtual": summary["run"]["virtual_ns"],
        "migrations": summary["migrations"]["total"],
        "switches": summary["switches"]["total"],
        "lock_wait": sum(lock["wait_ns"] for lock in summary["locks"]),
        "violations": summary["causality"]["violations"],
        "late_p99": lateness["p99"] if late else None,
        "late_max": lateness["max"] if late else None,
    }


def number_at(summary: dict[str, Any], place: str) -> int | None:
    """Return the number at a place of a summary; None: this run's has none there."""
    group, _, number = place.rpartition(".")
    if group.startswith("locks."):  # names of locks have dots
        name = group.partition(".")[2]
        at: Any = next((lock for lock in summary["locks"] if lock["name"] == name), None)
    else:
        at = summary
        for part in group.split("."):
            at = at.get(part) if isinstance(at, dict) else None
    found = at.get(number) if isinstance(at, dict) else None
    return found if isinstance(found, int) else None


def _mean(result: "RunResult", name: str) -> int | None:
    count, total = result.totals[name]
    return total // count if count else None


def measure_trace(directory: RunDir, cpus: int, end_ns: int) -> dict[str, int | None]:
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
