"""Watches reads and writes of shared structures while paths take their steps.

Only the pure core can be watched: the two hooks are put on the classes for the time of a run.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kernel.drive.interleave import StepDriver
from kernel.fs.file import FilesStruct
from kernel.fs.fs_struct import FsStruct
from kernel.mm.mm_types import MmStruct
from kernel.points import ACQUIRE, BARRIER, LOAD, POINT, READ, READ_BARRIER, RELEASE, UPDATE
from kernel.smp.completion import Completion
from kernel.task import SighandStruct, SignalStruct, TaskStruct

WATCHED = (
    TaskStruct, SignalStruct, SighandStruct, MmStruct, FilesStruct, FsStruct, Completion,
)  # fmt: skip

Clock = dict[Any, int]  # task -> how far it has come


class Access:
    """One access to a field: by whom, in which step, with which locks."""

    __slots__ = ("alone", "clock", "locks", "step", "task", "where", "write")

    def __init__(self, watch: "Watch", write: bool, where: str) -> None:
        self.task = watch.task
        self.clock = watch.clocks[watch.task].get(watch.task, 0)
        self.locks = watch.exclusive if write else watch.locks
        self.step = watch.step
        self.alone = watch.alone  # its step has a point of its own in front of it
        self.where = where
        self.write = write


class Watch:
    """The races of one run: accesses that neither a lock nor an order of events keeps apart.

    An order comes from locks, from points about one object (a LOAD after a STORE) and from whoever
    wakes or starts a task. What it does not order, and no lock that both hold, is a race.

    Source: Pozniansky and Schuster, Efficient on-the-fly data race detection (2003): locksets and
    happens-before together; KRACE uses the same for kernels.
    """

    def __init__(self) -> None:
        self.clocks: dict[Any, Clock] = {}
        self.task: Any = None
        self.step = 0
        self.alone = False
        self.locks: frozenset[int] = frozenset()
        self.exclusive: frozenset[int] = frozenset()
        self.racy: dict[int, list[tuple[tuple[int, str], str, str, bool]]] = {}  # by step
        self._released: dict[int, Clock] = {}
        self._writes: dict[tuple[int, str], Access] = {}
        self._reads: dict[tuple[int, str], dict[Any, Access]] = {}
        self._kept: list[Any] = []  # so that no id comes again

    def begin(self, path: Any) -> None:
        """A path's code runs, after its operation was carried out."""
        name, kind, obj = path.op
        self.step += 1
        self.task = path.task
        clock = self.clocks.setdefault(path.task, {})
        clock.setdefault(path.task, 1)
        if name == "enter":  # somebody has woken or started it
            self._join(clock, path.task)
        if LOAD <= kind < READ_BARRIER:  # (object, field)
            obj = obj[0]
        if obj is not None:
            self._kept.append(obj)
        if kind != RELEASE:
            self._join(clock, obj)
        if kind not in (ACQUIRE, READ, POINT):
            self._publish(clock, obj)
        self.alone = kind in (ACQUIRE, READ, POINT, BARRIER, UPDATE)
        self.locks = frozenset(id(lock) for lock, _, _ in path.held)
        self.exclusive = frozenset(id(lock) for lock, _, shared in path.held if not shared)

    def end(self) -> None:
        """It stands at its next point."""
        self.task = None

    def note(self, obj: Any, field: str, write: bool, code: Any) -> None:
        """An access, by the code object it is in."""
        if self.task is None or code.co_filename.endswith("story.py"):
            return
        if field == "on_rq" and write and obj is not self.task:
            self._publish(self.clocks[self.task], obj)
        key = (id(obj), field)
        access = Access(self, write, code.co_name)
        before = self._writes.get(key)
        if before is not None:
            self._compare(key, type(obj).__name__, before, access)
        reads = self._reads.setdefault(key, {})
        if write:
            for other in reads.values():
                self._compare(key, type(obj).__name__, other, access)
            reads.clear()
            self._kept.append(obj)
            self._writes[key] = access
        else:
            reads[self.task] = access

    def _compare(self, key: tuple[int, str], name: str, one: Access, two: Access) -> None:
        if one.task is two.task or one.clock <= self.clocks[two.task].get(one.task, 0) - 1:
            return
        if one.locks & two.locks:
            return
        for access in (one, two):
            self.racy.setdefault(access.step, []).append((key, name, access.where, access.alone))

    def _publish(self, clock: Clock, obj: Any) -> None:
        """What the current task has done comes before what finds ``obj`` after this."""
        released = self._released.setdefault(id(obj), {})
        for task, at in clock.items():
            if released.get(task, 0) < at:
                released[task] = at
        clock[self.task] = clock.get(self.task, 0) + 1

    def _join(self, clock: Clock, obj: Any) -> None:
        for task, at in self._released.get(id(obj), {}).items():
            if clock.get(task, 0) < at + 1:
                clock[task] = at + 1

    def silent(self) -> set[tuple[str, str]]:
        """Return ``(field, function)`` of racing accesses that no other path can come before.

        Of those of one step only the first has a point in front of it, and not even that one if
        the step began with an access of its own, or gave up a lock.
        """
        found = set()
        for accesses in self.racy.values():
            first = accesses[0][0]
            for key, name, where, alone in accesses:
                if key != first or not alone:
                    found.add((f"{name}.{key[1]}", where))
        return found


@contextmanager
def watching() -> Iterator[Watch]:
    """Note every access to an attribute of the watched classes in steps of paths."""
    watch = Watch()
    get, put = object.__getattribute__, object.__setattr__
    run_on = StepDriver._advance

    def read(self: Any, name: str) -> Any:
        if name[0] != "_":
            watch.note(self, name, False, sys._getframe(1).f_code)
        return get(self, name)

    def write(self: Any, name: str, value: Any) -> None:
        watch.note(self, name, True, sys._getframe(1).f_code)
        put(self, name, value)

    def advance(self: Any, path: Any, answer: Any) -> Any:
        watch.begin(path)
        try:
            return run_on(self, path, answer)
        finally:
            watch.end()

    for each in WATCHED:
        each.__getattribute__, each.__setattr__ = read, write  # type: ignore[method-assign,assignment]
    StepDriver._advance = advance  # type: ignore[method-assign]
    try:
        yield watch
    finally:
        StepDriver._advance = run_on  # type: ignore[method-assign]
        for each in WATCHED:
            del each.__getattribute__, each.__setattr__
