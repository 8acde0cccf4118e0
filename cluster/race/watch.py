"""Follows what the steps of kernel paths read and write, and finds accesses that nothing orders.

While a ``Watch`` is installed, every field of the structures in ``cluster.race.fields`` tells it of
each read and write, whichever function makes it. What a step of a path touched is its *footprint*:
``{(object, field): READ | WRITE}``, with the point the step began at and the locks held in it.
Explorers know from footprints which steps may change places; the detector here asks of each access
whether another one to the same field, by another task, of which one is a write, was

- ordered before it: each task has a vector clock, which comes along with what orders events: a lock
  given up and taken, a point about one field that stores and one that loads, a wake-up, a CPU that
  goes over from one task to another, a task that is seen off its CPU, a pointer that is set for all
  to follow and followed without its lock (``guards.PUBLISHED``), two atomic operations on one thing
  (a barrier alone orders nobody after another, for that one has to read what the other wrote), and
  a count of users that has come down to one; or
- made with a lock that both held, one of them at least as a writer.

A lock that a mutation lets order nothing (``weaken:POINT:plain``), and a barrier that it dropped,
do neither on a machine whose memory needs them for it (``ORDERS_LOST``).

The interrupts of a CPU have a clock of their own, whoever they came upon: two on different CPUs are
in no order by themselves, and one is in order with what its CPU does before and after it.

If neither, it is a data race. Reported is only what both say, as KRACE does: a lockset alone cries
wolf where an order of events protects, and an order of one run may be luck. Fields of one writer
(``guards.ONE_WRITER``) are held to more: of two writes one is ordered before the other, whatever
locks were held.

Who frees what several tasks have used (``guards.LAST_USES``) comes after all that they did with it.

Who has what guards a field (``guards.GUARDS``) for reading only may not write it: that is told at
once (``shared_writes``), whether or not another does so at the same time, as Linux does with
lockdep_assert_held_write(). Where only a mutation lets it be a reader that goes for every field:
what may be written without the lock is not written by who has taken it to be alone.

A field that holds a list, dictionary or the like is written when its contents at the end of the
step are not those of its first read, so it does not matter through which name that was done.

Only the pure core can be watched: compiled code does not look at classes for the fields of what it
knows.

Source: Pozniansky and Schuster, Efficient on-the-fly data race detection (2003); Xu et al., KRACE
(2020), lockset and happens-before together.
"""

import gc
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

from cluster.mutations.source import kinds_by_text
from cluster.race.actors import actor_of
from cluster.race.fields import ALL, SHARED_WRITES, UNSHARED, WATCHED, Excused, excused_of
from cluster.race.guards import LAST_USES, ONE_WRITER, PUBLISHED, guard_of
from kernel.check.touched import STATES, looked_at
from kernel.drive.memory import DRAIN
from kernel.drive.mutations import DROPPED, UNORDERED
from kernel.ipc.futex import UserLock
from kernel.locking import Lock
from kernel.mm.mm_types import MmStruct
from kernel.points import (
    ACQUIRE,
    BARRIER,
    LOAD,
    READ_BARRIER,
    RELEASE,
    RESCHED,
    SCHEDULE,
    STORE,
    STORE_RELEASE,
    UPDATE,
    WRITE_BARRIER,
)
from kernel.points import READ as READ_LOCK
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.drive.active_path import ActivePath
    from kernel.drive.memory import Drain

READ: Final = 1
WRITE: Final = 2

# the field itself, as it is while nobody follows it: what the watch reads is no access
_pid: Final[Callable[[Any], int]] = TaskStruct.__dict__["pid"].__get__

_used: Final[dict[str, Callable[[Any], Any]]] = {
    slot: TaskStruct.__dict__[slot].__get__ for slot, _function in LAST_USES.values()
}

_CONTAINERS: Final = frozenset((list, dict, bytearray, set, deque))

