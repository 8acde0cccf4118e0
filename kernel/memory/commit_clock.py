"""``arm``: delayed stores and old versions, all CPUs seeing a store at the same time, as on ARMv8.

Stores wait in their CPU's buffer, as under ``pso``. When one becomes visible it is a new version of
its place, at the next tick of one clock. A load may read each version that was current at some time
since its CPU's *floor*, so it may be old, as if it had been done too early; which, is the *way* of
the access, a choice like that of who goes next. Way 0 is what happens in memory. A barrier for
loads raises the floor to the latest time that any load before it has read at.

What is changed by an ordinary statement of a path is changed as if a lock or a barrier stood before
it, and an ordinary statement reads what memory holds.

Source: Pulte et al., Simplifying ARM Concurrency, POPL 2018, for what must be ordered; the machine
for litmus tests, ``workloads.litmus.machines.commit_clock``, has the same rules.
Deviation: as for ``kernel.memory.views``: no load after a store behind it, addresses that are
numbers order nothing, sleep orders everything. A lock is given up at once, after all stores before.
"""

from collections.abc import Sequence
from typing import Any, Final

from kernel.memory.drains import ALL, NOTHING, PART, Cell, Drain
from kernel.memory.places import MOST_PLACES, MOST_VERSIONS, Place, Places
from kernel.memory.rules import STORE_BARRIER, drainable, epoch_behind
from kernel.points import (
    BARRIER,
    LOAD_ACQUIRE,
    READ_BARRIER,
    STORE,
    STORE_RELEASE,
    WRITE_BARRIER,
)

_PLAIN: Final = (int, bytes, str, type(None))  # what is no object that has fields
_MOST_CARRIED: Final = 16  # objects that a CPU has been given by loads


class Waiting(Drain):
    """A store in a buffer, of an epoch; ``release``: it is the last of those before it."""

    __slots__ = ("epoch", "release")

    def __init__(
        self, cpu: int, obj: Any, field: str, value: Any, epoch: int, release: bool
    ) -> None:
        super().__init__(cpu, obj, field, value)
        self.epoch = epoch
        self.release = release


class Version:
    """What a place has held from ``time`` on."""

    __slots__ = ("time", "value")

    def __init__(self, time: int, value: Any) -> None:
        self.time = time
        self.value = value


class _Cpu:
    """One CPU.

    ``seen``: the time of the version of a place that it has read or written last; ``carried``:
    object -> time of the load that gave it; ``released``: when its last release became visible,
    which an acquire behind it comes after.
    """

    __slots__ = ("buffer", "carried", "epoch", "floor", "latest", "released", "seen")

    def __init__(self) -> None:
        self.buffer: list[Waiting] = []
        self.epoch = 0
        self.floor = 0
        self.latest = 0
        self.released = 0
        self.seen: dict[Place[Version], int] = {}
        self.carried: dict[int, tuple[Any, int]] = {}


