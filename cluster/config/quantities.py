"""Quantities with units, each with documented bounds.

A duration is written ``50us``, ``1ms``, ``2s`` (also ns and min) and held as an int of virtual ns.
A size is written ``64KiB``, ``4GiB`` (also B, MiB, TiB) and held as an int of bytes. A bare number
other than 0 has no unit and is refused; so are decimal units such as KB, which people read both
ways.
"""

import difflib
import re
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from cluster.plugins import Kind, is_installed

_NUMBER: Final = re.compile(r"([0-9]{1,18})(\.[0-9]{1,12})?\s*([A-Za-zµμ]+)$")
_TIME_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
}
_SIZE_UNITS: Final = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SIZE_ADVICE: Final = {
    **dict.fromkeys(("K", "k", "KB", "kB", "Ki"), "KiB"),
    **dict.fromkeys(("M", "MB", "Mi"), "MiB"),
    **dict.fromkeys(("G", "GB", "Gi"), "GiB"),
    **dict.fromkeys(("T", "TB", "Ti"), "TiB"),
}

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS


class QuantityError(ValueError):
    """Not a quantity of this kind, or out of its bounds; the message says what is wanted."""


def duration_ns(value: Any) -> int:
    """Return the virtual ns that ``value`` (``"50us"``, or 0) means."""
    return _parse(value, _TIME_UNITS, {}, "a duration such as 50us, 1ms or 2s", "ns")


def size_bytes(value: Any) -> int:
    """Return the bytes that ``value`` (``"64KiB"``, or 0) means."""
    return _parse(value, _SIZE_UNITS, _SIZE_ADVICE, "a size such as 64KiB or 4GiB", "bytes")


def format_ns(value_ns: int) -> str:
    """Return ``value_ns`` in its largest whole unit: 50us, 2s."""
    for unit in ("min", "s", "ms", "us"):
        if value_ns and value_ns % _TIME_UNITS[unit] == 0:
            return f"{value_ns // _TIME_UNITS[unit]}{unit}"
    return f"{value_ns}ns" if value_ns else "0"


def format_bytes(value: int) -> str:
    """Return ``value`` in its largest whole unit: 64KiB, 4GiB."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value and value % _SIZE_UNITS[unit] == 0:
            return f"{value // _SIZE_UNITS[unit]}{unit}"
    return f"{value}B" if value else "0"


class _Quantity:
    """Annotation of an int field: parsed from text with a unit, from ``low`` to ``high``."""

    noun = ""
    pattern = ""
    parse: "staticmethod[[Any], int]"
    show: "staticmethod[[int], str]"

    def __init__(
        self,
        low: int,
        high: int,
        note: str = "",
        *,
        power_of_two: bool = False,
        off: bool = False,
    ) -> None:
        self.low = low
        self.high = high
        self.note = note
        self.power_of_two = power_of_two
        self.off = off  # may be ``off``, or -1

    def check(self, value: Any) -> int:
        if self.off and (value == "off" or value is False or (value == -1 and value is not True)):
            return -1
        result = self.parse(value)
        if not self.low <= result <= self.high:
            raise QuantityError(f"must be from {self.show(self.low)} to {self.show(self.high)}")
        if self.power_of_two and result & (result - 1):
            raise QuantityError("must be a power of two")
        return result

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        text = {"type": "string", "pattern": self.pattern}
        bounds = f"{self.noun} from {self.show(self.low)} to {self.show(self.high)}."
        values: list[dict[str, Any]] = [text]
        if self.low == 0:
            values.append({"const": 0})
        if self.off:
            values.append({"enum": ["off", -1]})
        return {
            "anyOf": values,
            "description": f"{self.note} {bounds}".strip(),
        }


class Duration(_Quantity):
    """An int of virtual ns, written ``50us``."""

    noun = "A duration (ns, us, ms, s, min)"
    pattern = r"^[0-9]+(\.[0-9]+)? *(ns|us|µs|ms|s|min)$"
    parse = staticmethod(duration_ns)
    show = staticmethod(format_ns)


class Size(_Quantity):
    """An int of bytes, written ``64KiB``."""

    noun = "A size (B, KiB, MiB, GiB, TiB)"
    pattern = r"^[0-9]+(\.[0-9]+)? *(B|KiB|MiB|GiB|TiB)$"
    parse = staticmethod(size_bytes)
    show = staticmethod(format_bytes)


class Checked:
    """Annotation of a field whose value ``check`` alone decides, whatever type it has."""

    def check(self, value: Any) -> Any:
        """Return what ``value`` means; raise QuantityError if it means nothing."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)


