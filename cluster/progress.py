"""Progress of a run, on stderr: one live line on a terminal, a plain line now and then elsewhere.

The engine calls ``RunProgress`` as often as it likes; between two reports a call costs one look
at the monotonic clock. Nothing flows back into the run.
"""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cluster.report.units import counted, format_ns

_LIVE_EVERY_S: Final = 0.1
_PLAIN_EVERY_S: Final = 5.0
_CHECKED_S: Final = 1.0  # of checking points, until it is told
_LEAST_S: Final = 2.0  # of a run that tells how fast it goes


class _LiveLine:
    """A line on a terminal while the context lasts; on anything else there is none."""

    _first = ""  # what the line says at first

    def __init__(self, console: Console | None) -> None:
        self._console = Console(stderr=True) if console is None else console
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(
                Text(self._first), console=self._console, auto_refresh=False, transient=True
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _show(self, text: str) -> None:
        if self._live is not None:
            self._live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)


class RunProgress(_LiveLine):
    """Shows how far a run is; call it as ``on_progress``. A context manager.

    ``counters`` that are shown: ``lifecycles`` (tasks released so far), ``tasks`` (tasks that exist
    now) and, if it is there, ``supersteps`` (so far, as a rate); others are ignored. Where the end
    is known the line says when that will be, as things go: lifecycles at the rate of the whole run
    so far; of a limit of virtual time, that it will be no later.
    """

    _first = "starting"

    def __init__(
        self,
        *,
        total: int | None = None,
        until_ns: int | None = None,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock.

        Args:
            total: lifecycles expected, if known.
            until_ns: virtual time at which the run ends if it has not before; None: at none.
            console: where to write; stderr if None.
            clock: wall seconds, monotonic.
        """
        super().__init__(console)
        self._clock = clock
        self._total = total
        self._until_ns = until_ns
        self._first_seen: tuple[float, int, int] | None = None  # when, lifecycles, virtual time
        self._terminal = self._console.is_terminal
        self._every_s = _LIVE_EVERY_S if self._terminal else _PLAIN_EVERY_S
        self._start_s = self._last_s = clock()
        self._next_s = self._last_s + self._every_s
        self._last_done = self._last_supersteps = 0

    def __call__(self, virtual_ns: int, counters: Mapping[str, int]) -> None:
        """Report, if the last report is long enough ago."""
        now_s = self._clock()
        if self._first_seen is None:  # one that is gone on with has come some way already
            self._first_seen = now_s, counters.get("lifecycles", 0), virtual_ns
        if now_s < self._next_s:
            return
        text = self._text(now_s, virtual_ns, counters)
        self._next_s = now_s + self._every_s
        self._show(text)
        if not self._terminal:
            # past rich: a plain line is not wrapped at 80 columns
            self._console.file.write(f"{text}\n")
            self._console.file.flush()

    def _text(self, now_s: float, virtual_ns: int, counters: Mapping[str, int]) -> str:
        done = counters.get("lifecycles", 0)
        supersteps = counters.get("supersteps", 0)
        took_s = max(now_s - self._last_s, 1e-9)
        if done < self._last_done or supersteps < self._last_supersteps:
            # a run that goes on from a checkpoint: what it loses by that is no rate
            self._last_done, self._last_supersteps = done, supersteps
        rate = (done - self._last_done) / took_s
        steps = (supersteps - self._last_supersteps) / took_s
        if not self._terminal or now_s - self._last_s >= 1.0:
            self._last_s, self._last_done = now_s, done  # a live rate is over the last second
            self._last_supersteps = supersteps
        share = f" ({100 * done // self._total} %)" if self._total else ""
        return (
            f"{now_s - self._start_s:.0f} s: {format_ns(virtual_ns)} virtual, "
            f"{done:,} lifecycles{share}, {rate:,.0f}/s, {counters.get('tasks', 0):,} tasks"
            + (f", {steps:,.0f} supersteps/s" if supersteps else "")
            + self._left(now_s, virtual_ns, done)
        )

    def _left(self, now_s: float, virtual_ns: int, done: int) -> str:
        """Return in words how long it will still take; "" if that is not known."""
        assert self._first_seen is not None
        first_s, first_done, first_ns = self._first_seen
        took_s = now_s - first_s
        if took_s < _LEAST_S:
            return ""
        if self._total is not None and first_done < done <= self._total:
            left_s = took_s * (self._total - done) / (done - first_done)
            return f", about {_duration(left_s)} left"
        if self._until_ns is not None and first_ns < virtual_ns <= self._until_ns:
            left_s = took_s * (self._until_ns - virtual_ns) / (virtual_ns - first_ns)
            return f", at most about {_duration(left_s)} left"
        return ""


def _duration(seconds: float) -> str:
    """Return host time in words, as exact as an estimate is."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


class SweepProgress(_LiveLine):
    """Shows how many points of a sweep are done, and how long the others will take.

    A context manager: one live line on a terminal, a plain line now and then elsewhere.
    """

    _first = "starting"

    def __init__(
        self,
        total: int,
        there: int = 0,
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock.

        Args:
            total: points.
            there: those of them that were done before.
            console: where to write; stderr if None.
            clock: wall seconds, monotonic.
        """
        super().__init__(console)
        self._clock = clock
        self._total = total
        self._there = self._done = there
        self._failed = 0
        self._terminal = self._console.is_terminal
        self._every_s = _LIVE_EVERY_S if self._terminal else _PLAIN_EVERY_S
        self._start_s = clock()
        self._next_s = self._start_s + self._every_s

    def __call__(self, failed: bool) -> None:
        """Note that a point is done; report, if the last report is long enough ago.

        Args:
            failed: it has no measures.
        """
        self._done += 1
        self._failed += failed
        now_s = self._clock()
        if now_s < self._next_s:
            return
        self._next_s = now_s + self._every_s
        text = self._text(now_s - self._start_s)
        self._show(text)
        if not self._terminal:
            self._console.file.write(f"{text}\n")
            self._console.file.flush()

    def tell(self, message: str) -> None:
        """Write a line that stays, above the live one."""
        if self._live is not None:
            self._live.console.print(Text(message))
        else:
            self._console.file.write(f"{message}\n")
            self._console.file.flush()

    def _text(self, took_s: float) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        share = 100 * self._done // self._total
        text = f"{took_s:.0f} s: {self._done} of {self._total} points ({share} %){failed}"
        made, left = self._done - self._there, self._total - self._done
        if not left or took_s < _LEAST_S:
            return text
        return f"{text}, about {_duration(took_s * left / made)} left"


class CheckProgress(_LiveLine):
    """Says that the points of a sweep are checked, if that takes longer than a second.

    A context manager: one live line on a terminal, one plain line elsewhere.
    """

    def __init__(
        self, *, console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start the clock.

        Args:
            console: where to write; stderr if None.
            clock: wall seconds, monotonic.
        """
        super().__init__(console)
        self._clock = clock
        self._next_s = clock() + _CHECKED_S
        self._told = False

    def __call__(self, done: int, total: int) -> None:
        """Note how many points have been checked, and how many there are."""
        now_s = self._clock()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _LIVE_EVERY_S
        text = f"checking {counted(total, 'point')}"
        self._show(f"{text}: {done:,}")
        if not (self._told or self._console.is_terminal):
            self._told = True
            self._console.file.write(f"{text}\n")
            self._console.file.flush()


class DiffProgress(_LiveLine):
    """One live line on a terminal that says what a comparison is at. A context manager.

    On anything but a terminal it says nothing: there the differences and the table are enough.
    """

    def __init__(self, total: int, *, console: Console | None = None) -> None:
        """Prepare the line.

        Args:
            total: programs to compare.
            console: where to write; stderr if None.
        """
        super().__init__(console)
        self._total = total
        self._number = 0
        self._program = ""

    def next(self, program: str) -> None:
        """Go on to the next program."""
        self._number += 1
        self._program = program

    def tell(self, what: str) -> None:
        """Show what is done with the program."""
        if self._live is not None:
            self._show(f"{self._number}/{self._total} {self._program}: {what}")

    def clear(self) -> None:
        """Take the line away: something else is about to be written."""
        if self._live is not None:
            self._live.update(Text(""), refresh=True)
