"""Reading a trace: a merged stream of all logical processes, in little memory.

The order of a merged stream is ``(time_ns, lp, seq)``. A CPU's own records rise in time, the
kernel's need not: it serves requests one after the other, each at its own virtual time, so a
path that started early may end after its successor began. The merge is exact all the same. Each
chunk's head carries the least time in it; chunks are opened in that order, each one sorted, and
a record leaves the heap only when no unopened chunk can still hold an earlier one. Memory is that
of the chunks that overlap in time: about one for each logical process.
"""

import re
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from operator import itemgetter
from pathlib import Path
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
    MAX_RAW_BYTES,
    PREAMBLE,
    TRAILER,
    VERSION,
    TraceError,
)

_CPU_NAME: Final = re.compile(r"cpu(\d+)\Z")
_time_of = itemgetter(0)
_event_of = itemgetter(1)
_cpu_of = itemgetter(2)
# What makes a byte string ours or not; all that msgpack and its conversions may raise.
_MSGPACK_ERRORS = (ValueError, TypeError, KeyError, msgpack.UnpackException)


def _are_records(rows: list[Any], min_ns: int, max_ns: int) -> bool:
    """Tell whether each row is a list that begins with a time in that span and an event.

    Without a loop of ours, which would take longer than all else that is done with a row.
    """
    if set(map(type, rows)) != {list} or min(map(len, rows)) < 2:
        return False
    times: list[int] = list(map(_time_of, rows))
    if set(map(type, times)) != {int} or set(map(type, map(_event_of, rows))) != {int}:
        return False
    return min_ns <= min(times) and max(times) <= max_ns


@dataclass(slots=True)  # not frozen: that doubles the cost of making one
class TraceRecord:
    """One event with its fields by name.

    ``lp`` and ``seq`` say where it was made: logical process, and number in that one's stream.
    ``cpu`` is None for what the kernel did on behalf of no CPU (booting).
    """

    time_ns: int
    lp: int
    seq: int
    cpu: int | None
    event: str
    fields: dict[str, Any]

    def concerns(self, pid: int) -> bool:
        """Say whether any field that holds a pid (``pid``, ``prev_pid``, …) is ``pid``."""
        return any(
            value == pid
            for name, value in self.fields.items()
            if name == "pid" or name.endswith("_pid")
        )


@dataclass(slots=True, frozen=True)
class _ChunkRef:
    offset: int
    lp: int
    seq: int
    records: int
    min_ns: int
    max_ns: int
    first_seq: int = 0  # of its first record


