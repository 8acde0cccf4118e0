"""Values that exist in a guest program besides CPython's own: functions and handles.

All are plain data: a handle names something the kernel (lock, mapping) or the run time
(thread record in ``Process``) resolves in the address space it is used in. None of them has an
attribute that guest code can reach; ``methods`` lists what may be called on each.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from workloads.language.errors import FatalRunError


class Unbound:
    """The content of a variable that has no value yet (one instance, ``UNBOUND``)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<unbound>"


UNBOUND = Unbound()


class Function:
    """A guest function as a value; its defaults live in hidden globals. Immutable."""

    __slots__ = ("index", "name")

    def __init__(self, index: int, name: str) -> None:
        self.index = index
        self.name = name

    def __eq__(self, other: object) -> bool:
        return type(other) is Function and other.index == self.index and other.name == self.name

    def __hash__(self) -> int:
        return self.index

    def __repr__(self) -> str:
        if self.index < 0:
            return f"<built-in function {self.name}>"
        return f"<function {self.name} at {0x7F0000000000 + 160 * self.index:#x}>"


_FUNCTIONS: dict[tuple[int, str], Function] = {}


def function_value(index: int, name: str) -> Function:
    """Return the one ``Function`` of this index and name: ``is`` compares functions, too."""
    found = _FUNCTIONS.get((index, name))
    if found is None:
        found = _FUNCTIONS[index, name] = Function(index, name)
    return found


class Closure:
    """A function made while the program runs: its code, defaults and cells. Mutable inside.

    Deviation: the address in its text is that of its code, the same for every one made of it.
    """

    __slots__ = ("cells", "defaults", "index", "name")

    def __init__(
        self, index: int, name: str, defaults: tuple[Any, ...], cells: tuple[Any, ...]
    ) -> None:
        self.index = index
        self.name = name  # the qualified one
        self.defaults = defaults
        self.cells = cells

    def __repr__(self) -> str:
        return f"<function {self.name} at {0x7F0000000000 + 160 * self.index:#x}>"


class Builtin:
    """A function of a module, or a builtin (module "builtins"), as a value. Immutable."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def __eq__(self, other: object) -> bool:
        return type(other) is Builtin and other.name == self.name and other.module == self.module

    def __hash__(self) -> int:
        return sum(self.name.encode())

    @property
    def qualname(self) -> str:
        """The name in CPython's messages about C functions."""
        module = {"builtins": "", "os": "posix.", "_thread": "_thread."}.get(self.module)
        return (f"{self.module}." if module is None else module) + self.name

    def __repr__(self) -> str:
        return f"<built-in function {self.name}>"


class TypeValue:
    """A type or an exception class as a value; ``kind`` is None where nothing can be made of it.

    Immutable.
    """

    __slots__ = ("kind", "name")

    def __init__(self, name: str, kind: type | None) -> None:
        self.name = name
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        return type(other) is TypeValue and other.name == self.name

    def __hash__(self) -> int:
        return sum(self.name.encode())

    def __repr__(self) -> str:
        return f"<class '{self.name}'>"


class BoundMethod:
    """A method of a value, as a value. Mutable inside."""

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Any, name: str) -> None:
        self.receiver = receiver
        self.name = name

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is BoundMethod
            and other.name == self.name
            and other.receiver is self.receiver
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise FatalRunError("a method as a value has no text in the guest language")


class Partial:
    """A function with some arguments given already. Mutable inside."""

    __slots__ = ("args", "function", "words")

    def __init__(self, function: Any, args: tuple[Any, ...], words: dict[str, Any]) -> None:
        self.function = function
        self.args = args
        self.words = words

    def __repr__(self) -> str:
        raise FatalRunError("a partial function has no text in the guest language")


#: The types of values that can be called.
CALLABLE = (Function, Closure, Builtin, TypeValue, BoundMethod, Partial)


def function_name(value: Any) -> str:
    """Return ``value.__name__``."""
    if type(value) is Partial:
        raise AttributeError("'functools.partial' object has no attribute '__name__'")
    return str(value.name).rpartition(".")[2]


class Generator:
    """A suspended (or running, or finished) call of a generator function. Mutable.

    Attributes:
        index: of its code.
        pc: the block to go on with; RUNNING while its frame is on a stack, ENDED.
        locals: of its frame.
        sent: what the next item is asked for with: (False, value) of send(), (True, exception) of
            throw(); None otherwise.
        result: what it returned, until somebody has asked for it.
    """

    __slots__ = ("index", "locals", "name", "pc", "result", "sent")

    def __init__(self, index: int, name: str, pc: int, values: list[Any]) -> None:
        self.index = index
        self.name = name
        self.pc = pc
        self.locals = values
        self.sent: tuple[bool, Any] | None = None
        self.result: Any = None

    def __repr__(self) -> str:
        raise FatalRunError("an iterator has no text in the guest language; write list(...)")


#: Iterators: the types of values that give their items one by one, each with the function
#: ``(G, value)`` that returns the op for the next: it gives ``(item,)``, or None at the end.
PULLERS: dict[type, Callable[[list[Any], Any], Any]] = {}

RUNNING, ENDED = -1, -2  # ``Generator.pc``


#: ``signal.default_int_handler``: the handler of SIGINT that CPython installs
DEFAULT_INT_HANDLER = function_value(-1, "default_int_handler")


