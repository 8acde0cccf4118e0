"""Reads perf.data of ``perf sched record``, as perf has written it.

``workloads.recordings.schedule`` says what becomes of it. Beside the text of ``perf script`` the
file has times in ns and the flags of each event: a wake-up that was traced outside of interrupts
was made by the task that ran, so who slept waits for that task.

The file is read once, record by record. perf writes what each CPU has buffered, round by round: a
record is never older than the one before the last mark of a round, and by that they are sorted.

Source: tools/perf/Documentation/perf.data-file-format.txt, include/uapi/linux/perf_event.h,
tools/perf/util/ordered-events.c of Linux 6.1.
"""

import os
import struct
from collections.abc import Callable
from typing import BinaryIO, Final

from workloads.recordings.model import MAX_FILE, Problem, Recording, RecordingError
from workloads.recordings.perf_formats import Format, read_formats
from workloads.recordings.schedule import NOT_CARRIED, Schedule

MAGIC: Final = b"PERFILE2"
_SWAPPED: Final = b"2ELIFREP"
_HEAD: Final = struct.Struct("<8sQQ2Q2Q2Q4Q")  # perf_file_header
_SECTION: Final = struct.Struct("<QQ")
_ATTR: Final = struct.Struct("<IIQQQQQ")  # perf_event_attr up to its flags
_RECORD: Final = struct.Struct("<IHH")
_TRACING_DATA: Final = 1  # a feature
_MOST_ATTRS: Final = 4096
_MOST_FORMATS: Final = 64 << 20  # bytes of texts of events

_TRACEPOINT: Final = 2  # of perf_type_id
_SAMPLE_ID_ALL: Final = 1 << 18
# bits of sample_type
_IP, _TID, _TIME, _ADDR, _READ, _CALLCHAIN, _ID, _CPU, _PERIOD, _STREAM_ID, _RAW = (
    1 << bit for bit in range(11)
)
_IDENTIFIER: Final = 1 << 16
_ORDER: Final = (_IDENTIFIER, _IP, _TID, _TIME, _ADDR, _ID, _STREAM_ID, _CPU, _PERIOD)
_TRAILER: Final = (_TID, _TIME, _ID, _STREAM_ID, _CPU, _IDENTIFIER)

# kinds of records
_LOST, _COMM, _FORK, _SAMPLE, _FINISHED_ROUND, _AUXTRACE = 2, 3, 7, 9, 68, 71
_COMPRESSED: Final = (81, 83)
_COMM_EXEC: Final = 1 << 13
# common_flags of an event: what is told of interrupts, and which of them it was traced in
_FLAGS_TOLD: Final = 0x01 | 0x02
_IN_INTERRUPT: Final = 0x08 | 0x10 | 0x40
_LETTERS: Final = "SDTtXZPI"


def read(source: BinaryIO, name: str) -> Recording:
    """Return the recording in ``source``, a file that can be gone back in.

    Args:
        name: of the file, for messages.

    Raises:
        RecordingError: it cannot be used; says why, and where in the file.
    """
    return _Reader(source, name).whole()


