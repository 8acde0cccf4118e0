"""Files of a checkpoint: a preamble, then frames, each with its checksum.

    preamble  magic "SMPC\\r\\n\\x1a\\n", u16 version, u16 what, u32 length, u32 crc, header
    frame     u32 kind, u32 raw length, u32 length, u32 crc (of these 12 bytes and the body), body

All integers are little-endian and unsigned. ``what`` says which file of a checkpoint it is. The
header is a msgpack map, as a zlib stream; its crc covers the 16 bytes before the crc, too. Bodies
are zlib streams.
Data only: nothing in a file is ever executed, and nothing is unpacked to more than its head says.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import msgpack

MAGIC: Final = b"SMPC\r\n\x1a\n"
VERSION: Final = 1
_PREAMBLE: Final = struct.Struct("<8sHHI")
_HEAD: Final = struct.Struct("<III")
_CRC: Final = struct.Struct("<I")
_FRAME_BYTES: Final = _HEAD.size + _CRC.size
_LEVEL: Final = 1  # the bytes are read once, if at all
_CUT_BYTES: Final = 8 << 20  # what is longer is cut into several frames of its kind
_MOST_BYTES: Final = 64 << 20  # a frame that claims more is not ours


class DamagedFile(Exception):
    """A file is none of a checkpoint, or a damaged one; the message says which and where."""


def preamble(what: int, header: dict[str, Any]) -> bytes:
    """Return the bytes with which a file begins."""
    body = zlib.compress(msgpack.packb(header, unicode_errors="surrogatepass"), _LEVEL)
    head = _PREAMBLE.pack(MAGIC, VERSION, what, len(body))
    return b"".join((head, _CRC.pack(zlib.crc32(body, zlib.crc32(head))), body))


def frames(kind: int, raw: bytes) -> Iterator[bytes]:
    """Yield the frames that hold ``raw``: one, or several if it is long."""
    for start in range(0, max(1, len(raw)), _CUT_BYTES):
        part = raw[start : start + _CUT_BYTES]
        body = zlib.compress(part, _LEVEL)
        head = _HEAD.pack(kind, len(part), len(body))
        yield b"".join((head, _CRC.pack(zlib.crc32(body, zlib.crc32(head))), body))


class FramedFile:
    """One file, read frame by frame; a context manager.

    Args:
        path: the file.
        what: which file of a checkpoint it must be.
        end: how much of it counts; None: all.

    Attributes:
        header: what stands at its head.

    Raises:
        DamagedFile: by everything here: it is missing, cut, damaged, or of another version.
    """

    def __init__(self, path: Path, what: int, end: int | None = None) -> None:
        self.path = path
        try:
            self._file: IO[bytes] = path.open("rb")
        except OSError as error:
            raise DamagedFile(f"{path} cannot be read: {error.strerror}") from None
        try:
            size = path.stat().st_size
            if end is not None and size < end:
                raise DamagedFile(f"{path} has {size} bytes, and {end} were written")
            self._end = size if end is None else end
            self.header = self._preamble(what)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "FramedFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield kind and content of every frame; what was cut into several comes in several."""
        at = self._file.tell()
        while at < self._end:
            if at + _FRAME_BYTES > self._end:
                raise self.damaged(at, "it is cut")
            head = self._read(_HEAD.size)
            (crc,) = _CRC.unpack(self._read(_CRC.size))
            kind, raw_length, length = _HEAD.unpack(head)
            if raw_length > _MOST_BYTES or length > _MOST_BYTES:
                raise self.damaged(at, "a frame claims to be larger than any is")
            if at + _FRAME_BYTES + length > self._end:
                raise self.damaged(at, "it is cut")
            body = self._read(length)
            if zlib.crc32(body, zlib.crc32(head)) != crc:
                raise self.damaged(at, "wrong checksum")
            yield kind, self._inflated(at, body, raw_length)
            at += _FRAME_BYTES + length

    def sections(self) -> dict[int, bytes]:
        """Return the content of each kind, put together again."""
        found: dict[int, list[bytes]] = {}
        for kind, raw in self:
            found.setdefault(kind, []).append(raw)
        return {kind: b"".join(parts) for kind, parts in found.items()}

    def damaged(self, at: int, what: str) -> DamagedFile:
        """Return the error that says that the file is damaged at byte ``at``."""
        return DamagedFile(f"{self.path} is damaged at byte {at}: {what}")

    def _preamble(self, what: int) -> dict[str, Any]:
        head = self._file.read(_PREAMBLE.size)
        if head[: len(MAGIC)] != MAGIC:
            raise DamagedFile(f"{self.path} is no file of a checkpoint")
        if len(head) < _PREAMBLE.size:
            raise self.damaged(0, "it is cut")
        _, version, kind, length = _PREAMBLE.unpack(head)
        crc_bytes = self._file.read(_CRC.size)
        if version != VERSION:
            raise DamagedFile(
                f"{self.path} is of version {version}; this version of smplab reads {VERSION}"
            )
        if length > _MOST_BYTES:
            raise self.damaged(0, "its header claims to be larger than any is")
        body = self._file.read(length)
        if len(body) < length or len(crc_bytes) < _CRC.size:
            raise self.damaged(0, "it is cut")
        if zlib.crc32(body, zlib.crc32(head)) != _CRC.unpack(crc_bytes)[0]:
            raise self.damaged(0, "the checksum of its header is wrong")
        if kind != what:
            raise self.damaged(0, "it is another file of a checkpoint")
        inflate = zlib.decompressobj()
        try:
            raw = inflate.decompress(body, _MOST_BYTES)
        except zlib.error as error:
            raise self.damaged(0, str(error)) from None
        header = unpacked(self.path, raw)
        if not isinstance(header, dict):
            raise self.damaged(0, "its header is no map")
        return header

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            raise self.damaged(self._file.tell(), "it is cut")
        return data

    def _inflated(self, at: int, body: bytes, raw_length: int) -> bytes:
        inflate = zlib.decompressobj()
        try:
            raw = inflate.decompress(body, max(raw_length, 1))  # 0 would be no limit
        except zlib.error as error:
            raise self.damaged(at, str(error)) from None
        if len(raw) != raw_length or inflate.unconsumed_tail:
            raise self.damaged(at, f"not {raw_length} bytes when unpacked")
        return raw


def unpacked(path: Path, data: bytes) -> Any:
    """Return plain data that a file of a checkpoint has as msgpack.

    Raises:
        DamagedFile: it is no msgpack.
    """
    try:
        return msgpack.unpackb(data, strict_map_key=False, unicode_errors="surrogatepass")
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise DamagedFile(f"{path} is damaged: {error or type(error).__name__}") from None
