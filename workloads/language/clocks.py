"""The module ``time`` above the clocks: calendar dates of virtual time, in the zone UTC.

Source: CPython Modules/timemodule.c; strftime of the C locale (glibc time/strftime_l.c).
Deviation: the zone is UTC whatever TZ says.
"""

import calendar
import time
from typing import Any, Final

from kernel.uapi import syscalls as nr
from workloads.language.bounded import tname
from workloads.language.conversions import ns_of
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, RETURN, VALUE, Frame
from workloads.language.library import library

Values = list[Any]

_LENGTHS: Final = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _seconds(value: Any) -> int:
    if not isinstance(value, int | float):
        raise TypeError(f"'{tname(value)}' object cannot be interpreted as an integer")
    if value != value:
        raise ValueError("Invalid value NaN (not a number)")
    if abs(value) >= 1 << 62:
        raise OverflowError("timestamp out of range for platform time_t")
    return int(value // 1)


def _broken_down(seconds: int, zone: str = "UTC") -> time.struct_time:
    """Return the date of a time of UTC."""
    days, rest = divmod(seconds, 86400)
    if not -800_000_000_000 < days < 780_000_000_000:
        raise OverflowError("timestamp out of range for platform time_t")
    year, month, day = _date(days)
    yearday = days - _days_before(year) + 1
    return time.struct_time(
        (
            *(year, month, day, rest // 3600, rest // 60 % 60, rest % 60),
            *((days + 3) % 7, yearday, 0, zone, 0),
        )
    )


def _days_before(year: int) -> int:
    """Return the days from 1970 to the first day of ``year``."""
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400 - 719162


def _date(days: int) -> tuple[int, int, int]:
    year = 1970 + days // 366
    while _days_before(year + 1) <= days:
        year += max((days - _days_before(year + 1)) // 366, 1)
    rest = days - _days_before(year)
    for month in range(1, 13):
        length = _LENGTHS[month] + (month == 2 and calendar.isleap(year))
        if rest < length:
            return year, month, rest + 1
        rest -= length
    raise AssertionError(days)


# ---- functions of a time, or of now: [function, argument] ---------------------------------------


def _now_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_CLOCK_GETTIME, 0)


def _now_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    date = _broken_down(V // 10**9)
    if L[0] == "date":
        return (RETURN, _broken_down(V // 10**9, L[1]))
    if L[0] == "text":
        return (RETURN, _text(date))
    return (RETURN, _format(L[1], date))


_NOW: Final = library("now", (_now_call, -1), (_now_done, -1))


def time_localtime(G: Values, secs: Any) -> Any:
    """Begin ``time.localtime``; the zone is UTC."""
    if secs is None:
        return (CALL, _NOW, ["date", "UTC"])
    return (VALUE, _broken_down(_seconds(secs)))


def time_gmtime(G: Values, secs: Any) -> Any:
    """Begin ``time.gmtime``."""
    if secs is None:
        return (CALL, _NOW, ["date", "GMT"])
    return (VALUE, _broken_down(_seconds(secs), "GMT"))


def time_ctime(G: Values, secs: Any) -> Any:
    """Begin ``time.ctime``."""
    if secs is None:
        return (CALL, _NOW, ["text", None])
    return (VALUE, _text(_broken_down(_seconds(secs))))


def time_asctime(G: Values, t: Any) -> Any:
    """Begin ``time.asctime``."""
    return (CALL, _NOW, ["text", None]) if t is None else (VALUE, _text(_checked(t)))


def time_strftime(G: Values, format: Any, t: Any) -> Any:
    """Begin ``time.strftime``."""
    if type(format) is not str:
        raise TypeError(f"strftime() argument 1 must be str, not {tname(format)}")
    G[0].program.runtime.bounded.charge(20 * len(format), "a date")
    if t is None:
        return (CALL, _NOW, ["format", format])
    return (VALUE, _format(format, _checked(t)))


def time_mktime(G: Values, t: Any) -> float:
    """Return ``time.mktime(t)``; the zone is UTC."""
    date = _checked(t, False)
    months = date[0] * 12 + date[1] - 1
    year, month = divmod(months, 12)
    days = _days_before(year) + date[2] - 1
    for before in range(1, month + 1):
        days += _LENGTHS[before] + (before == 2 and calendar.isleap(year))
    return float(days * 86400 + date[3] * 3600 + date[4] * 60 + date[5])


def _checked(t: Any, strict: bool = True) -> Any:
    """Return a tuple of nine ints, or raise what CPython does."""
    if not isinstance(t, tuple):
        raise TypeError("Tuple or struct_time argument required")
    if len(t) != 9 or not all(isinstance(part, int) for part in t):
        raise TypeError("asctime(): illegal time tuple argument")
    if not strict:
        return t
    year, month, day, hour, minute, second, weekday, yearday, dst = t
    month, day, yearday = month or 1, day or 1, yearday or 1
    for low, high, value, what in (
        (1, 12, month, "month"),
        (1, 31, day, "day of month"),
        (0, 23, hour, "hour"),
        (0, 59, minute, "minute"),
        (0, 61, second, "seconds"),
        (1, 366, yearday, "day of year"),
    ):
        if not low <= value <= high:
            raise ValueError(f"{what} out of range")
    if weekday < -1:
        raise ValueError("day of week out of range")
    zone = getattr(t, "tm_zone", None) or "UTC"
    date = (year, month, day, hour, minute, second, weekday % 7, yearday, dst, zone, 0)
    return time.struct_time(date)


def _text(t: Any) -> str:
    return (
        f"{_DAYS[t[6]][:3]} {_MONTHS[t[1] - 1][:3]}{t[2]:3d}"
        f" {t[3]:02d}:{t[4]:02d}:{t[5]:02d} {t[0]}"
    )


def _format(text: str, t: Any) -> str:
    parts: list[str] = []
    i = 0
    while i < len(text):
        char = text[i]
        i += 1
        if char != "%" or i == len(text):
            parts.append(char)
            continue
        char = text[i]
        i += 1
        parts.append(_field(char, t))
    return "".join(parts)


def _field(char: str, t: Any) -> str:
    year, month, day, hour, minute, second, weekday, yearday, _ = t
    sunday = (weekday + 1) % 7
    hour12 = hour % 12 or 12
    simple = {
        "Y": f"{year}", "m": f"{month:02d}", "d": f"{day:02d}", "H": f"{hour:02d}",
        "M": f"{minute:02d}", "S": f"{second:02d}", "y": f"{year % 100:02d}",
        "j": f"{yearday:03d}", "a": _DAYS[weekday][:3], "A": _DAYS[weekday],
        "b": _MONTHS[month - 1][:3], "h": _MONTHS[month - 1][:3], "B": _MONTHS[month - 1],
        "p": "AM" if hour < 12 else "PM", "P": "am" if hour < 12 else "pm",
        "I": f"{hour12:02d}", "l": f"{hour12:2d}", "k": f"{hour:2d}", "e": f"{day:2d}",
        "Z": t.tm_zone, "z": "+0000", "n": "\n", "t": "\t", "%": "%",
        "u": f"{weekday + 1}", "w": f"{sunday}", "C": f"{year // 100:02d}",
        "U": f"{(yearday + 6 - sunday) // 7:02d}", "W": f"{(yearday + 6 - weekday) // 7:02d}",
        "D": f"{month:02d}/{day:02d}/{year % 100:02d}",
        "x": f"{month:02d}/{day:02d}/{year % 100:02d}",
        "F": f"{year}-{month:02d}-{day:02d}", "T": f"{hour:02d}:{minute:02d}:{second:02d}",
        "X": f"{hour:02d}:{minute:02d}:{second:02d}", "R": f"{hour:02d}:{minute:02d}",
        "r": f"{hour12:02d}:{minute:02d}:{second:02d} {'AM' if hour < 12 else 'PM'}",
        "c": _text(t),
    }  # fmt: skip
    found: str | None = simple.get(char)
    if found is None:
        raise FatalRunError(f"%{char} of strftime() is not in the guest language")
    return found


def clock_gettime(G: Values, clk_id: int) -> Any:
    """Begin ``time.clock_gettime``."""
    return (nr.NR_CLOCK_GETTIME, clk_id)


def time_sleep(G: Values, secs: Any) -> Any:
    """Begin ``time.sleep``."""
    if not isinstance(secs, int | float):
        raise TypeError(f"'{tname(secs)}' object cannot be interpreted as an integer")
    if secs != secs:
        raise ValueError("Invalid value NaN (not a number)")
    if secs < 0:
        raise ValueError("sleep length must be non-negative")
    return (nr.NR_NANOSLEEP, ns_of(secs, "timestamp too large to convert to C _PyTime_t"))


def clock_monotonic(G: Values) -> Any:
    """Begin to read CLOCK_MONOTONIC, in ns."""
    return (nr.NR_CLOCK_GETTIME, 1)


def clock_realtime(G: Values) -> Any:
    """Begin to read CLOCK_REALTIME, in ns."""
    return (nr.NR_CLOCK_GETTIME, 0)


def clock_process(G: Values) -> Any:
    """Begin to read the CPU time of the process, in ns."""
    return (nr.NR_CLOCK_GETTIME, 2)


def clock_thread(G: Values) -> Any:
    """Begin to read the CPU time of the thread, in ns."""
    return (nr.NR_CLOCK_GETTIME, 3)
