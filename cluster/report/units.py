"""Times and counts as people write and read them."""

import re
from decimal import Decimal
from typing import Final

_SIZES: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s)?\Z", re.ASCII)


def format_ns(time_ns: int) -> str:
    """Return ``time_ns`` for people: about four digits in the largest unit that fits, ``1.250 ms``.

    Digits beyond those are cut off, not rounded.
    """
    for unit in ("s", "ms", "us"):
        size = _SIZES[unit]
        if abs(time_ns) >= size:
            sign, whole, rest = "-" * (time_ns < 0), abs(time_ns) // size, abs(time_ns) % size
            decimals = 3 if whole < 10 else 2 if whole < 100 else 1 if whole < 1000 else 0
            part = f".{rest * 10**decimals // size:0{decimals}d}" if decimals else ""
            return f"{sign}{whole:,}{part} {unit}"
    return f"{time_ns} ns"


def counted(count: int, what: str) -> str:
    """Return so many of something: ``1 run``, ``2,000 runs``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def parse_ns(text: str) -> int:
    """Return the time that ``text`` names, in ns: ``50us``, ``1.5ms``, ``0.25`` (seconds).

    Raises:
        ValueError: it is none, or has a part smaller than a nanosecond.
    """
    match = _TIME.match(text.strip())
    if match is None:
        raise ValueError(f"no time: {text!r} (write 50us, 1.5ms, 2s; a bare number is seconds)")
    exact = Decimal(match[1]) * _SIZES[match[2] or "s"]
    if exact != int(exact):
        raise ValueError(f"{text!r} is not a whole number of nanoseconds")
    return int(exact)
