"""A watch for explorers: all that a step may bring about is in its footprint.

Beside what ``cluster.race.watch`` follows that is the fields of ``explored.FOLLOWED``, bytes that
programs share, stores that a barrier lets be seen, and what the kernel does before the next step:
a request that comes in, a CPU that takes a task from another.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from cluster.race.dpor import PUT
from cluster.race.explored import FOLLOWED, PRIVATE
from cluster.race.loads import by_cpu
from cluster.race.pids import by_number
from cluster.race.watch import (
    _CONTAINERS,
    READ,
    WRITE,
    Key,
    Watch,
    _active,
    _told,
    following,
)
from kernel.drive.memory import DRAIN, Cell
from kernel.mm.frames import Frames
from kernel.points import LOAD, LOAD_ACQUIRE, POINT, READ_BARRIER, UPDATE

if TYPE_CHECKING:
    from kernel.drive.active_path import ActivePath
    from kernel.drive.memory import Drain


class KeepingWatch(Watch):
    """See the module header; to be used inside ``following_all()``."""

    __slots__ = ("_aside", "_coming", "_driver", "_old", "_told")

    def __init__(self) -> None:
        super().__init__(keep=True)
        self._aside = False  # between two steps
        self._coming: dict[Any, dict[Key, int]] = {}  # task -> what its request has read
        self._told: frozenset[Key] = frozenset()  # what the point itself is about
        self._old: tuple[Cell, bytes] | None = None  # what a word held that this step updates
        self._driver = False  # the point is carried out, and the path has not gone on

    def begin(self, entry: "ActivePath | Drain") -> None:
        """See ``StepWatch.begin``."""
        super().begin(entry)
        kind = entry.op[1]
        if kind == POINT and entry.branch == 0:
            coming = self._coming.pop(self.task, None)
            if coming is not None:
                self._acc.update(coming)
        if kind == DRAIN or LOAD <= kind < READ_BARRIER:
            cell: Any = entry.op[2][0]  # type: ignore[index]
            if type(cell) is Cell:  # each access has its own: the words are meant
                del self._acc[id(cell), entry.op[2][1]]  # type: ignore[index]
                self.names[id(cell.page)] = cell.page
                mode = READ if kind in (LOAD, LOAD_ACQUIRE) else WRITE
                if kind == UPDATE:
                    self._old = cell, bytes(cell.page[cell.start : cell.start + cell.length])
                for word in range(cell.start >> 2, (cell.start + cell.length + 3) >> 2):
                    self._acc[id(cell.page), f"word {word}"] = mode
        # a barrier lets stores be seen; what the driver reads meanwhile is no access
        self._driver = _active[0] is not self
        self._told = frozenset(self._acc)
        _active[0] = self

    def go_on(self, path: "ActivePath") -> None:
        """See ``StepWatch.go_on``."""
        if self._driver:
            self._driver_is_done()
        super().go_on(path)

    def end(self) -> None:
        """See ``StepWatch.end``."""
        if self._driver:
            self._driver_is_done()
        if self._old is not None:
            self._unchanged(*self._old)
            self._old = None
        super().end()

    def _unchanged(self, cell: Cell, old: bytes) -> None:
        """An update that leaves a word as it was, as a cmpxchg() that fails, has only read it."""
        if cell.page[cell.start : cell.start + cell.length] == old:
            for word in range(cell.start >> 2, (cell.start + cell.length + 3) >> 2):
                self._acc[id(cell.page), f"word {word}"] = READ

    def _driver_is_done(self) -> None:
        """Keep of what the driver did what stores became visible; that it looked is no access."""
        acc, told = self._acc, self._told
        for key in [key for key, mode in acc.items() if mode == READ and key not in told]:
            del acc[key]
        self.where = {}
        self._driver = False

    def aside(self, on: bool, of: Any = None, timed: bool = False) -> None:
        """See ``StepWatch.aside``: it belongs to the last step.

        What is only read to let a request in belongs to the step with which its path begins. What a
        timer only looks at is no access: when it comes is a matter of virtual time.
        """
        if not self.steps:
            return
        if on:
            self._aside = True
            self._acc = {}
            _active[0] = self
            return
        _active[0] = None
        for key, (container, held) in self.seen.items():
            if container != held:
                self._acc[key] = WRITE
        self.seen = {}
        last = self.steps[-1].footprint
        reads = last if of is None else self._coming.setdefault(of, {})
        for key, mode in self._acc.items():
            if mode == READ and timed:
                continue
            into = reads if mode == READ else last
            into[key] = into.get(key, 0) | mode
        self.where = {}  # nobody looks for data races here
        for task in self._woken:
            self._publish(self.task, task)
        self._woken.clear()
        self._acc = {}
        self._aside = False

    def made(self, obj: Any) -> None:
        """See ``Watch.made``."""
        if self._aside:  # for whom is not known
            self.names[id(obj)] = obj
            self.labels.pop(id(obj), None)
        else:
            super().made(obj)

    def first(self, obj: Any, key: Key, value: Any, code: CodeType) -> None:
        """See ``Watch.first``."""
        if code.co_name not in _GIVES_BACK:
            super().first(obj, key, value, code)

    def write(self, obj: Any, field: str, value: Any, code: CodeType) -> None:
        """See ``Watch.write``."""
        if code.co_name not in _GIVES_BACK:
            super().write(obj, field, value, code)
            return
        self.written[id(obj)] = obj
        if field in _COUNTS:
            key = (id(obj), field)
            self.names[key[0]] = obj
            self._acc[key] = self._acc.get(key, 0) | PUT

    def also(self, obj: Any, key: Key, value: Any) -> None:
        """A field was read that only explorers follow."""
        acc = self._acc
        if key not in acc:
            self.names[key[0]] = obj
            acc[key] = READ
        if type(value) in _CONTAINERS and key not in self.seen:
            self.seen[key] = (value, value.copy())
            self._held.setdefault(self.task, {})[key] = value

    def also_write(self, obj: Any, field: str, code: CodeType) -> None:
        """Such a field is about to be written."""
        if code.co_name != "__init__":
            key = (id(obj), field)
            self.names[key[0]] = obj
            self._acc[key] = WRITE

    def bytes_used(self, page: bytearray, start: int, length: int, mode: int) -> None:
        """The kernel reads or writes memory of a program."""
        self.names[id(page)] = page
        acc = self._acc
        for word in range(start >> 2, (start + length + 3) >> 2):
            key = (id(page), f"word {word}")
            acc[key] = acc.get(key, 0) | mode


# Who gives a reference to a task or a place in the file system back, and clears with the last one
# what nobody can look at any more (that references are counted right is an invariant): which of two
# does is all the same.
_GIVES_BACK: Final = frozenset(("put_task_struct", "free_task", "put_fs_struct"))
_COUNTS: Final = frozenset(("usage", "users"))

_NO_PAGE: Final = bytearray()  # one that nobody has written yet


def _frames_read(self: Frames, frame: int, offset: int, length: int) -> bytes:
    """See ``Frames.read``."""
    watch = _active[0]
    if type(watch) is KeepingWatch:
        watch.bytes_used(self.content.get(frame, _NO_PAGE), offset, length, READ)
    return _read(self, frame, offset, length)


def _frames_write(self: Frames, frame: int, offset: int, data: bytes) -> None:
    """See ``Frames.write``."""
    watch = _active[0]
    if type(watch) is KeepingWatch:
        watch.bytes_used(self.page(frame), offset, len(data), WRITE)
    _write(self, frame, offset, data)


_read: Final = Frames.read
_write: Final = Frames.write


def _followed(field: str, slot: Any) -> property:
    get: Callable[[Any], Any] = slot.__get__
    put: Callable[[Any, Any], None] = slot.__set__

    def read(self: Any) -> Any:
        value = get(self)
        watch = _active[0]
        if type(watch) is KeepingWatch:
            watch.also(self, (id(self), field), value)
        return value

    def write(self: Any, value: Any) -> None:
        watch = _active[0]
        if type(watch) is KeepingWatch:
            watch.also_write(self, field, sys._getframe(1).f_code)
        put(self, value)

    return property(read, write)


@contextmanager
def following_all() -> Iterator[None]:
    """``watch.following()``, and the fields of ``explored.FOLLOWED`` tell of their use as well."""
    replaced: list[tuple[type, str, Any]] = [(Frames, "read", _read), (Frames, "write", _write)]
    with following(), by_cpu(), by_number():
        try:
            setattr(Frames, "read", _frames_read)  # noqa: B010
            setattr(Frames, "write", _frames_write)  # noqa: B010
            for cls in FOLLOWED:
                for field in cls.__dict__.get("__slots__", ()):
                    slot = cls.__dict__.get(field)
                    if slot is None or field in PRIVATE.get(cls, ()):
                        continue
                    replaced.append((cls, field, slot))
                    setattr(cls, field, _followed(field, slot))
                if "__init__" in cls.__dict__:
                    replaced.append((cls, "__init__", cls.__dict__["__init__"]))
                    setattr(cls, "__init__", _told(cls))  # noqa: B010
            yield
        finally:
            for cls, field, slot in reversed(replaced):
                setattr(cls, field, slot)
