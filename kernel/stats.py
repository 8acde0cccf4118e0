"""Counters and histograms of a run. Plain data in and out, and merging is exact.

``Histogram`` is log-linear: every power of two is divided into 32 equal buckets, so a percentile
is at most 1/32 (3.2 %) above the true value; values below 64, the count, the sum and the maximum
are exact. Merging histograms of several CPUs gives the same as recording everything in one.

``CpuStats`` is filled by one CPU, ``KernelStats`` by KernelState. All times are virtual ns.
"""

from typing import Any, ClassVar, Final

_SUB_BITS: Final = 5  # 32 buckets per octave


class Histogram:
    """Distribution of non-negative ints."""

    __slots__ = ("_numbers", "count", "maximum", "total")

    def __init__(self) -> None:
        self._numbers: list[int] = []  # by bucket, up to the last that is not empty or a bit more
        self.count = 0
        self.total = 0
        self.maximum = 0

    def record(self, value: int) -> None:
        """Count one value. Raises ValueError if it is negative."""
        if value < 0:
            raise ValueError(f"a histogram takes no negative value: {value}")
        shift = value.bit_length() - _SUB_BITS - 1
        bucket = (shift << _SUB_BITS) + (value >> shift) if shift > 0 else value
        numbers = self._numbers
        if bucket >= len(numbers):
            self._make_room(bucket)
        numbers[bucket] = numbers[bucket] + 1  # compiled, += on an item is a call of Python's
        self.count += 1
        self.total += value
        if value > self.maximum:
            self.maximum = value

    def _make_room(self, bucket: int) -> None:
        """Make ``bucket`` one of the list."""
        numbers = self._numbers
        numbers.extend([0] * ((bucket | (1 << _SUB_BITS) - 1) + 1 - len(numbers)))

    def buckets(self) -> list[tuple[int, int]]:
        """Return the buckets that are not empty, ascending, and how many values each has."""
        return [(bucket, number) for bucket, number in enumerate(self._numbers) if number]

    def percentile(self, percent: float) -> int:
        """Return the least bucket bound that ``percent`` % of the values do not exceed.

        Nearest-rank; never above the exact maximum. 0 for an empty histogram.

        Raises:
            ValueError: ``percent`` is outside 0 … 100.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"percentile {percent} is outside 0..100")
        # in millionths, so that 99.9 % of 1000 is 999 in spite of binary fractions
        rank = -(-round(percent * 1_000_000) * self.count // 100_000_000)
        seen = 0
        for bucket, number in self.buckets():
            seen += number
            if seen >= rank:
                return min(_upper_bound(bucket), self.maximum)
        return 0

    def count_up_to(self, value: int) -> int:
        """Return how many values are at most ``value``, without those in the bucket it cuts."""
        return sum(n for bucket, n in self.buckets() if _upper_bound(bucket) <= value)

    def mean(self) -> float:
        """Return the exact mean; 0.0 for an empty histogram."""
        return self.total / self.count if self.count else 0.0

    def merge(self, other: "Histogram") -> None:
        """Add what ``other`` counted."""
        if len(other._numbers) > len(self._numbers):
            self._make_room(len(other._numbers) - 1)
        for bucket, number in other.buckets():
            self._numbers[bucket] += number
        self.count += other.count
        self.total += other.total
        if other.maximum > self.maximum:
            self.maximum = other.maximum

    def to_plain(self) -> dict[str, Any]:
        """Return the histogram as plain data; equal histograms give equal bytes."""
        return {
            "count": self.count,
            "total": self.total,
            "max": self.maximum,
            "buckets": [[bucket, number] for bucket, number in self.buckets()],
        }

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> "Histogram":
        """Return the histogram that ``to_plain`` described."""
        histogram = cls()
        histogram.count = data["count"]
        histogram.total = data["total"]
        histogram.maximum = data["max"]
        for bucket, number in data["buckets"]:
            if bucket >= len(histogram._numbers):
                histogram._make_room(bucket)
            histogram._numbers[bucket] = number
        return histogram

    def summary(self) -> dict[str, int]:
        """Return count, p50, p90, p99 and max, as reports print them."""
        return {
            "count": self.count,
            "p50": self.percentile(50),
            "p90": self.percentile(90),
            "p99": self.percentile(99),
            "max": self.maximum,
        }


def _upper_bound(bucket: int) -> int:
    shift = (bucket >> _SUB_BITS) - 1
    if shift <= 0:
        return bucket
    return ((bucket - (shift << _SUB_BITS) + 1) << shift) - 1


class _Stats:
    """Counters (ints), peaks (ints named ``peak_…``) and histograms, by their slots."""

    __slots__ = ()
    COUNTERS: ClassVar[tuple[str, ...]] = ()  # a compiled class has no __slots__ to ask

    def to_plain(self) -> dict[str, Any]:
        """Return all counters as plain data, in the order of their names."""
        plain: dict[str, Any] = {}
        for name in self.COUNTERS:
            value = getattr(self, name)
            if isinstance(value, Histogram):
                value = value.to_plain()
            plain[name] = value[:] if isinstance(value, list) else value
        return plain

    def load_plain(self, data: dict[str, Any]) -> None:
        """Take over the counters that ``to_plain`` gave."""
        for name in self.COUNTERS:
            value = data[name]
            setattr(self, name, Histogram.from_plain(value) if isinstance(value, dict) else value)

    def merge(self, other: Any) -> None:
        """Add the counters of ``other``, an object of the same class; peaks: the larger one."""
        for name in self.COUNTERS:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, Histogram):
                mine.merge(theirs)
            elif name.startswith("peak_"):
                setattr(self, name, max(mine, theirs))
            else:
                setattr(self, name, mine + theirs)


class CpuStats(_Stats):
    """What one CPU counts.

    ``nr_switches`` changes of the running task, idle included = ``nr_voluntary`` (the task slept
    or died) + ``nr_involuntary`` (preempted or yielded) + those away from the idle task.
    ``lateness`` is by how much an effect arrived in the CPU's past, recorded for the
    ``violations`` only.
    """

    COUNTERS: ClassVar[tuple[str, ...]] = (
        "blocks",
        "fork_to_run",
        "idle_ns",
        "lateness",
        "migrations_in",
        "migrations_out",
        "nr_involuntary",
        "nr_switches",
        "nr_voluntary",
        "pull_failures",
        "pulls",
        "requests",
        "rq_wait",
        "system_ns",
        "ticks",
        "user_ns",
        "violations",
        "wakeups",
    )
    __slots__ = COUNTERS

    def __init__(self) -> None:
        self.nr_switches = 0
        self.nr_voluntary = 0
        self.nr_involuntary = 0
        self.migrations_in = 0
        self.migrations_out = 0
        self.wakeups = 0
        self.ticks = 0
        self.idle_ns = 0
        self.user_ns = 0
        self.system_ns = 0
        self.blocks = 0  # basic blocks of guest programs
        self.requests = 0  # sent to KernelState
        self.pulls = 0  # tasks this CPU took from others, idle or in its turn of balancing
        self.pull_failures = 0
        self.violations = 0
        self.fork_to_run = Histogram()
        self.rq_wait = Histogram()
        self.lateness = Histogram()

    def violation(self, late_ns: int) -> None:
        """Count one effect that came ``late_ns`` after the time it was meant for."""
        self.violations += 1
        self.lateness.record(late_ns)

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> "CpuStats":
        """Return the counters that ``to_plain`` described."""
        stats = cls()
        stats.load_plain(data)
        return stats


class RatedStats(CpuStats):
    """What a CPU counts besides that is not always as fast as it can be (``kernel.cpu.rated``).

    ``shared_ns`` user time while a sibling was busy, ``refill_ns`` of it spent to fill caches after
    ``refills`` moves and absences; the others what interrupts and the hypervisor took.
    """

    OWN: ClassVar[tuple[str, ...]] = (
        "irq_ns",
        "refill_ns",
        "refills",
        "shared_ns",
        "softirq_ns",
        "steal_ns",
    )
    COUNTERS: ClassVar[tuple[str, ...]] = (*CpuStats.COUNTERS, *OWN)
    __slots__ = OWN

    def __init__(self) -> None:
        super().__init__()
        self.irq_ns = 0
        self.refill_ns = 0
        self.refills = 0
        self.shared_ns = 0
        self.softirq_ns = 0
        self.steal_ns = 0


class KernelStats(_Stats):
    """What KernelState counts.

    Forks by kind: ``forks`` fork() and clone() of a process without CLONE_VFORK, ``vforks`` with
    it (posix_spawn included), ``clones`` new threads (CLONE_THREAD), ``kthreads``. Faults by kind:
    ``faults_*`` for pages that were absent, ``cow_*`` for writes to write-protected ones.
    ``exits`` counts tasks (threads) that ended, ``waits`` children reaped by a wait,
    ``autoreaped`` those nobody had to wait for, ``releases`` task_structs unlinked.

    ``cow_saved``: copies that a parent did not have to make because all its children had gone, by
    exec or exit, before it wrote. Precisely, of ``cow_reused`` the writes of an address space that
    a fork has copied, to a page that it alone still maps, if none of those that mapped it since
    that fork left by copying it. (A page that mprotect() closed and opened again counts, too.)
    ``fork_order``: who goes on first after a fork; ``kernel.process.fork_race`` has its places.
    """

    COUNTERS: ClassVar[tuple[str, ...]] = (
        "autoreaped",
        "clones",
        "cow_copied",
        "cow_reused",
        "cow_saved",
        "exec_failures",
        "execs",
        "exits",
        "faults_anon",
        "faults_file",
        "faults_shared",
        "faults_zero",
        "fork_failures",
        "fork_order",
        "forks",
        "kthreads",
        "migrations",
        "oom_kills",
        "pages_copied_by_fork",
        "peak_frames",
        "peak_tasks",
        "peak_zombies",
        "ptes_copied",
        "pulls",
        "releases",
        "reparented",
        "requests",
        "restarts",
        "segfaults",
        "signals",
        "signals_delivered",
        "signals_ignored",
        "sleeps",
        "steps",
        "syscalls",
        "vforks",
        "waits",
        "wakeups",
        "wakeups_failed",
        "wakeups_new",
    )
    __slots__ = COUNTERS

    def __init__(self) -> None:
        self.requests = 0  # messages served, of every kind
        self.syscalls = 0
        self.restarts = 0  # system calls begun again after a signal
        self.steps = 0  # points passed in granularity step
        self.forks = 0
        self.vforks = 0
        self.clones = 0
        self.kthreads = 0
        self.fork_failures = 0
        self.fork_order = [0] * 15
        self.execs = 0
        self.exec_failures = 0
        self.exits = 0
        self.waits = 0
        self.autoreaped = 0
        self.releases = 0
        self.reparented = 0
        self.signals = 0  # generated and queued
        self.signals_ignored = 0
        self.signals_delivered = 0
        self.sleeps = 0
        self.wakeups = 0
        self.wakeups_failed = 0  # the task was not asleep in a matching state
        self.wakeups_new = 0
        self.migrations = 0
        self.pulls = 0
        self.faults_zero = 0
        self.faults_anon = 0
        self.faults_file = 0
        self.faults_shared = 0
        self.segfaults = 0
        self.oom_kills = 0
        self.cow_copied = 0
        self.cow_reused = 0
        self.cow_saved = 0
        self.ptes_copied = 0
        self.pages_copied_by_fork = 0  # where fork is eager
        self.peak_tasks = 0
        self.peak_zombies = 0
        self.peak_frames = 0

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> "KernelStats":
        """Return the counters that ``to_plain`` described."""
        stats = cls()
        stats.load_plain(data)
        return stats
