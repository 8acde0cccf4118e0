"""The high-resolution timers of one CPU: functions that are called at a virtual time.

They stand beside the inbox: a CPU stops at the earlier of its next message and its next timer, idle
or not. Scheduling classes find them as ``rq.timers``, for what the tick is too coarse for:
replenishment of budgets, ends of slices.

Source: kernel/time/hrtimer.c (struct hrtimer_cpu_base, hrtimer_start, hrtimer_cancel).
Deviation: a timer's function costs the CPU no time, and reprogramming the clock neither.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

from kernel.messages import NEVER

_FEW: Final = 16  # cancelled timers that are no reason to clear up


class HrTimer:
    """One armed timer; ``function`` is None once it has fired or was cancelled."""

    __slots__ = ("at_ns", "function")

    def __init__(self, at_ns: int, function: Callable[[int], None]) -> None:
        self.at_ns = at_ns
        self.function: Callable[[int], None] | None = function


class HrTimers:
    """All timers of one CPU. ``next_ns`` is when the first is due, NEVER if there is none.

    A cancelled timer leaves the heap when it comes to its head, or when most of those in it are
    cancelled: at most 16, or as many as are armed, wait for that.
    """

    __slots__ = ("_cancelled", "_heap", "_seq", "next_ns")

    def __init__(self) -> None:
        self.next_ns = NEVER
        self._heap: list[tuple[int, int, HrTimer]] = []
        self._seq = 0  # of equal times, the one that was armed first
        self._cancelled = 0  # in the heap

    def arm(self, at_ns: int, function: Callable[[int], None]) -> HrTimer:
        """Have ``function(at_ns)`` called at ``at_ns``, or as soon as interrupts are on again.

        Source: kernel/time/hrtimer.c:hrtimer_start().
        """
        timer = HrTimer(at_ns, function)
        self._seq += 1
        heappush(self._heap, (at_ns, self._seq, timer))
        self.next_ns = self._heap[0][0]
        return timer

    def cancel(self, timer: HrTimer) -> bool:
        """Disarm ``timer``; return whether it was armed.

        Source: kernel/time/hrtimer.c:hrtimer_cancel().
        """
        if timer.function is None:
            return False
        timer.function = None
        self._cancelled += 1
        if self._cancelled > _FEW and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].function is not None]
            heapify(self._heap)
            self._cancelled = 0
        self._drop_cancelled()
        return True

    def fire(self) -> None:
        """Call the function of the timer that is due first. It may arm timers, itself included.

        Source: kernel/time/hrtimer.c:__run_hrtimer().
        """
        at_ns, _, timer = heappop(self._heap)
        function = timer.function
        timer.function = None
        self._drop_cancelled()
        if function is not None:
            function(at_ns)

    def _drop_cancelled(self) -> None:
        """Forget cancelled timers at the head, so that no CPU stops for one."""
        heap = self._heap
        while heap and heap[0][2].function is None:
            heappop(heap)
            self._cancelled -= 1
        self.next_ns = heap[0][0] if heap else NEVER
