"""The file that a trace is: its table of streams and events, its frames, and where each one is."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

import msgpack

from cluster.trace.format import (
    CHUNK,
    CHUNK_RECORDS,
    CRC,
    END_MAGIC,
    FOOTER,
    FRAME,
    FRAME_BYTES,
    MAGIC,
    MAX_RAW_BYTES,
    PREAMBLE,
    TRAILER,
    VERSION,
    TraceError,
)

_CPU_NAME: Final = re.compile(r"cpu(\d+)\Z")
# What makes a byte string ours or not; all that msgpack and its conversions may raise.
MSGPACK_ERRORS: Final = (ValueError, TypeError, KeyError, msgpack.UnpackException)


@dataclass(slots=True, frozen=True)
class ChunkRef:
    """Where a chunk is, and what its head says."""

    offset: int
    lp: int
    seq: int
    records: int
    min_ns: int
    max_ns: int
    first_seq: int = 0  # of its first record


class TraceFile:
    """One ``trace.smpt``, by chunks. A context manager.

    Attributes:
        lps: names of the logical processes, by number.
        events: event number -> (name, field names), as the file says.
        records: records of each logical process that can be read.
        complete: False if the file was cut or its run did not end.
    """

    def __init__(self, path: Path, end: int | None = None) -> None:
        """Open ``path``.

        Args:
            end: look at so many bytes only, of a trace that was being written; None: at all.

        Raises:
            TraceError: no trace file, of another version, or damaged. A cut one is no error.
            OSError: it cannot be opened.
        """
        self.path = path
        self.complete = False
        self._whole = 0
        self._file: IO[bytes] = path.open("rb")
        try:
            self._size = path.stat().st_size
            if end is not None:
                if self._size < end:
                    raise TraceError(f"{path} has {self._size} bytes, and {end} were written")
                self._size = end
            self._read_preamble()
            refs = None if end is not None else self._read_index()
            if refs is None:
                refs = self._walk(self._first_frame)
            self._seqs = [0] * len(self.lps)
            self.records = [0] * len(self.lps)
            self._chunks = self._number(refs)
        except BaseException:
            self._file.close()
            raise
        self._cpus = [
            int(match[1]) if (match := _CPU_NAME.match(name)) else None for name in self.lps
        ]
        self._cpu_count = sum(cpu is not None for cpu in self._cpus)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over ``(lp, chunk)`` in file order: what ``TraceWriter.append`` was given."""
        for ref in sorted(self._chunks, key=lambda ref: ref.offset):
            yield ref.lp, self._load(ref)

    def index(self) -> list[tuple[int, int, int, int, int, int]]:
        """Return the index as a trailer has it, for ``TraceWriter``."""
        return [
            (ref.offset, ref.lp, ref.seq, ref.records, ref.min_ns, ref.max_ns)
            for ref in self._chunks
        ]

    @property
    def end(self) -> int:
        """Where the last whole chunk ends, in a file without trailer."""
        return self._whole

    def _damaged(self, ref: ChunkRef, why: str) -> TraceError:
        return TraceError(
            f"{self.path}: chunk {ref.seq} of {self.lps[ref.lp]} at byte {ref.offset}: {why}"
        )

    def _load(self, ref: ChunkRef) -> bytes:
        self._file.seek(ref.offset)
        head = self._file.read(FRAME_BYTES)
        if len(head) == FRAME_BYTES:
            kind, lp, _, seq, records, raw_bytes, body_bytes, *_times = FRAME.unpack_from(head)
            if (kind, lp, seq, records) != (CHUNK, ref.lp, ref.seq, ref.records):
                raise self._damaged(ref, "the index points at something else")
            return self._body(head, raw_bytes, body_bytes, ref.offset)
        raise self._damaged(ref, "past the end of the file")

    def _body(self, head: bytes, raw_bytes: int, body_bytes: int, offset: int) -> bytes:
        """Read and check the body of the frame whose head was just read."""
        where = f"{self.path}: frame at byte {offset}"
        if raw_bytes > MAX_RAW_BYTES or body_bytes > MAX_RAW_BYTES:
            raise TraceError(f"{where} is damaged: it claims {max(raw_bytes, body_bytes)} bytes")
        body = self._file.read(body_bytes)
        (crc,) = CRC.unpack_from(head, FRAME.size)
        if len(body) != body_bytes or zlib.crc32(body, zlib.crc32(head[: FRAME.size])) != crc:
            raise TraceError(f"{where} is damaged: wrong checksum")
        inflate = zlib.decompressobj()
        try:
            raw = inflate.decompress(body, raw_bytes)
        except zlib.error as error:
            raise TraceError(f"{where} is damaged: {error}") from None
        if len(raw) != raw_bytes or not inflate.eof:
            raise TraceError(f"{where} is damaged: not {raw_bytes} bytes when unpacked")
        return raw

    def _read_preamble(self) -> None:
        head = self._file.read(PREAMBLE.size)
        if head[: len(MAGIC)] != MAGIC[: len(head)]:
            raise TraceError(f"{self.path} is not a trace file")
        if len(head) < PREAMBLE.size:
            raise TraceError(f"{self.path} was cut in its preamble: nothing can be read")
        _, version, _, length, crc = PREAMBLE.unpack(head)
        if version != VERSION:
            raise TraceError(f"{self.path} is of version {version}; this program reads {VERSION}")
        if length > self._size - PREAMBLE.size:
            raise TraceError(f"{self.path} was cut in its preamble: nothing can be read")
        body = self._file.read(length)
        if zlib.crc32(body) != crc:
            raise TraceError(f"{self.path}: its preamble is damaged: wrong checksum")
        try:
            plain = msgpack.unpackb(body)
            self.lps: tuple[str, ...] = tuple(plain["lps"])
            self.events: dict[int, tuple[str, tuple[str, ...]]] = {
                number: (name, tuple(fields)) for number, name, fields in plain["events"]
            }
        except MSGPACK_ERRORS as error:
            raise TraceError(f"{self.path}: its preamble is damaged: {error!r}") from None
        self._first_frame = PREAMBLE.size + length

    def _read_index(self) -> list[ChunkRef] | None:
        """Return the trailer's index, or None if the file does not end with one."""
        if self._size < self._first_frame + FRAME_BYTES + FOOTER.size:
            return None
        self._file.seek(self._size - FOOTER.size)
        offset, magic = FOOTER.unpack(self._file.read(FOOTER.size))
        if magic != END_MAGIC:
            return None
        if not self._first_frame <= offset <= self._size - FOOTER.size - FRAME_BYTES:
            raise TraceError(f"{self.path}: its footer is damaged")
        self._file.seek(offset)
        head = self._file.read(FRAME_BYTES)
        kind, _, _, _, _, raw_bytes, body_bytes, *_times = FRAME.unpack_from(head)
        if kind != TRAILER:
            raise TraceError(f"{self.path}: its footer does not point at a trailer")
        try:
            plain = msgpack.unpackb(self._body(head, raw_bytes, body_bytes, offset))
            refs = [ChunkRef(*entry) for entry in plain["index"]]
        except MSGPACK_ERRORS as error:
            raise TraceError(f"{self.path}: its trailer is damaged: {error!r}") from None
        self.complete = True
        return refs

    def _walk(self, offset: int) -> list[ChunkRef]:
        """Find the whole chunks of a file without a trailer, from head to head."""
        refs = []
        while offset + FRAME_BYTES <= self._size:
            self._file.seek(offset)
            kind, lp, _, seq, records, raw_bytes, body_bytes, min_ns, max_ns = FRAME.unpack_from(
                self._file.read(FRAME_BYTES)
            )
            if kind == TRAILER:
                break  # cut after its head
            sound = lp < len(self.lps) and 0 < records <= CHUNK_RECORDS
            if kind != CHUNK or not sound or max(raw_bytes, body_bytes) > MAX_RAW_BYTES:
                raise TraceError(f"{self.path}: frame at byte {offset} is damaged: no such head")
            following = offset + FRAME_BYTES + body_bytes
            if following > self._size:
                break
            refs.append(ChunkRef(offset, lp, seq, records, min_ns, max_ns))
            offset = following
        self._whole = offset
        return refs

    def _number(self, refs: list[ChunkRef]) -> list[ChunkRef]:
        """Give each chunk the number of its first record; none may be missing."""
        seqs = self._seqs
        numbered = []
        for ref in refs:
            if not 0 <= ref.lp < len(seqs) or ref.seq != seqs[ref.lp]:
                raise TraceError(
                    f"{self.path}: frame at byte {ref.offset} is out of order: a chunk is missing"
                )
            numbered.append(
                ChunkRef(
                    *(ref.offset, ref.lp, ref.seq, ref.records, ref.min_ns, ref.max_ns),
                    self.records[ref.lp],
                )
            )
            seqs[ref.lp] += 1
            self.records[ref.lp] += ref.records
        return numbered
