"""Values of system calls as strace prints them: texts, lists, numbers, names for bits.

Source: strace(1).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Format = Callable[[Any], str]
LONGEST: Final = 32  # characters of a text, as strace -s
MOST: Final = 16  # members of a list
_ESCAPES: Final = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}


def quote(text: str | bytes) -> str:
    """Return a text as a C string, cut after LONGEST characters."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    parts = []
    for place, byte in enumerate(data[:LONGEST]):
        if byte in _ESCAPES:
            parts.append(_ESCAPES[byte])
        elif byte in b'"\\':
            parts.append("\\" + chr(byte))
        elif 32 <= byte < 127:
            parts.append(chr(byte))
        else:
            digit = data[place + 1 : place + 2].isdigit()
            parts.append(f"\\{byte:03o}" if digit else f"\\{byte:o}")
    return f'"{"".join(parts)}"' + ("..." if len(data) > LONGEST else "")


def plain(value: Any) -> str:
    """Return a value that has no names: a number, a text, NULL, or a list of such."""
    if value is None:
        return "NULL"
    if isinstance(value, (str, bytes)):
        return quote(value)
    if isinstance(value, (tuple, list)):
        shown = [plain(part) for part in value[:MOST]]
        return f"[{', '.join(shown)}{', ...' if len(value) > MOST else ''}]"
    if isinstance(value, (bool, int)):
        return str(int(value))
    return str(value) if isinstance(value, float) else "..."


def one_of(names: Mapping[int, str]) -> Format:
    """Return the formatter of a number that is one of some constants."""
    return lambda value: names.get(value, plain(value)) if isinstance(value, int) else plain(value)


def flags(names: Mapping[int, str], zero: str = "0") -> Format:
    """Return the formatter of a number that is made of bits with names."""
    bits = [(bit, name) for bit, name in sorted(names.items()) if bit and not bit & (bit - 1)]

    def show(value: Any) -> str:
        if not isinstance(value, int) or value < 0:
            return plain(value)
        if value in names and (value or zero == "0"):
            return names[value]
        found = [name for bit, name in bits if value & bit]
        rest = value & ~sum(bit for bit, _ in bits)
        if rest:
            found.append(f"{rest:#x}")
        return "|".join(found) or zero

    return show


def octal(value: Any) -> str:
    """Return a mode: ``0644``."""
    return f"0{value:02o}" if isinstance(value, int) and value >= 0 else plain(value)
