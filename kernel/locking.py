"""Locks in virtual time (granularity ``syscall``) and their statistics.

In granularity ``syscall`` a path runs to its end in one go, so a lock is a resource with a
calendar: a path that wants it at virtual time t, while the calendar says it is held, gets it
later. Requests are served in order of their start, not of their lock accesses. So the calendar
keeps the recent exclusive holds, and a path may take a gap between two of them; Sniper's
history queues solve the same problem. Readers wait for writers and writers for readers, but
readers' holds are only kept as their latest end.

In granularity ``step`` exclusion is real and ``owner``, ``readers``, ``waiters`` say who has the
lock: see ``kernel.state``. What lockstat prints is counted in both.

Source: kernel/locking/lockdep.c (lock_stat), Documentation/locking/lockstat.rst.
Deviation: a hold entered into the calendar late never moves holds that were entered before it.
"""

from bisect import bisect_right
from typing import Any


class LockStat:
    """Counters of one lock class (all instances of one name). Times in virtual ns."""

    __slots__ = ("acquisitions", "contended", "hold_ns", "name", "wait_max_ns", "wait_ns")

    def __init__(self, name: str) -> None:
        self.name = name
        self.acquisitions = 0
        self.contended = 0
        self.wait_ns = 0
        self.wait_max_ns = 0
        self.hold_ns = 0

    def to_plain(self) -> dict[str, Any]:
        """Return the counters by name."""
        return {name: getattr(self, name) for name in self.__slots__}


class Lock:
    """One lock instance. Its class, hence its name, is in ``stat``."""

    __slots__ = (
        "ends",
        "free_ns",
        "owner",
        "read_end_ns",
        "readers",
        "since_ns",
        "starts",
        "stat",
        "waiters",
    )

    def __init__(self, stat: LockStat) -> None:
        self.stat = stat
        self.free_ns = 0  # end of the last exclusive hold
        self.read_end_ns = 0  # latest end of a shared hold
        self.since_ns = 0  # start of the hold in progress
        self.readers = 0
        self.starts: list[int] | None = None  # recent exclusive holds, disjoint, in order
        self.ends: list[int] | None = None
        # granularity step only
        self.owner: Any = None
        self.waiters: list[Any] | None = None

    @property
    def name(self) -> str:
        """The lock class's name."""
        return self.stat.name


_HISTORY = 32


def earliest_free(lock: Lock, now_ns: int) -> int:
    """Return the first time at or after ``now_ns`` when no exclusive hold is in the calendar."""
    starts, ends = lock.starts, lock.ends
    if now_ns >= lock.free_ns or starts is None or ends is None:
        return now_ns
    place = max(bisect_right(starts, now_ns) - 1, 0)
    while place < len(starts) and starts[place] <= now_ns:
        if ends[place] > now_ns:
            now_ns = ends[place]
        place += 1
    return now_ns


def record_hold(lock: Lock, start_ns: int, end_ns: int) -> None:
    """Enter one finished exclusive hold; the most recent ``_HISTORY`` of them are kept."""
    starts, ends = lock.starts, lock.ends
    if starts is None or ends is None:
        lock.starts, lock.ends = [start_ns], [end_ns]
        lock.free_ns = end_ns
        return
    if start_ns >= lock.free_ns:
        starts.append(start_ns)
        ends.append(end_ns)
        lock.free_ns = end_ns
    else:
        place = bisect_right(starts, start_ns)
        starts.insert(place, start_ns)
        ends.insert(place, end_ns)
        if end_ns > lock.free_ns:
            lock.free_ns = end_ns
    if len(starts) > _HISTORY:
        del starts[0], ends[0]


def acquire_at(lock: Lock, now_ns: int, *, shared: bool) -> int:
    """Take ``lock`` at ``now_ns`` or as soon as the calendar allows; return that time.

    Counts the acquisition and, if it had to wait, the contention and the wait.
    """
    stat = lock.stat
    stat.acquisitions += 1
    start_ns = earliest_free(lock, now_ns) if now_ns < lock.free_ns else now_ns
    if shared:
        lock.readers = 1
    elif start_ns < lock.read_end_ns:
        start_ns = earliest_free(lock, lock.read_end_ns)
    if start_ns > now_ns:
        wait_ns = start_ns - now_ns
        stat.contended += 1
        stat.wait_ns += wait_ns
        if wait_ns > stat.wait_max_ns:
            stat.wait_max_ns = wait_ns
    lock.since_ns = start_ns
    return start_ns


def release_at(lock: Lock, now_ns: int) -> None:
    """Give ``lock`` back at ``now_ns`` (never before it was taken) and enter the hold."""
    since_ns = lock.since_ns
    lock.stat.hold_ns += now_ns - since_ns
    if lock.readers:
        lock.readers = 0
        if now_ns > lock.read_end_ns:
            lock.read_end_ns = now_ns
    else:
        record_hold(lock, since_ns, now_ns)
