"""Values that exist in a guest program besides CPython's own: functions and handles.

All are plain data: a handle names something the kernel (lock, mapping) or the run time
(thread record in ``Process``) resolves in the address space it is used in. None of them has an
attribute that guest code can reach; ``methods`` lists what may be called on each.
"""

from typing import Any

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

    def __repr__(self) -> str:
        if self.index < 0:
            return f"<built-in function {self.name}>"
        return f"<function {self.name} at {0x7F0000000000 + 160 * self.index:#x}>"


#: ``signal.default_int_handler``: the handler of SIGINT that CPython installs
DEFAULT_INT_HANDLER = Function(-1, "default_int_handler")


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
    """A ``threading.Thread``: an index into ``Process.threads``. Immutable."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index

    def __repr__(self) -> str:
        return f"<Thread(Thread-{self.index})>"


class MmapHandle:
    """A mapping at ``address`` of ``length`` bytes; closed when the address is 0. Mutable."""

    __slots__ = ("address", "length")

    def __init__(self, address: int, length: int) -> None:
        self.address = address
        self.length = length

    def __getitem__(self, key: Any) -> Any:
        # The compiler ends a block at every access it can foresee; this one it could not.
        raise FatalRunError("a mapping reached a place where the compiler did not expect one")

    __setitem__ = __getitem__

    def __repr__(self) -> str:
        return f"<mmap.mmap closed={self.address == 0}, length={self.length}>"


class ShmHandle:
    """An attached System V segment at ``address``, ``length`` bytes. Immutable: it may be gone."""

    __slots__ = ("address", "length")

    def __init__(self, address: int, length: int) -> None:
        self.address = address
        self.length = length

    def __getitem__(self, key: Any) -> Any:
        # The compiler ends a block at every access it can foresee; this one it could not.
        raise FatalRunError("a mapping reached a place where the compiler did not expect one")

    __setitem__ = __getitem__

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
