"""Writing a trace: records to chunks, chunks to a file.

Chunks are made where the records are (in a CPU actor, say), with one msgpack call each and no
compression, because these bytes are what the digest is about: they depend on the records alone,
not on the version of zlib. Where a stream is cut into chunks depends only on the number of its
records (``drain_chunks``), so it is the same for every engine and every packing of CPUs.

``TraceWriter`` compresses and writes on a thread of its own; zlib releases the GIL, so this costs
the engine little more than a queue. Every chunk reaches the operating system as soon as it is
compressed: a killed run leaves a readable file.
"""

import os
import threading
import zlib
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from queue import Queue
from threading import Event
from typing import IO, Any, Final

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
    PREAMBLE,
    TRAILER,
    VERSION,
    Record,
    TraceError,
)
from kernel.events import EVENTS

# Level 1 costs about 0.4 us a record; higher ones double that for a fifth less space.
_ZLIB_LEVEL: Final = 1
# Chunks that may wait for the writing thread: about 10 MB.
_QUEUE_CHUNKS: Final = 64

# offset, lp, number in its stream, records, least and greatest time: of one chunk
IndexEntry = tuple[int, int, int, int, int, int]

_time_of = itemgetter(0)


def encode_chunk(records: Sequence[Record]) -> bytes:
    """Return ``records`` as one chunk.

    Args:
        records: 1 to 4096 tuples of one logical process, as ``kernel.events`` describes them;
            ints and strings only. Times need not rise (a kernel path may overtake another).

    Raises:
        ValueError: no records, or too many.
        TypeError: a field that is not plain data.
    """
    if not 0 < len(records) <= CHUNK_RECORDS:
        raise ValueError(f"a chunk has 1 to {CHUNK_RECORDS} records (got {len(records)})")
    min_ns = min(map(_time_of, records))
    max_ns = max(map(_time_of, records))
    try:
        chunk: bytes = msgpack.packb((min_ns, max_ns, records))
    except UnicodeEncodeError:  # a file name that is no text; this way is slower for all strings
        chunk = msgpack.packb((min_ns, max_ns, records), unicode_errors="surrogatepass")
    return chunk


def drain_chunks(records: list[Record], *, final: bool = False) -> list[bytes]:
    """Take whole chunks off the front of ``records`` and return them encoded.

    Engines call it for each logical process at each superstep boundary. What is left (fewer than
    4096 records) stays in the list until the next call; with ``final`` nothing is left.
    """
    if not final and len(records) < CHUNK_RECORDS:
        return []
    whole = len(records) if final else len(records) - len(records) % CHUNK_RECORDS
    chunks = [
        encode_chunk(records[start : min(start + CHUNK_RECORDS, whole)])
        for start in range(0, whole, CHUNK_RECORDS)
    ]
    del records[:whole]
    return chunks


def peek_chunk(chunk: bytes) -> tuple[int, int, int]:
    """Return ``(records, min_ns, max_ns)`` of an encoded chunk without decoding its records."""
    unpacker = msgpack.Unpacker()
    unpacker.feed(chunk[:32])
    try:
        if unpacker.read_array_header() != 3:
            raise TraceError("not a trace chunk")
        min_ns, max_ns = unpacker.unpack(), unpacker.unpack()
        records = unpacker.read_array_header()
    except (ValueError, msgpack.UnpackException) as error:
        raise TraceError(f"not a trace chunk: {error}") from None
    if type(min_ns) is not int or type(max_ns) is not int:
        raise TraceError("not a trace chunk: its times are no ints")
    return records, min_ns, max_ns


def _preamble(lps: Sequence[str]) -> bytes:
    body = msgpack.packb(
        {
            "lps": list(lps),
            "events": [[number, name, fields] for number, (name, fields) in sorted(EVENTS.items())],
            "chunk_records": CHUNK_RECORDS,
        }
    )
    return b"".join((PREAMBLE.pack(MAGIC, VERSION, 0, len(body), zlib.crc32(body)), body))


def _frame(kind: bytes, lp: int, seq: int, peek: tuple[int, int, int], raw: bytes) -> bytes:
    body = zlib.compress(raw, _ZLIB_LEVEL)
    records, min_ns, max_ns = peek
    head = FRAME.pack(kind, lp, 0, seq, records, len(raw), len(body), min_ns, max_ns)
    return b"".join((head, CRC.pack(zlib.crc32(body, zlib.crc32(head))), body))


