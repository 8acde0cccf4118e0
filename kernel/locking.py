"""Locks in virtual time (granularity ``syscall``) and their statistics.

In granularity ``syscall`` a path runs to its end in one go, so a lock is a resource with a
calendar: a path that wants it at virtual time t, while the calendar says it is held, gets it
later. Requests are served in order of their start, not of their lock accesses. So a lock that
everybody takes (``history``) keeps its recent exclusive holds, and a path may take a gap between
two of them; Sniper's history queues solve the same problem. A lock of one object keeps its last
hold only. Readers wait for writers and writers for readers, but readers' holds are only kept as
the latest one.

In granularity ``step`` exclusion is real and ``owner``, ``readers``, ``waiters`` say who has the
lock: see ``kernel.drive.interleave``. What lockstat prints is counted in both.

Source: kernel/locking/lockdep.c (lock_stat), Documentation/locking/lockstat.rst.
Deviation: a hold entered into the calendar late never moves holds that were entered before it.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from kernel.drive.active_path import ActivePath
    from kernel.kernel import Kernel


class LockStat:
    """Counters of one lock class (all instances of one name). Times in virtual ns."""

    COUNTERS: ClassVar = ("acquisitions", "contended", "hold_ns", "name", "wait_max_ns", "wait_ns")
    __slots__ = COUNTERS

    def __init__(self, name: str) -> None:
        self.name = name
        self.acquisitions = 0
        self.contended = 0
        self.wait_ns = 0
        self.wait_max_ns = 0
        self.hold_ns = 0

    def to_plain(self) -> dict[str, Any]:
        """Return the counters by name."""
        return {name: getattr(self, name) for name in self.COUNTERS}


_HISTORY: Final = 32


class Lock:
    """One lock instance. Its class, hence its name, is in ``stat``."""

    __slots__ = (
        "ends",
        "free_ns",
        "given_up",
        "owner",
        "read_end_ns",
        "read_since_ns",
        "readers",
        "since_ns",
        "starts",
        "stat",
        "waiters",
    )

    def __init__(self, stat: LockStat, *, history: bool = False) -> None:
        self.stat = stat
        self.since_ns = 0  # start of the hold in progress, or of the last one
        self.free_ns = 0  # end of the latest exclusive hold
        self.read_since_ns = 0  # the latest time in which readers held it without a gap
        self.read_end_ns = 0
        self.readers = 0
        # recent exclusive holds, disjoint, in order; None: only the last one is kept
        self.starts: list[int] | None = [] if history else None
        self.ends: list[int] = []
        # granularity step only
        self.owner: ActivePath | None = None
        self.given_up = False  # by its owner, and others do not see it yet
        self.waiters: list[tuple[ActivePath, str, bool]] | None = None

    @property
    def name(self) -> str:
        """The lock class's name."""
        return self.stat.name


def _after(starts: list[int], now_ns: int) -> int:
    """Return what ``bisect_right`` does; compiled, a call of that costs five times as much."""
    low = 0
    high = len(starts)
    while low < high:
        middle = (low + high) >> 1
        if now_ns < starts[middle]:
            high = middle
        else:
            low = middle + 1
    return low


def earliest_free(lock: Lock, now_ns: int) -> int:
    """Return the first time at or after ``now_ns`` when no exclusive hold is in the calendar."""
    free_ns = lock.free_ns
    if now_ns >= free_ns:
        return now_ns
    starts = lock.starts
    if starts is None:
        return free_ns if now_ns >= lock.since_ns else now_ns
    if now_ns < starts[0]:
        return now_ns
    ends = lock.ends
    place = _after(starts, now_ns)
    end_ns = ends[place - 1]
    if end_ns <= now_ns:
        return now_ns
    count = len(starts)
    while place < count and starts[place] <= end_ns:
        if ends[place] > end_ns:
            end_ns = ends[place]
        place += 1
    return end_ns


def acquire_at(lock: Lock, now_ns: int, shared: bool) -> int:
    """Take ``lock`` at ``now_ns`` or as soon as the calendar allows; return that time.

    Counts the acquisition and, if it had to wait, the contention and the wait.
    """
    stat = lock.stat
    stat.acquisitions += 1
    start_ns = now_ns if now_ns >= lock.free_ns else earliest_free(lock, now_ns)
    if shared:
        lock.readers = 1
    elif lock.read_since_ns <= start_ns < lock.read_end_ns:
        # a path served before may have read later in virtual time: that is no reason to wait
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
            if since_ns > lock.read_end_ns:
                lock.read_since_ns = since_ns
            lock.read_end_ns = now_ns
        return
    starts = lock.starts
    if starts is not None:
        if since_ns >= lock.free_ns:
            starts.append(since_ns)
            lock.ends.append(now_ns)
        elif since_ns < starts[0] and now_ns <= starts[0] and len(starts) == _HISTORY:
            lock.since_ns = lock.free_ns
            return  # before all that is kept: it would be the one that is dropped
        else:
            ends = lock.ends
            place = _after(starts, since_ns)
            starts.insert(place, since_ns)
            ends.insert(place, now_ns)
            after = place + 1
            while after < len(starts) and starts[after] < ends[place]:
                # it ran into a hold that was entered before: together they are one
                ends[place] = max(ends[place], ends[after])
                del starts[after], ends[after]
        if len(starts) > _HISTORY:
            starts.pop(0)  # half of what ``del`` takes
            lock.ends.pop(0)
    if now_ns > lock.free_ns:
        lock.free_ns = now_ns
    else:
        # entered late, before the one that is kept: since_ns is that one's start no more
        lock.since_ns = lock.free_ns


def acquire(k: "Kernel", lock: Lock) -> None:
    """Take ``lock`` as soon as the calendar allows: an ACQUIRE at granularity ``syscall``."""
    now_ns = k.now_ns + k.costs.lock_acquire
    if now_ns >= lock.free_ns and now_ns >= lock.read_end_ns:
        lock.stat.acquisitions += 1  # acquire_at() without its questions
        lock.since_ns = k.now_ns = now_ns
    else:
        k.now_ns = acquire_at(lock, now_ns, False)


def acquire_shared(k: "Kernel", lock: Lock) -> None:
    """Take ``lock`` for reading as soon as the calendar allows: a READ."""
    k.now_ns = acquire_at(lock, k.now_ns + k.costs.lock_acquire, True)


def release(k: "Kernel", lock: Lock) -> None:
    """Give ``lock`` back: a RELEASE."""
    now_ns = k.now_ns = k.now_ns + k.costs.lock_hold
    if lock.starts is None and not lock.readers:
        lock.stat.hold_ns += now_ns - lock.since_ns  # release_at() likewise
        if now_ns > lock.free_ns:
            lock.free_ns = now_ns
        else:
            lock.since_ns = lock.free_ns  # it came late: as release_at() does
    else:
        release_at(lock, now_ns)
