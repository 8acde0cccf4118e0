"""Operators and functions whose work or result can be large, bounded by the block budget.

An operation charges what it handles or makes (see ``weights``) before it does so, so that neither
time nor memory runs away inside one block. ``charges`` is the table of what is charged how; here
are the operators, the constructors and the functions that ask for more than a table says. Numbers
come first everywhere: they are what loops are made of.
"""

import codecs
import operator
from collections.abc import Callable
from types import GeneratorType
from typing import Any, Final

from workloads.language.dict_views import DictValues, LiveView
from workloads.language.errors import BudgetExceededError, FatalRunError
from workloads.language.sets import GuestSet, constant
from workloads.language.values import PULLERS, FileHandle, SyncHandle
from workloads.language.views import DictView, Pull, SetView, View
from workloads.language.weights import (
    ATOMIC,
    LEAST,
    LIVE,
    NESTED,
    NUMBERS,
    SIZED,
    SMALL,
    TEXTS,
    Weigher,
    Work,
)

__all__ = ["ATOMIC", "Bounded", "RangeMembers", "Work", "codec_of", "range_length", "tname"]

_CODECS: Final = {"utf-8": "utf-8", "ascii": "ascii", "iso8859-1": "latin-1"}
_ERROR_HANDLERS: Final = (
    *("strict", "ignore", "replace", "backslashreplace"),
    *("surrogateescape", "surrogatepass", "xmlcharrefreplace"),
)
_FACTORS: Final = (int, float, str, bytes, tuple, list, bytearray)
_INPLACE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "BitOr": operator.ior,
    "BitAnd": operator.iand,
    "BitXor": operator.ixor,
    "Sub": operator.isub,
}


def codec_of(encoding: str) -> str:
    """Return the codec that an encoding's name, in any spelling that CPython knows, stands for.

    Raises:
        LookupError: there is none.
        ValueError: the name holds a null character.
        FatalRunError: CPython has it, the language has not.
    """
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise LookupError(f"unknown encoding: {encoding}") from None
    if name not in _CODECS:
        raise FatalRunError(f"the codec {encoding!r} is not in the guest language")
    return _CODECS[name]


