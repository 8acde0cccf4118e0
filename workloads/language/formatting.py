"""``str.format``: the fields of a format are resolved here, by the guest's own rules.

CPython's ``format`` reads attributes of its arguments. This one reads what a program may read
(``methods.attribute``), so a format made at run time is no way to a host object.

Source: CPython Objects/stringlib/unicode_format.h.
"""

import string
from collections.abc import Callable
from typing import Any, Final

from workloads.language.bounded import Bounded
from workloads.language.errors import FatalRunError

_CONVERSIONS: Final = {None: -1, "r": 114, "s": 115, "a": 97}
_DEPTH: Final = 2


class _Fields:
    """The numbering of one format: fields without a number count up, unless some have one."""

    __slots__ = ("counted",)

    def __init__(self) -> None:
        self.counted: int | None = 0

    def number(self, text: str) -> int | None:
        """Return the position a field's first part means, None for a name."""
        if text == "":
            if self.counted is None:
                raise ValueError(
                    "cannot switch from manual field specification to automatic field numbering"
                )
            self.counted += 1
            return self.counted - 1
        if not text.isdigit():
            return None
        if self.counted:
            raise ValueError(
                "cannot switch from automatic field numbering to manual field specification"
            )
        self.counted = None
        return int(text)


def make_format(bounded: Bounded, attribute: Callable[[Any, str], Any]) -> Callable[..., Any]:
    """Return the method ``str.format`` of one run time."""

    def value_of(name: str, fields: _Fields, args: tuple[Any, ...], words: dict[str, Any]) -> Any:
        first, rest = _split(name)
        number = fields.number(first)
        if number is None:
            if first not in words:
                raise KeyError(first)
            value = words[first]
        elif number < len(args):
            value = args[number]
        else:
            raise IndexError(f"Replacement index {number} out of range for positional args tuple")
        for is_attribute, key in rest:
            value = attribute(value, key) if is_attribute else _item(value, key)
        return value

    def expand(
        text: str, fields: _Fields, args: tuple[Any, ...], words: dict[str, Any], depth: int
    ) -> str:
        if depth < 0:
            raise ValueError("Max string recursion exceeded")
        bounded.charge(len(text) + 1, "a format")
        parts: list[str] = []
        for literal, name, spec, conversion in string.Formatter().parse(text):
            parts.append(literal)
            if name is None:
                continue
            if conversion not in _CONVERSIONS:
                raise ValueError(f"Unknown conversion specifier {conversion}")
            value = value_of(name, fields, args, words)
            spec = expand(spec, fields, args, words, depth - 1) if spec else ""
            parts.append(bounded.format(value, _CONVERSIONS[conversion], spec))
        return bounded.join_text(*parts)

    def format_method(text: Any, *args: Any, **words: Any) -> Any:
        return expand(text, _Fields(), args, words, _DEPTH)

    return format_method


def _split(name: str) -> tuple[str, list[tuple[bool, str]]]:
    """Return the first part of a field name, and (is attribute, key) of the others."""
    ends = [i for i in (name.find("."), name.find("[")) if i >= 0]
    if not ends:
        return name, []
    end = min(ends)
    first, rest = name[:end], name[end:]
    parts: list[tuple[bool, str]] = []
    while rest:
        if rest[0] == ".":
            ends = [i for i in (rest.find(".", 1), rest.find("[", 1)) if i >= 0]
            end = min(ends, default=len(rest))
            key, rest = rest[1:end], rest[end:]
            parts.append((True, key))
        elif rest[0] == "[":
            end = rest.find("]")
            if end < 0:
                raise ValueError("Missing ']' in format string")
            key, rest = rest[1:end], rest[end + 1 :]
            parts.append((False, key))
        else:
            raise ValueError("Only '.' or '[' may follow ']' in format field specifier")
        if not key:
            raise ValueError("Empty attribute in format string")
    return first, parts


def _item(value: Any, key: str) -> Any:
    index: Any = int(key) if key.isdigit() else key
    if type(value) not in (list, tuple, dict, str, bytes, bytearray, range):
        raise FatalRunError("an index in a format is for sequences and dicts in the guest language")
    return value[index]