# Whose accesses count as their caller's: they only look into a structure for it.
_HANDS: Final = frozenset(
    (
        "attrs_of",
        "new_attrs",
        "ipc_rmid",
        "ipc_set_key_private",
        "destroy",
        "find_vma",
        "<genexpr>",
        "<listcomp>",
    )
)

# Who made an object: pid of the task (0: the boot; below: interrupts of a CPU), which step of it,
# the how-manieth in that step.
# The same object has the same label in every run in which its maker does the same.
Label = tuple[int, int, int]
Key = tuple[int, str]  # id of an object, and a field of it
Footprint = dict[Key, int]
_Clock = dict[Any, int]  # task -> how far it has come

# memory model -> whether what comes later may be done before an acquisition that orders nothing,
# and what came earlier be seen after such a release; under others the machine itself does neither
ORDERS_LOST: Final[dict[str, tuple[bool, bool]]] = {
    "pso": (False, True),
    "arm": (True, True),
    "weak": (True, True),
}

# fields of PUBLISHED, by the ends of their names: most are none
_POINTERS: Final = frozenset(name.partition(".")[2] for name in PUBLISHED)

_READERS: Final = "readers"  # what they have done comes before who has the lock alone next

_NO_LOCKS: Final[frozenset[int]] = frozenset()


class Interrupts:
    """The interrupts of one CPU: together they are one who makes accesses."""

    __slots__ = ("cpu",)

    def __init__(self, cpu: int) -> None:
        self.cpu = cpu

    def __repr__(self) -> str:
        return f"<interrupts of cpu {self.cpu}>"


@dataclass(slots=True)
class Access:
    """One access: who made it in which step, with which locks, in which function."""

    task: Any
    clock: int
    locks: frozenset[int]
    step: int
    where: str
    write: bool


class _Rule:
    """What holds for a field of all objects of a structure.

    ``excused``: who may touch it without a lock; ``owned``: it has one writer at a time; ``free``:
    nothing is to be compared; ``quiet``: nor does a check look at it, so that only who explores
    orders of steps wants to know of its use; ``state``: it is one of ``STATES``; ``published``: who
    follows it without its lock comes after who set it; ``last``: how its users have it, and the
    function that frees it.
    """

    __slots__ = ("excused", "free", "last", "looked_at", "owned", "published", "quiet", "state")

    def __init__(self, of: type, field: str) -> None:
        self.excused: Excused | None = excused_of(of.__name__, field)
        self.owned = f"{of.__name__}.{field}" in ONE_WRITER
        self.published = f"{of.__name__}.{field}" in PUBLISHED
        self.free = self.excused is not None and self.excused[0] is ALL and not self.owned
        self.state = of is TaskStruct and field in STATES
        self.looked_at = self.state or looked_at(of, field)
        slot, function = LAST_USES.get(f"{of.__name__}.{field}", ("", ""))
        self.last = (_used[slot], function) if slot else None
        self.quiet = self.free and not self.looked_at and self.last is None


_rules: Final[dict[tuple[type, str], _Rule]] = {}


def _rule_of(of: type, field: str) -> _Rule:
    rule = _rules.get((of, field))
    if rule is None:
        rule = _rules[of, field] = _Rule(of, field)
    return rule


class _Known:
    """What is known of a field of an object: its last write, who has read it since.

    ``writer``: its last write, with or without a reason.
    """

    __slots__ = ("last", "readers", "rule", "writer")

    def __init__(self, rule: _Rule) -> None:
        self.rule = rule
        self.writer: Access | None = None
        self.last: Access | None = None
        self.readers: dict[Any, Access] = {}


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
    actor: int = 0


