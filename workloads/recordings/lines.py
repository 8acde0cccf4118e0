"""Lines of a text file of any size, one at a time, and those that are wrong."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from workloads.recordings.model import MAX_FILE, MAX_LINE, Problem, RecordingError


def numbered(source: BinaryIO, name: str) -> Iterator[tuple[int, str, bool]]:
    """Yield ``(number, text, whole)`` of each line; ``whole`` is False of a last one without end.

    Raises:
        RecordingError: a line or the file is too long, or it is no text.
    """
    number = size = 0
    while data := source.readline(MAX_LINE + 1):
        number += 1
        size += len(data)
        if b"\0" in data:
            column = data.index(b"\0") + 1
            raise RecordingError(name, Problem("this is no text (a NUL byte)", number, column))
        if len(data) > MAX_LINE:
            what = f"a line of more than {MAX_LINE:,} bytes"
            raise RecordingError(name, Problem(what, number, 1))
        if size > MAX_FILE:
            raise RecordingError(name, Problem(f"more than {MAX_FILE >> 30} GiB"))
        whole = data.endswith(b"\n")
        yield number, data.rstrip(b"\r\n").decode("utf-8", "replace"), whole
    if number == 0:
        raise RecordingError(name, Problem("the file is empty"))


class WrongLines:
    """Lines that are none of a recorder's: the first ones, and how many there are."""

    _SHOWN: Final = 20

    def __init__(self) -> None:
        self.count = 0
        self._problems: list[Problem] = []

    def add(self, line: int, column: int, what: str) -> None:
        """Take note of one."""
        self.count += 1
        if self.count <= self._SHOWN:
            self._problems.append(Problem(what, line, column))

    def refuse(self, name: str, hint: str = "") -> None:
        """Raise RecordingError if there are any; ``hint`` says what could be done."""
        if not self.count:
            return
        more = self.count - len(self._problems)
        last = [hint, f"{more:,} lines more are wrong" if more else ""]
        ending = [Problem("; ".join(filter(None, last)))] if any(last) else []
        raise RecordingError(name, *self._problems, *ending)