class _Reader:
    """Reads the head, then the records."""

    def __init__(self, source: BinaryIO, name: str) -> None:
        self._source = source
        self._name = name
        self._size = source.seek(0, os.SEEK_END)
        if self._size > MAX_FILE:
            raise RecordingError(name, Problem(f"more than {MAX_FILE >> 30} GiB"))
        self._recording = Recording(name)
        self._schedule = Schedule(self._recording)
        self._lost = 0
        self._read_head()
        handlers: dict[str, Callable[[Format, bytes, int], None]] = {
            "sched_switch": self._switch,
            "sched_waking": self._wake,
            "sched_wakeup": self._wake,
            "sched_process_fork": self._fork,
            "sched_process_exec": self._exec,
        }
        self._handlers = {
            number: (form, handlers.get(form.name)) for number, form in self._formats.items()
        }

    def _wrong(self, at: int, what: str) -> RecordingError:
        return RecordingError(self._name, Problem(f"byte {at:,}: {what}"))

    def _part(self, at: int, size: int, what: str) -> bytes:
        """Return bytes of the file. Raises RecordingError: it ends before."""
        if at + size > self._size:
            what = f"it has {self._size:,} bytes, and {what} ends at byte {at + size:,}"
            raise RecordingError(self._name, Problem(f"is cut, or not perf.data: {what}"))
        self._source.seek(at)
        return self._source.read(size)

    # The head

    def _read_head(self) -> None:
        start = self._part(0, 16, "its head")
        magic, size = start[:8], int.from_bytes(start[8:], "little")
        if magic == _SWAPPED:
            raise self._wrong(0, "was recorded on a machine of the other byte order")
        if magic != MAGIC:
            raise self._wrong(0, f"expected {MAGIC.decode()}, found {magic!r}")
        if size == 16:
            raise self._wrong(8, "perf wrote it into a pipe: record with -o FILE")
        if size < _HEAD.size:
            raise self._wrong(8, f"expected a head of {_HEAD.size} bytes, found {size}")
        _, _, attr_size, attrs_at, attrs, self._begin, data, _, _, *bits = _HEAD.unpack(
            self._part(0, _HEAD.size, "its head")
        )
        self._end = self._begin + data
        self._read_attrs(attr_size, attrs_at, attrs)
        features = sum(word << 64 * place for place, word in enumerate(bits))
        if not features >> _TRACING_DATA & 1:
            raise self._wrong(
                72, "it does not say what its events are: perf was stopped before its end, or "
                "recorded no tracepoints (perf sched record)"
            )  # fmt: skip
        place = (features & (1 << _TRACING_DATA) - 1).bit_count()
        section = self._part(self._end + place * _SECTION.size, _SECTION.size, "its index")
        at, length = _SECTION.unpack(section)
        if length > _MOST_FORMATS:
            raise self._wrong(at, f"the texts of its events have {length:,} bytes")
        try:
            self._formats = read_formats(self._part(at, length, "what its events are"))
        except ValueError as error:
            raise self._wrong(at, str(error)) from None

    def _read_attrs(self, size: int, at: int, length: int) -> None:
        """Read what was recorded, and where a sample has what."""
        if size < _ATTR.size + _SECTION.size or length % size or length < size:
            raise self._wrong(at, f"expected attributes of events, found {length} bytes")
        if length // size > _MOST_ATTRS:
            raise self._wrong(at, f"more than {_MOST_ATTRS:,} events were recorded")
        self._event_of: dict[int, int | None] = {}  # id of a sample -> its tracepoint
        kinds: dict[int, None] = {}
        for place in range(at, at + length, size):
            data = self._part(place, size, "the attributes of its events")
            kind, _, config, _, sample_type, _, flags = _ATTR.unpack_from(data)
            ids_at, ids = _SECTION.unpack_from(data, size - _SECTION.size)
            event = config if kind == _TRACEPOINT else None
            for (number,) in struct.iter_unpack("<Q", self._part(ids_at, ids & ~7, "its ids")):
                self._event_of[number] = event
            if event is not None:
                kinds[sample_type] = None
                needed = _TID | _TIME | _RAW
                if sample_type & needed != needed or not flags & _SAMPLE_ID_ALL:
                    raise self._wrong(place, "its samples lack tasks, times or contents")
                if sample_type & _READ:
                    raise self._wrong(place, "samples with counters are not read")
        if len(kinds) != 1:
            found = "of several kinds" if kinds else "of no tracepoint"
            raise self._wrong(at, f"it has samples {found}: record with perf sched record")
        (sample_type,) = kinds
        if not sample_type & (_IDENTIFIER | _ID):
            raise self._wrong(at, "its samples do not say of which event they are")
        self._callchain = bool(sample_type & _CALLCHAIN)
        places = _places(sample_type, _ORDER)
        self._id_at = places.get(_IDENTIFIER, places.get(_ID, 0))
        self._tid_at, self._time_at = places[_TID], places[_TIME]
        self._fixed = 8 * len(places)
        trailer = _places(sample_type, _TRAILER)
        self._time_from_end = 8 * len(trailer) - trailer[_TIME]

    # The records

    def whole(self) -> Recording:
        """Read the records; return the recording."""
        if self._end > self._size:
            raise self._wrong(self._size, f"is cut: its records end at byte {self._end:,}")
        self._source.seek(self._begin)
        at = self._begin
        waiting: list[tuple[int, int, int, bytes]] = []
        newest = safe = 0
        while at < self._end:
            head = self._source.read(_RECORD.size)
            kind, misc, size = _RECORD.unpack(head) if len(head) == _RECORD.size else (0, 0, 0)
            if size < _RECORD.size or at + size > self._end:
                raise self._wrong(at, f"expected a record, found one of {size} bytes")
            body = self._source.read(size - _RECORD.size)
            if kind in _COMPRESSED:
                raise self._wrong(at, "is compressed: record without -z")
            if kind == _FINISHED_ROUND:
                waiting = self._flush(waiting, safe)
                safe = newest
            elif kind == _LOST and len(body) >= 16:
                self._lost += int.from_bytes(body[8:16], "little")
            elif kind == _AUXTRACE and len(body) >= 8:
                size += int.from_bytes(body[:8], "little")
                self._source.seek(at + size)
            elif kind in (_SAMPLE, _FORK, _COMM):
                time_ns = self._time(kind, body, at)
                if time_ns:  # else it is perf's own account of what there was before
                    waiting.append((time_ns, kind, misc, body))
                    newest = max(newest, time_ns)
            at += size
        self._flush(waiting, newest)
        if self._lost:
            self._recording.notes.append(f"perf has lost {self._lost:,} events")
        return self._schedule.end(
            threads="perf has recorded no forks", execs="perf has recorded no names of programs"
        )

    def _time(self, kind: int, body: bytes, at: int) -> int:
        place = self._time_at
        if kind == _FORK:
            place = 16
        elif kind == _COMM:
            place = len(body) - self._time_from_end
        least = self._fixed if kind == _SAMPLE else place + 8
        if place < 0 or len(body) < least:
            raise self._wrong(at, f"a record of {len(body) + _RECORD.size} bytes is too short")
        return int.from_bytes(body[place : place + 8], "little")

    def _flush(
        self, waiting: list[tuple[int, int, int, bytes]], until_ns: int
    ) -> list[tuple[int, int, int, bytes]]:
        """Take what waits and is not later than a time, in order; return the rest."""
        waiting.sort(key=lambda record: record[0])
        for place, (time_ns, kind, misc, body) in enumerate(waiting):
            if time_ns > until_ns:
                return waiting[place:]
            self._schedule.at(time_ns)
            if kind == _SAMPLE:
                self._sample(body)
            elif kind == _FORK:
                pid, _, tid, parent = struct.unpack_from("<4I", body)
                self._schedule.fork(parent, tid, pid)
            elif misc & _COMM_EXEC:
                comm = body[8:24].split(b"\0")[0].decode("utf-8", "replace")
                self._schedule.exec(int.from_bytes(body[4:8], "little"), comm)
        return []

    def _sample(self, body: bytes) -> None:
        number = int.from_bytes(body[self._id_at : self._id_at + 8], "little")
        event = self._event_of.get(number)
        if event is None:
            return
        at = self._fixed
        if self._callchain:
            at += 8 + 8 * int.from_bytes(body[at : at + 8], "little")
        raw = body[at + 4 : at + 4 + int.from_bytes(body[at : at + 4], "little")]
        form, handler = self._handlers.get(event, (None, None))
        if form is None or len(raw) < form.size:
            self._recording.left_out["events that cannot be read"] += 1
        elif handler is not None:
            tid = int.from_bytes(body[self._tid_at + 4 : self._tid_at + 8], "little")
            handler(form, raw, tid)
        elif form.name not in NOT_CARRIED:
            self._recording.left_out[form.name[:40]] += 1

    # The events

    def _switch(self, form: Format, raw: bytes, tid: int) -> None:
        state = form.number(raw, "prev_state")
        low = state & 0xFF
        letter = _LETTERS[(low & -low).bit_length() - 1] if low else "R"
        self._schedule.switch(
            form.number(raw, "prev_pid"),
            letter,
            form.number(raw, "next_pid"),
            form.text(raw, "next_comm"),
            form.number(raw, "next_prio"),
        )

    def _wake(self, form: Format, raw: bytes, tid: int) -> None:
        flags = form.number(raw, "common_flags")
        certain = bool(flags & _FLAGS_TOLD) and not flags & _IN_INTERRUPT
        pid = form.number(raw, "pid")
        self._schedule.wake(pid, form.text(raw, "comm"), tid, certain=certain)

    def _fork(self, form: Format, raw: bytes, tid: int) -> None:
        self._schedule.fork(form.number(raw, "parent_pid"), form.number(raw, "child_pid"))

    def _exec(self, form: Format, raw: bytes, tid: int) -> None:
        name = form.text(raw, "filename").rsplit("/", 1)[-1]
        self._schedule.exec(form.number(raw, "pid"), name)


def _places(sample_type: int, order: tuple[int, ...]) -> dict[int, int]:
    """Return where each part is of those that there are, in bytes."""
    found: dict[int, int] = {}
    for bit in order:
        if sample_type & bit:
            found[bit] = 8 * len(found)
    return found
