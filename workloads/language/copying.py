"""Copies of a context for fork, and its plain-data form for the wire and for checkpoints.

Both keep aliases: two variables that name one list do so in the copy. Neither recurses, so the
depth of nesting is no limit.

The plain form (``pack_contexts``) has one table of containers, ``objects``. A scalar stands for
itself; any other value is ``[tag, …]``: ``["r", n]`` is ``objects[n]``, each container being there
once. So are large texts and numbers, which many variables may name, and NaNs, which are equal to
nothing but themselves.

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
from threading import BrokenBarrierError
from typing import TYPE_CHECKING, Any

from workloads.language import tables
from workloads.language.bounded import ATOMIC
from workloads.language.enums import ENUMS
from workloads.language.memory import LARGE_INT, LARGE_TEXT
from workloads.language.sets import DUMMY, EMPTY, GuestSet, Layout
from workloads.language.values import (
    STACK_FRAME,
    UNBOUND,
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
    function_value,
)
from workloads.language.views import VIEWS, View

if TYPE_CHECKING:
    from workloads.language.frames import Context, Process

#: Types whose instances may be shared by a parent and its forked child.
PLAIN = ATOMIC | {
    Function,
    Builtin,
    TypeValue,
    LockHandle,
    ThreadHandle,
    ShmHandle,
    StackFrame,
    Unbound,
    os.sched_param,
    os.stat_result,
    os.times_result,
    os.waitid_result,
    time.struct_time,
    type(sys.version_info),
    struct_rusage,
    struct_siginfo,
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
    """Return the record for a forked child, in which only thread ``survivor`` lives on.

    Signals that its parent has yet to handle are not the child's.
    """
    copy = process.__class__(process.program, process.path, process.env)
    copy.environ = None if process.environ is None else dict(process.environ)
    copy.c_environ = None if process.c_environ is None else dict(process.c_environ)
    copy.current = process.current
    copy.locks = process.locks
    copy.named = process.named
    copy.pristine = process.pristine
    copy.handlers = process.handlers
    copy.main = survivor
    copy.wakeup_fd = process.wakeup_fd
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
        if kind is list and PLAIN.issuperset(map(type, value)):
            new = self.memo[key] = value[:]
            self.keep.append(value)
            return new
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
        elif kind is GuestSet:
            new = GuestSet()
        elif kind is bytearray:
            return bytearray(value)
        elif kind is MmapHandle:
            return MmapHandle(value.address, value.length)
        elif kind is Closure:
            new = Closure(value.index, value.name, (), ())
        elif kind is Generator:
            new = Generator(value.index, value.name, value.pc, [])
        elif kind is BoundMethod:
            new = BoundMethod(None, value.name)
        elif kind is Partial:
            new = Partial(None, (), {})
        elif kind is SyncHandle:
            return SyncHandle(value.kind, self.copy(value.state))
        elif kind is FileHandle:
            return FileHandle(value.kind, self.copy(value.state))
        elif kind is SocketHandle:
            return SocketHandle(value.fd)
        elif kind is PollHandle:
            return PollHandle(dict(value.fds))
        elif isinstance(value, View):
            return kind(*[self.copy(part) for part in value.parts()])
        elif isinstance(value, BaseException):
            # OSError looks at its arguments when it is made, not in __init__
            new = kind.__new__(kind, *[self.copy(part) for part in exception_parts(value)[0]])
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

    def locals(self, values: list[Any]) -> list[Any]:
        """Return the copy of a frame's locals, which a generator that runs has, too."""
        new: list[Any] | None = self.memo.get(id(values))
        if new is None:
            new = self.memo[id(values)] = []
            self.keep.append(values)
            self.todo.append((values, new))
        return new

    def finish(self) -> None:
        """Fill every container that was met."""
        copy, todo, plain = self.copy, self.todo, PLAIN
        while todo:
            old, new = todo.pop()
            if type(old) is list:  # locals, too: most are plain, and there is no call for them
                new.extend([item if type(item) in plain else copy(item) for item in old])
            elif type(old) is dict:
                if PLAIN.issuperset(map(type, old)) and PLAIN.issuperset(map(type, old.values())):
                    new.update(old)
                    continue
                for key, item in old.items():
                    new[copy(key)] = copy(item)
            elif type(old) is GuestSet:
                if PLAIN.issuperset(map(type, old.members)):
                    new.members = dict.fromkeys(old.members, ...)
                else:
                    new.members = {copy(item): ... for item in old.members}
                new.stable = old.stable  # then its elements are their own copies
                new.layout = None if old.layout is None else old.layout.clone()
            elif type(old) is Closure:
                new.defaults = tuple([copy(item) for item in old.defaults])
                new.cells = tuple([copy(item) for item in old.cells])
            elif type(old) is Generator:
                new.locals = self.locals(old.locals)
            elif type(old) is BoundMethod:
                new.receiver = copy(old.receiver)
            elif type(old) is Partial:
                new.function = copy(old.function)
                new.args = tuple([copy(item) for item in old.args])
                new.words = {text: copy(item) for text, item in old.words.items()}
            else:
                exception_from(new, [copy(part) for part in exception_parts(old)])


