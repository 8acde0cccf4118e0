"""Goes along the records of a run, forwards as they are, backwards by what it has kept.

Now and then it keeps a copy of the machine, so that to go back is to go forward from the last copy
before. Of these there are few: when they become too many every second one is dropped.
"""

import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, Final

from cluster.collector import without_collector
from cluster.top.machine import Machine, Mark, Window
from cluster.top.source import Source

_KEEP_EVERY: Final = 50_000  # records between two copies, at first
_KEPT: Final = 24
_PIECE: Final = 2_000  # records between two looks at the clock
_MARKS: Final = 5
_time_of = itemgetter(0)


class Player:
    """Where one stands in a run.

    Args:
        source: of the records.
        clock: host seconds, monotonic.

    Attributes:
        machine: as it is there.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        """Stand before the first record."""
        self.machine = Machine(self._source.cpu_of)
        self._kept: list[tuple[int, int, Machine]] = [(0, 0, self.machine.copy())]
        self._keep_every = _KEEP_EVERY
        self._begun_again = self._source.begun_again
        self._marks: deque[Mark] = deque(maxlen=_MARKS)
        self._goals: list[int | None] = []
        self._stand(0, 0)

    def _stand(self, from_ns: int, taken: int) -> None:
        self._batches: Iterator[list[list[Any]]] = self._source.batches(from_ns)
        self._rows: list[list[Any]] = []
        self._place = 0
        self._taken = taken
        self._by_time = True

    # -- where to ---------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Where one stands."""
        return self.machine.now_ns

    @property
    def goal_ns(self) -> int | None:
        """Where one is on the way to; None: nowhere, or to the end."""
        return self._goals[-1] if self._goals else None

    @property
    def on_way(self) -> bool:
        """Whether there is a goal that has not been reached."""
        return bool(self._goals)

    def go_on(self, to_ns: int | None) -> None:
        """Go forward to a time, or (None) to all there is."""
        self._goals = [to_ns]

    def go_to(self, to_ns: int, window_ns: int) -> None:
        """Go to a time, forwards or backwards, and see what happens in the time before it.

        Args:
            to_ns: where to; the end of what is known, if that is before.
            window_ns: how long before.
        """
        to_ns = max(0, min(to_ns, self._source.end_ns))
        begin_ns = max(0, to_ns - window_ns)
        if begin_ns < self.now_ns:
            place = bisect_right(self._kept, begin_ns, key=_time_of) - 1
            from_ns, taken, machine = self._kept[place]
            self.machine = machine.copy()
            self._stand(from_ns, taken)
        self._marks.clear()
        self._goals = [begin_ns, to_ns] if begin_ns else [to_ns]

    def work(self, budget_s: float) -> bool:
        """Go towards the goal for so long (host seconds); return whether it has been reached."""
        if self._source.begun_again != self._begun_again:
            self._begin()
            self._goals = [None]
        until_s = self._clock() + budget_s
        with without_collector():
            while self._goals:
                before_ns = self.now_ns
                if not self._advance(self._goals[0], until_s):
                    return False
                self._goals.pop(0)
                if self.now_ns > before_ns or not self._marks:
                    self._marks.append(self.machine.mark())
        return True

    def window(self) -> Window:
        """Return what has happened lately: since the oldest of the last marks."""
        marks = self._marks
        if len(marks) < 2 or marks[0].now_ns >= self.now_ns:
            return Window(self.machine, self.machine.beginning())
        return Window(self.machine, marks[0])

    # -- on the way -------------------------------------------------------------------------------

    def _advance(self, to_ns: int | None, until_s: float) -> bool:
        """Take records up to a time; False: there was no time left."""
        while self._place < len(self._rows) or self._next():
            rows, place = self._rows, self._place
            stop = min(len(rows), place + _PIECE)
            if to_ns is not None and rows[stop - 1][0] > to_ns:
                stop = bisect_right(rows, to_ns, lo=place, hi=stop, key=_time_of)
            if stop == place:
                break
            self.machine.take(rows[place:stop])
            self._place = stop
            self._taken += stop - place
            if self._clock() > until_s:
                return False
        end_ns = self._source.end_ns
        self.machine.go_to(end_ns if to_ns is None else min(to_ns, end_ns))
        return True

    def _next(self) -> bool:
        """Get the next batch, if there is one."""
        batch = next(self._batches, None)
        if batch is None:
            self._batches, self._by_time = self._source.more(), self._source.by_time
            batch = next(self._batches, None)
            if batch is None:
                return False
        if self._by_time and self._taken >= self._kept[-1][1] + self._keep_every:
            self._kept.append((batch[0][0], self._taken, self.machine.copy()))
            if len(self._kept) > _KEPT:
                self._kept = [self._kept[0], *self._kept[2::2]]
                self._keep_every *= 2
        self._rows, self._place = batch, 0
        return True