class Watch:
    """What the steps of one run touch, and the races among them; see the module header.

    Attributes:
        races: as they are found.
        shared_writes: of fields whose lock was held for reading only, each told in words.
        steps: all steps, if they are kept.
        written, moved: what has been written since they were emptied last, by id, as far as checks
            look at it: ``kernel.check.touched``.
        where: what the step at hand has touched, and the code that did so first.
        weakened: the path at hand has a lock as a reader that only a mutation lets be one.
    """

    __slots__ = (
        "_acc", "_alone", "_at", "_clocks", "_cpu", "_drains", "_events", "_exclusive", "_held",
        "_interrupts", "_known", "_locks", "_loose", "_lost", "_made", "_path", "_plain", "_ran",
        "_released", "_unjoined", "_unpublished", "_uses", "_woken", "keep", "labels",
        "moved", "names", "races", "seen", "shared_writes", "step", "steps", "task", "weakened",
        "where", "written",
    )  # fmt: skip

    def __init__(self, *, keep: bool = False) -> None:
        self.keep = keep
        self.step = 0
        self.task: Any = None
        self.races: list[DataRace] = []
        self.shared_writes: list[str] = []
        self.steps: list[StepSeen] = []
        self.names: dict[int, Any] = {}  # id -> object, so that no id comes again
        self.labels: dict[int, Label] = {}
        # containers that a path has read, under whatever name it may keep them
        self._held: dict[Any, dict[Key, Any]] = {}
        self._events: dict[Any, int] = {}  # task -> its steps so far
        self._acc: Footprint = {}
        self.where: dict[Key, CodeType | None] = {}
        self.seen: dict[Key, tuple[Any, Any]] = {}  # containers, and what they held
        self.written: dict[int, Any] = {}
        self.moved: dict[int, Any] = {}
        self._drains: dict[int, Any] = {}  # cpu -> who makes its stores visible
        self._interrupts: dict[int, Interrupts] = {}
        self._ran: dict[int, Any] = {}  # cpu -> whose step was its last; None: published
        self._at: dict[Any, int] = {}  # task -> the cpu of its last step
        self._alone: dict[int, frozenset[int]] = {}  # sets of one lock
        self._known: dict[Key, _Known] = {}
        # in this step; and counts that it changed, pointers that it set
        self._woken: list[Any] = []
        self._clocks: dict[Any, _Clock] = {}
        self._released: dict[Any, _Clock] = {}
        self._made = 0
        self._lost = (False, False)
        # what an atomic operation of this step is on, if a mutation lets it order nothing
        self._unjoined: Key | None = None
        self._unpublished: Key | None = None
        self._plain: dict[Any, list[int]] = {}  # task -> locks that it has without any order
        # task and lock -> its clock when it gave that up without any order
        self._loose: dict[tuple[Any, int], int] = {}
        self._path: Any = None  # whose step is made
        # what the last user frees, by id -> task -> its last use
        self._uses: dict[int, dict[Any, Access]] = {}
        self._cpu = 0
        self._locks = _NO_LOCKS
        self._exclusive = _NO_LOCKS
        self.weakened = False

    def of_model(self, model: str) -> None:
        """Say which memory model the machine has: see ``ORDERS_LOST``."""
        self._lost = ORDERS_LOST.get(model, self._lost)

    # -- the driver's --------------------------------------------------------------------------

    def begin(self, entry: "ActivePath | Drain") -> None:
        """See ``StepWatch.begin``."""
        name, kind = entry.op[:2]
        obj: Any = entry.op[2]
        actor = actor_of(entry) if self.keep else 0  # before anything counts as an access
        self.step += 1
        self._cpu = cpu = entry.cpu
        task: Any = entry.task
        if task is None:
            task = self._drains.setdefault(cpu, ("stores of cpu", cpu))
        elif entry.interrupt:  # type: ignore[union-attr]  # a path
            task = self._interrupts.get(cpu)
            if task is None:
                task = self._interrupts[cpu] = Interrupts(cpu)
        self.task = task
        self._events[task] = self._events.get(task, 0) + 1
        self._made = 0
        clock = self._clocks.get(task)
        if clock is None:
            clock = self._clocks[task] = {task: 1}
        if self._ran.get(cpu) is not task:
            self._switch(clock, task, cpu)
        if kind < 0 or LOAD <= kind < READ_BARRIER:
            key = (id(obj[0]), obj[1])
            self.names[key[0]] = obj[0]
            writes = kind in (DRAIN, STORE, STORE_RELEASE, UPDATE)
            self._acc[key] = WRITE if writes else READ
            self._join(clock, key)
            if writes:
                if kind != DRAIN and entry.held and key[1] not in SHARED_WRITES:  # type: ignore[union-attr]
                    self._check_shared(key, name.partition(".")[0], entry.held)  # type: ignore[union-attr]
                self._wrote(_rule_of(type(obj[0]), key[1]), key)
                self._publish(task, key)
        elif name == "enter":
            self._join(clock, task)  # somebody has woken or started it
        elif kind == RELEASE:
            if obj not in entry.skipped:  # type: ignore[union-attr]
                held: Any = entry.held  # type: ignore[union-attr]
                shared = any(lock is obj and by_reader for lock, _, by_reader in held)
                self._give(task, id(obj), entry.mutated == UNORDERED, shared)  # type: ignore[union-attr]
        elif kind in (SCHEDULE, RESCHED):
            self._hold(entry)
            _active[0] = self
        elif obj is not None and kind in (BARRIER, READ_BARRIER, WRITE_BARRIER):
            part = _part_of(obj, name)
            dropped = kind == BARRIER and entry.mutated == DROPPED  # type: ignore[union-attr]
            if self._lost[0] and (dropped or kind == WRITE_BARRIER):
                self._unjoined = part
            else:
                self._join(clock, part)
            if self._lost[1] and (dropped or kind == READ_BARRIER):
                self._unpublished = part
            else:
                self._publish(task, part)
            self.names[id(obj)] = obj
        if name == "enter":
            self._held.pop(task, None)
        else:
            held = self._held.get(task)
            if held:
                for key, value in held.items():
                    self.seen[key] = (value, value.copy())
        if self.keep:
            whose = task if entry.task is None else entry.task
            self.steps.append(StepSeen(name, kind, obj, whose, cpu, self._acc, False, actor))

    def go_on(self, path: "ActivePath") -> None:
        """See ``StepWatch.go_on``."""
        _name, kind, obj = path.op
        if kind in (ACQUIRE, READ_LOCK):
            if obj in path.skipped:
                if self.keep:
                    self.steps[-1].skipped = True
            else:
                if path.mutated == UNORDERED and self._lost[0]:
                    self._plain.setdefault(self.task, []).append(id(obj))
                else:
                    self._join(self._clocks[self.task], id(obj))
                    if kind == ACQUIRE:
                        self._join(self._clocks[self.task], (_READERS, id(obj)))
                self.names[id(obj)] = obj
        self._hold(path)
        _active[0] = self

    def _switch(self, clock: _Clock, task: Any, cpu: int) -> None:
        """What a CPU did for another task comes before this step, and so on another CPU after it.

        Told only now, for nobody else needs to know while one task goes on.
        """
        ran, before = self._ran, self._ran.get(cpu)
        if before is not None:
            self._publish(before, ("cpu", cpu))
        left = self._at.get(task, cpu)
        if left != cpu and ran.get(left) is task:
            self._publish(task, ("cpu", left))
            ran[left] = None
        ran[cpu] = task
        self._at[task] = cpu
        self._join(clock, ("cpu", cpu))

    def _hold(self, path: Any) -> None:
        self._path = path
        held = path.held
        if len(held) == 1:
            lock, _, shared = held[0]
            alone = self._alone.get(id(lock))
            if alone is None:
                alone = self._alone[id(lock)] = frozenset((id(lock),))
                self.names[id(lock)] = lock
            self._locks = alone
            self._exclusive = _NO_LOCKS if shared else alone
        elif held:
            self._locks = frozenset([id(lock) for lock, _, _ in held])
            self._exclusive = frozenset([id(lock) for lock, _, shared in held if not shared])
        else:
            self._locks = self._exclusive = _NO_LOCKS
        self.weakened = self._locks is not self._exclusive and any(
            shared and kinds_by_text().get(where) == ACQUIRE for _, where, shared in held
        )
        plain = self._plain.get(path.task) if self._plain else None
        if plain:
            self._locks = self._locks.difference(plain)
            self._exclusive = self._exclusive.difference(plain)

    def _give(self, task: Any, lock: int, loose: bool, shared: bool) -> None:
        """A lock is given up: who has it next comes after this, if a mutation does not say no.

        After one who had it ``shared`` only who has it alone.
        """
        plain = self._plain.get(task)
        if plain is not None and lock in plain:
            plain.remove(lock)
        if loose and self._lost[1]:
            clock = self._clocks[task]
            self._loose[task, lock] = clock[task]
            clock[task] += 1
        else:
            self._publish(task, (_READERS, lock) if shared else lock)

    def end(self) -> None:
        """See ``StepWatch.end``."""
        _active[0] = None
        acc, where = self._acc, self.where
        if self.seen:
            for key, (container, held) in self.seen.items():
                if container != held:
                    acc[key] = acc.get(key, 0) | WRITE
                    where.setdefault(key, None)
                    if len(container) > len(held):
                        self._set(self.names[key[0]], key)
            self.seen = {}
        if where:
            self._check(acc, where)
            self.where = {}
            for task in self._woken:  # who finds it comes after the whole step
                self._publish(self.task, task)
            self._woken.clear()
        self._unjoined = self._unpublished = None
        if acc or self.keep:
            self._acc = {}

    def aside(self, on: bool, of: Any = None, timed: bool = False) -> None:
        """See ``StepWatch.aside``: nothing there is a task's own access."""

    def made(self, obj: Any) -> None:
        """An object comes into being."""
        if not self.keep:
            return
        task = self.task if _active[0] is self else None
        self.names[id(obj)] = obj
        if task is None:
            self.labels[id(obj)] = (0, 0, len(self.labels))
        else:
            number = -1 - task.cpu if type(task) is Interrupts else _pid(task)
            self.labels[id(obj)] = (number, self._events[task], self._made)
            self._made += 1

    # -- the fields' ---------------------------------------------------------------------------

    def first(self, obj: Any, key: Key, value: Any, code: CodeType) -> None:
        """A field was read, for the first time in this step, or what it holds was."""
        if key not in self.where:
            self.where[key] = code
            self.names[key[0]] = obj
            acc = self._acc
            if key not in acc:
                acc[key] = READ
            # its memory is the task's alone now; wait_task_inactive()
            if (
                value == 1 and key[1] == "users" and type(obj) is MmStruct and key != self._unjoined
            ) or (value is False and key[1] == "on_rq"):
                self._join(self._clocks[self.task], key)
        if type(value) in _CONTAINERS and key not in self.seen:
            self.seen[key] = (value, value.copy())
            self._held.setdefault(self.task, {})[key] = value

    def _set(self, obj: Any, key: Key) -> None:
        """A field refers to something from now on: if it is for all to follow, that is published.

        Source: include/linux/rcupdate.h:rcu_assign_pointer().
        """
        if key[1] in _POINTERS and f"{type(obj).__name__}.{key[1]}" in PUBLISHED:
            self._woken.append(key)

    def write(self, obj: Any, field: str, value: Any, code: CodeType) -> None:
        """A field is about to be written. What a constructor sets nobody else has seen yet."""
        if code.co_name == "__init__":
            return
        key = (id(obj), field)
        if field == "on_rq" and type(obj) is TaskStruct:
            self._woken.append(obj if obj is not self.task else key)
        elif field == "users" and type(obj) is MmStruct:
            if key != self._unpublished:
                self._woken.append(key)
        elif value is not None:
            self._set(obj, key)
        self.names[key[0]] = obj
        self._acc[key] = self._acc.get(key, 0) | WRITE
        self.where[key] = code

    # -- the detector --------------------------------------------------------------------------

    def _check(self, acc: Footprint, where: dict[Key, CodeType | None]) -> None:
        """Compare what the step touched with the last accesses to it, and note it as such."""
        task = self.task
        clock = self._clocks[task]
        now, step = clock[task], self.step
        known, names = self._known, self.names
        for key, code in where.items():
            field = known.get(key)
            if field is None:
                field = known[key] = _Known(_rule_of(type(names[key[0]]), key[1]))
            rule = field.rule
            write = acc[key] & WRITE != 0
            if write and rule.looked_at:
                self._wrote(rule, key)
            if rule.last is not None:
                self._check_last(key, rule.last, code)
            if write and self.weakened:
                self._check_shared(key, "" if code is None else code.co_name, self._path.held)
            if rule.free:
                continue
            name = ""
            if code is not None:
                name = code.co_name
                if name[0] == "<":  # a comprehension is named after the function that it is in
                    name = code.co_qualname.partition(".<locals>")[0].rpartition(".")[2]
            if write and rule.owned:
                self._check_writer(
                    key, field, Access(task, now, _NO_LOCKS, step, name, True), clock
                )
            excused = rule.excused
            if excused is not None and (
                excused[0] is ALL
                or (
                    (name in excused[0] or (not write and name in excused[1]))
                    and not self._guarded(key)
                )
            ):
                if rule.published and not write:  # rcu_dereference()
                    self._join(clock, key)
                continue
            locks = self._locks
            if write and key[1] not in SHARED_WRITES:
                locks = self._exclusive
                if locks is not self._locks:
                    self._check_shared(key, name, self._path.held)
            last, readers = field.last, field.readers
            if write:
                own = last if last is not None and last.task is task else None
            else:
                own = readers.get(task)
            if own is None:
                own = Access(task, now, locks, step, name, write)
                if not write:
                    readers[task] = own
            else:  # nobody else keeps it
                own.clock, own.locks, own.step, own.where = now, locks, step, name
            if last is not None and last.task is not task and last.clock >= clock.get(last.task, 0):
                self._compare(key, last, own, clock)
            if write:
                if readers:
                    for other in readers.values():
                        if other.task is not task:
                            self._compare(key, other, own, clock)
                    readers.clear()
                field.last = own

    def _wrote(self, rule: _Rule, key: Key) -> None:
        """Let checks look at what was written."""
        number = key[0]
        if rule.state:
            self.moved[number] = self.names[number]
        elif rule.looked_at:
            self.written[number] = self.names[number]

    def _check_writer(self, key: Key, field: _Known, write: Access, clock: _Clock) -> None:
        """Hold a field of one writer to that; locks do not excuse a second one."""
        if field.writer is not None:
            self._compare(key, field.writer, write, clock)
        field.writer = write

    def _check_last(
        self, key: Key, last: tuple[Callable[[Any], Any], str], code: CodeType | None
    ) -> None:
        """Note a use of what several tasks use; who frees it comes after those of all others."""
        uses = self._uses.setdefault(key[0], {})
        task, obj = self.task, self.names[key[0]]
        used, frees = last
        name = "" if code is None else code.co_name
        if name == frees:
            clock = self._clocks[task]
            free = Access(task, clock[task], _NO_LOCKS, self.step, name, True)
            for use in uses.values():
                if use.task is not task and use.clock >= clock.get(use.task, 0):
                    self.races.append(DataRace(obj, key[1], use, free))
        elif type(task) is TaskStruct and used(task) is obj:
            uses[task] = Access(
                task, self._clocks[task][task], self._locks, self.step, name, self._acc[key] > READ
            )

    def _check_shared(self, key: Key, where: str, locks: Sequence[tuple[Lock, str, bool]]) -> None:
        """Note a write with the field's lock held, but for reading only."""
        of = type(self.names[key[0]]).__name__
        guard = guard_of(of, key[1])
        if not guard:
            return
        held = [(lock.name, shared) for lock, _, shared in locks]
        if {shared for name, shared in held if name.endswith(guard)} == {True}:
            lock = next(name for name, _ in held if name.endswith(guard))
            self.shared_writes.append(
                f"a reader writes: {of}.{key[1]} in {where or 'a path'}(), with {lock} held for "
                "reading only"
            )

    def _guarded(self, key: Key) -> bool:
        """Tell whether the path at hand has taken what guards a field, or a mutation let it not.

        A function that may do without the lock and takes it all the same relies on it.
        """
        path = self._path
        if not path.held and not path.skipped:
            return False
        guard = guard_of(type(self.names[key[0]]).__name__, key[1])
        if not guard:
            return False
        return any(lock.name.endswith(guard) for lock, _, _ in path.held) or any(
            lock.name.endswith(guard) for lock in path.skipped
        )

    def _compare(self, key: Key, one: Access, two: Access, clock: _Clock) -> None:
        if one.task is two.task or one.clock < clock.get(one.task, 0):
            return
        both, loose = one.locks & two.locks, self._loose
        if both and not (
            loose and all(loose.get((one.task, lock), -1) >= one.clock for lock in both)
        ):
            return
        self.races.append(DataRace(self.names[key[0]], key[1], replace(one), replace(two)))

    def _publish(self, who: Any, obj: Any) -> None:
        """What ``who`` has done comes before what finds ``obj`` after this."""
        clock = self._clocks[who]
        clock[who] += 1
        released = self._released.get(obj)
        if released is None:
            self._released[obj] = dict(clock)
        else:
            for task, at in clock.items():
                if released.get(task, 0) < at:
                    released[task] = at

    def _join(self, clock: _Clock, obj: Any) -> None:
        released = self._released.get(obj)
        if released is not None:
            for task, at in released.items():
                if clock.get(task, 0) < at:
                    clock[task] = at


