"""The plain-data form of contexts, for the wire and for checkpoints; ``unpacking`` is its inverse.

It has one table of containers, ``objects``. A scalar stands for itself; any other value is
``[tag, …]``: ``["r", n]`` is ``objects[n]``, each container being there once. So are large texts
and numbers, which many variables may name, and NaNs, which are equal to nothing but themselves.
Aliases are kept; neither direction recurses, so the depth of nesting is no limit.

What travels is the same in every way a program can see, with one exception.

Deviation: ``is`` between two equal numbers, strings or bytes objects that one context holds may be
False after the context has moved to another host process.
"""

import os
import sys
import time
from collections.abc import Iterable
from resource import struct_rusage
from signal import struct_siginfo
from typing import TYPE_CHECKING, Any, Final

from workloads.language import randomcalls
from workloads.language.dict_views import ALL_VIEWS
from workloads.language.enums import ENUMS
from workloads.language.exception_values import exception_parts
from workloads.language.memory import LARGE_INT, LARGE_TEXT
from workloads.language.sets import DUMMY, EMPTY, GuestSet
from workloads.language.values import (
    BoundMethod,
    Builtin,
    Closure,
    FileHandle,
    Function,
    Generator,
    LockHandle,
    MmapHandle,
    Partial,
    PollHandle,
    ShmHandle,
    SocketHandle,
    StackFrame,
    SyncHandle,
    ThreadHandle,
    TypeValue,
    Unbound,
)
from workloads.language.views import View

if TYPE_CHECKING:
    from workloads.language.context import Context
    from workloads.language.frames import Process

_LIMIT: Final = 1 << 63
#: The named tuples that a program can hold, by the number they travel under.
STRUCTS: Final[tuple[Any, ...]] = (
    os.stat_result,
    os.times_result,
    os.waitid_result,
    struct_siginfo,
    struct_rusage,
    time.struct_time,
)
_AS_IT_IS: Final = frozenset((type(None), bool))
_TEXTS: Final = frozenset((str, bytes))


class Packer:
    """Turns values into plain data; see the module header for the form."""

    def __init__(self) -> None:
        self.memo: dict[int, int] = {}
        self.objects: list[Any] = []
        self.todo: list[tuple[int, Any]] = []
        self.keep: list[Any] = []  # an exception's parts are made to be packed: no id twice
        self.locals_memo: dict[int, int] = {}
        self.shared_locals: list[Any] = []

    def pack(self, value: Any) -> Any:
        """Return the plain form of one value."""
        kind = type(value)
        if kind in _AS_IT_IS:
            return value
        if kind in _TEXTS:
            return value if len(value) <= LARGE_TEXT else self._numbered(value)
        if kind is float:
            return value if value == value else self._numbered(value)
        if kind is Function:
            return ["f", value.index, value.name]
        if kind is int:
            if -_LIMIT <= value < _LIMIT:
                return value
            large = value.bit_length() > LARGE_INT
            return self._numbered(value) if large else ["i", hex(value)]
        if kind is Unbound:
            return ["u"]
        if kind.__name__ == "Code":  # in a frame of the libraries: what to call later
            return ["C", value.index]
        if kind is StackFrame:
            return ["z"]
        if kind in ENUMS:
            return ["E", ENUMS.index(kind), int(value)]
        if kind is type(sys.version_info):
            return ["V"]
        if kind is TypeValue:
            return ["T", value.name]
        return self._numbered(value)

    def _numbered(self, value: Any) -> list[Any]:
        """Return the plain form of what is in the table of objects."""
        number = self.memo.get(id(value))
        if number is None:
            number = self.memo[id(value)] = len(self.objects)
            self.objects.append(None)
            self.todo.append((number, value))
            self.keep.append(value)
        return ["r", number]

    def pack_all(self, values: Iterable[Any]) -> list[Any]:
        """Return the plain forms of ``values``; no call for those that stand for themselves."""
        pack, as_it_is, texts = self.pack, _AS_IT_IS, _TEXTS
        return [
            value
            if (kind := type(value)) in as_it_is
            or (kind is int and -_LIMIT <= value < _LIMIT)
            or (kind in texts and len(value) <= LARGE_TEXT)
            else pack(value)
            for value in values
        ]

    def finish(self) -> list[Any]:
        """Return the table of containers."""
        while self.todo:
            number, value = self.todo.pop()
            self.objects[number] = self._row(value)
        return self.objects

    def _row(self, value: Any) -> list[Any]:
        pack = self.pack
        kind = type(value)
        if kind is list or kind is tuple:
            return ["l" if kind is list else "t", *self.pack_all(value)]
        if kind is dict:
            return ["d", *self.pack_all([part for pair in value.items() for part in pair])]
        if kind is GuestSet:
            return ["e", value.stable, _slots(value), *self.pack_all(value.members)]
        if kind is bytearray:
            return ["b", bytes(value)]
        if kind in _TEXTS or kind is float:
            return ["=", value]
        if kind is Builtin:
            return ["W", value.module, value.name]
        if kind is range:
            return ["g", *[hex(part) for part in (value.start, value.stop, value.step)]]
        if kind is LockHandle:
            return ["k", value.number]
        if kind is ThreadHandle:
            return ["h", value.index]
        if kind is ShmHandle:
            return ["a", value.address, value.length]
        if kind is os.sched_param:
            return ["n", pack(value.sched_priority)]
        if kind is time.struct_time:
            parts = [*value, value.tm_zone, value.tm_gmtoff]
            return ["s", STRUCTS.index(kind), *self.pack_all(parts)]
        if kind in STRUCTS:
            return ["s", STRUCTS.index(kind), *self.pack_all(value)]
        if kind is int:
            return ["i", hex(value)]
        if kind is MmapHandle:
            return ["m", value.address, value.length]
        if kind is SyncHandle:
            return ["y", value.kind, pack(value.state)]
        if kind is FileHandle:
            return ["w", value.kind, pack(value.state)]
        if kind is SocketHandle:
            return ["o", value.fd]
        if kind is PollHandle:
            return ["p", *[part for pair in value.fds.items() for part in pair]]
        if kind is Closure:
            parts = [*self.pack_all(value.defaults), *self.pack_all(value.cells)]
            return ["c", value.index, value.name, len(value.defaults), *parts]
        if kind is Generator:
            place = locals_row(self, value.locals)
            rest = pack(value.result), pack(value.sent)
            return ["q", value.index, value.name, value.pc, place, *rest]
        if kind is Partial:
            parts = [pack(value.function), pack(value.args), *self.pack_all(value.words.values())]
            return ["P", list(value.words), *parts]
        if kind is BoundMethod:
            return ["B", value.name, pack(value.receiver)]
        if isinstance(value, View):
            return ["v", ALL_VIEWS.index(type(value)), *[pack(part) for part in value.parts()]]
        if isinstance(value, BaseException):
            parts = exception_parts(value)
            entries = [[name, *site] for name, site in parts[4]]
            return ["x", kind.__name__, *[pack(part) for part in parts[:4]], entries]
        raise TypeError(f"a {kind.__name__} in a guest program")


