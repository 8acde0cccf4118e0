"""Numbers that have a name when they are shown: ``signal.Signals`` and its companions.

Source: CPython Lib/signal.py. Members are ints to all who compute with them.
"""

from enum import IntEnum
from typing import Final

from workloads.language import constants

_SIGNALS: Final = {
    name: number
    for name, number in constants.SIGNAL.items()
    if name.startswith("SIG") and not name.startswith("SIG_")
}


Signals = IntEnum("Signals", _SIGNALS)  # type: ignore[misc]
Handlers = IntEnum("Handlers", {"SIG_DFL": 0, "SIG_IGN": 1})
Sigmasks = IntEnum("Sigmasks", {"SIG_BLOCK": 0, "SIG_UNBLOCK": 1, "SIG_SETMASK": 2})

ENUMS: Final[tuple[type[IntEnum], ...]] = (Signals, Handlers, Sigmasks)


_NUMBERS: Final = frozenset(_SIGNALS.values())


def signal_value(number: int) -> int:
    """Return a signal as CPython shows it: one without a name of its own stays an int."""
    return Signals(number) if number in _NUMBERS else number


def handler_value(number: int) -> int:
    """Return a disposition as CPython shows it."""
    return Handlers(number)


#: What strsignal() says. Source: glibc sysdeps/unix/siglist.h, via CPython 3.11 on Linux.
STRSIGNAL: Final[dict[int, str]] = {
    1: "Hangup",
    2: "Interrupt",
    3: "Quit",
    4: "Illegal instruction",
    5: "Trace/breakpoint trap",
    6: "Aborted",
    7: "Bus error",
    8: "Floating point exception",
    9: "Killed",
    10: "User defined signal 1",
    11: "Segmentation fault",
    12: "User defined signal 2",
    13: "Broken pipe",
    14: "Alarm clock",
    15: "Terminated",
    16: "Stack fault",
    17: "Child exited",
    18: "Continued",
    19: "Stopped (signal)",
    20: "Stopped",
    21: "Stopped (tty input)",
    22: "Stopped (tty output)",
    23: "Urgent I/O condition",
    24: "CPU time limit exceeded",
    25: "File size limit exceeded",
    26: "Virtual timer expired",
    27: "Profiling timer expired",
    28: "Window changed",
    29: "I/O possible",
    30: "Power failure",
    31: "Bad system call",
}


def strsignal(number: int) -> str | None:
    """Return what ``signal.strsignal`` does, for a number in range."""
    if 34 <= number <= 64:
        return f"Real-time signal {number - 34}"
    return STRSIGNAL.get(number)
