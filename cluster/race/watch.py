"""Follows what the steps of kernel paths read and write, and finds accesses that nothing orders.

While a ``Watch`` is installed, every field of the structures in ``cluster.race.fields`` tells it of
each read and write, whichever function makes it. What a step of a path touched is its *footprint*:
``{(object, field): READ | WRITE}``, with the point the step began at and the locks held in it.
Explorers know from footprints which steps may change places; the detector here asks of each access
whether another one to the same field, by another task, of which one is a write, was

- ordered before it: each task has a vector clock, which comes along with what orders events: a lock
  given up and taken, a point about one field that stores and one that loads, a wake-up, and a CPU
  that goes over from one task to another; or
- made with a lock that both held, one of them at least as a writer.

If neither, it is a data race. Reported is only what both say, as KRACE does: a lockset alone cries
wolf where an order of events protects, and an order of one run may be luck.

A field that holds a list, dictionary or the like is written when its contents at the end of the
step are not those of its first read, so it does not matter through which name that was done.

Only the pure core can be watched: compiled code does not look at classes for the fields of what it
knows.

Source: Pozniansky and Schuster, Efficient on-the-fly data race detection (2003); Xu et al., KRACE
(2020), lockset and happens-before together.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cluster.race.fields import REASONS, UNSHARED, WATCHED
from kernel.drive.memory import DRAIN
from kernel.locking import Lock
from kernel.points import (
    ACQUIRE,
    LOAD,
    POINT,
    READ_BARRIER,
    RELEASE,
    RESCHED,
    SCHEDULE,
    STORE,
    STORE_RELEASE,
    UPDATE,
)
from kernel.points import READ as READ_LOCK
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.drive.interleave import ActivePath
    from kernel.drive.memory import Drain

READ: Final = 1
WRITE: Final = 2

_CONTAINERS: Final = (list, dict, bytearray, set)

# Who made an object: pid of the task (0: the boot), which step of it, the how-manieth in that step.
# The same object has the same label in every run in which its maker does the same.
Label = tuple[int, int, int]
Key = tuple[int, str]  # id of an object, and a field of it
Footprint = dict[Key, int]
_Clock = dict[Any, int]  # task -> how far it has come

_NO_LOCKS: Final[frozenset[int]] = frozenset()


@dataclass(slots=True)
class Access:
    """One access: who made it in which step, with which locks, in which function."""

    task: Any
    clock: int
    locks: frozenset[int]
    step: int
    where: str
    write: bool


@dataclass(slots=True)
class DataRace:
    """Two accesses to one field that nothing orders and no lock keeps apart."""

    obj: Any
    field: str
    first: Access
    second: Access


@dataclass(slots=True)
class StepSeen:
    """One step of a path: the point it began at, whose it was, and what it touched."""

    name: str
    kind: int
    obj: Any
    task: Any
    cpu: int
    footprint: Footprint
    skipped: bool = False  # a mutation let it not take its lock


class Watch:
    """What the steps of one run touch, and the races among them; see the module header.

    Attributes:
        races: as they are found; ``stop`` says whether the first one is enough.
        steps: all steps, if they are kept.
    """

    __slots__ = (
        "_acc", "_clocks", "_cpu", "_exclusive", "_kept", "_locks", "_reads", "_released", "_seen",
        "_events", "_held", "_made", "_where", "_writes", "keep", "labels", "names", "on", "races",
        "step", "steps", "task",
    )  # fmt: skip

    def __init__(self, *, keep: bool = False) -> None:
        self.keep = keep
        self.on = False
        self.step = 0
        self.task: Any = None
        self.races: list[DataRace] = []
        self.steps: list[StepSeen] = []
        self.names: dict[int, Any] = {}  # id -> object, so that no id comes again
        self.labels: dict[int, Label] = {}
        # containers that a path has read, under whatever name it may keep them
        self._held: dict[Any, dict[Key, Any]] = {}
        self._events: dict[Any, int] = {}  # task -> its steps so far
        self._acc: Footprint = {}
        self._where: dict[Key, str] = {}  # the function of the last access
        self._seen: dict[Key, tuple[Any, Any]] = {}  # containers, and what they held
        self._clocks: dict[Any, _Clock] = {}
        self._released: dict[Any, _Clock] = {}
        self._made = 0
        self._cpu = 0
        self._locks = _NO_LOCKS
        self._exclusive = _NO_LOCKS
        self._writes: dict[Key, Access] = {}
        self._reads: dict[Key, dict[Any, Access]] = {}

    # -- the driver's --------------------------------------------------------------------------

    def begin(self, entry: "ActivePath | Drain") -> None:
        """See ``StepWatch.begin``."""
        name, kind = entry.op[:2]
        obj: Any = entry.op[2]
        self.step += 1
        self._cpu = cpu = entry.cpu
        task = self.task = entry.task if entry.task is not None else ("stores of cpu", cpu)
        self._events[task] = self._events.get(task, 0) + 1
        self._made = 0
        clock = self._clocks.setdefault(task, {task: 1})
        self._join(clock, ("cpu", cpu))
        if kind < 0 or LOAD <= kind < READ_BARRIER:
            key = (id(obj[0]), obj[1])
            self.names[key[0]] = obj[0]
            writes = kind in (DRAIN, STORE, STORE_RELEASE, UPDATE)
            self._acc[key] = WRITE if writes else READ
            self._join(clock, key)
            if writes:
                self._publish(clock, key)
        elif name == "enter":
            self._join(clock, task)  # somebody has woken or started it
        elif kind == RELEASE:
            self._publish(clock, id(obj))
        elif kind in (SCHEDULE, RESCHED):
            self._hold(entry)
            self.on = True
        elif kind != POINT and obj is not None and kind not in (ACQUIRE, READ_LOCK):
            self._join(clock, id(obj))
            self._publish(clock, id(obj))
            self.names[id(obj)] = obj
        if name == "enter":
            self._held.pop(task, None)
        else:
            held = self._held.get(task)
            if held:
                for key, value in held.items():
                    self._seen[key] = (value, value.copy())
        if self.keep:
            self.steps.append(StepSeen(name, kind, obj, task, cpu, self._acc))

    def go_on(self, path: "ActivePath") -> None:
        """See ``StepWatch.go_on``."""
        _name, kind, obj = path.op
        if kind in (ACQUIRE, READ_LOCK):
            if obj in path.skipped:
                if self.keep:
                    self.steps[-1].skipped = True
            else:
                self._join(self._clocks[self.task], id(obj))
                self.names[id(obj)] = obj
        self._hold(path)
        self.on = True

    def _hold(self, path: Any) -> None:
        held = path.held
        if held:
            self._locks = frozenset([id(lock) for lock, _, _ in held])
            self._exclusive = frozenset([id(lock) for lock, _, shared in held if not shared])
        else:
            self._locks = self._exclusive = _NO_LOCKS

    def end(self) -> None:
        """See ``StepWatch.end``."""
        self.on = False
        acc = self._acc
        if self._seen:
            for key, (container, held) in self._seen.items():
                if container != held:
                    acc[key] = acc.get(key, 0) | WRITE
                    self._where.setdefault(key, "")
            self._seen = {}
        if acc:
            where = self._where
            for key in where:
                self._check(key, acc[key], where[key])
            self._where = {}
        if acc or self.keep:
            self._acc = {}
        self._publish(self._clocks[self.task], ("cpu", self._cpu))

    def made(self, obj: Any) -> None:
        """An object comes into being."""
        if not self.keep:
            return
        task = self.task if self.on else None
        self.names[id(obj)] = obj
        if task is None:
            self.labels[id(obj)] = (0, 0, len(self.labels))
        else:
            self.labels[id(obj)] = (task.pid, self._events[task], self._made)
            self._made += 1

    # -- the fields' ---------------------------------------------------------------------------

    def read(self, obj: Any, field: str, value: Any) -> None:
        """A field was read."""
        key = (id(obj), field)
        acc = self._acc
        if key not in acc:
            self.names[key[0]] = obj
            acc[key] = READ
        if key not in self._where:
            self._where[key] = sys._getframe(2).f_code.co_name
        if type(value) in _CONTAINERS and key not in self._seen:
            self._seen[key] = (value, value.copy())
            self._held.setdefault(self.task, {})[key] = value

    def write(self, obj: Any, field: str) -> None:
        """A field is about to be written. What a constructor sets nobody else has seen yet."""
        key = (id(obj), field)
        where = sys._getframe(2).f_code.co_name
        if where == "__init__":
            return
        if field == "on_rq" and obj is not self.task and type(obj) is TaskStruct:
            self._publish(self._clocks[self.task], obj)  # a wake-up
        self.names[key[0]] = obj
        self._acc[key] = self._acc.get(key, 0) | WRITE
        self._where[key] = where

    # -- the detector --------------------------------------------------------------------------

    def _check(self, key: Key, mode: int, where: str) -> None:
        field = key[1]
        of = type(self.names[key[0]]).__name__
        reason = REASONS.get(f"{of}.{field}") or REASONS.get(f"{of}.*")
        if reason is not None and (not reason[0] or where in reason[0]):
            return
        task = self.task
        clock = self._clocks[task]
        write = bool(mode & WRITE)
        access = Access(
            task, clock[task], self._exclusive if write else self._locks, self.step, where, write
        )
        before = self._writes.get(key)
        if before is not None:
            self._compare(key, before, access, clock)
        reads = self._reads.get(key)
        if write:
            if reads:
                for other in reads.values():
                    self._compare(key, other, access, clock)
                reads.clear()
            self._writes[key] = access
        elif reads is None:
            self._reads[key] = {task: access}
        else:
            reads[task] = access

    def _compare(self, key: Key, one: Access, two: Access, clock: _Clock) -> None:
        if one.task is two.task or one.clock < clock.get(one.task, 0) or one.locks & two.locks:
            return
        self.races.append(DataRace(self.names[key[0]], key[1], one, two))

    def _publish(self, clock: _Clock, obj: Any) -> None:
        """What the current task has done comes before what finds ``obj`` after this."""
        released = self._released.get(obj)
        if released is None:
            self._released[obj] = dict(clock)
        else:
            for task, at in clock.items():
                if released.get(task, 0) < at:
                    released[task] = at
        clock[self.task] += 1

    def _join(self, clock: _Clock, obj: Any) -> None:
        released = self._released.get(obj)
        if released is not None:
            for task, at in released.items():
                if clock.get(task, 0) <= at:
                    clock[task] = at + 1 if task is not self.task else clock[task]


_current: list[Watch | None] = [None]


def _followed(cls: type, field: str, slot: Any) -> property:
    get: Callable[[Any], Any] = slot.__get__
    put: Callable[[Any, Any], None] = slot.__set__

    def read(self: Any) -> Any:
        value = get(self)
        watch = _current[0]
        if watch is not None and watch.on:
            watch.read(self, field, value)
        return value

    def write(self: Any, value: Any) -> None:
        watch = _current[0]
        if watch is not None and watch.on:
            watch.write(self, field)
        put(self, value)

    return property(read, write)


def _told(cls: type) -> Callable[..., None]:
    init = cls.__init__  # type: ignore[misc]

    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        watch = _current[0]
        if watch is not None:
            watch.made(self)
        init(self, *args, **kwargs)

    return made


@contextmanager
def following() -> Iterator[None]:
    """Let the fields of all watched structures tell of their use, until the block is left."""
    replaced: list[tuple[type, str, Any]] = []
    try:
        for cls in WATCHED:
            for field in cls.__dict__.get("__slots__", ()):
                if field in UNSHARED.get(cls, ()) or field not in cls.__dict__:
                    continue
                slot = cls.__dict__[field]
                replaced.append((cls, field, slot))
                setattr(cls, field, _followed(cls, field, slot))
        for cls in (*WATCHED, Lock):
            replaced.append((cls, "__init__", cls.__dict__["__init__"]))
            cls.__init__ = _told(cls)  # type: ignore[misc]
        yield
    finally:
        for cls, field, slot in reversed(replaced):
            setattr(cls, field, slot)


@contextmanager
def watching(watch: Watch | None) -> Iterator[None]:
    """Let ``watch``, if there is one, have what the fields tell, until the block is left.

    Inside ``following()``.
    """
    before = _current[0]
    _current[0] = watch
    try:
        yield
    finally:
        _current[0] = before