def _part_of(obj: Any, name: str) -> Key:
    """Return what an atomic operation is on: of an object of several, as its point is called.

    That an operation has an object says that it reads and writes it (``kernel.points``), so one
    comes after all those on it before.
    """
    if type(obj) is UserLock:
        return id(obj), "locked"
    return id(obj), name.rpartition(".")[2]


def _user(frame: FrameType) -> CodeType:
    """Return the code that uses a field: the first that is no mere hand of another."""
    code = frame.f_code
    while code.co_name in _HANDS and frame.f_back is not None:
        frame = frame.f_back
        code = frame.f_code
    return code


_current: list[Watch | None] = [None]  # the one that is told of new objects
_active: list[Watch | None] = [None]  # the one that is told of accesses, while a step is made


def _followed(cls: type, field: str, slot: Any) -> property:
    get: Callable[[Any], Any] = slot.__get__
    put: Callable[[Any, Any], None] = slot.__set__
    active, containers, frame = _active, _CONTAINERS, sys._getframe

    def quiet_read(self: Any) -> Any:
        value = get(self)
        watch = active[0]
        if watch is not None and watch.keep:
            key = (id(self), field)
            if key not in watch.where or (value.__class__ in containers and key not in watch.seen):
                watch.first(self, key, value, _user(frame(1)))
        return value

    def quiet_write(self: Any, value: Any) -> None:
        watch = active[0]
        if watch is not None and (watch.keep or watch.weakened):
            watch.write(self, field, value, _user(frame(1)))
        put(self, value)

    def read(self: Any) -> Any:
        value = get(self)
        watch = active[0]
        if watch is not None:
            key = (id(self), field)
            if key not in watch.where or (value.__class__ in containers and key not in watch.seen):
                watch.first(self, key, value, _user(frame(1)))
        return value

    def write(self: Any, value: Any) -> None:
        watch = active[0]
        if watch is not None:
            watch.write(self, field, value, _user(frame(1)))
        put(self, value)

    if _rule_of(cls, field).quiet:
        return property(quiet_read, quiet_write)
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
    """Let the fields of all watched structures tell of their use, until the block is left.

    Inside another such block they do already. Python's collector stands still meanwhile:
    ``run.run_once`` lets it go after some runs each.
    """
    if isinstance(TaskStruct.__dict__["state"], property):
        yield
        return
    collects = gc.isenabled()
    gc.disable()
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
        if collects:
            gc.enable()


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
