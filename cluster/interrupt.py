"""Ctrl-C held back until a run stands at a place where what there is so far is valid."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class HeldInterrupt:
    """Notes the first Ctrl-C in ``asked``; the second one raises KeyboardInterrupt at once.

    A context manager for the main thread; in other threads, which get no signals, it does nothing.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None
        self._active = threading.current_thread() is threading.main_thread()

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
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
