"""The kernel's own timers: one queue of what is due when, in virtual time.

A timer is ``(time, serial, kind, what)``. Of equal times the one armed first goes first. Nothing is
ever taken out of the queue: whoever armed a timer keeps its serial number where the kind looks for
it, and a timer whose number is no longer there means nothing when its time comes.

A new kind of timer is a ``TimerKind`` beside the code that it serves.

Source: kernel/time/timer.c, kernel/time/hrtimer.c.
"""

from collections.abc import Container
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from mypy_extensions import mypyc_attr

from kernel.messages import NEVER

if TYPE_CHECKING:
    from kernel.kernel import Kernel


@mypyc_attr(allow_interpreted_subclasses=True)
class TimerKind:
    """What a kind of timer does when its time has come. There is one instance of each kind."""

    def is_live(self, what: Any, serial: int) -> bool:
        """Tell whether this timer, still queued, could wake, signal or start somebody."""
        raise NotImplementedError

    def interrupts(self) -> bool:
        """Tell whether a path that it begins is an interrupt's: nearly all are."""
        return True

    def expire(self, k: "Kernel", what: Any, serial: int) -> object:
        """Carry it out at ``k.now_ns``, or return the path that does, in the form that ``k`` runs.

        A path runs for ``k.current`` on ``k.cpu``: this sets both.
        """
        raise NotImplementedError


class TimerQueue:
    """What is due, the earliest first."""

    __slots__ = ("_serial", "heap")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, TimerKind, Any]] = []
        self._serial = 0

    def add(self, at_ns: int, kind: TimerKind, what: Any) -> int:
        """Queue a timer for ``at_ns``; return its serial number, from 1."""
        self._serial += 1
        heappush(self.heap, (at_ns, self._serial, kind, what))
        return self._serial

    def next_ns(self) -> int:
        """Return the time of the first timer, or NEVER."""
        return self.heap[0][0] if self.heap else NEVER

    def pop(self) -> tuple[int, int, TimerKind, Any]:
        """Take the first timer; there must be one."""
        return heappop(self.heap)

    def some_live_ns(self, but: Container[object] = ()) -> int:
        """Return when a timer is due that could wake, signal or start somebody, or NEVER.

        It need not be the first of them. Timers of what is in ``but`` do not count.
        """
        for at_ns, serial, kind, what in self.heap:
            if kind.is_live(what, serial) and what not in but:
                return at_ns
        return NEVER
