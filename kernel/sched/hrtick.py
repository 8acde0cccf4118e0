"""The high-resolution tick, ``sched.hrtick``: a slice ends when it is used up, between two ticks.

As a task gets the CPU, a timer of ``kernel.cpu.hrtimer`` is set to the end of its slice; it is set
anew when somebody joins or leaves the queue, and cleared by the next switch. A class that has
slices says how long one is (``SchedClass.hrtick_slice``).

Source: kernel/sched/core.c (hrtick_start, hrtick_clear, hrtick), kernel/sched/fair.c
(hrtick_start_fair, hrtick_update), SCHED_FEAT(HRTICK), which is off by default.
Deviation: a task that is picked again at the end of its slice gets a timer for the next one; in
6.12 it runs on to the tick.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kernel.sched.rq import Rq

LEAST_NS: Final = 10_000  # no timer is set to a time nearer than this
NOT_NOW: Final = -1  # of hrtick_slice: what has been set stays
ENDLESS: Final = 0  # of hrtick_slice: there is nobody else


class HrTick:
    """What a queue keeps of it: the timer's number, 0 for none, and when its task was picked.

    ``picked_ns`` is what ``sum_exec_ns`` of the task was then (``prev_sum_exec_runtime``).
    """

    __slots__ = ("picked_ns", "timer")

    def __init__(self) -> None:
        self.timer = 0
        self.picked_ns = 0

    def pack(self) -> list[int]:
        """Return both as plain data."""
        return [self.timer, self.picked_ns]

    def unpack(self, data: Sequence[int]) -> None:
        """Take what ``pack`` returned."""
        self.timer, self.picked_ns = data


def begin(rq: "Rq", tick: HrTick, again: bool) -> None:
    """``rq.curr`` begins to run, perhaps ``again``: set the timer to the end of its slice.

    Source: kernel/sched/fair.c:hrtick_start_fair().
    """
    curr = rq.curr
    cls = curr.sched_class
    if cls is None or not cls.hrtick:
        return
    slice_ns = cls.hrtick_slice(rq, curr, False)
    if not again or curr.sum_exec_ns - tick.picked_ns >= slice_ns:
        tick.picked_ns = curr.sum_exec_ns
    if slice_ns > 0:
        _set(rq, tick, slice_ns - curr.sum_exec_ns + tick.picked_ns)


def update(rq: "Rq", tick: HrTick) -> None:
    """Somebody has joined or left the queue, and that has changed the slice of ``rq.curr``.

    Source: kernel/sched/fair.c:hrtick_update().
    """
    curr = rq.curr
    cls = curr.sched_class
    if cls is None or not cls.hrtick or not curr.on_rq:
        return
    slice_ns = cls.hrtick_slice(rq, curr, True)
    if slice_ns <= 0:
        return
    left_ns = slice_ns - curr.sum_exec_ns + tick.picked_ns
    if left_ns < 0:
        rq.need_resched = True
    else:
        _set(rq, tick, left_ns)


def clear(rq: "Rq", tick: HrTick) -> None:
    """The task leaves the CPU, or might. Source: kernel/sched/core.c:hrtick_clear()."""
    if tick.timer:
        rq.timers.cancel(tick.timer)
        tick.timer = 0


def _set(rq: "Rq", tick: HrTick, left_ns: int) -> None:
    """Source: kernel/sched/core.c:hrtick_start()."""
    clear(rq, tick)
    rank = rq.curr.sched_class.rank  # type: ignore[union-attr]
    tick.timer = rq.timers.arm(rq.clock_ns + max(left_ns, LEAST_NS), rank)


def expired(rq: "Rq") -> None:
    """The timer is due: the slice of ``rq.curr`` is over. Source: kernel/sched/core.c:hrtick()."""
    if rq.hrtick is not None:
        rq.hrtick.timer = 0
    rq.curr.sched_class.update_curr(rq)  # type: ignore[union-attr]
    rq.need_resched = True
