"""Contexts made again from the plain data that ``packing`` made of them."""

import os
import sys
from collections.abc import Iterable
from typing import Any, Final

from workloads.language import randomcalls
from workloads.language.context import Context
from workloads.language.dict_views import ALL_VIEWS
from workloads.language.enums import ENUMS
from workloads.language.exception_values import EXCEPTION_TYPES, exception_from
from workloads.language.frames import Frame, Process
from workloads.language.packing import STRUCTS
from workloads.language.sets import DUMMY, EMPTY, GuestSet, Layout
from workloads.language.type_values import named_type
from workloads.language.values import (
    STACK_FRAME,
    UNBOUND,
    BoundMethod,
    Builtin,
    Closure,
    FileHandle,
    Generator,
    LockHandle,
    MmapHandle,
    Partial,
    PollHandle,
    ShmHandle,
    SocketHandle,
    SyncHandle,
    ThreadHandle,
    function_value,
)

_SEQUENCES: Final = (list, tuple)


def _layout(slots: list[int] | None, members: list[Any]) -> Layout | None:
    """Return the table that ``packing`` described."""
    if slots is None:
        return None
    layout = Layout()
    layout.finger = slots[0]
    layout.table = [
        members[place] if place >= 0 else EMPTY if place == -1 else DUMMY for place in slots[1:]
    ]
    layout.fill = sum(place != -1 for place in slots[1:])
    layout.used = len(members)
    return layout


class Unpacker:
    """The inverse of ``Packer``."""

    def __init__(self, objects: list[Any], program: Any) -> None:
        self.program = program
        self.rows = objects
        self.generators: list[tuple[Generator, int]] = []
        self.made: list[Any] = [None] * len(objects)
        self.done = [False] * len(objects)
        self._make_all()

    def value(self, data: Any) -> Any:
        """Return the value of one plain form."""
        if type(data) is not list and type(data) is not tuple:
            return data
        tag = data[0]
        if tag == "r":
            return self.made[data[1]]
        if tag == "i":
            return int(data[1], 16)
        if tag == "u":
            return UNBOUND
        if tag == "z":
            return STACK_FRAME
        if tag == "C":
            return self.program.code(data[1])
        if tag == "f":
            return function_value(data[1], data[2])
        if tag == "E":
            return ENUMS[data[1]](data[2])
        if tag == "V":
            return sys.version_info
        if tag == "T":
            return named_type(data[1])
        raise ValueError(f"unknown tag {tag!r} in a packed context")

    def values(self, parts: Iterable[Any]) -> list[Any]:
        """Return the values of plain forms; no call for those that stand for themselves."""
        value = self.value
        return [part if type(part) not in _SEQUENCES else value(part) for part in parts]

    def _make_all(self) -> None:
        """Make mutable containers empty, then immutable ones inner first, then fill."""
        for number, row in enumerate(self.rows):
            empty = self._empty(row)
            if empty is not None:
                self.made[number] = empty
                self.done[number] = True
        for number in range(len(self.rows)):
            self._make_immutable(number)
        for number, row in enumerate(self.rows):
            self._fill(self.made[number], row)

    def _empty(self, row: Any) -> Any:
        tag = row[0]
        if tag == "c":
            return Closure(row[1], row[2], (), ())
        if tag == "q":
            made = Generator(row[1], row[2], row[3], [])
            self.generators.append((made, row[4]))
            return made
        if tag == "B":
            return BoundMethod(None, row[1])
        if tag == "P":
            return Partial(None, (), {})
        if tag == "l":
            return []
        if tag == "d":
            return {}
        if tag == "e":
            return GuestSet()
        if tag == "b":
            return bytearray(row[1])
        if tag == "=":
            return row[1]
        if tag == "i":
            return int(row[1], 16)
        if tag == "W":
            return Builtin(row[1], row[2])
        if tag == "g":
            return range(*[int(part, 16) for part in row[1:]])
        if tag == "k":
            return LockHandle(row[1])
        if tag == "h":
            return ThreadHandle(row[1])
        if tag == "a":
            return ShmHandle(row[1], row[2])
        if tag == "n":
            return os.sched_param(self.value(row[1]))
        if tag == "s":
            return STRUCTS[row[1]](self.values(row[2:]))
        if tag == "m":
            return MmapHandle(row[1], row[2])
        if tag == "o":
            return SocketHandle(row[1])
        if tag == "p":
            return PollHandle(dict(zip(row[1::2], row[2::2])))
        return None

    def _make_immutable(self, number: int) -> None:
        """Make a tuple, view or exception and the tuples inside it: these are never cyclic."""
        stack = [number]
        while stack:
            row = self.rows[stack[-1]]
            if self.done[stack[-1]]:
                stack.pop()
                continue
            inner = {"t": row[1:], "v": row[2:], "x": row[2:3], "y": row[2:], "w": row[2:]}[row[0]]
            missing = [
                part[1]
                for part in inner
                if isinstance(part, list | tuple) and part[0] == "r" and not self.done[part[1]]
            ]
            if missing:
                stack.extend(missing)
                continue
            values = [self.value(part) for part in inner]
            if row[0] == "t":
                made: Any = tuple(values)
            elif row[0] == "v":
                made = ALL_VIEWS[row[1]](*values)
            elif row[0] == "y":
                made = SyncHandle(row[1], values[0])
            elif row[0] == "w":
                made = FileHandle(row[1], values[0])
            else:
                kind = EXCEPTION_TYPES[row[1]]
                made = kind.__new__(kind, *values[0])
            self.made[stack[-1]] = made
            self.done[stack.pop()] = True

    def _fill(self, made: Any, row: Any) -> None:
        value = self.value
        tag = row[0]
        if tag == "l":
            made.extend(self.values(row[1:]))
        elif tag == "q":
            made.result, made.sent = value(row[5]), value(row[6])
        elif tag == "d":
            for i in range(1, len(row), 2):
                made[value(row[i])] = value(row[i + 1])
        elif tag == "c":
            parts = self.values(row[4:])
            made.defaults, made.cells = tuple(parts[: row[3]]), tuple(parts[row[3] :])
        elif tag == "B":
            made.receiver = value(row[2])
        elif tag == "P":
            made.function, made.args = value(row[2]), value(row[3])
            made.words = dict(zip(row[1], self.values(row[4:]), strict=True))
        elif tag == "e":
            members = self.values(row[3:])
            made.members = dict.fromkeys(members, ...)
            made.stable = row[1]
            made.layout = _layout(row[2], members)
        elif tag == "x":
            parts = [value(part) for part in row[2:6]]
            entries = [(entry[0], tuple(entry[1:])) for entry in row[6]]
            exception_from(made, [*parts, entries])


