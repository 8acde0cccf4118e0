"""Ctrl-C and SIGTERM end a command in the same way: what there is so far is kept, and is valid.

SIGTERM is turned into SIGINT, so whatever holds Ctrl-C back until a safe moment (an engine between
two supersteps) holds back both. Only the message and the exit code tell them apart: 130 and 143,
as shells report them.

An interrupt inside an import may come out of it as another exception (a C extension that says it
could not be initialised); ``was_interrupted`` tells what it was in truth.
"""

import signal
import threading
from types import FrameType
from typing import Final

from cluster.exit_codes import INTERRUPTED, TERMINATED
from cluster.interrupt import arm, note, noted

_BY_CTRL_C: Final = (INTERRUPTED, "stopped by Ctrl-C")
_BY_SIGTERM: Final = (TERMINATED, "stopped by SIGTERM")

_terminated = False


def catch_signals() -> None:
    """Make Ctrl-C and SIGTERM a KeyboardInterrupt from here on.

    Without effect outside the main thread, and on a signal that was ignored from the start.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    arm()
    for number, handler in ((signal.SIGINT, _on_sigint), (signal.SIGTERM, _on_sigterm)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _on_sigint(number: int, frame: FrameType | None) -> None:
    note()
    raise KeyboardInterrupt


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    global _terminated
    _terminated = True
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        _on_sigint(signal.SIGINT, frame)
    signal.raise_signal(signal.SIGINT)


def was_interrupted() -> bool:
    """Tell whether a KeyboardInterrupt was raised by one of the two signals."""
    return noted()


def interruption() -> tuple[int, str]:
    """Return exit code and message for a command that was interrupted."""
    return _BY_SIGTERM if _terminated else _BY_CTRL_C