class Bounded(Weigher):
    """The operators and built-in functions of one run time; compiled blocks call its methods."""

    def container(self, value: Any) -> Any:
        """Return the right side of ``in`` in a chain of comparisons, weighed."""
        if type(value) is GuestSet:
            return value
        return RangeMembers(value) if type(value) is range else self.weigh(value)

    def contains(self, item: Any, value: Any) -> bool:
        """Return ``item in value``."""
        kind = type(value)
        if kind is GuestSet:
            return type(item) is not GuestSet and item in value.members
        if kind is dict:
            return item in value
        if kind is list or kind is tuple:
            self.charge(len(value) * self.size(item), "a search")
        elif kind in TEXTS:
            self.charge(len(value) >> 1, "a search")
        elif kind is range:
            return item in RangeMembers(value)
        elif kind is DictValues:
            self.charge(len(value) * self.size(item), "a search")
        elif isinstance(value, LiveView):
            self.weigh(item)
        return item in value

    # ---- operators ------------------------------------------------------------------------

    def add(self, a: Any, b: Any) -> Any:
        """Return ``a + b``."""
        if a.__class__ in NUMBERS:
            result = a + b
            return result if LEAST < result < SMALL else self.big(result)
        if type(a) in SIZED and type(b) in SIZED:
            self.charge_copied(a, len(a) + len(b), "the result of +")
            if type(a) is tuple and type(b) is tuple:
                return self.new_tuple(a + b)
        return a + b

    def inplace_add(self, a: Any, b: Any) -> Any:
        """Return ``a`` after ``a += b``; a list or bytearray is extended in place."""
        if a.__class__ in NUMBERS:
            a += b
            return a if LEAST < a < SMALL else self.big(a)
        if type(a) is list:
            a += self.sequence(b)
            return a
        if type(a) is bytearray:
            self.charge(len(b) if type(b) in SIZED else 0, "the result of +=")
            a += b
            return a
        if type(a) is type(b) and type(a) in SIZED:
            return self.add(a, b)
        a += b  # numbers, or an error that names the operator
        return a

    def subtract(self, a: Any, b: Any) -> Any:
        """Return ``a - b``."""
        if a.__class__ in NUMBERS:
            result = a - b
            return result if LEAST < result < SMALL else self.big(result)
        return self._algebra(operator.sub, a, b)

    def bit_or(self, a: Any, b: Any) -> Any:
        """Return ``a | b``."""
        if a.__class__ in NUMBERS:
            result = a | b
            return result if LEAST < result < SMALL else self.big(result)
        return self._algebra(operator.or_, a, b)

    def bit_and(self, a: Any, b: Any) -> Any:
        """Return ``a & b``."""
        if a.__class__ in NUMBERS:
            result = a & b
            return result if LEAST < result < SMALL else self.big(result)
        return self._algebra(operator.and_, a, b)

    def bit_xor(self, a: Any, b: Any) -> Any:
        """Return ``a ^ b``."""
        if a.__class__ in NUMBERS:
            result = a ^ b
            return result if LEAST < result < SMALL else self.big(result)
        return self._algebra(operator.xor, a, b)

    def _algebra(self, operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
        """Do an operator of sets or dicts."""
        if type(a) is GuestSet or type(a) is dict:
            self.charge(2 * len(a), "an operation with sets")
            if type(b) is type(a):
                self.charge(2 * len(b), "an operation with sets")
                self.hashed([*a, *b])
        if type(a) in LIVE or type(b) in LIVE:
            sides = [list(self.iterate_unordered(side)) for side in (a, b)]
            self.charge(2 * sum(map(len, sides)), "an operation with sets")
            self.hashed([*sides[0], *sides[1]])
        return operation(a, b)

    def floor_divide(self, a: Any, b: Any) -> Any:
        """Return ``a // b``."""
        if a.__class__ is int and not LEAST < a < SMALL:
            self._division(a, b)
        return a // b

    def true_divide(self, a: Any, b: Any) -> Any:
        """Return ``a / b``."""
        if a.__class__ is int and not LEAST < a < SMALL:
            self._division(a, b)
        return a / b

    def divided(self, a: Any, b: Any) -> Any:
        """Return ``divmod(a, b)``."""
        if a.__class__ is int and not LEAST < a < SMALL:
            self._division(a, b)
        return divmod(a, b)

    def _division(self, a: int, b: Any) -> None:
        """Charge schoolbook division, and the quotient."""
        if isinstance(b, int):
            bits, other = a.bit_length(), b.bit_length()
            self.charge((bits >> 6) + (max(bits - other, 0) * other >> 16), "a division")

    def mul(self, a: Any, b: Any) -> Any:
        """Return ``a * b``."""
        if a.__class__ is int and b.__class__ is int:
            if LEAST < a < SMALL and LEAST < b < SMALL:
                return a * b
            bits, other = a.bit_length(), b.bit_length()
            self.fits(bits + other)
            self.charge(bits * other >> 18, "a multiplication of large numbers")
            return a * b
        if type(a) is float or type(b) is float:
            return a * b
        if isinstance(a, int) and isinstance(b, int):
            return self.big(a * b)  # a bool is one of them
        if type(a) in SIZED and isinstance(b, int):
            self.charge_copied(a, len(a) * max(b, 0), "the result of *")
        elif type(b) in SIZED and isinstance(a, int):
            self.charge_copied(b, len(b) * max(a, 0), "the result of *")
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

    def inplace(self, name: str, a: Any, b: Any) -> Any:
        """Return ``a`` after an in-place operator of numbers, sets or dicts."""
        if a.__class__ in NUMBERS:
            return self.big(_INPLACE[name](a, b))
        return self._algebra(_INPLACE[name], a, b)

    def power(self, a: Any, b: Any) -> Any:
        """Return ``a ** b``."""
        if isinstance(a, int) and isinstance(b, int) and b > 0 and a not in (0, 1, -1):
            bits = a.bit_length() * b
            if bits > self.work.int_bits:
                raise BudgetExceededError(
                    f"an int of about {bits} bits is beyond the limit of {self.work.int_bits}"
                )
            self.charge((bits >> 6) + ((bits * bits) >> 20), "a power")
        result = a**b
        if type(result) is complex:
            raise FatalRunError("the result is a complex number, which the language has not")
        return result

    def pow(self, base: Any, exp: Any, mod: Any = None) -> Any:
        """Return ``pow(base, exp, mod)``: the work grows with the exponent's bits."""
        if mod is None:
            return self.power(base, exp)
        if isinstance(base, int) and isinstance(exp, int) and isinstance(mod, int):
            words = (mod.bit_length() >> 6) + 1
            self.charge((base.bit_length() >> 6) * words, "a remainder")
            self.charge((exp.bit_length() >> 2) * words * words >> 4, "a power")
        return pow(base, exp, mod)

    def lshift(self, a: Any, b: Any) -> Any:
        """Return ``a << b``."""
        if isinstance(a, int) and isinstance(b, int) and a and b > 0:
            self.fits(a.bit_length() + b)
        return a << b

    def rshift(self, a: Any, b: Any) -> Any:
        """Return ``a >> b``."""
        return self.big(a >> b)

    def negative(self, a: Any) -> Any:
        """Return ``-a``."""
        return self.big(-a)

    def positive(self, a: Any) -> Any:
        """Return ``+a``."""
        return +a

    def inverted(self, a: Any) -> Any:
        """Return ``~a``."""
        return self.big(~a)

    def absolute(self, a: Any) -> Any:
        """Return ``abs(a)``."""
        return self.big(abs(a))

    def part(self, value: Any, lower: Any, upper: Any, step: Any) -> Any:
        """Return ``value[lower:upper:step]``."""
        if type(value) in SIZED:
            start, stop, stride = slice(lower, upper, step).indices(len(value))
            self.charge_copied(value, len(range(start, stop, stride)), "a slice")
        return value[lower:upper:step]

    def modulo(self, a: Any, b: Any) -> Any:
        """Return ``a % b``; on str and bytes that is formatting."""
        if a.__class__ is int:
            if not LEAST < a < SMALL:
                self._division(a, b)
            return a % b
        if type(a) in TEXTS:
            self._check_percent(a if type(a) is str else bytes(a).decode("latin-1"), b)
        return a % b

    def _check_percent(self, template: str, values: Any) -> None:
        """Charge the widths of a %-format, and the values it prints."""
        self.charge(len(template), "a format")
        self._charge_widths(template)
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

    def walked(self, value: Any) -> Any:
        """Charge an argument that a system call, or what stands for it, walks."""
        if type(value) in TEXTS:
            self.charge(len(value) >> 3, "an argument")
        elif type(value) is range:
            self.charge(range_length(value), "an argument")
        elif type(value) in NESTED:
            if type(value) is GuestSet:
                self.in_order(value)
            self._walk(value, 3, "in an argument")
        return value

    def printable(self, value: Any) -> Any:
        """Charge what printing ``value`` costs."""
        kind = type(value)
        if kind in NUMBERS:
            return self.big(value)
        if kind in TEXTS:
            self.charge_made(value, len(value), "a text")
        else:
            self._walk(value, 0, "while getting the repr of an object")
        return value

    def text(self, value: Any) -> str:
        """Return ``str(value)``."""
        return value if type(value) is str else str(self.printable(value))

    def new_str(self, *args: Any, **words: Any) -> str:
        """Return ``str(...)`` with its optional encoding."""
        if args and (len(args) > 1 or words):
            return self.decode(*args, **words)
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
        self._charge_widths(spec + " ")
        return format(value, spec)

    def _charge_widths(self, text: str) -> None:
        """Charge every number in ``text`` that something follows: each may be a width."""
        digits = ""
        for char in text:
            if char.isdigit():
                digits += char
                if len(digits) > 9:
                    raise BudgetExceededError("a format width is beyond the block budget")
            elif digits:
                self.charge(int(digits), "a format width")
                digits = ""

    def join_text(self, *parts: str) -> str:
        """Return the pieces of an f-string as one str."""
        self.charge_made("", sum(map(len, parts)), "an f-string")
        return "".join(parts)

    def encode(self, text: str, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """``str.encode`` for the codecs of the language."""
        codec = self._codec("encode", encoding, errors)
        self.charge_made("", 4 * len(text), "the result of encode()")
        return text.encode(codec, errors)

    def decode(self, data: Any, encoding: str = "utf-8", errors: str = "strict") -> str:
        """``bytes.decode`` for the codecs of the language."""
        codec = self._codec("decode", encoding, errors)
        if type(data) is bytearray:
            data = bytes(data)
        if type(data) is bytes:
            self.charge_made("", 4 * len(data), "the result of decode()")
        else:
            raise TypeError(f"decoding to str: need a bytes-like object, {tname(data)} found")
        return data.decode(codec, errors)

    def _codec(self, name: str, encoding: Any, errors: Any) -> str:
        for word, value in (("encoding", encoding), ("errors", errors)):
            if type(value) is not str:
                raise TypeError(f"{name}() argument {word!r} must be str, not {tname(value)}")
        if errors not in _ERROR_HANDLERS:
            try:
                codecs.lookup_error(errors)
            except LookupError:  # which CPython raises when it needs the handler
                return codec_of(encoding)
            raise FatalRunError(f"the error handler {errors!r} is not in the guest language")
        return codec_of(encoding)

    # ---- iteration ------------------------------------------------------------------------

    def iterate(self, value: Any) -> Any:
        """Return ``value`` for a native iteration that is charged in full beforehand."""
        kind = type(value)
        if kind is range:
            size = range_length(value)
        elif kind in SIZED or kind is dict:
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

    def sequence(self, value: Any) -> Any:
        """Return something with ``len`` and indices to walk in the order of iteration."""
        kind = type(value)
        if kind is dict or kind is GuestSet or kind in LIVE:
            return list(self.iterate(value))
        return self.iterate(value)

    def loop_source(self, value: Any) -> Any:
        """Return what a ``for`` statement indexes: ``len(s)`` and ``s[i]`` until exhausted."""
        kind = type(value)
        if isinstance(value, LiveView):
            return DictView(value.source, tuple(value.source), value.what)
        if kind in SIZED or isinstance(value, View):
            return value
        if kind is range:
            range_length(value)
            return value
        if kind is dict:
            return DictView(value, tuple(value), 0)
        if kind is GuestSet:
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
        if kind in LIVE:
            return list(self.iterate(value))
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

    def new_dict(self, *args: Any, **words: Any) -> dict[Any, Any]:
        """Return ``dict(...)`` of a dict or of pairs, and of named arguments."""
        if not args:
            return words
        return dict(self.pairs(args[0]), **words)

    def pairs(self, value: Any) -> Any:
        """Return a dict or pairs, charged, to put into a dict."""
        source = self.iterate(value)
        if type(source) is not dict:
            self.hashed([pair[0] for pair in source if type(pair) in (tuple, list) and pair])
        return source

    def new_set(self, *args: Any) -> GuestSet:
        """Return ``set(...)``."""
        new = GuestSet()
        if args:
            value = self.hashed(self.iterate_unordered(args[0]))
            if type(value) is GuestSet or type(value) is dict:
                new.update(value)
            else:
                new = GuestSet(value)
        return new

    def set_of(self, members: dict[Any, Any]) -> GuestSet:
        """Return the set of a display or comprehension."""
        self.charge(len(members), "a set")
        return GuestSet(members)

    def set_of_constants(self, members: dict[Any, Any]) -> GuestSet:
        """Return the set of a display of three constants or more: a copy of a constant."""
        return constant(members).copy()

    def constant_set(self, members: dict[Any, Any]) -> GuestSet:
        """Return the constant itself, to walk it."""
        return constant(members)

    def new_bytes(self, *args: Any, **words: Any) -> bytes:
        """Return ``bytes(...)``."""
        return bytes(self._bytes_arg(args, words))

    def new_bytearray(self, *args: Any, **words: Any) -> bytearray:
        """Return ``bytearray(...)``."""
        return bytearray(self._bytes_arg(args, words))

    def _bytes_arg(self, args: tuple[Any, ...], words: dict[str, Any]) -> Any:
        if not args:
            return bytes(**words)  # with words CPython's own TypeError
        value = args[0]
        if len(args) > 1 or words:
            if type(value) is not str:
                return bytes(value, *args[1:], **words)  # CPython's own TypeError
            if len(args) == 1 and "encoding" not in words:
                raise TypeError("string argument without an encoding")
            return self.encode(*args, **words)
        if type(value) is str:
            raise TypeError("string argument without an encoding")
        if isinstance(value, int):
            self.charge(max(value, 0), "a bytes object")
            return value
        return self.iterate(value)

    def new_int(self, *args: Any, **words: Any) -> int:
        """Return ``int(...)``."""
        if args and type(args[0]) in (str, bytes, bytearray):
            self.charge(len(args[0]), "a conversion")
            if len(args[0]) * 6 > self.work.int_bits:
                raise BudgetExceededError(
                    f"an int of {len(args[0])} digits is beyond the block budget"
                )
        return int(*args, **words)

    def new_range(self, *args: Any) -> range:
        """Return ``range(...)``; longer than a machine word is refused."""
        result = range(*args)
        range_length(result)
        return result

    def ordered(self, value: Any, reverse: Any = False) -> list[Any]:
        """Return ``sorted(value)``."""
        items = list(self.iterate_unordered(value))
        self.sorting(items)
        items.sort(reverse=bool(reverse))
        return items

    def sorting(self, items: list[Any]) -> None:
        """Charge the comparisons of a sort."""
        turns = len(items) * len(items).bit_length()
        self.charge(len(items) + (self.heaviest(items) * turns >> 2), "sorting")

    def total(self, value: Any, start: Any = 0) -> Any:
        """Return ``sum(value, start)``."""
        if type(start) in (str, bytes, bytearray):
            return sum((), start)  # raises CPython's own TypeError
        for item in self.iterate(value):
            start = self.add(start, item)
        return start

    def largest(self, *args: Any, **words: Any) -> Any:
        """Return ``max(...)``."""
        if words and len(args) > 1:
            return max(*args, **words)  # CPython's own TypeError
        values = list(self.iterate_unordered(args[0]) if len(args) == 1 else args)
        self.charge(self.heaviest(values) * len(values), "max()")
        return max(values, **words)

    def smallest(self, *args: Any, **words: Any) -> Any:
        """Return ``min(...)``."""
        if words and len(args) > 1:
            return min(*args, **words)  # CPython's own TypeError
        values = list(self.iterate_unordered(args[0]) if len(args) == 1 else args)
        self.charge(self.heaviest(values) * len(values), "min()")
        return min(values, **words)

    def any_of(self, value: Any) -> bool:
        """Return ``any(value)``."""
        return any(self.iterate_unordered(value))

    def all_of(self, value: Any) -> bool:
        """Return ``all(value)``."""
        return all(self.iterate_unordered(value))

    def rounded(self, value: Any, ndigits: Any = None) -> Any:
        """Return ``round(value, ndigits)``."""
        if isinstance(ndigits, int) and isinstance(value, int) and ndigits < 0:
            ndigits = max(ndigits, -self.work.int_bits // 4)
            if not LEAST < value < SMALL:
                self._division(value, 10 ** min(-ndigits, value.bit_length()))
            return self.big(round(value, ndigits))
        return round(value) if ndigits is None else round(value, ndigits)

    def _digits(self, value: Any) -> Any:
        if isinstance(value, int):
            self.charge(value.bit_length(), "a text")
        return value

    def binary_text(self, value: Any) -> str:
        """Return ``bin(value)``."""
        return bin(self._digits(value))

    def octal_text(self, value: Any) -> str:
        """Return ``oct(value)``."""
        return oct(self._digits(value))

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

    def stored_key(self, value: Any) -> Any:
        """Return the key of ``target[value] = ...``; a tuple is hashed each time."""
        if value.__class__ is tuple:
            if not ATOMIC.issuperset(map(type, value)):
                self.size(value)  # charges it
            elif len(value) > 8:
                self.charge(len(value) >> 4, "a key")
                self._leaves(value, 6)
        return value

    def set_slice(self, target: Any, lower: Any, upper: Any, step: Any, value: Any) -> None:
        """Do ``target[lower:upper:step] = value``."""
        if type(target) is list:
            value = self.sequence(value)
        elif type(target) is bytearray and type(value) in SIZED:
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
    if kind is SyncHandle:
        return "_thread.RLock" if value.kind == "RLock" else str(value.kind)
    if kind is FileHandle:
        return f"_io.{value.kind}"
    return kind.__name__


def range_length(value: range) -> int:
    """Return ``len(value)``, or refuse a range that is longer than a machine word."""
    try:
        return len(value)
    except OverflowError:
        raise BudgetExceededError("a range of more than 2**63 - 1 items") from None
