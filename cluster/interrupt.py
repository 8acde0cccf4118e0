"""Ctrl-C held back until a run stands at a place where what there is so far is valid.

A place that is not reached in time is not waited for: a second after the first Ctrl-C, or after the
limit of host time, StoppedRunError is raised wherever the run is.

A KeyboardInterrupt can get lost: raised inside a callback of C code, a finalizer or an import that
catches everything. So the handlers of the command line ``note`` each one, and whatever holds
interrupts looks first if there was one already.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final

from workloads.language.errors import StoppedRunError

AT_ONCE: Final = 0  # raise KeyboardInterrupt: there is nothing yet to be kept
HOLD: Final = 1  # note the first one, raise at the second
NEVER: Final = 2  # note them: what is left to do must be done


_GRACE_S: Final = 1.0
_armed = False
_noted = False


def arm() -> None:
    """Let ``note`` note: this process runs one command, which an interrupt is to end."""
    global _armed
    _armed = True


def note() -> None:
    """Note that an interrupt came and its exception is about to be raised."""
    global _noted
    _noted = _armed


def noted() -> bool:
    """Tell whether an interrupt ever came."""
    return _noted


class HeldInterrupt:
    """Notes the first Ctrl-C in ``asked``; the second one ends the run at once.

    A context manager for the main thread; in other threads, which get no signals, it does nothing.

    Args:
        mode: AT_ONCE, HOLD or NEVER; the attribute may be changed at any time.
        limit_s: seconds of host time after which the run is stopped wherever it is; None: no limit.
        in_blocks: guest programs run in this process, so that a stop may have to break a block.
    """

    def __init__(
        self, mode: int = HOLD, *, limit_s: float | None = None, in_blocks: bool = False
    ) -> None:
        self.mode = mode
        self._limit_s = limit_s
        self._in_blocks = in_blocks
        self._alarm_before: Any = None
        self.count = 0
        self._before: Any = None
        self._active = threading.current_thread() is threading.main_thread()

    @property
    def asked(self) -> bool:
        """Whether there was a Ctrl-C."""
        return self.count > 0

    def __enter__(self) -> "HeldInterrupt":
        if self._active:
            self._before = signal.signal(signal.SIGINT, self._handle)
            if self._in_blocks:
                self._alarm_before = signal.signal(signal.SIGALRM, self._stop)
                if self._limit_s is not None:
                    self._stop_in(self._limit_s + _GRACE_S)
            if noted():  # its exception was lost
                self._count()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._active:
            if self._in_blocks:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, self._alarm_before)
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        note()
        self._count()

    def _count(self) -> None:
        self.count += 1
        if self.mode == AT_ONCE or (self.mode == HOLD and self.count > 1):
            if self._in_blocks:
                raise StoppedRunError
            raise KeyboardInterrupt
        if self._in_blocks and self.mode == HOLD:
            self._stop_in(_GRACE_S)

    def _stop_in(self, seconds: float) -> None:
        # again and again: an exception that comes in a destructor is lost
        signal.setitimer(signal.ITIMER_REAL, seconds, _GRACE_S)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        raise StoppedRunError
