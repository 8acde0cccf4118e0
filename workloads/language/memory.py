"""How much host memory a guest process holds, and what happens when that is too much.

``Context`` adds up what its blocks were charged, in ``weights.UNIT_BYTES``: never less than what
they made. When that could have reached the limit, everything the process can reach is weighed and
the count begins anew from there. A process over its limit gets a MemoryError where it makes its
next call or jumps back, as from malloc() under RLIMIT_AS; one that catches it and goes on growing
is killed, as by the OOM killer.

The sizes are CPython's on 64 bits, rounded; they do not depend on the host. What is shared counts
once, but small texts and numbers count as often as they are referred to, since a context that has
travelled to another host process does not share them any more.
"""

import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from workloads.language.sets import GuestSet
from workloads.language.thread_record import ARGS, FUNCTION
from workloads.language.values import (
    BoundMethod,
    Closure,
    FileHandle,
    Generator,
    Partial,
    PollHandle,
    SyncHandle,
)
from workloads.language.views import View
from workloads.language.weights import LEAST, SMALL, UNIT_BYTES, exception_values

if TYPE_CHECKING:
    from workloads.language.context import Context

#: Texts of more characters, and ints of more bits, are counted once and travel once.
LARGE_TEXT: Final = 1_000
LARGE_INT: Final = 8_000

#: Bytes that are made before a process is weighed again, at least.
_LEAST: Final = 4 << 20

_FREE: Final = frozenset({bool, type(None)})
_TEXTS: Final = frozenset({str, bytes})


def _atom(value: Any) -> int:
    kind = type(value)
    if kind is str:
        return 49 + (len(value) if value.isascii() else 4 * len(value))
    if kind is bytes:
        return 33 + len(value)
    if kind is int:
        return 28 if LEAST < value < SMALL else 28 + (value.bit_length() >> 3)
    return 0 if kind in _FREE else 24


def _is_large(value: Any) -> bool:
    """Return whether an atom counts (and travels) once, however often it is referred to."""
    if type(value) in _TEXTS:
        return len(value) > LARGE_TEXT
    return type(value) is int and not LEAST < value < SMALL and value.bit_length() > LARGE_INT


class _Scale:
    """Weighs values; ``seen`` keeps the identities of what has been counted."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.total = 0
        self.todo: list[Any] = []

    def add(self, values: Iterable[Any]) -> None:
        """Count values that something refers to, and what is inside them."""
        self._level(values)
        while self.todo:
            self._inside(self.todo.pop())

    def _level(self, values: Iterable[Any]) -> None:
        kinds = set(map(type, values))
        if kinds <= _FREE:
            return
        if kinds == {int} and min(values) > LEAST and max(values) < SMALL:
            self.total += 28 * len(values)  # type: ignore[arg-type]
            return
        for value in values:
            kind = type(value)
            if kind in _FREE:
                continue
            if kind is int or kind is float or kind in _TEXTS:
                if _is_large(value):
                    if id(value) in self.seen:
                        continue
                    self.seen.add(id(value))
                self.total += _atom(value)
            elif id(value) not in self.seen:
                self.seen.add(id(value))
                self.todo.append(value)

    def _inside(self, value: Any) -> None:
        kind = type(value)
        inner: Iterable[Any]
        if kind is list or kind is tuple:
            self.total += 56 + 8 * len(value)
            inner = value
        elif kind is dict:
            self.total += 64 + 100 * len(value)
            self._level(value.keys())
            inner = value.values()
        elif kind is GuestSet:
            slots = 0 if value.layout is None else len(value.layout.table)
            self.total += 300 + 100 * len(value) + 8 * slots
            inner = value.members.keys()
        elif kind is bytearray:
            self.total += 57 + len(value)
            return
        elif isinstance(value, BaseException):
            entries = value.__dict__.get("guest_entries", ())
            self.total += 300 + 100 * len(entries)
            inner = (*exception_values(value), value.__context__, value.__cause__)
        elif isinstance(value, View):
            self.total += 64
            inner = value.parts()
        elif kind is SyncHandle or kind is FileHandle:
            self.total += 64
            inner = value.state
        elif kind is Closure:
            self.total += 160
            inner = (*value.defaults, *value.cells)
        elif kind is Generator:
            self.total += 200
            inner = (*value.locals, value.result, value.sent)
        elif kind is BoundMethod:
            self.total += 64
            inner = (value.receiver,)
        elif kind is Partial:
            self.total += 64
            inner = (value.function, value.args, value.words)
        elif kind is PollHandle:
            self.total += 64 + 100 * len(value.fds)
            return
        else:
            self.total += 64
            return
        self._level(inner)


def held(context: "Context") -> int:
    """Return the bytes that a context's process holds, other threads' frames excepted."""
    scale = _Scale()
    process = context.globals[0]
    scale.add(context.globals[1:])
    for frame in context.frames:
        scale.total += 100
        scale.add(frame.locals)
    for record in process.threads:
        scale.total += 200
        scale.add([record[FUNCTION], record[ARGS]])
    scale.add(list(process.handlers.values()))
    return scale.total


def look(context: "Context", limit: int) -> int:
    """Weigh a process; set how much it may make until it is weighed again.

    Returns:
        Bytes over its limit, or 0.
    """
    context.work.uncollected += context.made
    if context.work.uncollected >= limit // UNIT_BYTES:
        context.work.uncollected = 0
        gc.collect()  # engines keep the collector out, and a guest can make cycles
    bytes_held = held(context)
    context.made = 0
    context.look_at = max(limit - bytes_held, limit // 16, _LEAST) // UNIT_BYTES
    return max(bytes_held - limit, 0)