class TraceReader:
    """Reads one ``trace.smpt``. A context manager.

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
                refs = self._walk()
            self._chunks = self._number(refs)
        except BaseException:
            self._file.close()
            raise
        self._cpus = [
            int(match[1]) if (match := _CPU_NAME.match(name)) else None for name in self.lps
        ]
        self._cpu_count = sum(cpu is not None for cpu in self._cpus)

    def __enter__(self) -> "TraceReader":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # What is in it

    def select(
        self,
        *,
        lp: int | None = None,
        pid: int | None = None,
        cpu: int | None = None,
        event: str | None = None,
        from_ns: int | None = None,
        to_ns: int | None = None,
    ) -> Iterator[TraceRecord]:
        """Iterate over the records that meet every condition given, by ``(time_ns, lp, seq)``.

        Args:
            lp: made by this logical process.
            pid: any pid field is this one.
            cpu: made by this CPU, or by the kernel on its behalf.
            event: of this name.
            from_ns: at this virtual time or later.
            to_ns: before this virtual time.

        Raises:
            TraceError: no such event in the file's table, or (while iterating) a damaged chunk.
        """
        number = None if event is None else self.event_number(event)
        return self._select(lp, pid, cpu, number, from_ns, to_ns)

    def event_number(self, name: str) -> int:
        """Return the number of event ``name``. Raises TraceError, with the names there are."""
        for number, (known, _) in self.events.items():
            if known == name:
                return number
        known_names = ", ".join(sorted(known for known, _ in self.events.values()))
        raise TraceError(f"no event {name!r} in {self.path}; it has {known_names}")

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over ``(lp, chunk)`` in file order: what ``TraceWriter.append`` was given."""
        for ref in sorted(self._chunks, key=lambda ref: ref.offset):
            yield ref.lp, self._load(ref)

    def cpu_numbers(self) -> list[int | None]:
        """Return of each logical process which CPU it is; None: none."""
        return list(self._cpus)

    def batches(self) -> Iterator[list[list[Any]]]:
        """Iterate over the whole trace by time, many records at a time.

        A record is a list as in the file, with the number of its logical process after its last
        field. At equal times the kernel's come first, else the order is the merged one. Several
        times as fast as ``select``, for who takes all.

        Raises:
            TraceError: a chunk is damaged, or a record has no such event or number of fields.
        """
        closed = sorted(self._chunks, key=lambda ref: (ref.min_ns, ref.lp, ref.seq), reverse=True)
        # by stream what is open, by time, without what was handed out
        waiting: dict[int, list[list[Any]]] = {}
        while closed or waiting:
            if closed:
                ref = closed.pop()
                rows = waiting.setdefault(ref.lp, [])
                rows += self._checked_rows(ref)
                rows.sort(key=_time_of)  # stable: equal times stay in their order
                if closed and closed[-1].min_ns <= ref.min_ns:
                    continue
            batch: list[list[Any]] = []
            for lp in sorted(waiting, key=lambda lp: (self._cpus[lp] is not None, lp)):
                rows = waiting[lp]
                cut = len(rows)
                if closed:
                    cut = bisect_left(rows, closed[-1].min_ns, key=_time_of)
                batch += rows[:cut]
                if cut == len(rows):
                    del waiting[lp]
                else:
                    del rows[:cut]
            batch.sort(key=_time_of)
            if batch:
                yield batch

    def _checked_rows(self, ref: _ChunkRef) -> list[list[Any]]:
        """Return the records of a chunk, each sound, and with its stream after its last field."""
        rows = self._rows(ref)
        head = 2 if self._cpus[ref.lp] is not None else 3
        wrong = {
            (event, length)
            for event, length in {(row[1], len(row)) for row in rows}
            if event not in self.events or length != head + len(self.events[event][1])
        }
        if wrong or (head == 3 and not self._name_cpus(rows)):
            raise self._first_wrong(ref, rows, wrong, head)
        lp = ref.lp
        for row in rows:
            row.append(lp)
        return rows

    def _name_cpus(self, rows: list[list[Any]]) -> bool:
        """Tell whether each of the kernel's rows names a CPU that there is, or none (-1)."""
        named = list(map(_cpu_of, rows))
        if not set(map(type, named)) <= {int}:
            return False
        return not named or (min(named) >= -1 and max(named) < self._cpu_count)

    def _first_wrong(
        self, ref: _ChunkRef, rows: list[list[Any]], wrong: set[tuple[int, int]], head: int
    ) -> TraceError:
        """Return what is wrong with the first record of a chunk that is not sound."""
        for seq, row in enumerate(rows, ref.first_seq):
            if (row[1], len(row)) in wrong:
                name = self.events.get(row[1], (f"event {row[1]}", ()))[0]
                why = f"{name} has not the fields of the file's table"
                return self._bad_record(ref.lp, seq, why)
            if head == 3 and not self._name_cpus([row]):
                return self._bad_record(ref.lp, seq, f"there is no CPU {row[2]!r}")
        raise AssertionError("all records are sound")

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

    def current_at(self, time_ns: int) -> dict[int, tuple[str, int]]:
        """Return what each CPU ran just before ``time_ns``: cpu -> (comm, pid).

        A CPU that has not switched until then is left out.
        """
        found: dict[int, tuple[str, int]] = {}
        switch = self.event_number("sched_switch")
        for ref in sorted(self._chunks, key=lambda ref: -ref.seq):
            cpu = self._cpus[ref.lp]
            if cpu is None or cpu in found or ref.min_ns >= time_ns:
                continue
            for seq, row in reversed(list(enumerate(self._rows(ref), ref.first_seq))):
                if row[0] < time_ns and row[1] == switch:
                    fields = self._decode(ref.lp, seq, row).fields
                    found[cpu] = fields["next_comm"], fields["next_pid"]
                    break
        return found

    # Merging and decoding

    def _select(
        self,
        lp: int | None,
        pid: int | None,
        cpu: int | None,
        event: int | None,
        from_ns: int | None,
        to_ns: int | None,
    ) -> Iterator[TraceRecord]:
        for time_ns, row_lp, seq, row in self._merged(lp, from_ns, to_ns):
            if from_ns is not None and time_ns < from_ns:
                continue
            if to_ns is not None and time_ns >= to_ns:
                return
            if event is not None and row[1] != event:
                continue
            record = self._decode(row_lp, seq, row)
            if cpu is not None and record.cpu != cpu:
                continue
            if pid is None or record.concerns(pid):
                yield record

    def _merged(
        self, lp: int | None, from_ns: int | None, to_ns: int | None
    ) -> Iterator[tuple[int, int, int, list[Any]]]:
        closed = sorted(
            (
                ref
                for ref in self._chunks
                if (lp is None or ref.lp == lp)
                and (from_ns is None or ref.max_ns >= from_ns)
                and (to_ns is None or ref.min_ns < to_ns)
            ),
            key=lambda ref: (ref.min_ns, ref.lp, ref.seq),
            reverse=True,
        )
        # (time, lp, seq) is unique, so the iterator behind it is never compared
        heap: list[tuple[int, int, int, list[Any], Iterator[tuple[int, list[Any]]]]] = []
        while heap or closed:
            while closed and (not heap or closed[-1].min_ns <= heap[0][0]):
                ref = closed.pop()
                rows = self._in_order(ref)
                seq, row = next(rows)
                heappush(heap, (row[0], ref.lp, seq, row, rows))
            time_ns, row_lp, seq, row, rows = heap[0]
            yield time_ns, row_lp, seq, row
            following = next(rows, None)
            if following is None:
                heappop(heap)
            else:
                heapreplace(heap, (following[1][0], row_lp, *following, rows))

    def _in_order(self, ref: _ChunkRef) -> Iterator[tuple[int, list[Any]]]:
        """Return (number in its stream, record) of a chunk's records, by time."""
        rows = self._rows(ref)
        times = list(map(_time_of, rows))
        if times == sorted(times):
            return enumerate(rows, ref.first_seq)
        return iter(sorted(enumerate(rows, ref.first_seq), key=lambda item: item[1][0]))

    def _rows(self, ref: _ChunkRef) -> list[list[Any]]:
        raw = self._load(ref)
        try:
            min_ns, max_ns, rows = msgpack.unpackb(raw, unicode_errors="surrogatepass")
            if len(rows) != ref.records or (rows and not _are_records(rows, min_ns, max_ns)):
                raise ValueError("its records are not what its head says")
        except _MSGPACK_ERRORS as error:
            raise self._damaged(ref, str(error)) from None
        return rows  # type: ignore[no-any-return]

    def _decode(self, lp: int, seq: int, row: list[Any]) -> TraceRecord:
        known = self.events.get(row[1])
        if known is None:
            raise self._bad_record(lp, seq, f"event {row[1]} is not in the file's table")
        name, fields = known
        cpu = self._cpus[lp]
        if cpu is not None:
            values = row[2:]
        else:
            values = row[3:]
            named = row[2] if len(row) > 2 else None
            if type(named) is not int:
                raise self._bad_record(lp, seq, f"{name} does not say on which CPU (got {named!r})")
            cpu = named if named >= 0 else None
        if len(fields) != len(values):
            raise self._bad_record(lp, seq, f"{name} has {len(fields)} fields (got {len(values)})")
        return TraceRecord(row[0], lp, seq, cpu, name, dict(zip(fields, values)))

    def _bad_record(self, lp: int, seq: int, why: str) -> TraceError:
        return TraceError(f"{self.path}: record {seq} of {self.lps[lp]}: {why}")

    # The file

    def _damaged(self, ref: _ChunkRef, why: str) -> TraceError:
        return TraceError(
            f"{self.path}: chunk {ref.seq} of {self.lps[ref.lp]} at byte {ref.offset}: {why}"
        )

    def _load(self, ref: _ChunkRef) -> bytes:
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
        except _MSGPACK_ERRORS as error:
            raise TraceError(f"{self.path}: its preamble is damaged: {error!r}") from None
        self._first_frame = PREAMBLE.size + length

    def _read_index(self) -> list[_ChunkRef] | None:
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
            refs = [_ChunkRef(*entry) for entry in plain["index"]]
        except _MSGPACK_ERRORS as error:
            raise TraceError(f"{self.path}: its trailer is damaged: {error!r}") from None
        self.complete = True
        return refs

    def _walk(self) -> list[_ChunkRef]:
        """Find the whole chunks of a file without a trailer, from head to head."""
        refs = []
        offset = self._first_frame
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
            refs.append(_ChunkRef(offset, lp, seq, records, min_ns, max_ns))
            offset = following
        self._whole = offset
        return refs

    def _number(self, refs: list[_ChunkRef]) -> list[_ChunkRef]:
        """Give each chunk the number of its first record; none may be missing."""
        seqs = [0] * len(self.lps)
        self.records = [0] * len(self.lps)
        numbered = []
        for ref in refs:
            if not 0 <= ref.lp < len(seqs) or ref.seq != seqs[ref.lp]:
                raise TraceError(
                    f"{self.path}: frame at byte {ref.offset} is out of order: a chunk is missing"
                )
            numbered.append(
                _ChunkRef(
                    *(ref.offset, ref.lp, ref.seq, ref.records, ref.min_ns, ref.max_ns),
                    self.records[ref.lp],
                )
            )
            seqs[ref.lp] += 1
            self.records[ref.lp] += ref.records
        return numbered
