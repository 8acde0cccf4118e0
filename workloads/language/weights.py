"""What a block may spend, and how much a value weighs.

``Work.left`` is what the running block may still spend; the driver refills it for each block. One
unit is about one element, byte or machine word that an operation handles or makes: at most some
hundred nanoseconds, and at most ``UNIT_BYTES`` of memory.

Two things make every operation on values bounded. A tuple that holds tuples is weighed when it is
made (``new_tuple``), shared parts as often as they are reached, and refused if it is nested too
deep: so hashing any existing tuple is bounded. Whatever else walks nested values (comparison,
``repr``, sorting) weighs them first, and raises CPython's RecursionError at a depth of its own,
for the host's own limit depends on how deep the emulator's stack is.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from workloads.language.enums import ENUMS
from workloads.language.errors import BudgetExceededError, FatalRunError
from workloads.language.sets import GuestSet

ATOMIC: Final = frozenset({int, bool, float, str, bytes, type(None), range, *ENUMS})
SIZED: Final = frozenset({str, bytes, bytearray, list, tuple})
NESTED: Final[frozenset[type]] = frozenset({list, tuple, dict, GuestSet})
#: The types of dict views as values: ``dict_views`` puts them in.
LIVE: Final[set[type]] = set()
TEXTS: Final = frozenset({str, bytes, bytearray})
NUMBERS: Final[frozenset[Any]] = frozenset({int, float, bool})
_LIGHT: Final = frozenset({bool, float, type(None)})
_INTS: Final = frozenset({int})

#: Ints up to here are as cheap as can be.
SMALL: Final = 1 << 60
LEAST: Final = -SMALL  # a constant: negating a large int makes one
#: Characters that are compared in the time of one unit, as a power of two.
_TEXT_SHIFT: Final = 6

#: Memory that one unit of work can have made.
UNIT_BYTES: Final = 64

#: Bytes one process may hold.
DEFAULT_MEMORY: Final = 512 << 20

#: How deep lists, tuples, dicts and exceptions may be nested where they are compared or printed.
#: CPython 3.11 gives up at 1000 calls, those of the program included.
MAX_NESTING: Final = 990
#: How deep tuples may be nested at all: hash() follows them on the host's stack.
MAX_TUPLE_DEPTH: Final = 10_000
#: What the host's own limit must be, so that those above are reached first.
HOST_RECURSION: Final = 4_000


class Work:
    """The budget of the running block, and the loop turns it did natively (for ``steps``).

    Attributes:
        budget: units one block may spend.
        left: units it has left.
        low: what a native loop keeps for its next turn.
        int_bits: the largest int.
        memory: bytes one process may hold (see ``memory``).
        turns: native loop turns of this resume.
        uncollected: units made since the host's collector last looked for cycles.
        texts: of the units spent in this block, those for characters and bytes.
        order_seen: a set whose order CPython does not define was walked.
        frames: of the context that runs.
        print_later: print() leaves its arguments to a frame of its own; handlers run before it.
    """

    __slots__ = (
        "budget",
        "frames",
        "int_bits",
        "left",
        "low",
        "memory",
        "order_seen",
        "print_later",
        "texts",
        "turns",
        "uncollected",
    )

    def __init__(self, budget: int, memory: int = DEFAULT_MEMORY) -> None:
        self.budget = budget
        self.frames: list[Any] = []
        self.memory = memory
        self.left = budget
        self.low = budget // 2
        self.int_bits = max(budget // 8, 4096)
        self.turns = 0
        self.texts = 0
        self.uncollected = 0
        self.order_seen = False
        self.print_later = False

    def begin_run(self) -> None:
        """Be as new, for a run that follows another."""
        self.frames = []
        self.left = self.budget
        self.turns = self.texts = self.uncollected = 0
        self.order_seen = self.print_later = False

    def charge(self, units: int, what: str) -> None:
        """Spend ``units``; raise BudgetExceededError if the block has not that much left."""
        self.left -= units
        if self.left < 0:
            raise BudgetExceededError(f"{what} is beyond the block budget of {self.budget}")


class Weigher:
    """Charges for walking values."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.charge = work.charge

    def charge_made(self, value: Any, size: int, what: str) -> None:
        """Charge what an operation makes of ``value``: so many characters, bytes or elements."""
        if type(value) in TEXTS:
            self.work.texts += size
        self.charge(size, what)

    def charge_copied(self, value: Any, size: int, what: str) -> None:
        """Charge what an operation copies from ``value`` into one that is made.

        Texts are copied many bytes at a time: eight are a unit, but none is larger than a budget.
        """
        if type(value) in TEXTS:
            if size > self.work.budget:
                raise BudgetExceededError(
                    f"{what} is beyond the block budget of {self.work.budget}"
                )
            size >>= 3
        self.charge(size, what)

    # ---- numbers --------------------------------------------------------------------------

    def big(self, value: Any) -> Any:
        """Charge a number that has just been made, and refuse one that is too large."""
        if isinstance(value, int) and not LEAST < value < SMALL:
            self.fits(value.bit_length())
        return value

    def fits(self, bits: int) -> None:
        """Charge an int of so many bits before it is made."""
        if bits > self.work.int_bits:
            raise BudgetExceededError(
                f"an int of {bits} bits is beyond the limit of {self.work.int_bits}"
            )
        if bits > 60:
            self.charge(bits >> 6, "an operation with large numbers")

    # ---- values ---------------------------------------------------------------------------

    def weigh(self, value: Any) -> Any:
        """Charge what comparing ``value`` costs (a cycle counts once) and return it."""
        kind = type(value)
        if kind is int:
            if not LEAST < value < SMALL:
                self.charge(value.bit_length() >> 9, "a comparison")
        elif kind in TEXTS:
            if len(value) > 256:
                self.charge(len(value) >> _TEXT_SHIFT, "a comparison")
        elif kind in NESTED or kind in LIVE:
            self._walk(value, _TEXT_SHIFT, "in comparison")
        return value

    def size(self, value: Any) -> int:
        """Return what comparing one element with ``value`` costs at most."""
        kind = type(value)
        if kind is int:
            return 1 if LEAST < value < SMALL else 1 + (value.bit_length() >> 9)
        if kind in TEXTS:
            return 1 + (len(value) >> _TEXT_SHIFT)
        if kind in NESTED or kind in LIVE:
            before = self.work.left
            self._walk(value, _TEXT_SHIFT, "in comparison")
            return 1 + before - self.work.left
        return 1

    def heaviest(self, items: list[Any]) -> int:
        """Charge a list that is about to be sorted; return what one comparison costs at most."""
        before = self.work.left
        if items:
            self._leaves(items, _TEXT_SHIFT)
        if not ATOMIC.issuperset(map(type, items)):
            return 1 + max(self.size(item) for item in items)
        if self.work.left == before:
            return 1
        return max(self.size(item) for item in items)

    def _leaves(self, items: Any, shift: int) -> None:
        """Charge the texts and large numbers among the elements of a container."""
        kinds = set(map(type, items))
        if kinds <= _LIGHT:
            return
        if kinds <= TEXTS:
            size = sum(map(len, items)) >> shift
            self.work.texts += size
            self.charge(size, "a text")
        elif kinds == _INTS:
            if not min(items) > LEAST or not max(items) < SMALL:
                self.charge(sum([item.bit_length() >> 6 for item in items]), "large numbers")
        else:
            total = 0
            for item in items:
                if type(item) in TEXTS:
                    total += len(item)
                elif type(item) is int and not LEAST < item < SMALL:
                    total += item.bit_length()
            self.charge(total >> shift, "a text")

    def _walk(self, value: Any, shift: int, doing: str) -> None:
        """Charge a nested value as a tree; a cycle counts once.

        Args:
            value: a container or an exception.
            shift: 0: its texts are made again (printing), else they are read only.
            doing: what CPython's RecursionError says when it is nested too deep.
        """
        charge = self.charge
        path: list[int] = []  # identities of the containers being walked, to stop at cycles
        on_path: set[int] = set()
        stack: list[Iterator[Any]] = [iter((value,))]
        while stack:
            for item in stack[-1]:
                kind = type(item)
                inner: Iterable[Any]
                if kind in NESTED:
                    charge(len(item) + 1, "walking a nested value")
                    if not item or id(item) in on_path:
                        continue
                    if kind is dict:
                        inner = [part for pair in item.items() for part in pair]
                    elif kind is GuestSet:
                        inner = item.members
                        if not shift:
                            self.in_order(item)
                    else:
                        inner = item
                elif kind in LIVE:
                    charge(len(item) + 1, "walking a nested value")
                    if not item or id(item) in on_path:
                        continue
                    inner = list(item)
                elif not shift and isinstance(item, BaseException):
                    if id(item) in on_path:
                        continue
                    inner = exception_values(item)
                    charge(len(inner) + 1, "walking a nested value")
                else:
                    continue
                self._leaves(inner, shift)
                if ATOMIC.issuperset(map(type, inner)):
                    continue
                if len(path) >= MAX_NESTING:
                    raise RecursionError(f"maximum recursion depth exceeded {doing}")
                path.append(id(item))
                on_path.add(id(item))
                stack.append(iter(inner))
                break
            else:
                stack.pop()
                if path:
                    on_path.discard(path.pop())

    def new_tuple(self, value: tuple[Any, ...]) -> tuple[Any, ...]:
        """Admit a new tuple: see the module header."""
        if tuple in set(map(type, value)):
            self.charge(admit(value, self.work.budget), "a nested tuple")
        return value

    # ---- sets -----------------------------------------------------------------------------

    def in_order(self, value: GuestSet) -> GuestSet:
        """Return a set that is about to be walked in its order; charge what finding it costs."""
        if value.stable:
            if value.layout is None:
                self.charge(len(value), "the order of a set")
        elif len(value) > 1:
            self.work.order_seen = True
        return value

    def hashed(self, keys: Any) -> Any:
        """Charge the collisions that putting ``keys`` into one table at once can cost.

        Only large ints, and tuples of them, can be chosen to collide.
        """
        kinds = set(map(type, keys))
        if tuple not in kinds:
            if int not in kinds or type(keys) is range:
                return keys
            if kinds == _INTS and min(keys) > LEAST and max(keys) < SMALL:
                return keys
        first: dict[int, Any] = {}
        clashes = 0
        for key in keys:
            if type(key) is tuple or (type(key) is int and not LEAST < key < SMALL):
                try:
                    held = first.setdefault(hash(key), key)
                except TypeError:  # a tuple with a list in it: CPython's own error comes
                    return keys
                clashes += held != key
        self.charge(clashes * clashes >> 4, "a table of colliding hashes")
        return keys


