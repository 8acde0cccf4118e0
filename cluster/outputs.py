"""What guest programs wrote to descriptors 1 and 2: one file for a whole run, ``outputs.smpo``.

A file is one preamble, then records, one for each write, in the order in which they were made; then
an index and a footer. All integers are little-endian and unsigned.

    preamble  magic "SMPO\\r\\n\\x1a\\n", u16 version, u16 0
    record    u32 number, u32 length, u32 crc (of those 8 bytes and of the data); then the data
    footer    u64 offset of the index, magic "SMPOEND\\n"

``number`` says who wrote: the names (``LABEL.stdout``, ``LABEL.stderr``) are numbered from 0 in the
order in which they first wrote, and a record of the number NAME, whose data is the name, stands
before the first record of each. A record of the number INDEX is the last one; its data is a msgpack
list ``[[name, bytes, first, last], ...]`` with the offsets of the first and the last record of each
name, which spares a reader the walk over all records.

The file is written while the run goes on, so a run that was killed leaves what had reached the
operating system (at most a second is missing) and no index. A run in which nobody wrote leaves no
file. Equal runs make equal files. Data only: nothing in a file is ever executed.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, Final, NamedTuple

import msgpack

OUTPUTS: Final = "outputs.smpo"  # in a run directory
MAGIC: Final = b"SMPO\r\n\x1a\n"
END_MAGIC: Final = b"SMPOEND\n"
VERSION: Final = 1
NAME: Final = 0xFFFF_FFFF
INDEX: Final = 0xFFFF_FFFE

PREAMBLE: Final = struct.Struct("<8sHH")
_HEAD: Final = struct.Struct("<II")
_CRC: Final = struct.Struct("<I")
_RECORD_BYTES: Final = _HEAD.size + _CRC.size
FOOTER: Final = struct.Struct("<Q8s")
_BUFFER_BYTES: Final = 1 << 18
_FLUSH_S: Final = 1.0
# a write of a guest is at most this long (MAX_RW_COUNT), and so is what is left of it here
_MAX_DATA: Final = 0x7FFF_F000


class OutputError(Exception):
    """A file of outputs cannot be read. The message says where."""


class Piece(NamedTuple):
    """One write: who (``label``), where to (``stdout`` or ``stderr``), and what."""

    label: str
    stream: str
    data: bytes


def split_name(name: str) -> tuple[str, str]:
    """Return label and stream of a name of the engine's outputs, ``LABEL.stdout``."""
    label, _, stream = name.rpartition(".")
    return label, stream


@dataclass(slots=True)
class Output:
    """All that programs of one label wrote to one stream: how many bytes, and between where."""

    label: str
    stream: str
    size: int
    first: int
    last: int


