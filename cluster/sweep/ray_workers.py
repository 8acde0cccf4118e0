"""Tasks of Ray that run the points of a sweep, each on a local engine of its own.

A task is given machine and programs, and returns a few numbers: hosts of a cluster need smplab
installed, the same one, and no file of the driver's. Points are handed out as tasks end, so that
few are under way when something happens.
"""

import os
import time
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import Any, Final

from cluster.ray_session import RaySession, RayUnreachable
from cluster.sweep.measure import Result, Task, code_digest, run_point_safely
from cluster.sweep.workers import MOST_LOSSES, Told, WorkersLost, lost

_LOOK_S: Final = 0.5  # between two looks whether Ray is still there
_TELL_S: Final = 60.0  # without a result; then it is told, and again after twice the time
_OTHER: Final = "other"  # what a host of another smplab returns


class OnRay:
    """See ``cluster.sweep.workers.Workers``.

    Args:
        address: ``local`` (a Ray of our own), ``auto`` or ``HOST:PORT``.
        jobs: points at a time; None: as many as Ray has cores.
        told: is called with a line when there is something to tell.
    """

    def __init__(self, address: str, jobs: int | None, told: Told) -> None:
        self._address = address
        self._jobs = jobs
        self._told = told

    def results(self, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """See ``Workers.results``."""
        self._told("Ray starts" if self._address == "local" else f"joins Ray at {self._address}")
        try:
            session = RaySession(self._address, self._jobs or os.cpu_count() or 1)
        except RayUnreachable as error:
            raise WorkersLost(str(error)) from None
        with session:
            yield from self._made(session, tasks)

    def _made(self, session: RaySession, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        import ray

        cores = session.cores()
        jobs = self._jobs or cores
        share = 1.0 if jobs <= cores else int(cores / jobs * 1000) / 1000
        decorate: Any = ray.remote
        remote = decorate(_run).options(num_cpus=share, max_retries=0)
        code = code_digest()
        losses: dict[int, int] = {}
        calls: dict[Any, Task] = {}
        coming = iter(tasks)
        try:
            while True:
                while len(calls) < jobs and (task := next(coming, None)) is not None:
                    calls[remote.remote(code, task)] = task
                if not calls:
                    return
                for call in self._ended(session, list(calls)):
                    task = calls.pop(call)
                    try:
                        result: Result = ray.get(call)
                    except ray.exceptions.RayError as error:
                        how = f"its task was lost ({type(error).__name__})"
                        losses[task.index] = losses.get(task.index, 0) + 1
                        if losses[task.index] < MOST_LOSSES:
                            self._told(f"point {task.index}: {how}; it is run again")
                            calls[remote.remote(code, task)] = task
                        else:
                            yield lost(task, how)
                        continue
                    if _OTHER in result:
                        raise WorkersLost(f"{result[_OTHER]} has another smplab than this one")
                    yield result
        finally:
            if not session.gone:
                with suppress(ray.exceptions.RayError):
                    for call in calls:
                        ray.cancel(call, force=True)

    def _ended(self, session: RaySession, calls: list[Any]) -> list[Any]:
        """Wait until tasks have ended; return their calls.

        Raises:
            WorkersLost: Ray is gone.
        """
        import ray

        begun = time.monotonic()
        tell_at = _TELL_S
        while True:
            ended, _ = ray.wait(calls, timeout=_LOOK_S)
            if ended:
                return list(ended)
            problem = session.problem()
            if problem:
                raise WorkersLost(problem)
            if time.monotonic() - begun >= tell_at:
                self._told(f"no result of Ray's tasks for {tell_at:.0f} s; they are waited for")
                tell_at *= 2


def _run(code: str, task: Task) -> Result:
    """Run a point, in a worker process of Ray."""
    if code_digest() != code:
        return {_OTHER: os.uname().nodename}
    return run_point_safely(task)
