"""Who runs the points of a sweep: this process, or so many others.

The driver makes a point's task, a worker runs it, and the result comes back: in any order, as they
come. A worker process has one task at a time and the next is ready when it ends. A worker that dies
(no memory left, a signal) takes one point with it: that one is run again by a new worker, and when
it kills the second, too, it has failed, and the others go on.

Worker processes do not hear Ctrl-C, which ends their parent; and they end when that does, however.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final, Protocol

from cluster import fast_core
from cluster.sweep.measure import Result, Task, failed, run_point_safely

MOST_LOSSES: Final = 2  # workers that a point may take with it
LOST: Final = "lost"  # key of the result of a point that did
_ENDING: Final = frozenset((signal.SIGINT, signal.SIGTERM))

Told = Callable[[str], None]


class WorkersLost(Exception):
    """Nobody is left to run points; the message is one line."""


class Workers(Protocol):
    """Who runs points."""

    def results(self, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """Yield the result of each task, as it comes.

        Raises:
            WorkersLost: see there.
        """
        ...


def lost(task: Task, how: str) -> Result:
    """Return the result of a point whose workers died: it may be run again in another sweep."""
    return {**failed(task, f"{how}, {MOST_LOSSES} times"), LOST: True}


class Here:
    """This process runs all points.

    Args:
        scratch: folder for what they write meanwhile.
        timed: as in ``run_point``.
    """

    def __init__(self, scratch: Path | None = None, *, timed: bool = False) -> None:
        self._scratch = scratch
        self._timed = timed

    def results(self, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """See ``Workers.results``."""
        for task in tasks:
            yield run_point_safely(task, self._scratch, timed=self._timed)


class _Worker:
    """A worker process, and what it is at."""

    def __init__(self, scratch: Path | None, timed: bool) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, scratch, timed), daemon=True)
        with _no_signals():
            self.process.start()
        theirs.close()
        self.task: Task | None = None

    def give(self, task: Task) -> None:
        """Let it run a task; whether it is still there is found out when it is waited for."""
        self.task = task
        try:
            self.pipe.send(task)
        except OSError:
            self.pipe.close()

    def take(self) -> Result | None:
        """Return the result that is there; None: the worker died."""
        try:
            result: Result = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return result

    def end(self) -> str:
        """End the process; return in words how it ended."""
        self.process.kill()
        self.process.join()
        if not self.pipe.closed:
            self.pipe.close()
        code = self.process.exitcode or 0
        if code < 0:
            return f"its process was killed by {signal.Signals(-code).name}"
        return f"its process ended with {code}"

    def dismiss(self) -> None:
        """Tell it that there is no more to do, and wait for its end."""
        self.pipe.close()
        self.process.join()


class Processes:
    """So many processes run the points.

    Args:
        jobs: how many, at most.
        told: is called with a line when one has died.
        scratch: folder for what points write meanwhile.
        timed: as in ``Here``.
    """

    def __init__(
        self, jobs: int, told: Told, scratch: Path | None = None, *, timed: bool = False
    ) -> None:
        self._jobs = jobs
        self._told = told
        self._scratch = scratch
        self._timed = timed

    def results(self, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """See ``Workers.results``."""
        queue = _Queue(iter(tasks))
        workers: list[_Worker] = []
        losses: dict[int, int] = {}
        try:
            while True:
                while len(workers) < self._jobs and (task := queue.next()) is not None:
                    workers.append(self._new_worker())
                    workers[-1].give(task)
                if not workers:
                    return
                queue.prepare()
                for worker in _ready(workers):
                    task, result = worker.task, worker.take()
                    assert task is not None
                    if result is not None:
                        if (following := queue.next()) is not None:
                            worker.give(following)
                        else:
                            workers.remove(worker)
                            worker.dismiss()
                        yield result
                        continue
                    workers.remove(worker)
                    how = worker.end()
                    losses[task.index] = losses.get(task.index, 0) + 1
                    if losses[task.index] < MOST_LOSSES:
                        self._told(f"point {task.index}: {how}; it is run again")
                        queue.again.append(task)
                    else:
                        yield lost(task, how)
        finally:
            for worker in workers:
                worker.end()

    def _new_worker(self) -> _Worker:
        core = fast_core.core()  # a build that is completed meanwhile is for later sweeps
        before = os.environ.get(fast_core.VARIABLE)
        os.environ[fast_core.VARIABLE] = core
        try:
            return _Worker(self._scratch, self._timed)
        finally:
            if before is None:
                del os.environ[fast_core.VARIABLE]
            else:
                os.environ[fast_core.VARIABLE] = before


class _Queue:
    """What is left to run; the next task is made while the workers are at theirs."""

    def __init__(self, tasks: Iterator[Task]) -> None:
        self._tasks = tasks
        self._made: list[Task] = []
        self.again: list[Task] = []

    def next(self) -> Task | None:
        """Return the next task; None: there is none."""
        if self.again:
            return self.again.pop()
        return self._made.pop() if self._made else next(self._tasks, None)

    def prepare(self) -> None:
        """Make a task, for the worker that is ready first."""
        if not self._made and (task := next(self._tasks, None)) is not None:
            self._made.append(task)


def _ready(workers: list[_Worker]) -> list[_Worker]:
    """Wait until workers have a result, or have died; return these."""
    closed = [worker for worker in workers if worker.pipe.closed]
    if closed:
        return closed
    pipes: list[Any] = [worker.pipe for worker in workers]
    found = wait(pipes)
    return [worker for worker in workers if worker.pipe in found]


@contextmanager
def _no_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait while a process starts, which has them blocked until then."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, scratch: Path | None, timed: bool) -> None:
    """Be a worker process: run tasks until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task: Task = pipe.recv()
        except EOFError:
            return
        pipe.send(run_point_safely(task, scratch, timed=timed))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
