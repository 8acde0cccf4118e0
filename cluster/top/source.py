"""The records of a run: of one that is over, or as they come."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cluster.engine_api import BROKEN, DONE, STORAGE
from cluster.run_lock import is_driven
from cluster.rundir import RunDir
from cluster.trace.format import TRACE, TraceError
from cluster.trace.growing import GrowingTrace
from cluster.trace.tails import Tail
from cluster.watched import Watching
from kernel.events import EVENTS
from kernel.locking import LockStat

_WAIT_S: Final = 3.0  # for a run to tell what its trace does not have
_LITTLE: Final = 4096  # bytes: the table of events is smaller
_PAST: Final = 4  # times at which something was heard, that are compared

GOES_ON: Final = "goes on"
ENDED: Final = "ended"
CUT: Final = "cut"


class NoSource(Exception):
    """There is nothing to be watched; the message says why."""


class NotYet(NoSource):
    """A run has just begun; there will be something soon."""


class Source:
    """A run's records.

    Args:
        path: a run directory, or a trace file.

    Raises:
        NoSource: it has no trace, and will have none.
        RunDirError: it is no run directory.
        TraceError: the trace is damaged.
        OSError: it cannot be read.

    Attributes:
        name: of the run.
        state: GOES_ON, ENDED, or CUT: it was killed.
        told: how it ended, in words.
        locks: counters of locks so far, as ``LockStat.to_plain`` has them.
        begun_again: how often the run has begun its trace again (with new actors, say).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.state = ENDED
        self.told = ""
        self.locks: list[dict[str, Any]] = []
        self.begun_again = 0
        # host seconds, virtual time, lifecycles, locks: what was heard lately
        self._past: deque[tuple[float, int, int, list[dict[str, Any]]]] = deque(maxlen=_PAST)
        self._lifecycles = 0
        self._directory: RunDir | None = None
        self._watching: Watching | None = None
        self._waiting: deque[Tail] = deque()
        self._told: list[int] = []  # records of each logical process that were handed out
        self._until_ns: int | None = None  # before this time; None: all of them
        self._kind = ""  # how it ended
        self._opened_s = time.monotonic()
        self._virtual_ns = 0
        if path.is_dir():
            self._directory = RunDir.open(path)
            self._look_at_manifest()
            self._check_traced(self._directory)
            path = self._directory.trace_path
        self._trace = self._open(path)

    def _check_traced(self, directory: RunDir) -> None:
        if directory.trace_path.is_file():
            return
        traced = directory.manifest().get("config", {}).get("trace", {}).get("enabled", True)
        if not traced or self.state != GOES_ON:
            raise NoSource(
                f"{self.path} has no {TRACE}: run with --set trace.enabled=true to watch it"
            )
        raise NotYet(f"{self.path} has no {TRACE} yet")

    def _open(self, path: Path) -> GrowingTrace:
        try:
            trace = GrowingTrace(path)
        except TraceError:
            if self.state != GOES_ON or path.stat().st_size >= _LITTLE:
                raise
            raise NotYet(f"{path} has just been begun") from None
        for number, described in trace.events.items():
            if EVENTS.get(number) != described:
                trace.close()
                raise TraceError(f"{path}: its event {described[0]} is not that of this version")
        return trace

    def close(self) -> None:
        """Watch no longer."""
        if self._watching is not None:
            self._watching.close()
            self._watching = None
        self._trace.close()

    # -- what there is ----------------------------------------------------------------------------

    @property
    def cpu_of(self) -> list[int | None]:
        """Of each logical process which CPU it is; None: the kernel."""
        return self._trace.cpu_numbers()

    @property
    def ready(self) -> bool:
        """Whether there is no use in waiting for more before one begins to look."""
        heard = self._watching is not None and self._watching.heard and not self._waiting
        waited = time.monotonic() - self._opened_s > _WAIT_S
        return self.state != GOES_ON or heard or waited

    @property
    def live(self) -> bool:
        """Whether the run tells all there is, and not only what its trace has."""
        return self.state == GOES_ON and self._watching is not None and self._watching.heard

    @property
    def end_ns(self) -> int:
        """Until when the run is known."""
        if self._all:
            return max(self._trace.span_ns()[1], self._virtual_ns if self.live else 0)
        return self._trace.common_ns()

    @property
    def locks_before(self) -> list[dict[str, Any]]:
        """Counters of locks some time ago; empty: none are known."""
        return self._past[0][3] if len(self._past) > 1 and self.live else []

    @property
    def rates(self) -> tuple[float, float] | None:
        """Virtual ns, and lifecycles, in a second of the host; None: not known."""
        if len(self._past) < 2 or not self.live:
            return None
        (then_s, then_ns, before, _), (now_s, now_ns, now, _) = self._past[0], self._past[-1]
        took_s = max(now_s - then_s, 1e-9)
        return (now_ns - then_ns) / took_s, (now - before) / took_s

    @property
    def by_time(self) -> bool:
        """Whether what is handed out comes strictly by time."""
        return self._until_ns is not None

    @property
    def whole(self) -> bool:
        """Whether the trace has all of a run that is over, up to where that ended.

        Only one that is done has a trailer; one that was stopped has handed over all the same.
        """
        return self._trace.complete or self._kind not in ("", DONE, BROKEN, STORAGE)

    @property
    def _all(self) -> bool:
        """Whether the streams are known up to the same time, all of them."""
        return self.live or (self.state != GOES_ON and self.whole)

    def batches(self, from_ns: int = 0) -> Iterator[list[list[Any]]]:
        """Iterate over what is known now, from a time on: ``TraceReader.batches``."""
        self._told = list(self._trace.known)
        self._until_ns = None if self._all else max(from_ns, self._trace.common_ns() + 1)
        return self._trace.batches(from_ns, self._until_ns)

    def more(self) -> Iterator[list[list[Any]]]:
        """Iterate over what has come since ``batches`` or this was called, if that was all taken.

        What a run tells of itself is taken as it comes: causes before effects, and by time as far
        as it came together.
        """
        if self._until_ns is not None:
            return self.batches(self._until_ns)
        rows = self._trace.after(self._told)
        self._told = list(self._trace.known)
        return iter([rows] if rows else [])

    # -- as it comes ------------------------------------------------------------------------------

    def grow(self) -> None:
        """See what has come.

        Raises:
            TraceError: the trace is damaged.
            OSError: it cannot be read.
        """
        if self.state != GOES_ON:
            return
        assert self._directory is not None
        frames = self._watching.look() if self._watching is not None else []
        self._look_at_manifest()
        try:
            self._trace.look()
        except (TraceError, OSError):
            self._begin_again()
            return
        for frame in frames:
            self._virtual_ns = frame.virtual_ns
            self._lifecycles = frame.counters.get("lifecycles", 0)
            self.locks = _sound(frame.locks)
            self._waiting.extend(frame.tails)
        if frames:
            now_s = time.monotonic()
            self._past.append((now_s, self._virtual_ns, self._lifecycles, self.locks))
        while self._waiting and self._trace.add(*self._waiting[0]):
            self._waiting.popleft()

    def _begin_again(self) -> None:
        """Read another trace that has taken the place of the one that was read."""
        assert self._directory is not None
        try:
            trace = self._open(self._directory.trace_path)
        except (NotYet, FileNotFoundError):
            return  # the next time
        self._trace.close()
        self._trace = trace
        self._waiting.clear()
        self._past.clear()
        self._virtual_ns = 0
        if self._watching is not None:
            self._watching.begin_again()
        self.begun_again += 1

    def _look_at_manifest(self) -> None:
        directory = self._directory
        assert directory is not None
        manifest = directory.manifest()
        self.name = str(manifest.get("name", self.name))
        if is_driven(directory.path):
            self.state = GOES_ON
            if self._watching is None:
                self._watching = Watching(directory.path)
            return
        self._kind = str(manifest.get("exit_kind") or "")
        self.state = ENDED if self._kind else CUT
        message = str(manifest.get("message", ""))
        self.told = f"{self._kind}: {message}" if message else self._kind
        if self._watching is not None:
            self._watching.close()
            self._watching = None
        if (directory.path / "summary.json").is_file():
            self.locks = _sound(directory.summary().get("locks"))


def _sound(locks: Any) -> list[dict[str, Any]]:
    """Return the counters of locks that are counters, of what a file has for them."""
    names = [name for name in LockStat.COUNTERS if name != "name"]
    return [
        lock
        for lock in (locks if isinstance(locks, list) else [])
        if isinstance(lock, dict)
        and isinstance(lock.get("name"), str)
        and all(type(lock.get(name)) is int for name in names)
    ]
