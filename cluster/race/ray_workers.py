"""Tasks of Ray that make the runs of an exploration, on a Ray of this process's own."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, Final

from cluster import fast_core
from cluster.race.workers import (
    MOST_LOSSES,
    Item,
    Result,
    Told,
    WorkerLost,
    changed_environment,
    follow,
    ignore,
)
from cluster.ray_session import RaySession, RayUnreachable

_LOOK_S: Final = 0.5  # between two looks whether Ray is still there
_TELL_S: Final = 30.0  # without a result; then it is told, and again after twice the time


class OnRay:
    """See ``cluster.race.workers.Workers``: so many tasks of Ray at a time make the items.

    Args:
        told: is called with a line when a worker has died.
        core: what the workers' kernels are; ``pure``: the fields of their machines tell of their
            use.
    """

    def __init__(self, jobs: int, told: Told = ignore, *, core: str = "pure") -> None:
        self._jobs = jobs
        self._told = told
        self._core = core
        self._session: RaySession | None = None  # inside ``kept()``

    @contextmanager
    def kept(self) -> Iterator[None]:
        """See ``Workers.kept``: one Ray serves all calls."""
        with self._started() as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None

    @contextmanager
    def _started(self) -> Iterator[RaySession]:
        """Start a Ray of our own, or use the one that this process has, and leave it at the end."""
        with changed_environment({fast_core.VARIABLE: self._core}):
            self._told("Ray starts; that takes some ten seconds")
            try:
                session = RaySession("local", self._jobs)
            except RayUnreachable as error:
                raise WorkerLost(str(error)) from None
            with session:
                yield session

    def results(
        self, job: Callable[..., Result], given: tuple[Any, ...], items: Iterable[Item]
    ) -> Generator[Result, None, None]:
        """See ``Workers.results``."""
        with nullcontext(self._session) if self._session else self._started() as session:
            yield from self._made(session, job, given, items)

    def _made(
        self,
        session: RaySession,
        job: Callable[..., Result],
        given: tuple[Any, ...],
        items: Iterable[Item],
    ) -> Generator[Result, None, None]:
        import ray

        cores = min(self._jobs, session.cores())
        options: dict[str, Any] = {
            "num_cpus": int(cores / self._jobs * 1000) / 1000,  # so that so many run at a time
            "max_retries": 0,
        }
        if not session.owned:  # somebody else's workers may have another core
            options["runtime_env"] = {"env_vars": {fast_core.VARIABLE: self._core}}
        decorate: Any = ray.remote
        task = decorate(_make).options(**options)
        all_given = ray.put((job, given, self._core))
        losses = 0
        coming = iter(items)
        waiting: deque[tuple[Item, Any]] = deque()
        try:
            while True:
                for item in coming:
                    waiting.append((item, task.remote(all_given, item)))
                    if len(waiting) > 2 * self._jobs:
                        break
                if not waiting:
                    return
                item, call = waiting[0]
                self._wait(session, call)
                try:
                    result: Result = ray.get(call)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from None
                except ray.exceptions.RayError as error:
                    losses += 1
                    if losses > MOST_LOSSES:
                        raise WorkerLost(f"{losses} worker processes of Ray died") from None
                    kind = type(error).__name__
                    self._told(f"a worker of Ray died ({kind}); what it was at is made again")
                    waiting[0] = item, task.remote(all_given, item)
                    continue
                waiting.popleft()
                yield result
        finally:
            if not session.gone:
                with suppress(ray.exceptions.RayError):
                    for _item, call in waiting:
                        ray.cancel(call)

    def _wait(self, session: RaySession, call: Any) -> None:
        """Wait until a task has ended; tell now and then that it has not.

        Raises:
            WorkerLost: Ray is gone.
        """
        import ray

        begun = time.monotonic()
        tell_at = _TELL_S
        while not ray.wait([call], timeout=_LOOK_S)[0]:
            problem = session.problem()
            if problem:
                raise WorkerLost(problem)
            if time.monotonic() - begun >= tell_at:
                self._told(f"no result of Ray's workers for {tell_at:.0f} s; they are waited for")
                tell_at *= 2


def _make(given: tuple[Callable[..., Any], tuple[Any, ...], str], item: Any) -> Any:
    """Make one item, in a worker process of Ray."""
    job, rest, core = given
    if fast_core.core() != core:
        raise WorkerLost(f"a worker of Ray has the {fast_core.core()} core, not the {core} one")
    if core == "pure":
        follow()
    return job(*rest, item)
