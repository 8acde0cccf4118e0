"""Copies of a context for fork.

They keep aliases: two variables that name one list do so in the copy. Copying does not recurse, so
the depth of nesting is no limit.
"""

import os
import sys
import time
from functools import lru_cache
from resource import struct_rusage
from signal import struct_siginfo
from typing import TYPE_CHECKING, Any

from workloads.language.bounded import ATOMIC
from workloads.language.exception_values import exception_from, exception_parts
from workloads.language.frames import Frame
from workloads.language.sets import GuestSet
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

_all_plain = PLAIN.issuperset


@lru_cache(maxsize=512)
def _places(kinds: tuple[type, ...], unchanging: tuple[int, ...]) -> tuple[int, ...]:
    """Return where among values of these types, the first one aside, a fork may have to copy.

    A program forks at few places, with the same types there time after time: this remembers them.
    """
    places = [place for place, kind in enumerate(kinds) if place and kind not in PLAIN]
    return tuple([place for place in places if place not in unchanging])


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
        memo, key = self.memo, id(value)
        if key in memo:
            return memo[key]
        # one that holds plain values only, as most do, is whole at once
        if kind is dict:
            whole = _all_plain(map(type, value)) and _all_plain(map(type, value.values()))
        elif kind is GuestSet:
            whole = _all_plain(map(type, value.members))
        else:
            whole = kind is list and _all_plain(map(type, value))
        if whole:
            self.keep.append(value)
            new = memo[key] = value.clone() if kind is GuestSet else value.copy()
            return new
        if kind is tuple:
            if PLAIN.issuperset(map(type, value)):
                return value
            # a tuple's nesting is bounded (see ``bounded``), but not its depth
            return self._copy_tuple(value)
        new = self._empty(kind, value)
        memo[key] = new
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
                for key, item in old.items():
                    new[copy(key)] = copy(item)
            elif type(old) is GuestSet:
                new.members = {copy(item): ... for item in old.members}
                new.stable = old.stable  # then its elements are their own copies
                new.layout = None if old.layout is None else old.layout.clone()
            elif type(old) is Closure:
                new.defaults = tuple([copy(item) for item in old.defaults])
                new.cells = tuple([copy(item) for item in old.cells])
            elif type(old) is Generator:
                new.locals = self.locals(old.locals)
                new.result, new.sent = copy(old.result), copy(old.sent)
            elif type(old) is BoundMethod:
                new.receiver = copy(old.receiver)
            elif type(old) is Partial:
                new.function = copy(old.function)
                new.args = tuple([copy(item) for item in old.args])
                new.words = {text: copy(item) for text, item in old.words.items()}
            else:
                exception_from(new, [copy(part) for part in exception_parts(old)])


def fork(context: "Context") -> "Context":
    """Return a forked child's context: this thread's frames, and a copy of all it can reach.

    Globals and locals are copied as one list, then what they hold where it is not plain.
    """
    parents, frames = context.globals, context.frames
    values = parents[:]
    for frame in frames:
        values += frame.locals
    copier = None
    process = parents[0]
    for place in _places(tuple(map(type, values)), process.program.unchanging):
        value = values[place]
        if type(value) is tuple and _all_plain(map(type, value)):
            continue
        if copier is None:
            copier = Copier()
        values[place] = copier.copy(value)
    end = len(parents)
    copies = []
    for frame in frames:
        start = end
        end += len(frame.locals)
        copies.append(Frame(frame.code, frame.pc, values[start:end]))
    del values[len(parents) :]
    if process.pristine:  # then there are neither handlers nor threads
        process.shared = True
    else:
        if copier is None:
            copier = Copier()
        process = values[0] = process.copied(context.thread_index)
        process.handlers = {key: copier.copy(one) for key, one in process.handlers.items()}
        for record in process.threads:
            record[:2] = copier.copy(record[0]), copier.copy(record[1])
    if copier is not None and copier.todo:
        for old, new in zip(frames, copies, strict=True):
            copier.memo[id(old.locals)] = new.locals  # a generator that runs has them, too
        copier.finish()
    child = context.__class__(context.work, values, copies, context.thread_index)
    child.made, child.look_at = context.made, context.look_at
    return child
