"""Reads the head that perf.data and trace.dat share, and the fields of records by it."""

import re
import struct
from dataclasses import dataclass
from typing import Any

_FIELD = re.compile(r"\tfield:(.*?) (\w+)(\[\d*\])?;\toffset:(\d+);\tsize:(\d+);\tsigned:([01]);")


@dataclass
class Format:
    """The layout of an event: name, and of each field place, bytes, sign, and kind."""

    system: str
    name: str
    fields: dict[str, tuple[int, int, bool, str]]
    print_format: str

    def read(self, raw: bytes) -> dict[str, Any]:
        """Return the fields of a record."""
        found: dict[str, Any] = {}
        for name, (at, size, signed, kind) in self.fields.items():
            part = raw[at : at + size]
            assert len(part) == size, f"{self.name} has no room for {name}"
            if kind == "text":
                found[name] = part.split(b"\0")[0].decode()
            elif kind == "place":
                place = int.from_bytes(part, "little")
                begin, length = place & 0xFFFF, place >> 16
                text = raw[begin : begin + length]
                assert len(text) == length and text.endswith(b"\0")
                found[name] = text[:-1].decode()
            else:
                found[name] = int.from_bytes(part, "little", signed=signed)
        return found


@dataclass
class Formats:
    """The events of a file by id, and where its head ends."""

    events: dict[int, Format]
    end: int


def _format(system: str, text: str) -> tuple[int, Format]:
    lines = text.split("\n")
    assert lines[2] == "format:" and lines[-1] == ""
    fields = {}
    for declared, name, array, at, size, signed in _FIELD.findall(text):
        kind = "place" if "__data_loc" in declared else "text" if array else "number"
        fields[name] = (int(at), int(size), signed == "1", kind)
    name, number = lines[0].removeprefix("name: "), int(lines[1].removeprefix("ID: "))
    printed = next(line for line in lines if line.startswith("print fmt: "))
    return number, Format(system, name, fields, printed)


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def read_formats(data: bytes, version: bytes) -> Formats:
    """Read the head of a file; ``version`` is what it must have."""
    head = b"\x17\x08\x44tracing" + version + b"\0" + bytes((0, 8)) + struct.pack("<I", 4096)
    assert data.startswith(head)
    at = len(head)
    for name in ("header_page", "header_event"):
        found, at = _text(data, at)
        assert found == name
        (length,) = struct.unpack_from("<Q", data, at)
        at += 8 + length
    (ftrace,) = struct.unpack_from("<I", data, at)
    assert ftrace == 0
    (systems,) = struct.unpack_from("<I", data, at + 4)
    at += 8
    events = {}
    for _ in range(systems):
        system, at = _text(data, at)
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
        for _ in range(count):
            (length,) = struct.unpack_from("<Q", data, at)
            number, event = _format(system, data[at + 8 : at + 8 + length].decode())
            assert number not in events
            events[number] = event
            at += 8 + length
    assert struct.unpack_from("<II", data, at) == (0, 0)
    return Formats(events, at + 8)
