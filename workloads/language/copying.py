"""Copies of a context for fork, and its plain-data form for the wire and for checkpoints.

Both keep aliases: two variables that name one list do so in the copy. Neither recurses, so the
depth of nesting is no limit.

The plain form is ``{"image", "objects", "globals", "contexts"}``. A scalar stands for itself; any
other value is ``[tag, …]``: ``["r", n]`` is ``objects[n]``, each container appearing once there.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import os

from workloads.language.bounded import ATOMIC
from workloads.language.values import (
    UNBOUND,
    Function,
    LockHandle,
    MmapHandle,
    Rusage,
    ThreadHandle,
    Unbound,
)
from workloads.language.views import VIEWS, View

if TYPE_CHECKING:
    from workloads.language.frames import Context, Process

#: Types whose instances may be shared by a parent and its forked child.
PLAIN = ATOMIC | {
    Function,
    LockHandle,
    ThreadHandle,
    Rusage,
    Unbound,
    os.stat_result,
    os.times_result,
    os.waitid_result,
}


def is_plain(values: list[Any], first: int) -> bool:
    """Return whether ``values[first:]`` holds nothing that a fork has to copy."""
    plain = PLAIN
    for value in values[first:]:
        kind = type(value)
        if kind not in plain and not (kind is tuple and plain.issuperset(map(type, value))):
            return False
    return True


def copy_process(process: "Process", survivor: int) -> "Process":
    """Return the record for a forked child, in which only thread ``survivor`` lives on."""
    copy = process.__class__(process.program, process.path, process.env)
    copy.environ = None if process.environ is None else dict(process.environ)
    copy.c_environ = None if process.c_environ is None else dict(process.c_environ)
    copy.current = process.current
    copy.locks = process.locks
    copy.named = process.named
    for index, record in enumerate(process.threads):
        record = record[:]
        if index != survivor and record[4] > 0:
            record[4] = -1
        copy.threads.append(record)
    return copy


class Copier:
    """Deep copy with aliases, breadth first."""

    def __init__(self) -> None:
        self.memo: dict[int, Any] = {}
        self.todo: list[tuple[Any, Any]] = []
        self.keep: list[Any] = []

    def copy(self, value: Any) -> Any:
        """Return the copy of ``value``; containers are filled by ``finish``."""
        kind = type(value)
        if kind in PLAIN:
            return value
        key = id(value)
        if key in self.memo:
            return self.memo[key]
        if kind is tuple:
            if PLAIN.issuperset(map(type, value)):
                return value
            # a tuple's nesting is bounded (see ``bounded``), but not its depth
            return self._copy_tuple(value)
        new = self._empty(kind, value)
        self.memo[key] = new
        self.keep.append(value)
        return new

    def _empty(self, kind: type, value: Any) -> Any:
        new: Any
        if kind is list:
            new = []
        elif kind is dict:
            new = {}
        elif kind is set:
            new = set()
        elif kind is bytearray:
            return bytearray(value)
        elif kind is MmapHandle:
            return MmapHandle(value.address, value.length)
        elif isinstance(value, View):
            return kind(*[self.copy(part) for part in value.parts()])
        elif isinstance(value, BaseException):
            new = kind.__new__(kind, *value.args)
        else:
            raise TypeError(f"a {kind.__name__} in a guest program")
        self.todo.append((value, new))
        return new

    def _copy_tuple(self, value: tuple[Any, ...]) -> Any:
        stack = [value]
        while stack:
            top = stack[-1]
            missing = [
                item
                for item in top
                if type(item) is tuple
                and id(item) not in self.memo
                and not PLAIN.issuperset(map(type, item))
            ]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if id(top) not in self.memo:
                self.memo[id(top)] = tuple([self.copy(item) for item in top])
                self.keep.append(top)
        return self.memo[id(value)]

    def finish(self) -> None:
        """Fill every container that was met."""
        copy, todo = self.copy, self.todo
        while todo:
            old, new = todo.pop()
            if type(old) is list:
                new.extend([copy(item) for item in old])
            elif type(old) is dict:
                for key, item in old.items():
                    new[copy(key)] = copy(item)
            elif type(old) is set:
                new.update([copy(item) for item in old])
            else:
                exception_from(new, [copy(part) for part in exception_parts(old)])


def exception_parts(exception: BaseException) -> list[Any]:
    """Return what makes an exception besides its type."""
    args: tuple[Any, ...] = exception.args
    if isinstance(exception, OSError) and exception.filename is not None and len(args) == 2:
        args = (*args, exception.filename)
        if exception.filename2 is not None:
            args = (*args, None, exception.filename2)
    return [
        args,
        exception.__context__,
        exception.__cause__,
        exception.__suppress_context__,
        list(getattr(exception, "guest_entries", ())),
    ]


def exception_from(new: BaseException, parts: list[Any]) -> None:
    """Complete an exception made by ``__new__`` from its parts."""
    args, context, cause, suppress, entries = parts
    new.__init__(*args)  # type: ignore[misc]
    new.__context__ = context
    new.__cause__ = cause
    new.__suppress_context__ = suppress
    new.guest_entries = entries  # type: ignore[attr-defined]


def deep_fork(context: "Context") -> "Context":
    """Return a forked child's context, by a full copy of what it can reach."""
    copier = Copier()
    copy = copier.copy
    values = [None, *[copy(value) for value in context.globals[1:]]]
    frames = [
        frame.__class__(frame.code, frame.pc, [copy(value) for value in frame.locals])
        for frame in context.frames
    ]
    process = copy_process(context.globals[0], context.thread_index)
    for record in process.threads:
        record[1] = copy(record[1])
    copier.finish()
    values[0] = process
    return context.__class__(context.work, values, frames, context.thread_index)