class OutputWriter:
    """Writes one ``outputs.smpo``; the file is made by the first write that is not empty."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = monotonic,
        after: "OutputReader | None" = None,
    ) -> None:
        """Write to ``path``, which must not exist yet, unless it is gone on with.

        Args:
            clock: seconds, monotonic: once a second what was written reaches the host's system.
            after: what there is of the file; what lies behind that is cut off.
        """
        self.path = path
        self._clock = clock
        self._file: IO[bytes] | None = None
        self._offset = 0
        self._flushed_s = 0.0
        self._numbers: dict[str, int] = {}
        self._index: list[list[int]] = []  # by number: bytes, first offset, last offset
        if after is None:
            return
        if not after.end:
            path.unlink(missing_ok=True)
            return
        for output in after.outputs:
            self._numbers[f"{output.label}.{output.stream}"] = len(self._index)
            self._index.append([output.size, output.first, output.last])
        self._file = path.open("r+b", buffering=_BUFFER_BYTES)
        self._file.truncate(after.end)
        self._offset = self._file.seek(after.end)
        self._flushed_s = self._clock()

    def sync(self) -> int:
        """Let what was written reach the disk; return how many bytes the file has then.

        Raises:
            OSError: it cannot be written.
        """
        if self._file is None:
            return 0
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._offset

    def append(self, name: str, data: bytes) -> None:
        """Add what was written to the stream ``name`` (``LABEL.stdout``, ``LABEL.stderr``).

        Raises:
            OSError: it cannot be written (a full disk).
        """
        if not data:
            return
        number = self._numbers.get(name)
        if number is None:
            if self._file is None:
                self._file = self.path.open("xb", buffering=_BUFFER_BYTES)
                self._offset = self._file.write(PREAMBLE.pack(MAGIC, VERSION, 0))
                self._flushed_s = self._clock()
            number = self._numbers[name] = len(self._index)
            self._write(NAME, name.encode("utf-8", "surrogatepass"))
            self._index.append([0, self._offset, 0])
        entry = self._index[number]
        entry[0] += len(data)
        entry[2] = self._offset
        self._write(number, data)

    def flush(self) -> None:
        """Let what was written reach the host's system, if that is a second ago."""
        if self._file is not None and self._clock() - self._flushed_s >= _FLUSH_S:
            self._file.flush()
            self._flushed_s = self._clock()

    def close(self) -> None:
        """Write the index and close. Again is allowed.

        Raises:
            OSError: it cannot be written. The file is closed, and readable up to there.
        """
        file = self._file
        if file is None:
            return
        try:
            start = self._offset
            rows = [[name, *self._index[number]] for name, number in self._numbers.items()]
            self._write(INDEX, msgpack.packb(rows, unicode_errors="surrogatepass"))
            file.write(FOOTER.pack(start, END_MAGIC))
        finally:
            self._file = None
            file.close()

    def _write(self, number: int, data: bytes) -> None:
        assert self._file is not None
        head = _HEAD.pack(number, len(data))
        crc = _CRC.pack(zlib.crc32(data, zlib.crc32(head)))
        self._offset += self._file.write(b"".join((head, crc, data)))


