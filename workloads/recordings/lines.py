"""Lines of a text file of any size, one at a time."""

from collections.abc import Iterator
from typing import BinaryIO

from workloads.recordings.model import MAX_FILE, MAX_LINE, RecordingError


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
            raise RecordingError(f"{name}:{number}:{column}: this is no text (a NUL byte)")
        if len(data) > MAX_LINE:
            raise RecordingError(f"{name}:{number}:1: a line of more than {MAX_LINE:,} bytes")
        if size > MAX_FILE:
            raise RecordingError(f"{name}: more than {MAX_FILE >> 30} GiB")
        whole = data.endswith(b"\n")
        yield number, data.rstrip(b"\r\n").decode("utf-8", "replace"), whole
    if number == 0:
        raise RecordingError(f"{name}: the file is empty")