class OneOf(Checked):
    """Annotation of a field that takes one of ``values``.

    Args:
        later: refused as not there.
        elsewhere: refused, and why.
    """

    def __init__(
        self,
        *values: str | int | bool,
        later: tuple[str, ...] = (),
        elsewhere: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.values = values
        self.later = later
        self.elsewhere = elsewhere

    def check(self, value: Any) -> Any:
        """Return ``value`` if it may be; raise QuantityError with the names there are if not."""
        names = ", ".join(_plain(known) for known in self.values)
        for known in self.values:
            if type(value) is type(known) and value == known:
                return value
        if len(self.values) > 16 and type(value) is str:
            close = difflib.get_close_matches(value, [_plain(known) for known in self.values], n=1)
            raise QuantityError(f"unknown name{f', did you mean {close[0]}?' if close else ''}")
        if any(str(value) == known for known in self.values):
            raise QuantityError(f'must be quoted: "{value}"')
        if type(value) is str and value in self.later:
            raise QuantityError(f"{value} is designed but not in this version: use {names}")
        if type(value) is str and value in self.elsewhere:
            raise QuantityError(f"{value} {self.elsewhere[value]}: use {names}")
        raise QuantityError(f"must be {'one of ' if len(self.values) > 1 else ''}{names}")

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"enum": list(self.values)}


class OneOfOrOwn(OneOf):
    """The same, or the name of something from outside: installed, or ``FILE.py:CLASS``.

    Args:
        kind: of which kind it is.
    """

    def __init__(
        self,
        *values: str,
        kind: Kind,
        later: tuple[str, ...] = (),
        elsewhere: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(*values, later=later, elsewhere=elsewhere)
        self.kind = kind

    def check(self, value: Any) -> Any:
        """Return ``value`` if it may be, or names something from outside; else QuantityError."""
        if type(value) is str and (OWN.fullmatch(value) or is_installed(self.kind, value)):
            return value
        try:
            return super().check(value)
        except QuantityError as error:
            raise QuantityError(f"{error}, or FILE.py:CLASS") from error

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(self.values)}, {"type": "string"}]}


OWN: Final = re.compile(r"[^:\0]+\.py:[A-Za-z_][A-Za-z0-9_]*")


def _plain(value: str | int | bool) -> str:
    return str(value).lower() if type(value) is bool else str(value)


def _parse(
    value: Any, units: dict[str, int], advice: dict[str, str], wanted: str, base: str
) -> int:
    if type(value) is int or type(value) is float:
        if value == 0 and type(value) is int:
            return 0
        raise QuantityError(f"needs a unit: must be {wanted}")
    if type(value) is not str:
        raise QuantityError(f"must be {wanted}")
    match = _NUMBER.match(value.strip())
    if match is None:
        raise QuantityError(f"must be {wanted}")
    whole, part, unit = match.groups()
    if unit not in units:
        if unit in advice:
            raise QuantityError(f"unknown unit {unit}: write {advice[unit]}")
        known = [name for name in units if name.isascii()]
        raise QuantityError(f"unknown unit {unit}: must be one of {', '.join(known)}")
    exact = Fraction(whole + (part or "")) * units[unit]
    if exact.denominator != 1:
        raise QuantityError(f"must be a whole number of {base}")
    return exact.numerator
