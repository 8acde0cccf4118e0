"""A litmus test as data: what the parser makes and every machine and the oracle run.

A *location* is a name of shared memory, a *register* one of a process. A value is an int, or the
name of a location, which stands for its address.

Expressions are nested tuples: ``("value", v)``, ``("register", name)``, ``(operator, a, b)`` and
``("!", a)``, ``("~", a)``, ``("-", a)``. They read no memory: a call or a dereference within one is
an instruction of its own before it, with a register whose name begins with ``$``.

Source: herd/splitter.mll, herd/CParser.mly and libdir/linux-kernel.def of herdtools7 for the
language; Documentation/herd-representation.txt of the kernel's memory model for the events.
"""

from dataclasses import dataclass, field
from typing import Any, Final

Value = int | str
Expression = tuple[Any, ...]

# How an access is ordered.
ONCE: Final = "once"
PLAIN: Final = "plain"
ACQUIRE: Final = "acquire"
RELEASE: Final = "release"
MB: Final = "mb"  # of an atomic read-modify-write: a full barrier on both sides if it succeeds
NORETURN: Final = "noreturn"
FAILED: Final = "failed"  # the read of an atomic read-modify-write that does not write

# The fences; RCU's markers are fences, too.
FENCES: Final = (
    "mb",
    "rmb",
    "wmb",
    "barrier",
    "before-atomic",
    "after-atomic",
    "after-spinlock",
    "after-unlock-lock",
    "after-srcu-read-unlock",
    "rcu-lock",
    "rcu-unlock",
    "sync-rcu",
)


@dataclass(slots=True)
class Load:
    """``register = *address``."""

    register: str
    address: Expression
    order: str


@dataclass(slots=True)
class Store:
    """``*address = value``."""

    address: Expression
    value: Expression
    order: str


@dataclass(slots=True)
class Rmw:
    """An atomic read-modify-write.

    ``operation``: ``xchg``, ``cmpxchg`` (operands: old, new), ``add_unless`` (operands: what is
    added, unless the value is this), or ``+ - & | ^ &~``. ``result``: what ``register`` gets:
    ``old``, ``new``, or ``done`` (1 if it was done); an empty register gets nothing.
    """

    register: str
    address: Expression
    operation: str
    operands: tuple[Expression, ...]
    order: str
    result: str


@dataclass(slots=True)
class Fence:
    """One of FENCES."""

    kind: str


@dataclass(slots=True)
class LockOp:
    """``operation``: ``lock``, ``unlock``, ``trylock`` or ``is_locked``; the last two answer."""

    operation: str
    address: Expression
    register: str = ""


@dataclass(slots=True)
class SrcuOp:
    """``operation``: ``lock`` (answers), ``unlock`` (with what lock answered) or ``sync``."""

    operation: str
    address: Expression
    register: str = ""
    value: Expression = ("value", 0)


@dataclass(slots=True)
class Set:
    """``register = expression``."""

    register: str
    expression: Expression


@dataclass(slots=True)
class If:
    """``if (condition) then else otherwise``."""

    condition: Expression
    then: "list[Instruction]"
    otherwise: "list[Instruction]"


Instruction = Load | Store | Rmw | Fence | LockOp | SrcuOp | Set | If


@dataclass(slots=True)
class Process:
    """``P0``, …: its program, and its registers' first values."""

    number: int
    parameters: tuple[str, ...]
    body: list[Instruction]
    registers: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Litmus:
    """One test. ``quantifier``: ``exists``, ``~exists``, ``forall`` or ``final``.

    ``condition`` and ``filter`` are formulas of ``workloads.litmus.condition``; a filter of None
    lets every execution through. ``result``: the first word of the ``Result:`` line of its
    comment, "" if there is none; ``racy``: that line speaks of a data race, too.
    """

    name: str
    initial: dict[str, Value]
    processes: list[Process]
    quantifier: str
    condition: Expression
    condition_text: str
    locations: list[tuple[int, str]]
    filter: Expression | None = None
    result: str = ""
    racy: bool = False
