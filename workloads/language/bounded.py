"""Operators and functions whose work or result can be large, bounded by the block budget.

``Work.left`` is what the running block may still spend; the driver refills it for each block.
An operation charges about one unit per element, byte or machine word it handles or makes, before
it does so, so that neither time nor memory runs away inside one block. What cannot run away
(int addition, indexing, appending) is left to CPython.

Two invariants make the rest cheap. A tuple is checked when it is made, so hashing and comparing
any existing tuple is bounded. Anything that walks nested lists (comparison, ``repr``, sorting)
weighs one side first, counting shared parts as often as they are reached.
"""

from collections.abc import Callable, Iterable
from types import GeneratorType
from typing import Any, Final

from workloads.language.enums import ENUMS
from workloads.language.errors import BudgetExceededError, FatalRunError
from workloads.language.sets import GuestSet, constant
from workloads.language.values import PULLERS, FileHandle
from workloads.language.views import Pull, View

ATOMIC: Final = frozenset({int, bool, float, str, bytes, type(None), range, *ENUMS})
_SIZED: Final = frozenset({str, bytes, bytearray, list, tuple})
_NESTED: Final[frozenset[type]] = frozenset({list, tuple, dict, GuestSet})
_SMALL: Final = 1 << 256
_CODECS: Final = frozenset({"utf-8", "utf8", "ascii", "latin-1", "latin1", "iso-8859-1"})


