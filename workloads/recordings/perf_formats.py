"""The layouts of tracepoints, as perf.data carries them: the texts of tracefs's ``format`` files.

Source: tools/perf/util/trace-event-read.c:trace_report(); kernel/trace/trace_events.c:f_show().
"""

import re
from dataclasses import dataclass
from typing import Final

_FIELD: Final = re.compile(
    r"\tfield:([^;]{1,200}?) ?(\w{1,64})(\[[^]]{0,32}\])?;"
    r"\toffset:(\d{1,6});\tsize:(\d{1,6});(?:\tsigned:([01]);)?"
)
_NAME: Final = re.compile(r"name: (\S{1,128})\nID: (\d{1,9})\n")
_MAGIC: Final = b"\x17\x08\x44tracing"
_MOST_EVENTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Format:
    """The layout of an event.

    Attributes:
        name: of the event.
        fields: name -> place, bytes, whether it has a sign, whether it is text elsewhere.
        size: bytes of a record at least.
    """

    name: str
    fields: dict[str, tuple[int, int, bool, bool]]
    size: int

    def number(self, raw: bytes, name: str) -> int:
        """Return a field of a record; one that the event does not have is 0."""
        at, size, signed, _ = self.fields.get(name, (0, 0, False, False))
        return int.from_bytes(raw[at : at + size], "little", signed=signed)

    def text(self, raw: bytes, name: str) -> str:
        """Return a field that is text; one that the event does not have is empty."""
        at, size, _, elsewhere = self.fields.get(name, (0, 0, False, False))
        if elsewhere:
            place = int.from_bytes(raw[at : at + size], "little")
            at, size = place & 0xFFFF, place >> 16
        return raw[at : at + size].split(b"\0")[0].decode("utf-8", "replace")


class _Cursor:
    """Goes through the bytes. Each method raises ValueError where they end before."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return so many bytes."""
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise ValueError("what its events are is cut")
        self._at += size
        return part

    def number(self, size: int) -> int:
        """Return a number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def string(self) -> str:
        """Return text up to a NUL byte."""
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise ValueError("what its events are is cut")
        return self.take(end + 1 - self._at)[:-1].decode("utf-8", "replace")


def read_formats(data: bytes) -> dict[int, Format]:
    """Return the layouts of events by number.

    Args:
        data: of the feature HEADER_TRACING_DATA.

    Raises:
        ValueError: it is damaged, or of the other byte order; says what.
    """
    cursor = _Cursor(data)
    if cursor.take(len(_MAGIC)) != _MAGIC:
        raise ValueError("expected what its events are, found something else")
    cursor.string()  # version
    if cursor.number(1):
        raise ValueError("was recorded on a machine of the other byte order")
    cursor.take(1 + 4)  # size of long, of a page
    for _ in ("header_page", "header_event"):
        cursor.string()
        cursor.take(cursor.number(8))
    texts = [cursor.take(cursor.number(8)) for _ in range(_checked(cursor.number(4)))]
    for _ in range(_checked(cursor.number(4))):
        cursor.string()  # system
        texts += [cursor.take(cursor.number(8)) for _ in range(_checked(cursor.number(4)))]
    return dict(_format(text.decode("utf-8", "replace")) for text in texts)


def _checked(count: int) -> int:
    if count > _MOST_EVENTS:
        raise ValueError(f"it claims to have {count:,} kinds of events")
    return count


def _format(text: str) -> tuple[int, Format]:
    head = _NAME.match(text)
    if head is None:
        raise ValueError("the text of an event has no name or number")
    fields = {}
    size = 0
    for kind, name, _, at, length, signed in _FIELD.findall(text):
        fields[name] = int(at), int(length), signed == "1", "__data_loc" in kind
        size = max(size, int(at) + int(length))
    return int(head[2]), Format(head[1], fields, size)
