"""Who makes the runs of an exploration: this process, several, or tasks of Ray (``ray_workers``).

What is to be made is cut into *items*, and a job makes one of them: a function of a module, called
with what is given to all and the item. Results come in the order of the items, so they are the same
for any workers. A worker that dies is told, and what it was at is made again by another.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing import get_context, parent_process
from typing import Any, Final, Protocol, TypeVar

from cluster.race.watch import following

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_LOSSES: Final = 3  # workers that may die; then it is the fault of what they make

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)

Told = Callable[[str], None]


class WorkerLost(Exception):
    """Workers die again and again; the message is one line."""


class Workers(Protocol):
    """Who makes items."""

    def results(
        self, job: Callable[..., Result], given: tuple[Any, ...], items: Iterable[Item]
    ) -> Generator[Result, None, None]:
        """Yield ``job(*given, item)`` for each item, in their order; inside ``following()``.

        Args:
            job: a function that others find by the name of its module.

        Raises:
            WorkerLost: see there.
        """
        ...

    def kept(self) -> AbstractContextManager[None]:
        """Return a context: inside it workers that are there serve the next call as well.

        Raises:
            WorkerLost: there is no Ray, when it is entered.
        """
        ...


class Here:
    """This process makes all items, inside the caller's ``following()``."""

    def results(
        self, job: Callable[..., Result], given: tuple[Any, ...], items: Iterable[Item]
    ) -> Generator[Result, None, None]:
        """See ``Workers.results``."""
        for item in items:
            yield job(*given, item)

    def kept(self) -> AbstractContextManager[None]:
        """See ``Workers.kept``."""
        return nullcontext()


def ignore(_message: str) -> None:
    """Tell nobody."""


class Processes:
    """So many processes make the items.

    Args:
        told: is called with a line when a worker has died.
        environment: variables that the workers start with, beside this process's.
        follow: the fields of their machines tell of their use.
    """

    def __init__(
        self,
        jobs: int,
        told: Told = ignore,
        *,
        environment: dict[str, str] | None = None,
        follow: bool = True,
    ) -> None:
        self._jobs = jobs
        self._told = told
        self._environment = environment or {}
        self._follow = follow
        self._keeps = False
        self._kept: tuple[ProcessPoolExecutor, Callable[..., Any], tuple[Any, ...]] | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """See ``Workers.kept``; for calls with the same job, and the very same ``given``."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            self._end_kept()

    def _end_kept(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[0].shutdown(wait=True, cancel_futures=True)

    def results(
        self, job: Callable[..., Result], given: tuple[Any, ...], items: Iterable[Item]
    ) -> Generator[Result, None, None]:
        """See ``Workers.results``."""
        losses = 0
        coming = iter(items)
        waiting: deque[tuple[Item, Future[Result]]] = deque()
        kept, self._kept = self._kept, None
        if kept is not None and kept[1] is job and kept[2] is given:
            pool = kept[0]
        else:
            if kept is not None:
                kept[0].shutdown(wait=True, cancel_futures=True)
            pool = self._pool(job, given)
        try:
            while True:
                for item in coming:
                    waiting.append((item, self._submit(pool, item)))
                    if len(waiting) > 2 * self._jobs:
                        break
                if not waiting:
                    if self._keeps:
                        self._kept = pool, job, given
                    return
                try:
                    result = waiting[0][1].result()
                except BrokenProcessPool:
                    losses += 1
                    if losses > MOST_LOSSES:
                        raise WorkerLost(f"{losses} worker processes died") from None
                    self._told("a worker process died; what it was at is made again")
                    pool.shutdown(wait=True, cancel_futures=True)
                    pool = self._pool(job, given)
                    waiting = deque((item, self._submit(pool, item)) for item, _ in waiting)
                    continue
                waiting.popleft()
                yield result
        finally:
            if self._kept is None:
                pool.shutdown(wait=True, cancel_futures=True)

    def _pool(self, job: Callable[..., Any], given: tuple[Any, ...]) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._jobs, get_context("spawn"), _begin, (job, given, self._follow)
        )

    def _submit(self, pool: ProcessPoolExecutor, item: Any) -> Future[Any]:
        """Let a worker have an item; the processes start at the first ones."""
        with changed_environment(self._environment), no_signals():
            try:
                return pool.submit(_make, item)
            except BrokenProcessPool as error:  # it is told when the item's turn comes
                lost: Future[Any] = Future()
                lost.set_exception(error)
                return lost


@contextmanager
def no_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until what must not be half done is done.

    Half started, a process would complain. Those that start inside have the signals blocked: see
    ``_begin``.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def changed_environment(variables: dict[str, str]) -> Iterator[None]:
    """Let processes that start inside have these variables."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


# of a worker process: what it makes, and what makes fields tell as long as it is kept
_mine: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
_followed: list[AbstractContextManager[None]] = []


def follow() -> None:
    """Let the fields of all machines of this process tell of their use, for good."""
    if not _followed:
        _followed.append(following())
        _followed[0].__enter__()


def _begin(job: Callable[..., Any], given: tuple[Any, ...], followed: bool) -> None:
    """Make this process a worker. Whoever started it hears Ctrl-C, and ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if followed:
        follow()
    _mine[:] = [(job, given)]


def _end_with(parent: Any) -> None:
    """End this process when its parent has died, however that came."""
    parent.join()
    os._exit(1)


def _make(item: Any) -> Any:
    job, given = _mine[0]
    return job(*given, item)
