"""The wire format of protocol buffers, as far as writing needs it.

A field is a tag (number and kind) and a value; kinds used here are varints, fixed 64 bits and byte
strings.

Source: protobuf.dev/programming-guides/encoding.
"""

from functools import lru_cache
from typing import Final

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_MASK: Final = (1 << 64) - 1
_KEPT: Final = 1 << 16  # fields that come again and again are encoded once


def _encoded(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


class _Varints(dict[int, bytes]):
    """Numbers as varints: small ones are kept, of others so much is encoded as is not."""

    def __missing__(self, value: int) -> bytes:
        value &= _MASK
        return LOW[value & 0x3FFF] + self[value >> 14]


#: 14 low bits of a number -> their two bytes, where more follow
LOW: Final = [bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(1 << 14)]
#: a number -> its varint; ``varint`` without a call
VARINTS: Final = _Varints((value, _encoded(value)) for value in range(1 << 14))


def varint(value: int) -> bytes:
    """Return a number, of 64 bits at most; a negative one as its two's complement."""
    return VARINTS[value]


def number(field: int, value: int) -> bytes:
    """Return a field that is a number."""
    return VARINTS[field << 3 | _VARINT] + VARINTS[value]


def fixed64(field: int, value: int) -> bytes:
    """Return a field that is a number of 64 bits."""
    return varint(field << 3 | _FIXED64) + value.to_bytes(8, "little")


def block(field: int, value: bytes) -> bytes:
    """Return a field that is a string of bytes, or a message."""
    return VARINTS[field << 3 | _BYTES] + VARINTS[len(value)] + value


@lru_cache(_KEPT)
def text(field: int, value: str) -> bytes:
    """Return a field that is text; what is no Unicode is replaced."""
    return block(field, value.encode("utf-8", "replace"))
