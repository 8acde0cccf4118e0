"""Locks in virtual time.

In granularity ``syscall`` a path runs to its end in one go, so a lock is a resource with a
calendar: a path that wants it at virtual time t, while the calendar says it is held, starts
later. Requests are served in order of their start, not of their lock accesses; so the calendar keeps
the recent hold intervals and a path may take a gap between two of them (Sniper's history
queues solve the same problem). In granularity ``step`` exclusion is real: see ``kernel.state``.

What lockstat prints is counted here: acquisitions, contentions, wait time, hold time.
"""

from bisect import bisect_right
from typing import Any


class Lock:
    """One lock class instance. ``name`` is Linux's (``tasklist_lock``, ``siglock``, …).

    Statistics are kept per class in ``stat``, shared by all instances of that class.
    """

    __slots__ = (
        "ends",
        "free_ns",
        "name",
        "owner",
        "readers",
        "since_ns",
        "starts",
        "stat",
        "waiters",
    )

    def __init__(self, name: str, stat: "LockStat") -> None:
        self.name = name
        self.stat = stat
        self.free_ns = 0  # end of the last hold
        self.since_ns = 0  # start of the hold in progress
        self.starts: list[int] = []  # recent holds, disjoint, in order; only once contended
        self.ends: list[int] = []
        # granularity step only
        self.owner: Any = None
        self.readers = 0
        self.waiters: list[Any] = []


class LockStat:
    """Counters of one lock class. Times in virtual ns."""

    __slots__ = ("acquisitions", "contended", "hold_ns", "name", "wait_ns", "wait_max_ns")

    def __init__(self, name: str) -> None:
        self.name = name
        self.acquisitions = 0
        self.contended = 0
        self.wait_ns = 0
        self.wait_max_ns = 0
        self.hold_ns = 0


_HISTORY = 32


def earliest_free(lock: Lock, now_ns: int) -> int:
    """Return the first time at or after ``now_ns`` at which ``lock`` is not held, per calendar."""
    if now_ns >= lock.free_ns:
        return now_ns
    place = bisect_right(lock.starts, now_ns) - 1
    while 0 <= place < len(lock.ends) and lock.ends[place] > now_ns:
        now_ns = lock.ends[place]
        place += 1
        if place < len(lock.starts) and lock.starts[place] > now_ns:
            break
    return now_ns


def record_hold(lock: Lock, start_ns: int, end_ns: int) -> None:
    """Enter one finished hold into the calendar; keeps the most recent ``_HISTORY`` holds."""
    if start_ns >= lock.free_ns:
        lock.starts.append(start_ns)
        lock.ends.append(end_ns)
        lock.free_ns = end_ns
    else:
        place = bisect_right(lock.starts, start_ns)
        lock.starts.insert(place, start_ns)
        lock.ends.insert(place, end_ns)
        if end_ns > lock.free_ns:
            lock.free_ns = end_ns
    if len(lock.starts) > _HISTORY:
        del lock.starts[0], lock.ends[0]
