"""Ctrl-C and SIGTERM end a command in the same way: what there is so far is kept, and is valid.

SIGTERM is turned into SIGINT, so whatever holds Ctrl-C back until a safe moment (an engine between
two supersteps) holds back both. Only the message and the exit code tell them apart: 130 and 143,
as shells report them.
"""

import signal
import threading
from types import FrameType
from typing import Final

from cluster.exit_codes import INTERRUPTED, TERMINATED

_BY_CTRL_C: Final = (INTERRUPTED, "stopped by Ctrl-C")
_BY_SIGTERM: Final = (TERMINATED, "stopped by SIGTERM")

_terminated = False


def catch_sigterm() -> None:
    """Make SIGTERM act as Ctrl-C from here on; without effect outside the main thread."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    global _terminated
    _terminated = True
    signal.raise_signal(signal.SIGINT)


def interruption() -> tuple[int, str]:
    """Return exit code and message for a command that was interrupted."""
    return _BY_SIGTERM if _terminated else _BY_CTRL_C
