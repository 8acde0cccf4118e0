"""The kernel's timer queue: order, and which timers still mean something."""

from typing import Any

from kernel.messages import NEVER
from kernel.timerq import TimerKind, TimerQueue


class Note(TimerKind):
    """Lives as long as its number stands in ``what``."""

    def is_live(self, what: Any, serial: int) -> bool:
        return serial in what

    def expire(self, k: Any, what: Any, serial: int) -> object:
        what.discard(serial)
        return None


def test_of_equal_times_the_timer_armed_first_goes_first() -> None:
    queue = TimerQueue()
    kind = Note()
    late, first, second = (queue.add(at_ns, kind, set()) for at_ns in (20, 10, 10))
    assert queue.next_ns() == 10
    assert [queue.pop()[1] for _ in range(3)] == [first, second, late]
    assert queue.next_ns() == NEVER


def test_a_timer_whose_number_is_forgotten_is_not_live_though_it_is_queued() -> None:
    queue = TimerQueue()
    armed: set[int] = set()
    armed.add(queue.add(10, Note(), armed))
    assert queue.some_live_ns() == 10
    assert queue.some_live_ns(but=[armed]) == NEVER
    armed.clear()
    assert queue.some_live_ns() == NEVER
    assert queue.next_ns() == 10
