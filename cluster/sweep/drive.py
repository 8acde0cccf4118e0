"""From a checked experiment to all of its results, in the order of the points."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from cluster.config.experiment import Experiment
from cluster.engine_api import INTERRUPTED
from cluster.sweep.directory import SweepDir, SweepDirError
from cluster.sweep.measure import Result, Task, digest_of, task_of
from cluster.sweep.workers import Here, Processes, Told, Workers

Done = Callable[[Result], None]
_CUT: Final = f"{INTERRUPTED}: "


def run_points(
    experiment: Experiment,
    jobs: int,
    done: Done | None = None,
    *,
    timed: bool = False,
    told: Told = lambda _: None,
) -> list[Result]:
    """Run all points, ``jobs`` at a time, and return the results in the order of the points.

    Args:
        experiment: a checked one.
        jobs: processes; with 1 everything happens in this one.
        done: is called with each result, as they come.
        timed: results tell what the host took; see ``run_point``.
        told: is called with a line when a worker has died.
    """
    jobs = min(jobs, len(experiment.points))
    workers = Here(timed=timed) if jobs <= 1 else Processes(jobs, told, timed=timed)
    results = {}
    with closing(workers.results(_tasks(experiment, {}))) as coming:
        for result in coming:
            results[result["index"]] = result
            if done is not None:
                done(result)
    return [results[point.index] for point in experiment.points]


def workers_of(jobs: int, told: Told, scratch: Path) -> Workers:
    """Return so many processes; this one if it is one."""
    return Here(scratch) if jobs <= 1 else Processes(jobs, told, scratch)


def sweep_into(
    directory: SweepDir,
    experiment: Experiment,
    workers: Workers,
    there: Mapping[int, Result],
    done: Done,
) -> list[Result]:
    """Run the points that have no result yet, setting each down; return the results of all.

    Args:
        directory: of the sweep.
        experiment: a checked one.
        workers: who runs the points.
        there: results that the directory has, by index.
        done: is called with each new result, as they come, after it has been set down.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM; what was set down is valid.
        OSError: a result cannot be set down; likewise.
        WorkersLost, SweepDirError: likewise; a file that the experiment names has been changed.
    """
    results = dict(there)
    tasks = _unchanged(directory, _tasks(experiment, there))
    with closing(workers.results(tasks)) as coming:
        for result in coming:
            if result["error"].startswith(_CUT):  # a run that noticed Ctrl-C by itself
                raise KeyboardInterrupt
            directory.set_down(result)
            results[result["index"]] = result
            done(result)
    return [results[point.index] for point in experiment.points]


def _tasks(experiment: Experiment, there: Mapping[int, Result]) -> Iterator[Task]:
    """Yield what is left to do; each task is made when somebody is about to run it."""
    for point in experiment.points:
        if point.index not in there:
            yield task_of(experiment, point)


def _unchanged(directory: SweepDir, tasks: Iterator[Task]) -> Iterator[Task]:
    """Yield tasks that are still what they were when the sweep began."""
    digests = directory.manifest["digests"]
    for task in tasks:
        if digest_of(task.request, task.expected) != digests[task.index]:
            what = "a file that the experiment names was changed while it ran"
            raise SweepDirError(f"{directory.path}: {what}")
        yield task