#: Exceptions that can be in a guest variable, CPython's own ones beyond the language included.
EXCEPTION_TYPES: dict[str, type[BaseException]] = {
    **tables.EXCEPTIONS,
    **{
        kind.__name__: kind
        for kind in (
            AttributeError,
            NameError,
            UnboundLocalError,
            RecursionError,
            NotImplementedError,
            LookupError,
            ArithmeticError,
            FloatingPointError,
            UnicodeError,
            UnicodeDecodeError,
            UnicodeEncodeError,
            MemoryError,
            BufferError,
            ConnectionError,
            ConnectionResetError,
            ConnectionAbortedError,
            ConnectionRefusedError,
            BrokenBarrierError,
        )
    },
}


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
    copy, plain = copier.copy, PLAIN  # most values are plain: no call for them
    values = [v if type(v) in plain else copy(v) for v in context.globals[1:]]
    values.insert(0, None)
    frames = [
        frame.__class__(frame.code, frame.pc, copier.locals(frame.locals))
        for frame in context.frames
    ]
    process = context.globals[0]
    if process.pristine:  # then there are neither handlers nor threads
        process.shared = True
    else:
        process = copy_process(process, context.thread_index)
        process.handlers = {key: copy(handler) for key, handler in process.handlers.items()}
        for record in process.threads:
            record[:2] = copy(record[0]), copy(record[1])
    copier.finish()
    values[0] = process
    child = context.__class__(context.work, values, frames, context.thread_index)
    child.made, child.look_at = context.made, context.look_at
    return child


_LIMIT = 1 << 63
_STRUCTS: tuple[Any, ...] = (
    os.stat_result,
    os.times_result,
    os.waitid_result,
    struct_siginfo,
    struct_rusage,
    time.struct_time,
)


_AS_IT_IS = frozenset((type(None), bool))
_TEXTS = frozenset((str, bytes))


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
            if (kind := type(value)) in as_it_is or (kind in texts and len(value) <= LARGE_TEXT)
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
            return ["s", _STRUCTS.index(kind), *self.pack_all(parts)]
        if kind in _STRUCTS:
            return ["s", _STRUCTS.index(kind), *self.pack_all(value)]
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
            return ["q", value.index, value.name, value.pc, locals_row(self, value.locals)]
        if kind is Partial:
            parts = [pack(value.function), pack(value.args), *self.pack_all(value.words.values())]
            return ["P", list(value.words), *parts]
        if kind is BoundMethod:
            return ["B", value.name, pack(value.receiver)]
        if isinstance(value, View):
            return ["v", VIEWS.index(type(value)), *[pack(part) for part in value.parts()]]
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


def _layout(slots: list[int] | None, members: list[Any]) -> Layout | None:
    """Return the table that ``_slots`` described."""
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


_SEQUENCES = (list, tuple)


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
            from workloads.language.known_functions import named_type

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
            return _STRUCTS[row[1]](self.values(row[2:]))
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
                made = VIEWS[row[1]](*values)
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


def pack_contexts(contexts: "list[Context]") -> dict[str, Any]:
    """Return contexts of one address space (threads, vfork children) as plain data."""
    from workloads.language import randomcalls

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


def unpack_contexts(data: Any, program: Any) -> "list[Context]":
    """Return the contexts that ``pack_contexts`` described, sharing what they shared."""
    from workloads.language import randomcalls
    from workloads.language.frames import Context, Frame, Process

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