class TraceWriter:
    """Writes one ``trace.smpt``.

    The file's bytes depend on the chunks and on the order of ``append``; engines append in LP order
    at each superstep boundary. A context manager: closing after an exception leaves out the
    trailer, so the file says itself that the run did not end.
    """

    def __init__(
        self,
        path: Path,
        lps: Sequence[str],
        *,
        end: int | None = None,
        index: Sequence[IndexEntry] = (),
    ) -> None:
        """Create the file and write its preamble; or go on with one that was cut off.

        Args:
            path: must not exist, unless it is gone on with.
            lps: names of the logical processes, by ``lp_id``: ``cpu0``, ``cpu1``, …, ``kernel``.
            end: go on after so many bytes; None: a new file.
            index: of the chunks before ``end``, as ``TraceReader.index`` has it.

        Raises:
            FileExistsError: there is a file at ``path``.
        """
        if not 0 < len(lps) <= 0xFFFF or len(set(lps)) != len(lps):
            raise ValueError(f"a trace has 1 to 65535 logical processes, each name once: {lps!r}")
        self.path = path
        self.records = [0] * len(lps)  # appended so far, by lp_id
        self._seqs = [0] * len(lps)
        self._index = list(index)
        for _, lp, _, records, _, _ in index:
            self.records[lp] += records
            self._seqs[lp] += 1
        if end is None:
            self._file: IO[bytes] = path.open("xb")
            preamble = _preamble(lps)
            self._file.write(preamble)
            self._file.flush()
            self._offset = len(preamble)
        else:
            self._file = path.open("r+b")
            self._file.truncate(end)
            self._file.seek(end)
            self._offset = end
        self._error: Exception | None = None
        self._queue: Queue[tuple[int, int, tuple[int, int, int], bytes] | Event | None] = Queue(
            _QUEUE_CHUNKS
        )
        self._thread = threading.Thread(target=self._work, name="trace-writer", daemon=True)
        self._thread.start()

    def append(self, lp_id: int, chunk: bytes) -> None:
        """Add the next chunk of logical process ``lp_id``, as ``encode_chunk`` made it.

        Raises:
            TraceError: an earlier write failed (a full disk), or ``chunk`` is none.
        """
        self._check()
        peek = peek_chunk(chunk)
        seq = self._seqs[lp_id]
        self._seqs[lp_id] = seq + 1
        self.records[lp_id] += peek[0]
        self._queue.put((lp_id, seq, peek, chunk))

    def _check(self) -> None:
        if self._error is not None:
            raise TraceError(f"cannot write {self.path}: {self._error}") from self._error

    def sync(self) -> int:
        """Let all that was appended reach the disk; return how many bytes the file has then.

        Raises:
            TraceError: a write failed.
        """
        written = Event()
        self._queue.put(written)
        written.wait()
        self._check()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            self._error = error
        self._check()
        return self._offset

    def close(self, *, complete: bool = True) -> None:
        """Write what is queued, the trailer if ``complete``, and close. Again is allowed.

        Raises:
            TraceError: a write failed. The file is closed, and readable up to there.
        """
        if self._file.closed:
            return
        self._queue.put(None)
        self._thread.join()
        try:
            if self._error is None and complete:
                self._write_trailer()
        except OSError as error:
            self._error = error
        try:
            self._file.close()
        except OSError as error:
            self._error = self._error or error
        self._check()

    def __enter__(self) -> "TraceWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        self.close(complete=kind is None)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, Event):
                item.set()
                continue
            if self._error is not None:
                continue  # keep the queue moving, or append() would block for ever
            lp, seq, peek, chunk = item
            try:
                frame = _frame(CHUNK, lp, seq, peek, chunk)
                self._file.write(frame)
                self._file.flush()
            except Exception as error:  # a dead thread would leave append() waiting for ever
                self._error = error
                continue
            self._index.append((self._offset, lp, seq, *peek))
            self._offset += len(frame)

    def _write_trailer(self) -> None:
        raw = msgpack.packb({"records": self.records, "index": self._index})
        frame = _frame(TRAILER, 0, 0, (0, 0, 0), raw)
        self._file.write(frame + FOOTER.pack(self._offset, END_MAGIC))
        self._file.flush()


assert FRAME_BYTES == 44, "docs/trace-format.md states it"
