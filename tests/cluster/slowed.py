"""A process made slow from outside: it runs for a small part of every tenth of a second."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Final

_PERIOD_S: Final = 0.1


@contextmanager
def slowed(pid: Callable[[], int | None], times: int) -> Iterator[list[int]]:
    """Let a process run one time in so many; yield a list that counts the periods.

    Args:
        pid: returns its number, as soon as there is one.
        times: how much slower it gets.
    """
    over = Event()
    periods: list[int] = []

    def slow() -> None:
        while not over.is_set():
            number = pid()
            if number is None:
                over.wait(_PERIOD_S)
                continue
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGSTOP)
                over.wait(_PERIOD_S * (times - 1) / times)
                os.kill(number, signal.SIGCONT)
                periods.append(number)
            over.wait(_PERIOD_S / times)

    thread = Thread(target=slow)
    thread.start()
    try:
        yield periods
    finally:
        over.set()
        thread.join()