_LIMIT = 1 << 63


class Packer:
    """Turns values into plain data; see the module header for the form."""

    def __init__(self) -> None:
        self.memo: dict[int, int] = {}
        self.objects: list[Any] = []
        self.todo: list[tuple[int, Any]] = []

    def pack(self, value: Any) -> Any:
        """Return the plain form of one value."""
        kind = type(value)
        if value is None or kind in (bool, float, str, bytes):
            return value
        if kind is int:
            return value if -_LIMIT <= value < _LIMIT else ["i", hex(value)]
        if kind is Unbound:
            return ["u"]
        if kind is range:
            return ["g", *[self.pack(part) for part in (value.start, value.stop, value.step)]]
        if kind is Function:
            return ["f", value.index, value.name]
        if kind is LockHandle:
            return ["k", value.number]
        if kind is ThreadHandle:
            return ["h", value.index]
        if kind is Rusage:
            return ["n", value.ru_utime, value.ru_stime]
        if kind in _STRUCTS:
            return ["s", _STRUCTS.index(kind), list(value)]
        number = self.memo.get(id(value))
        if number is None:
            number = self.memo[id(value)] = len(self.objects)
            self.objects.append(None)
            self.todo.append((number, value))
        return ["r", number]

    def finish(self) -> list[Any]:
        """Return the table of containers."""
        pack = self.pack
        while self.todo:
            number, value = self.todo.pop()
            kind = type(value)
            if kind is list or kind is tuple:
                row = ["l" if kind is list else "t", *[pack(item) for item in value]]
            elif kind is dict:
                row = ["d", *[pack(part) for pair in value.items() for part in pair]]
            elif kind is set:
                # the order of a set is the host's: sort, so that equal contexts pack alike
                row = ["e", *[pack(item) for item in sorted(value, key=_set_key)]]
            elif kind is bytearray:
                row = ["b", bytes(value)]
            elif kind is MmapHandle:
                row = ["m", value.address, value.length]
            elif isinstance(value, View):
                row = ["v", VIEWS.index(kind), *[pack(part) for part in value.parts()]]
            elif isinstance(value, BaseException):
                parts = exception_parts(value)
                parts[4] = [list(map(list, entry[1:])) for entry in ()] or [
                    [entry[0], *entry[1]] for entry in parts[4]
                ]
                row = ["x", kind.__name__, *[pack(part) for part in parts[:4]], parts[4]]
            else:
                raise TypeError(f"a {kind.__name__} in a guest program")
            self.objects[number] = row
        return self.objects


_STRUCTS: tuple[Callable[..., Any], ...] = (os.stat_result, os.times_result, os.waitid_result)


def _set_key(value: Any) -> tuple[str, str]:
    return type(value).__name__, repr(value)