class StackFrame:
    """What a signal handler gets as its second argument; nothing can be done with it."""

    __slots__ = ()

    def __repr__(self) -> str:
        raise FatalRunError("the frame a signal handler gets has no text in the guest language")


STACK_FRAME = StackFrame()


class LockHandle:
    """A ``threading.Lock``: the kernel keeps its state under this number. Immutable."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return type(other) is LockHandle and other.number == self.number

    def __hash__(self) -> int:
        return hash(self.number)

    def __repr__(self) -> str:
        return f"<_thread.lock object at {0x7F1000000000 + 64 * self.number:#x}>"


class SyncHandle:
    """A ``threading.RLock``, ``Condition``, …: its ``kind`` and ``state``. Mutable.

    See ``workloads.language.sync``.
    """

    __slots__ = ("kind", "state")

    def __init__(self, kind: str, state: list[Any]) -> None:
        self.kind = kind
        self.state = state

    def __repr__(self) -> str:
        raise FatalRunError(f"a threading.{self.kind} has no text in the guest language")


class ThreadHandle:
    """A ``threading.Thread``: an index into ``Process.threads``; -1 is the first thread. Immutable.

    There is one per index, so ``is`` tells threads apart.
    """

    __slots__ = ("index",)
    _made: ClassVar[dict[int, "ThreadHandle"]] = {}
    index: int

    def __new__(cls, index: int) -> "ThreadHandle":
        found = cls._made.get(index)
        if found is None:
            found = cls._made[index] = super().__new__(cls)
            found.index = index
        return found

    def __eq__(self, other: object) -> bool:
        return type(other) is ThreadHandle and other.index == self.index

    def __hash__(self) -> int:
        return self.index

    def __repr__(self) -> str:
        raise FatalRunError("a thread has no text in the guest language; print its name")


class _Mapping:
    __slots__ = ("address", "length")

    def __init__(self, address: int, length: int) -> None:
        self.address = address
        self.length = length

    def __getitem__(self, key: Any) -> Any:
        # The compiler ends a block at every access it can foresee; this one it could not.
        raise FatalRunError("a mapping reached a place where the compiler did not expect one")

    __setitem__ = __getitem__


class MmapHandle(_Mapping):
    """A mapping at ``address`` of ``length`` bytes; closed when the address is 0. Mutable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<mmap.mmap closed={self.address == 0}, length={self.length}>"


class ShmHandle(_Mapping):
    """An attached System V segment at ``address``, ``length`` bytes. Immutable: it may be gone."""

    __slots__ = ()

    def __repr__(self) -> str:
        raise FatalRunError("an attached segment has no text in the guest language")


#: What an index into memory may be applied to.
MAPPINGS = (MmapHandle, ShmHandle)


class SocketHandle:
    """One end of a socket pair: its descriptor, -1 once it is closed. Mutable."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __repr__(self) -> str:
        raise FatalRunError("a socket has no text in the guest language; print its fileno()")


class PollHandle:
    """A ``select.poll`` object: events by descriptor, in the order registered. Mutable."""

    __slots__ = ("fds",)

    def __init__(self, fds: dict[int, int]) -> None:
        self.fds = fds

    def __repr__(self) -> str:
        raise FatalRunError("a poll object has no text in the guest language")


class FileHandle:
    """A file object: ``kind`` is CPython's class, ``state`` is what ``streams`` keeps of it."""

    __slots__ = ("kind", "state")

    def __init__(self, kind: str, state: dict[str, Any]) -> None:
        self.kind = kind
        self.state = state

    @property
    def raw(self) -> dict[str, Any]:
        """The state of the FileIO at the bottom."""
        state = self.state
        while state["kind"] != "FileIO":
            if state["kind"] == "Popen":
                state = state["stream"].state
            else:
                state = state["raw"] if "raw" in state else state["b"]
        return state

    @property
    def fd(self) -> int:
        """The descriptor; -1 once it is closed."""
        fd: int = self.raw["fd"]
        return fd

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self.fd < 0

    def __repr__(self) -> str:
        raw = self.raw
        text = f"<_io.{self.kind} name={raw['name']!r}"
        if self.kind == "TextIOWrapper":
            return f"{text} mode={self.state['mode']!r} encoding={self.state['encoding']!r}>"
        if self.kind == "FileIO":
            if raw["fd"] < 0:
                return "<_io.FileIO [closed]>"
            return f"{text} mode={raw['mode']!r} closefd={raw['closefd']!r}>"
        return text + ">"


#: What CPython calls these types: its messages come from the host's own, made of ``__name__``.
TYPE_NAMES: Final[dict[type, str]] = {
    Function: "function",
    Closure: "function",
    Builtin: "builtin_function_or_method",
    BoundMethod: "builtin_function_or_method",
    TypeValue: "type",
    Partial: "functools.partial",
    Generator: "generator",
    Unbound: "NoneType",
    StackFrame: "frame",
    LockHandle: "_thread.lock",
    ThreadHandle: "Thread",
    MmapHandle: "mmap.mmap",
    ShmHandle: "SharedMemory",
    SocketHandle: "socket",
    PollHandle: "select.poll",
}
for _kind, _name in TYPE_NAMES.items():
    _kind.__name__ = _name