class OutputReader:
    """Reads one ``outputs.smpo``. A context manager.

    Attributes:
        outputs: every stream that something was written to, in the order of the first writes.
        complete: False if the file was cut: the run was killed, or its disk was full.
    """

    def __init__(self, path: Path, end: int | None = None) -> None:
        """Open ``path``; a file that is missing is that of a run in which nobody wrote.

        Args:
            end: look at so many bytes only, of a file that was being written; None: at all.

        Raises:
            OutputError: no file of outputs, of another version, or damaged. A cut one is no error.
            OSError: it cannot be opened.
        """
        self.path = path
        self.outputs: list[Output] = []
        self.complete = True
        self._end = 0  # of the records that can be read
        self._map: mmap.mmap | None = None
        if end == 0:
            return
        try:
            file = path.open("rb")
        except FileNotFoundError:
            if end:
                raise OutputError(f"{path} is missing, and {end} bytes were written") from None
            return
        with file:
            start = file.read(PREAMBLE.size)
            if len(start) < PREAMBLE.size or not start.startswith(MAGIC):
                raise OutputError(f"{path} is no file of outputs")
            version = PREAMBLE.unpack(start)[1]
            if version != VERSION:
                raise OutputError(f"{path} has version {version}, this smplab reads {VERSION}")
            if end is not None and os.fstat(file.fileno()).st_size < end:
                raise OutputError(f"{path} is cut: {end} bytes were written")
            self._map = mmap.mmap(file.fileno(), end or 0, access=mmap.ACCESS_READ)
        try:
            self.complete = end is None and self._read_index()
            if not self.complete:
                self._walk()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "OutputReader":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def end(self) -> int:
        """Where the last whole record ends."""
        return self._end

    def close(self) -> None:
        """Close the file."""
        if self._map is not None:
            self._map.close()
            self._map = None

    def labels(self) -> list[str]:
        """Return the labels of the programs that wrote something, in the order of first writes."""
        return list(dict.fromkeys(output.label for output in self.outputs))

    def size(self, label: str, stream: str) -> int:
        """Return how many bytes the programs of a label wrote to ``stdout`` or ``stderr``."""
        return sum(one.size for one in self.outputs if (one.label, one.stream) == (label, stream))

    def read(self, label: str, stream: str) -> bytes:
        """Return what the programs of a label wrote to ``stdout`` or ``stderr``.

        Raises:
            OutputError: the file is damaged.
        """
        return b"".join(piece.data for piece in self.pieces({label}) if piece.stream == stream)

    def pieces(self, labels: set[str] | None = None) -> Iterator[Piece]:
        """Iterate over single writes in the order in which they were made.

        Args:
            labels: only those of programs of these labels; None: of all.

        Raises:
            OutputError: the file is damaged.
        """
        wanted = {
            number: output
            for number, output in enumerate(self.outputs)
            if labels is None or output.label in labels
        }
        if not wanted:
            return
        offset = min(output.first for output in wanted.values())
        last = max(output.last for output in wanted.values())
        while offset <= last:
            number, data_at, following = self._head(offset)
            data = self._data(offset, data_at, following)  # of others too: who wrote may be wrong
            output = wanted.get(number)
            if output is not None:
                yield Piece(output.label, output.stream, data)
            offset = following

    def _head(self, offset: int) -> tuple[int, int, int]:
        """Return number, place of the data, and end of the record at ``offset``."""
        assert self._map is not None
        data_at = offset + _RECORD_BYTES
        if data_at > self._end:
            raise self._damaged(offset)
        number, length = _HEAD.unpack_from(self._map, offset)
        if length > _MAX_DATA or data_at + length > self._end:
            raise self._damaged(offset)
        return number, data_at, data_at + length

    def _data(self, offset: int, data_at: int, end: int) -> bytes:
        assert self._map is not None
        data = self._map[data_at:end]
        [crc] = _CRC.unpack_from(self._map, offset + _HEAD.size)
        if zlib.crc32(data, zlib.crc32(self._map[offset : offset + _HEAD.size])) != crc:
            raise self._damaged(offset)
        return data

    def _damaged(self, offset: int) -> OutputError:
        return OutputError(f"{self.path} is damaged at byte {offset}")

    def _read_index(self) -> bool:
        """Take the outputs from the index; False if there is none."""
        assert self._map is not None
        foot = len(self._map) - FOOTER.size
        if foot < PREAMBLE.size or not self._map[foot:].endswith(END_MAGIC):
            return False
        offset, _ = FOOTER.unpack_from(self._map, foot)
        self._end = foot
        number, data_at, end = self._head(offset)
        if number != INDEX or end != foot:
            raise self._damaged(offset)
        data = self._data(offset, data_at, end)
        self._end = offset
        try:
            for name, size, first, last in msgpack.unpackb(data, unicode_errors="surrogatepass"):
                if not PREAMBLE.size <= first <= last < offset or size < 0:
                    raise ValueError
                self.outputs.append(Output(*split_name(name), size, first, last))
        except (ValueError, TypeError, AttributeError, msgpack.UnpackException):
            raise self._damaged(offset) from None
        return True

    def _walk(self) -> None:
        """Find the outputs of a file without index, up to its last whole record."""
        assert self._map is not None
        self._end = len(self._map)
        offset = PREAMBLE.size
        while offset < len(self._map):
            try:
                number, data_at, following = self._head(offset)
                data = self._data(offset, data_at, following)
            except OutputError:
                break  # cut here
            if number == NAME:
                name = data.decode("utf-8", "surrogatepass")
                self.outputs.append(Output(*split_name(name), 0, following, following))
            elif number < len(self.outputs):
                output = self.outputs[number]
                output.size += len(data)
                output.last = offset
            elif number != INDEX:
                raise self._damaged(offset)
            offset = following
        self._end = offset
        if self.outputs and not self.outputs[-1].size:
            self.outputs.pop()  # cut between a name and its first record
