"""Reads protocol buffers as far as their wire format goes: numbers of fields, and values."""

from collections.abc import Iterator


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a message: number, and an int or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
            yield tag >> 3, value
        elif tag & 7 == 1:
            yield tag >> 3, int.from_bytes(data[at : at + 8], "little")
            at += 8
        else:
            assert tag & 7 == 2, f"wire type {tag & 7} at {at}"
            length, at = varint(data, at)
            assert at + length <= len(data), "a field is longer than its message"
            yield tag >> 3, data[at : at + length]
            at += length


def message(data: bytes) -> dict[int, int | bytes]:
    """Return a message's fields; of one that is repeated the last."""
    return dict(fields(data))