def exception_values(exception: BaseException) -> tuple[Any, ...]:
    """Return what printing an exception prints."""
    if isinstance(exception, OSError):
        return *exception.args, exception.filename, exception.filename2
    return exception.args


#: What was found out about some tuples: (the tuple, parts as a tree, depth) by identity.
_weighed: dict[int, tuple[tuple[Any, ...], int, int]] = {}
_KEPT: Final = 256


def admit(value: tuple[Any, ...], most: int) -> int:
    """Weigh a tuple and the tuples in it as a tree; refuse one too large or nested too deep.

    Args:
        value: the tuple.
        most: parts it may have, shared ones counted as often as they are reached.

    Returns:
        How many parts were looked at: a tuple that was weighed not long ago is one.
    """
    looked = 0
    # (the tuple, what is left of it, parts so far, depth so far)
    stack: list[list[Any]] = [[value, iter(value), len(value), 1]]
    while True:
        top = stack[-1]
        for item in top[1]:
            if item.__class__ is not tuple:
                continue
            known = _weighed.get(id(item))
            if known is None or known[0] is not item:
                looked += len(item) + 1
                if tuple in set(map(type, item)):
                    stack.append([item, iter(item), len(item), 1])
                    break
                top[2] += len(item)
                top[3] = max(top[3], 2)
            else:
                top[2] += known[1]
                top[3] = max(top[3], known[2] + 1)
            if top[2] > most:
                raise BudgetExceededError(f"a tuple of more than {most} parts is beyond the limit")
        else:
            stack.pop()
            if top[2] > most:
                raise BudgetExceededError(f"a tuple of more than {most} parts is beyond the limit")
            if top[3] > MAX_TUPLE_DEPTH:
                raise FatalRunError(
                    f"a tuple nested more than {MAX_TUPLE_DEPTH} deep is beyond the limit"
                )
            if len(_weighed) >= _KEPT:
                _weighed.clear()
            _weighed[id(top[0])] = (top[0], top[2], top[3])
            if not stack:
                return looked
            stack[-1][2] += top[2]
            stack[-1][3] = max(stack[-1][3], top[3] + 1)