class Work:
    """The budget of the running block, and the loop turns it did natively (for ``steps``)."""

    __slots__ = ("budget", "int_bits", "left", "low", "order_seen", "turns")

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.left = budget
        self.low = budget // 2
        self.int_bits = max(budget // 8, 4096)
        self.turns = 0
        self.order_seen = False  # of a set whose order CPython does not define

    def charge(self, units: int, what: str) -> None:
        """Spend ``units``; raise BudgetExceededError if the block has not that much left."""
        self.left -= units
        if self.left < 0:
            raise BudgetExceededError(f"{what} is beyond the block budget of {self.budget}")


_FACTORS: Final = (int, float, str, bytes, tuple, list, bytearray)


class Bounded:
    """The operators and built-in functions of one run time; compiled blocks call its methods."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.charge = work.charge

    # ---- weighing -------------------------------------------------------------------------

    def weigh(self, value: Any) -> Any:
        """Charge the size of ``value`` as a tree (a cycle counts once) and return it."""
        if type(value) in ATOMIC:
            return value
        if type(value) in _NESTED:
            self._walk(value)
        return value

    def _walk(self, value: Any) -> None:
        charge = self.charge
        path: list[int] = []  # identities of the containers being walked, to stop at cycles
        on_path: set[int] = set()
        stack = [iter((value,))]
        while stack:
            for item in stack[-1]:
                if type(item) not in _NESTED:
                    continue
                charge(len(item) + 1, "walking a nested value")
                if not item or id(item) in on_path:
                    continue
                if type(item) is dict:
                    inner: Iterable[Any] = [part for pair in item.items() for part in pair]
                else:
                    inner = item
                if ATOMIC.issuperset(map(type, inner)):
                    continue
                path.append(id(item))
                on_path.add(id(item))
                stack.append(iter(inner))
                break
            else:
                stack.pop()
                if path:
                    on_path.discard(path.pop())

    def container(self, value: Any) -> Any:
        """Return the right side of ``in``, weighed."""
        return RangeMembers(value) if type(value) is range else self.weigh(value)

    def new_tuple(self, value: tuple[Any, ...]) -> tuple[Any, ...]:
        """Admit a new tuple: see the first invariant in the module header."""
        if not ATOMIC.issuperset(map(type, value)):
            self._walk(value)
        return value

    # ---- operators ------------------------------------------------------------------------

    def add(self, a: Any, b: Any) -> Any:
        """Return ``a + b``."""
        if type(a) in _SIZED and type(b) in _SIZED:
            self.charge(len(a) + len(b), "the result of +")
            if type(a) is tuple and type(b) is tuple:
                return self.new_tuple(a + b)
        return a + b

    def inplace_add(self, a: Any, b: Any) -> Any:
        """Return ``a`` after ``a += b``; a list or bytearray is extended in place."""
        if type(a) is list:
            a += self.sequence(b)
            return a
        if type(a) is bytearray:
            self.charge(len(b) if type(b) in _SIZED else 0, "the result of +=")
            a += b
            return a
        if type(a) is type(b) and type(a) in _SIZED:
            return self.add(a, b)
        a += b  # numbers, or an error that names the operator
        return a

    def mul(self, a: Any, b: Any) -> Any:
        """Return ``a * b``."""
        if type(a) is float or type(b) is float:
            return a * b
        if isinstance(a, int) and isinstance(b, int):
            if -_SMALL < a < _SMALL and -_SMALL < b < _SMALL:
                return a * b
            words, other = a.bit_length(), b.bit_length()
            if words + other > self.work.int_bits:
                raise BudgetExceededError(
                    f"an int of {words + other} bits is beyond the limit of {self.work.int_bits}"
                )
            self.charge((words * other) >> 18, "a multiplication of large numbers")
            return a * b
        if type(a) in _SIZED and isinstance(b, int):
            self.charge(len(a) * max(b, 0), "the result of *")
        elif type(b) in _SIZED and isinstance(a, int):
            self.charge(len(b) * max(a, 0), "the result of *")
        result = a * b
        return self.new_tuple(result) if type(result) is tuple else result

    def inplace_mul(self, a: Any, b: Any) -> Any:
        """Return ``a`` after ``a *= b``."""
        if type(a) is list or type(a) is bytearray:
            if isinstance(b, int):
                self.charge(len(a) * max(b, 0), "the result of *=")
            a *= b
            return a
        if not isinstance(a, _FACTORS) or not isinstance(b, _FACTORS):
            a *= b  # an error that names the operator
            return a
        return self.mul(a, b)

    def inplace(self, operator: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
        """Return ``a`` after an in-place operator that needs no bound (sets, dicts, numbers)."""
        return operator(a, b)

    def power(self, a: Any, b: Any) -> Any:
        """Return ``a ** b``."""
        if isinstance(a, int) and isinstance(b, int) and b > 0 and a not in (0, 1, -1):
            bits = a.bit_length() * b
            if bits > self.work.int_bits:
                raise BudgetExceededError(
                    f"an int of about {bits} bits is beyond the limit of {self.work.int_bits}"
                )
            self.charge((bits * bits) >> 20, "a power")
        result = a**b
        if type(result) is complex:
            raise FatalRunError("the result is a complex number, which the language has not")
        return result

    def lshift(self, a: Any, b: Any) -> Any:
        """Return ``a << b``."""
        if isinstance(a, int) and isinstance(b, int) and a and b > 0:
            bits = a.bit_length() + b
            if bits > self.work.int_bits:
                raise BudgetExceededError(
                    f"an int of {bits} bits is beyond the limit of {self.work.int_bits}"
                )
        return a << b

    def modulo(self, a: Any, b: Any) -> Any:
        """Return ``a % b``; on str and bytes that is formatting."""
        if type(a) in (str, bytes, bytearray):
            self._check_percent(a if type(a) is str else bytes(a).decode("latin-1"), b)
        return a % b

    def _check_percent(self, template: str, values: Any) -> None:
        """Charge the widths of a %-format, and the values it prints."""
        self.charge(len(template), "a format")
        digits = ""
        for char in template:
            if char.isdigit():
                digits += char
                if len(digits) > 9:
                    raise BudgetExceededError("a format width is beyond the block budget")
            elif digits:
                self.charge(int(digits), "a format width")
                digits = ""
        if "*" in template:
            for value in values if type(values) is tuple else (values,):
                if isinstance(value, int):
                    self.charge(abs(value), "a format width")
        if type(values) is dict:
            if "%(" not in template:
                self.text(values)
            else:
                for value in values.values():
                    self.printable(value)
            return
        for value in values if type(values) is tuple else (values,):
            self.printable(value)

    # ---- text -----------------------------------------------------------------------------

    def printable(self, value: Any) -> Any:
        """Charge what printing ``value`` costs."""
        kind = type(value)
        if kind in (int, float, bool, type(None)):
            return value
        if kind in (str, bytes, bytearray):
            self.charge(len(value), "a text")
        elif kind in _NESTED:
            self._walk(value)
            self._printable_inside(value)
        return value

    def _printable_inside(self, value: Any) -> None:
        stack, seen = [value], set()
        while stack:
            item = stack.pop()
            kind = type(item)
            if kind in (str, bytes, bytearray):
                self.charge(len(item), "a text")
            if kind not in _NESTED or id(item) in seen:
                continue
            if kind is GuestSet:
                self.in_order(item)
            seen.add(id(item))
            if kind is dict:
                stack.extend(item.keys())
                stack.extend(item.values())
            else:
                stack.extend(item)

    def text(self, value: Any) -> str:
        """Return ``str(value)``."""
        return value if type(value) is str else str(self.printable(value))

    def new_str(self, *args: Any) -> str:
        """Return ``str(...)`` with its optional encoding."""
        if len(args) > 1:
            return self.decode(*args)
        return self.text(args[0]) if args else ""

    def representation(self, value: Any) -> str:
        """Return ``repr(value)``."""
        return repr(self.printable(value))

    def format(self, value: Any, conversion: int, spec: str) -> str:
        """Return one f-string field."""
        self.printable(value)
        if conversion == 114:
            value = repr(value)
        elif conversion == 115:
            value = str(value)
        elif conversion == 97:
            value = ascii(value)
        if not spec:
            return str(value)
        digits = ""
        for char in spec + " ":
            if char.isdigit():
                digits += char
                if len(digits) > 9:
                    raise BudgetExceededError("a format width is beyond the block budget")
            elif digits:
                self.charge(int(digits), "a format width")
                digits = ""
        return format(value, spec)

    def join_text(self, *parts: str) -> str:
        """Return the pieces of an f-string as one str."""
        self.charge(sum(map(len, parts)), "an f-string")
        return "".join(parts)

    def encode(self, text: str, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """``str.encode`` for the codecs of the language."""
        self._codec(encoding, errors)
        return text.encode(encoding, errors)

    def decode(self, data: Any, encoding: str = "utf-8", errors: str = "strict") -> str:
        """``bytes.decode`` for the codecs of the language."""
        self._codec(encoding, errors)
        if type(data) is bytearray:
            data = bytes(data)
        if type(data) is not bytes:
            raise TypeError(f"decoding to str: need a bytes-like object, {tname(data)} found")
        return data.decode(encoding, errors)

    def _codec(self, encoding: Any, errors: Any) -> None:
        if type(encoding) is not str or encoding.lower() not in _CODECS:
            raise FatalRunError(f"the codec {encoding!r} is not in the guest language")
        if errors not in ("strict", "ignore", "replace", "backslashreplace"):
            raise FatalRunError(f"the error handler {errors!r} is not in the guest language")

    # ---- iteration ------------------------------------------------------------------------

    def iterate(self, value: Any) -> Any:
        """Return ``value`` for a native iteration that is charged in full beforehand."""
        kind = type(value)
        if kind is range:
            size = range_length(value)
        elif kind in _SIZED or kind is dict:
            size = len(value)
        elif kind is GuestSet:
            size = len(self.in_order(value))
        elif isinstance(value, View):
            size = len(value)
        elif isinstance(value, tuple):  # a struct: stat_result and such
            return tuple(value)
        elif kind is GeneratorType:  # of the host, made to be consumed here
            return value
        elif kind in PULLERS:
            raise FatalRunError("an iterator reached a place where the compiler did not expect one")
        elif kind is FileHandle:
            raise FatalRunError("a file is read by for, list() and comprehensions by its own name")
        else:
            raise TypeError(f"'{tname(value)}' object is not iterable")
        self.charge(size, "an iteration inside one block")
        return value

    def iterate_unordered(self, value: Any) -> Any:
        """``iterate`` for consumers to which the order of a set makes no difference."""
        if type(value) is GuestSet:
            self.charge(len(value), "an iteration inside one block")
            return value
        return self.iterate(value)

    def in_order(self, value: GuestSet) -> GuestSet:
        """Return a set that is about to be walked in its order; charge what finding it costs."""
        if value.stable:
            if value.layout is None:
                self.charge(len(value), "the order of a set")
        elif len(value) > 1:
            self.work.order_seen = True
        return value

    def sequence(self, value: Any) -> Any:
        """Return something with ``len`` and indices to walk in the order of iteration."""
        kind = type(value)
        if kind is dict or kind is GuestSet:
            return list(self.iterate(value))
        return self.iterate(value)

    def loop_source(self, value: Any) -> Any:
        """Return what a ``for`` statement indexes: ``len(s)`` and ``s[i]`` until exhausted."""
        kind = type(value)
        if kind in _SIZED or isinstance(value, View):
            return value
        if kind is range:
            range_length(value)
            return value
        if kind is dict:
            from workloads.language.views import DictView

            return DictView(value, tuple(value), 0)
        if kind is GuestSet:
            from workloads.language.views import SetView

            return SetView(value, tuple(self.in_order(value)))
        if kind in PULLERS:
            raise FatalRunError("an iterator reached a place where the compiler did not expect one")
        if isinstance(value, tuple):
            return tuple(value)
        raise TypeError(f"'{tname(value)}' object is not iterable")

    def pull_source(self, value: Any) -> Any:
        """As ``loop_source``, where the loop can walk an iterator."""
        return Pull(value) if type(value) in PULLERS else self.loop_source(value)

    def unpack(self, value: Any) -> Any:
        """Return ``value`` for an assignment to several targets."""
        kind = type(value)
        if kind is tuple or kind is list:
            return value
        if kind is GuestSet:
            return self.in_order(value)
        if kind in ATOMIC or kind is dict or kind is bytearray:
            if kind in (int, float, bool, type(None)):
                raise TypeError(f"cannot unpack non-iterable {tname(value)} object")
            return value
        if isinstance(value, tuple):
            return tuple(value)
        raise TypeError(f"cannot unpack non-iterable {tname(value)} object")

    # ---- constructors and functions of the language ---------------------------------------

    def new_list(self, *args: Any) -> list[Any]:
        """Return ``list(...)``."""
        return list(self.iterate(args[0])) if args else []

    def new_tuple_of(self, *args: Any) -> tuple[Any, ...]:
        """Return ``tuple(...)``."""
        return self.new_tuple(tuple(self.iterate(args[0]))) if args else ()

    def new_dict(self, *args: Any) -> dict[Any, Any]:
        """Return ``dict(...)`` of a dict or of pairs."""
        return dict(self.iterate(args[0])) if args else {}

    def new_set(self, *args: Any) -> GuestSet:
        """Return ``set(...)``."""
        new = GuestSet()
        if args:
            value = self.iterate_unordered(args[0])
            if type(value) is GuestSet or type(value) is dict:
                new.update(value)
            else:
                new = GuestSet(value)
        return new

    def set_of(self, members: dict[Any, Any]) -> GuestSet:
        """Return the set of a display or comprehension."""
        return GuestSet(members)

    def set_of_constants(self, members: dict[Any, Any]) -> GuestSet:
        """Return the set of a display of three constants or more: a copy of a constant."""
        return constant(members).copy()

    def constant_set(self, members: dict[Any, Any]) -> GuestSet:
        """Return the constant itself, to walk it."""
        return constant(members)

    def new_bytes(self, *args: Any) -> bytes:
        """Return ``bytes(...)``."""
        return bytes(self._bytes_arg(args))

    def new_bytearray(self, *args: Any) -> bytearray:
        """Return ``bytearray(...)``."""
        return bytearray(self._bytes_arg(args))

    def _bytes_arg(self, args: tuple[Any, ...]) -> Any:
        if not args:
            return b""
        value = args[0]
        if len(args) > 1:
            if type(value) is not str:
                raise TypeError("encoding without a string argument")
            return self.encode(*args)
        if type(value) is str:
            raise TypeError("string argument without an encoding")
        if isinstance(value, int):
            self.charge(max(value, 0), "a bytes object")
            return value
        return self.iterate(value)

    def new_int(self, *args: Any) -> int:
        """Return ``int(...)``."""
        if args and type(args[0]) in (str, bytes, bytearray):
            self.charge(len(args[0]), "a conversion")
            if len(args[0]) * 6 > self.work.int_bits:
                raise BudgetExceededError(
                    f"an int of {len(args[0])} digits is beyond the block budget"
                )
        return int(*args)

    def new_range(self, *args: Any) -> range:
        """Return ``range(...)``; longer than a machine word is refused."""
        result = range(*args)
        range_length(result)
        return result

    def ordered(self, value: Any, reverse: Any = False) -> list[Any]:
        """Return ``sorted(value)``."""
        items = list(self.iterate_unordered(value))
        self.weigh(items)
        self.charge(len(items) * len(items).bit_length(), "sorting")
        items.sort(reverse=bool(reverse))
        return items

    def total(self, value: Any, start: Any = 0) -> Any:
        """Return ``sum(value, start)``."""
        if type(start) in (str, bytes, bytearray):
            return sum((), start)  # raises CPython's own TypeError
        for item in self.iterate(value):
            start = self.add(start, item)
        return start

    def largest(self, *args: Any) -> Any:
        """Return ``max(...)``."""
        values = self.iterate_unordered(args[0]) if len(args) == 1 else args
        return max(self.weigh(list(values)))

    def smallest(self, *args: Any) -> Any:
        """Return ``min(...)``."""
        values = self.iterate_unordered(args[0]) if len(args) == 1 else args
        return min(self.weigh(list(values)))

    def any_of(self, value: Any) -> bool:
        """Return ``any(value)``."""
        return any(self.iterate_unordered(value))

    def all_of(self, value: Any) -> bool:
        """Return ``all(value)``."""
        return all(self.iterate_unordered(value))

    def rounded(self, value: Any, ndigits: Any = None) -> Any:
        """Return ``round(value, ndigits)``."""
        if isinstance(ndigits, int) and isinstance(value, int) and ndigits < 0:
            return round(value, max(ndigits, -self.work.int_bits // 4))
        return round(value) if ndigits is None else round(value, ndigits)

    def binary_text(self, value: Any) -> str:
        """Return ``bin(value)``."""
        return bin(value)

    def octal_text(self, value: Any) -> str:
        """Return ``oct(value)``."""
        return oct(value)

    def ascii_text(self, value: Any) -> str:
        """Return ``ascii(value)``."""
        return ascii(self.printable(value))

    def unpacked(self, value: Any) -> Any:
        """Return what stands after ``*`` in a display."""
        try:
            return self.iterate(value)
        except TypeError:
            text = f"Value after * must be an iterable, not {tname(value)}"
            raise TypeError(text) from None

    def mapping(self, value: Any) -> Any:
        """Return what stands after ``**`` in a dict display."""
        if type(value) is not dict:
            raise TypeError(f"'{tname(value)}' object is not a mapping")
        return self.iterate(value)

    def set_slice(self, target: Any, lower: Any, upper: Any, step: Any, value: Any) -> None:
        """Do ``target[lower:upper:step] = value``."""
        if type(target) is list:
            value = self.sequence(value)
        elif type(target) is bytearray and type(value) in _SIZED:
            self.charge(len(value), "a slice assignment")
        target[slice(lower, upper, step)] = value


class RangeMembers:
    """The right side of ``x in range(...)``.

    CPython walks a range to look for anything but an int, however long the range is; only a number
    can be in one, so this asks for the number.
    """

    __slots__ = ("members",)

    def __init__(self, members: range) -> None:
        self.members = members

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return isinstance(value, int) and value in self.members


def tname(value: Any) -> str:
    """Return the name CPython's messages use for the type of a guest value."""
    kind = type(value)
    if kind.__name__ == "SyncHandle":
        return "_thread.RLock" if value.kind == "RLock" else str(value.kind)
    if kind is FileHandle:
        return f"_io.{value.kind}"
    return {
        "LockHandle": "_thread.lock",
        "ThreadHandle": "Thread",
        "MmapHandle": "mmap.mmap",
        "ShmHandle": "SharedMemory",
        "Function": "function",
        "Closure": "function",
        "Builtin": "builtin_function_or_method",
        "BoundMethod": "builtin_function_or_method",
        "TypeValue": "type",
        "Generator": "generator",
        "Unbound": "NoneType",
    }.get(kind.__name__, kind.__name__)


def range_length(value: range) -> int:
    """Return ``len(value)``, or refuse a range that is longer than a machine word."""
    try:
        return len(value)
    except OverflowError:
        raise BudgetExceededError("a range of more than 2**63 - 1 items") from None
