"""Ctrl-C held back until a run stands at a place where what there is so far is valid."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final

AT_ONCE: Final = 0  # raise KeyboardInterrupt: there is nothing yet to be kept
HOLD: Final = 1  # note the first one, raise at the second
NEVER: Final = 2  # note them: what is left to do must be done


class HeldInterrupt:
    """Notes the first Ctrl-C in ``asked``; the second one raises KeyboardInterrupt at once.

    A context manager for the main thread; in other threads, which get no signals, it does nothing.

    Args:
        mode: AT_ONCE, HOLD or NEVER; the attribute may be changed at any time.
    """

    def __init__(self, mode: int = HOLD) -> None:
        self.mode = mode
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
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._active:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.mode == AT_ONCE or (self.mode == HOLD and self.count > 1):
            raise KeyboardInterrupt