def unpack_contexts(data: Any, program: Any) -> "list[Context]":
    """Return the contexts that ``pack_contexts`` described, sharing what they shared."""

    unpacker = Unpacker(data["objects"], program)
    value = unpacker.value
    process = Process(program, data["path"], tuple([(key, text) for key, text in data["env"]]))
    process.environ = None if data["environ"] is None else dict(data["environ"])
    process.c_environ = None if data["c_environ"] is None else dict(data["c_environ"])
    process.locks = data["locks"]
    process.named = data["named"]
    process.pristine = False
    process.handlers = {key: value(handler) for key, handler in data["handlers"]}
    process.tripped = data["tripped"]
    process.attention = data["attention"]
    process.main = data["main"]
    process.wakeup_fd = data["wakeup_fd"]
    process.random = randomcalls.unpacked(data["random"])
    process.wakeups = tuple(data["wakeups"])
    process.threads = [
        [value(record[0]), value(record[1]), *record[2:]] for record in data["threads"]
    ]
    values = [process, *unpacker.values(data["globals"])]
    rows = [unpacker.values(row) for row in data["locals"]]
    for generator, row in unpacker.generators:
        generator.locals = rows[row]
    contexts = []
    for entry in data["contexts"]:
        frames = [Frame(program.code(index), pc, rows[row]) for index, pc, row in entry["frames"]]
        context = Context(program.runtime.work, values, frames, entry["thread"])
        context.made, context.look_at = entry["memory"]
        contexts.append(context)
    return contexts
