"""The high-resolution timers of one CPU: at a virtual time a scheduling class is called.

They stand beside the inbox: a CPU stops at the earlier of its next message and its next timer, idle
or not. Scheduling classes find them as ``rq.timers``, for what the tick is too coarse for:
replenishment of budgets, ends of slices. A timer is plain data, no function: the rank of its class,
and what that wants to find in it (``SchedClass.timer``). So a CPU can be set down with its timers.

Source: kernel/time/hrtimer.c (struct hrtimer_cpu_base, hrtimer_start, hrtimer_cancel).
Deviation: a timer costs the CPU no time, and reprogramming the clock neither.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Any, Final

from kernel.messages import NEVER

_FEW: Final = 16  # cancelled timers that are no reason to clear up
_STANDSTILL: Final = 100_000  # so many in a row at one time, and time will not move any more

# (when, number, rank of its class, key, data): of equal times, the one that was armed first
_Timer = tuple[int, int, int, int, tuple[int, ...]]


class HrTimers:
    """All timers of one CPU. ``next_ns`` is when the first is due, NEVER if there is none.

    A cancelled timer leaves the heap when it comes to its head, or when most of those in it are
    cancelled: at most 16, or as many as are armed, wait for that.
    """

    __slots__ = ("_again", "_armed", "_fired_ns", "_heap", "_number", "next_ns")

    def __init__(self) -> None:
        self.next_ns = NEVER
        self._heap: list[_Timer] = []
        self._number = 0  # of the last one that was armed
        self._armed: dict[int, None] = {}  # their numbers
        self._fired_ns = -1  # the time of the last that fired, and how many have at that time
        self._again = 0

    def arm(self, at_ns: int, rank: int, key: int = 0, data: tuple[int, ...] = ()) -> int:
        """Have the class of ``rank`` called at ``at_ns``, or as soon as interrupts are on again.

        Args:
            key: tells the class which of its timers this is; ``data`` what it is about.

        Returns:
            The timer's number, for ``cancel``; never 0.

        Source: kernel/time/hrtimer.c:hrtimer_start().
        """
        number = self._number = self._number + 1
        self._armed[number] = None
        heappush(self._heap, (at_ns, number, rank, key, data))
        self.next_ns = self._heap[0][0]
        return number

    def cancel(self, number: int) -> bool:
        """Disarm a timer; return whether it was armed.

        Source: kernel/time/hrtimer.c:hrtimer_cancel().
        """
        armed = self._armed
        if number not in armed:
            return False
        del armed[number]
        waiting = len(self._heap) - len(armed)
        if waiting > _FEW and waiting * 2 > len(self._heap):
            self._heap = [timer for timer in self._heap if timer[1] in armed]
            heapify(self._heap)
        self._drop_cancelled()
        return True

    def take(self) -> tuple[int, int, int, tuple[int, ...]]:
        """Return ``(when, rank, key, data)`` of the timer that is due first: it is armed no more.

        Raises:
            AssertionError: timers that arm each other for the same time go on for ever.

        Source: kernel/time/hrtimer.c:__run_hrtimer().
        """
        at_ns, number, rank, key, data = heappop(self._heap)
        del self._armed[number]
        if at_ns != self._fired_ns:
            self._fired_ns = at_ns
            self._again = 0
        self._again += 1
        if self._again > _STANDSTILL:
            raise AssertionError(f"{_STANDSTILL:,} timers of one CPU have fired at {at_ns} ns")
        self._drop_cancelled()
        return at_ns, rank, key, data

    def _drop_cancelled(self) -> None:
        """Forget cancelled timers at the head, so that no CPU stops for one."""
        heap = self._heap
        while heap and heap[0][1] not in self._armed:
            heappop(heap)
        self.next_ns = heap[0][0] if heap else NEVER

    def pack(self) -> list[Any]:
        """Return the armed timers as plain data that msgpack can carry."""
        return [self._number, sorted(timer for timer in self._heap if timer[1] in self._armed)]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned; numbers stay valid."""
        self._number, timers = data
        self._heap = [
            (at_ns, number, rank, key, tuple(own)) for at_ns, number, rank, key, own in timers
        ]
        self._armed = dict.fromkeys(timer[1] for timer in self._heap)
        self._drop_cancelled()