class CommitClock:
    """The model. Its methods are those of ``kernel.drive.memory.VersionedModel``."""

    __slots__ = ("_cpus", "_locks", "_now", "_order", "_places", "_updating", "way")

    buffers = True
    versions = True

    def __init__(self) -> None:
        self.way = 0
        self._now = 0
        self._places: Places[Version] = Places()
        self._cpus: dict[int, _Cpu] = {}
        self._order: list[_Cpu] = []  # the same, by number
        self._locks: dict[Any, int] = {}  # when each was given up last
        self._updating = False

    # -- accesses -------------------------------------------------------------------------------

    def ways(self, cpu: int, kind: int, obj: Any) -> int:
        """Return in how many ways ``cpu`` may do what it offers."""
        if kind in (STORE, STORE_RELEASE):
            return 1
        place = self._places.find(obj[0], obj[1])
        if place is None:
            return 1
        me = self._cpu(cpu)
        if any(entry.reach(obj[0], obj[1]) != NOTHING for entry in me.buffer):
            return 1
        floor = _floor(me, obj[0])
        if kind == LOAD_ACQUIRE:
            floor = max(floor, me.released)
        return len(place.versions) - _oldest(me, place, floor)

    def load(self, cpu: int, obj: Any, field: str, kind: int) -> Any:
        """Return what the CPU's newest waiting store puts there, or the version of ``way``."""
        me = self._cpu(cpu)
        way, self.way = self.way, 0
        if kind == LOAD_ACQUIRE:
            while any(entry.release for entry in me.buffer):
                self.drain(me.buffer[0])
            me.floor = max(me.floor, me.released)
        for entry in reversed(me.buffer):
            reach = entry.reach(obj, field)
            if reach == ALL:
                return entry.value_in(obj)
            if reach == PART:
                self._empty(me)
                break
        place = self._places.find(obj, field)
        if place is None:
            if isinstance(obj, Cell):
                return getattr(obj, field)
            place = self._new(obj, field)
        floor = _floor(me, obj)
        oldest = _oldest(me, place, floor)
        version = place.versions[max(len(place.versions) - 1 - way, oldest)]
        time = max(version.time, floor)
        me.seen[place] = version.time
        me.latest = max(me.latest, time)
        if kind == LOAD_ACQUIRE:
            me.floor = max(me.floor, time)
        if not isinstance(version.value, _PLAIN):
            if len(me.carried) >= _MOST_CARRIED:
                del me.carried[next(iter(me.carried))]
            me.carried[id(version.value)] = (version.value, time)
        return version.value

    def store(self, cpu: int, obj: Any, field: str, value: Any, kind: int) -> Drain | None:
        """Put the store behind the others."""
        self.way = 0
        me = self._cpu(cpu)
        place = self._places.find(obj, field) or self._new(obj, field)
        entry = Waiting(cpu, obj, field, value, me.epoch, kind == STORE_RELEASE)
        entry.branch = place.number
        me.buffer.append(entry)
        return entry

    def update(self, cpu: int, obj: Any, field: str) -> Any:
        """Return the field as it is in memory: a full barrier, and one behind what is written."""
        self.barrier(cpu, BARRIER)
        if self._places.find(obj, field) is None:
            self._new(obj, field)  # others may go on reading what is there now
        self._updating = True
        return getattr(obj, field)

    def settle(self, cpu: int) -> None:
        """A step of ``cpu`` is over: see what it has changed by ordinary statements."""
        updating, self._updating = self._updating, False
        changed = self._places.changed()
        if not changed and not updating:
            return
        me = self._cpu(cpu)
        values = [getattr(place.obj, place.field) for place in changed]
        self._empty(me)
        for place, value in zip(changed, values, strict=True):
            self._now += 1
            place.put(value)
            self._version(me, place, value)
        if updating:
            me.floor = me.latest = self._now

    # -- what orders them -----------------------------------------------------------------------

    def barrier(self, cpu: int, kind: int) -> None:
        """Raise the floor of loads, begin an epoch of stores, or both and let nothing wait."""
        me = self._cpu(cpu)
        if kind == READ_BARRIER:
            me.floor = max(me.floor, me.latest)
        elif kind == WRITE_BARRIER:
            last = me.buffer[-1].epoch if me.buffer else None
            me.epoch = epoch_behind(last, me.epoch, STORE_BARRIER)
        else:
            self._empty(me)
            me.floor = self._now

    def acquire(self, cpu: int, lock: Any) -> None:
        """``cpu`` has got ``lock``: it reads nothing older than when it was given up."""
        me = self._cpu(cpu)
        while me.buffer and (
            me.buffer[0].epoch != me.epoch or any(entry.release for entry in me.buffer)
        ):
            self.drain(me.buffer[0])
        time = max(self._locks.get(lock, 0), me.floor, me.released)
        me.floor = time
        me.latest = max(me.latest, time)

    def release(self, cpu: int, lock: Any) -> None:
        """``cpu`` gives ``lock`` up: its stores are visible."""
        me = self._cpu(cpu)
        self._empty(me)
        self._locks[lock] = me.released = self._now

    def arrive(self, cpu: int) -> None:
        """A task comes to ``cpu``, or back from its sleep: it sees everything."""
        self.barrier(cpu, BARRIER)

    def drains(self) -> Sequence[Drain]:
        """Return what of each buffer may become visible next."""
        found: list[Drain] = []
        for me in self._order:
            buffer = me.buffer
            for at in drainable(buffer, True, _epoch, _overlap):
                entry = buffer[at]
                if not entry.release or not at:
                    found.append(entry)
        return found

    def drain(self, entry: Drain) -> None:
        """Let memory have the store."""
        me = self._cpus[entry.cpu]
        release = False
        for at, one in enumerate(me.buffer):
            if one is entry:
                release = one.release
                del me.buffer[at]
                break
        if not me.buffer:
            me.epoch = 0
        obj, field, value = entry.op[2]
        place = self._places.find(obj, field) or self._new(obj, field)
        self._now += 1
        place.put(value)
        self._version(me, place, value)
        if release:
            me.released = self._now

    # -- the rules ------------------------------------------------------------------------------

    def _cpu(self, cpu: int) -> _Cpu:
        me = self._cpus.get(cpu)
        if me is None:
            me = self._cpus[cpu] = _Cpu()
            self._order = [self._cpus[number] for number in sorted(self._cpus)]
        return me

    def _new(self, obj: Any, field: str) -> "Place[Version]":
        place = self._places.make(obj, field)
        place.versions.append(Version(0, place.held))
        return place

    def _version(self, me: _Cpu, place: "Place[Version]", value: Any) -> None:
        place.versions.append(Version(self._now, value))
        if len(place.versions) > MOST_VERSIONS:
            del place.versions[0]
        if len(me.seen) > 2 * MOST_PLACES:
            me.seen = {one: time for one, time in me.seen.items() if one.versions}
        me.seen[place] = self._now
        self._places.use(place)

    def _empty(self, me: _Cpu) -> None:
        while me.buffer:
            self.drain(me.buffer[0])


def _floor(me: _Cpu, obj: Any) -> int:
    """Return since when what a load reads must have been current."""
    carried = me.carried.get(id(obj))
    return me.floor if carried is None else max(me.floor, carried[1])


def _oldest(me: _Cpu, place: "Place[Version]", floor: int) -> int:
    """Return where the oldest version stands that a load may read."""
    versions = place.versions
    floor = max(floor, me.seen.get(place, 0))
    at = len(versions) - 1
    while at and versions[at].time > floor:
        at -= 1
    return at


def _epoch(entry: Waiting) -> int:
    return entry.epoch


def _overlap(one: Waiting, other: Waiting) -> bool:
    obj, field, _value = other.op[2]
    return one.reach(obj, field) != NOTHING