def _slots(value: GuestSet) -> list[int] | None:
    """Return a set's table: its finger, then the place of the element or -1, -2 (DUMMY) a slot."""
    layout = value.layout
    if layout is None:
        return None
    places = {key: place for place, key in enumerate(value.members)}
    slots = [-1 if k is EMPTY else -2 if k is DUMMY else places[k] for k in layout.table]
    return [layout.finger, *slots]


def pack_contexts(contexts: "list[Context]") -> dict[str, Any]:
    """Return contexts of one address space (threads, vfork children) as plain data."""

    first = contexts[0]
    packer = Packer()
    process: Process = first.globals[0]
    frames_of = [
        [[frame.code.index, frame.pc, locals_row(packer, frame.locals)] for frame in context.frames]
        for context in contexts
    ]
    values = packer.pack_all(first.globals[1:])
    threads = [
        [packer.pack(record[0]), packer.pack(record[1]), *record[2:]] for record in process.threads
    ]
    return {
        "image": process.program.key,
        "path": process.path,
        "env": [list(pair) for pair in process.env],
        "environ": _pairs(process.environ),
        "c_environ": _pairs(process.c_environ),
        "locks": process.locks,
        "named": process.named,
        "handlers": [[key, packer.pack(handler)] for key, handler in process.handlers.items()],
        "tripped": process.tripped,
        "attention": process.attention,
        "main": process.main,
        "wakeup_fd": process.wakeup_fd,
        "random": randomcalls.packed(process.random),
        "wakeups": list(process.wakeups),
        "threads": threads,
        "globals": values,
        "contexts": [
            {
                "thread": context.thread_index,
                "frames": frames,
                "memory": [context.made, context.look_at],
            }
            for context, frames in zip(contexts, frames_of, strict=True)
        ],
        "locals": packer.shared_locals,
        "objects": packer.finish(),
    }


def locals_row(packer: Packer, values: list[Any]) -> int:
    """Return the number of a frame's locals: a vfork child shares its parent's."""
    number = packer.locals_memo.get(id(values))
    if number is None:
        number = packer.locals_memo[id(values)] = len(packer.shared_locals)
        packer.shared_locals.append(packer.pack_all(values))
    return number


def _pairs(values: dict[str, str] | None) -> list[list[str]] | None:
    return None if values is None else [list(pair) for pair in values.items()]
