"""The order log: what the kernel served in which order, so that a run can be made again.

A machine's two halves are deterministic; what a scheme, a terminal or a chooser of steps decides is
all that is free. The log has those decisions and the machine itself, so a replay needs nothing else
of the run: neither its configuration nor its programs' files. ``docs/order-log.md`` describes the
file; this is its code. A request costs a byte or two: which CPU's it was. (Requests of one CPU are
served in their order, so that names it.) Under a scheme that runs free there are no rounds: the
log has the groups of CPUs whose reports arrived, one after the other, and nothing else is needed
(``cluster.free_running``).

    preamble  magic "SMPR\\r\\n\\x1a\\n", u16 version, u16 0, u32 length, u32 crc, header
    frame     u32 kind, u32 raw length, u32 length, u32 crc (of these 12 bytes and the body), body

All integers there are little-endian. The header (a msgpack map) and bodies are zlib streams. Kinds:
ROUNDS, ANSWERS, INPUT and ARRIVALS are streams, each cut into frames at any place; END is the last
frame, a msgpack map of counts. Data only: nothing in a file is ever executed.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import msgpack

from cluster.sync.scheme import Horizons, Scheme, View, in_halves, runs_free
from kernel.machine import MachineSpec
from kernel.messages import R_CPU, Request

if TYPE_CHECKING:
    from cluster.engine_api import RunRequest

MAGIC: Final = b"SMPR\r\n\x1a\n"
VERSION: Final = 2
PREAMBLE: Final = struct.Struct("<8sHHII")
_HEAD: Final = struct.Struct("<III")
_CRC: Final = struct.Struct("<I")

ROUNDS: Final = 1  # bodies are a stream of operations, see below
ANSWERS: Final = 2  # of the chooser at granularity step: numbers
INPUT: Final = 3  # what a terminal or a late pipe gave: each a length and so many bytes
END: Final = 4
ARRIVALS: Final = 5  # numbers: CPUs of a group, twice; then 2 * group, + 1 if more come with it

# Operations: a byte, then numbers (LEB128, 7 bits each; a signed one in zigzag).
SERVE: Final = 1  # signed limit - reference, count, signed step from CPU to CPU for each request
SERVE_ONE: Final = 2  # cpu: one request, and the limit is the reference
ALL: Final = 3  # signed step of virtual time, signed horizon - virtual time: one for all CPUs
EACH: Final = 4  # signed step of virtual time, count, (cpu, signed horizon - virtual time) for each
ONE: Final = 5  # cpu, signed horizon - virtual time: a scheme that settles lets one CPU go
NONE: Final = 6  # a scheme that settles lets none go

_CHUNK_BYTES: Final = 1 << 16
_MOST_BYTES: Final = 1 << 30  # a frame that claims more is not ours
_LEVEL: Final = 6

Chunk = tuple[int, bytes]  # kind, bytes of its stream


class OrderLogError(Exception):
    """A file is no order log, or a damaged one; the message says where."""


def put(out: bytearray, value: int) -> None:
    """Append an unsigned number."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def put_signed(out: bytearray, value: int) -> None:
    """Append a signed number."""
    put(out, value << 1 if value >= 0 else ~value << 1 | 1)


class OrderLog:
    """Takes down one run, beside the kernel; ``take`` hands over what has come together.

    Args:
        scheme: the one that decides.
    """

    def __init__(self, scheme: Scheme) -> None:
        self.requests = 0
        self.rounds = 0
        self._settles = scheme.settles
        self._virtual_ns = 0
        self._reference_ns = 0
        self._rounds = bytearray()
        self._input = bytearray()
        self._arrivals = bytearray()

    def arrived(self, groups: Sequence[int]) -> None:
        """Note whose reports have arrived together, in that order."""
        self.rounds += 1
        last = len(groups) - 1
        for place, group in enumerate(groups):
            put(self._arrivals, group << 1 | (place < last))

    def serve(self, requests: Sequence[Request], limit_ns: int, view: View) -> None:
        """Note what the kernel is about to serve."""
        out = self._rounds
        reference_ns = view.virtual_ns if self._settles else self._reference_ns
        self.requests += len(requests)
        if len(requests) == 1 and limit_ns == reference_ns:
            out.append(SERVE_ONE)
            put(out, requests[0][R_CPU])
            return
        out.append(SERVE)
        put_signed(out, limit_ns - reference_ns)
        put(out, len(requests))
        before = 0
        for request in requests:
            cpu = request[R_CPU]
            put_signed(out, cpu - before)
            before = cpu

    def horizons(self, horizons: Horizons, view: View) -> None:
        """Note how far the CPUs go next."""
        out = self._rounds
        virtual_ns = view.virtual_ns
        self.rounds += 1
        if self._settles and not isinstance(horizons, int) and len(horizons) < 2:
            out.append(ONE if horizons else NONE)
            for cpu, horizon_ns in horizons.items():
                put(out, cpu)
                put_signed(out, horizon_ns - virtual_ns)
            return
        out.append(ALL if isinstance(horizons, int) else EACH)
        put_signed(out, virtual_ns - self._virtual_ns)
        self._virtual_ns = virtual_ns
        if isinstance(horizons, int):
            put_signed(out, horizons - virtual_ns)
            self._reference_ns = horizons
            return
        put(out, len(horizons))
        for cpu, horizon_ns in horizons.items():
            put(out, cpu)
            put_signed(out, horizon_ns - virtual_ns)

    def fed(self, data: bytes) -> None:
        """Note what came from outside."""
        put(self._input, len(data))
        self._input += data

    def set_down(self) -> list[Any]:
        """Return where the log stands as data, with what waits to be taken."""
        return [
            self.requests,
            self.rounds,
            self._virtual_ns,
            self._reference_ns,
            bytes(self._rounds),
            bytes(self._input),
            bytes(self._arrivals),
        ]

    def take_up(self, data: Sequence[Any]) -> None:
        """Stand where ``set_down`` was called."""
        self.requests, self.rounds, self._virtual_ns, self._reference_ns, *streams = data
        self._rounds[:], self._input[:], self._arrivals[:] = streams

    def held(self) -> int:
        """Return how many bytes wait to be taken."""
        return len(self._rounds) + len(self._input) + len(self._arrivals)

    def take(self, answers: Iterable[int] = (), *, final: bool = False) -> list[Chunk]:
        """Return what has come together, if it is worth it, and remove it here.

        Args:
            answers: of the chooser, since the last call.
            final: all of it.
        """
        chunks: list[Chunk] = []
        numbers = bytearray()
        for answer in answers:
            put(numbers, answer)
        if numbers:
            chunks.append((ANSWERS, bytes(numbers)))
        if self._rounds and (final or len(self._rounds) >= _CHUNK_BYTES):
            chunks.append((ROUNDS, bytes(self._rounds)))
            self._rounds.clear()
        if self._arrivals and (final or len(self._arrivals) >= _CHUNK_BYTES):
            chunks.append((ARRIVALS, bytes(self._arrivals)))
            self._arrivals.clear()
        if self._input:
            chunks.append((INPUT, bytes(self._input)))
            self._input.clear()
        return chunks


def header_of(request: "RunRequest", scheme: Scheme) -> dict[str, Any]:
    """Return what stands at the head of a run's log: all that a replay needs to know of it."""
    return {
        "engine": request.engine,
        "scheme": scheme.name,
        "settles": scheme.settles,
        "runs_free": runs_free(scheme),
        "halves": in_halves(scheme),
        "quantum_ns": request.quantum_ns,
        "slack_ns": request.slack_ns,
        "max_virtual_ns": request.max_virtual_ns,
        "machine": request.spec.to_plain(),
    }


class OrderWriter:
    """Writes an order log, which must not exist yet, unless it is gone on with.

    Args:
        end: go on after so many bytes; None: a new file.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, header: dict[str, Any], end: int | None = None) -> None:
        if end is not None:
            self._file: IO[bytes] = path.open("r+b")
            self._file.truncate(end)
            self._file.seek(end)
            return
        self._file = path.open("xb")
        body = zlib.compress(msgpack.packb(header, unicode_errors="surrogatepass"), _LEVEL)
        self._file.write(PREAMBLE.pack(MAGIC, VERSION, 0, len(body), zlib.crc32(body)))
        self._file.write(body)

    def sync(self) -> int:
        """Let all that was appended reach the disk; return how many bytes the file has then."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def append(self, chunks: Iterable[Chunk]) -> None:
        """Add pieces of the streams."""
        for kind, raw in chunks:
            self._frame(kind, raw)
        self._file.flush()

    def close(self, counts: dict[str, Any] | None) -> None:
        """Finish the file; ``counts`` None: the run broke inside a round, so it has no end."""
        if counts is not None:
            self._frame(END, msgpack.packb(counts))
        self._file.close()

    def _frame(self, kind: int, raw: bytes) -> None:
        body = zlib.compress(raw, _LEVEL)
        head = _HEAD.pack(kind, len(raw), len(body))
        self._file.write(head + _CRC.pack(zlib.crc32(body, zlib.crc32(head))) + body)


class RecordedOrder:
    """An order log, read: ``machine``, ``scheme`` and so on, and its streams.

    Args:
        path: the file.

    Attributes:
        complete: the log has an end; else the run broke inside a round, or was killed.
        stopped: the run was stopped from outside after the last round; else it ended by itself.

    Raises:
        OrderLogError: it is no order log, damaged, or of another version.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        data = path.read_bytes()
        header, at = self._preamble(data)
        streams: dict[int, list[bytes]] = {ROUNDS: [], ANSWERS: [], INPUT: [], ARRIVALS: []}
        self.complete = False
        self.counts: dict[str, Any] = {}
        while at < len(data) and not self.complete:
            kind, raw, after = self._frame(data, at)
            if not after:
                break
            if kind == END:
                self.complete = True
                self.counts = msgpack.unpackb(raw)
            elif kind in streams:
                streams[kind].append(raw)
            else:
                raise self._error(at, f"a frame of unknown kind {kind}")
            at = after
        self.stopped = bool(self.counts.get("stopped", True))
        if self.complete and at != len(data):
            raise self._error(at, "something follows the end")
        self.rounds = b"".join(streams[ROUNDS])
        self.arrivals = b"".join(streams[ARRIVALS])
        answers = Numbers(b"".join(streams[ANSWERS]))
        given = Numbers(b"".join(streams[INPUT]))
        self.answers: list[int] = []
        self.input: list[bytes] = []
        try:
            self.engine: str = header["engine"]
            self.scheme: str = header["scheme"]
            self.settles: bool = header["settles"]
            self.runs_free: bool = header["runs_free"]
            self.halves: bool = header.get("halves", False)
            self.quantum_ns: int = header["quantum_ns"]
            self.slack_ns: int | None = header["slack_ns"]
            self.max_virtual_ns: int | None = header["max_virtual_ns"]
            self.machine = MachineSpec.from_plain(header["machine"])
            while answers.more():
                self.answers.append(answers.take())
            while given.more():
                self.input.append(given.bytes(given.take()))
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise OrderLogError(f"{path} is damaged: {type(error).__name__}: {error}") from None

    def _preamble(self, data: bytes) -> tuple[dict[str, Any], int]:
        """Return the header and where frames begin."""
        if len(data) < PREAMBLE.size or not data.startswith(MAGIC):
            raise OrderLogError(f"{self._path} is no order log")
        _, version, _, length, crc = PREAMBLE.unpack_from(data)
        if version != VERSION:
            raise OrderLogError(
                f"{self._path} is of version {version}; this version of smplab reads {VERSION}"
            )
        body = data[PREAMBLE.size : PREAMBLE.size + length]
        if len(body) != length or zlib.crc32(body) != crc:
            raise self._error(0, "the header is damaged")
        header = msgpack.unpackb(
            zlib.decompress(body), strict_map_key=False, unicode_errors="surrogatepass"
        )
        if not isinstance(header, dict):
            raise self._error(0, "the header is no map")
        return header, PREAMBLE.size + length

    def _frame(self, data: bytes, at: int) -> tuple[int, bytes, int]:
        """Return kind and content of the frame at ``at`` and where it ends; 0: it was cut off."""
        start = at + _HEAD.size + _CRC.size
        if start > len(data):
            return 0, b"", 0
        head = data[at : at + _HEAD.size]
        kind, raw_length, length = _HEAD.unpack(head)
        if raw_length > _MOST_BYTES or length > _MOST_BYTES:
            raise self._error(at, "a frame claims to be larger than any is")
        body = data[start : start + length]
        if len(body) < length:
            return 0, b"", 0
        if zlib.crc32(body, zlib.crc32(head)) != _CRC.unpack_from(data, at + _HEAD.size)[0]:
            raise self._error(at, "the checksum is wrong")
        try:
            raw = zlib.decompress(body)
        except zlib.error as error:
            raise self._error(at, str(error)) from None
        if len(raw) != raw_length:
            raise self._error(at, f"a frame has {len(raw)} bytes, not {raw_length}")
        return kind, raw, start + length

    def _error(self, at: int, what: str) -> OrderLogError:
        return OrderLogError(f"{self._path} is damaged at byte {at}: {what}")


class Numbers:
    """Reads what ``put`` and ``put_signed`` wrote."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def more(self) -> bool:
        """Tell whether anything is left."""
        return self._at < len(self._data)

    def next_byte(self) -> int:
        """Return the next byte without taking it."""
        return self._data[self._at]

    def take(self) -> int:
        """Return the next unsigned number. Raises IndexError if it is cut."""
        data, at = self._data, self._at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                self._at = at
                return value
            shift += 7

    def take_signed(self) -> int:
        """Return the next signed number. Raises IndexError if it is cut."""
        value = self.take()
        return ~(value >> 1) if value & 1 else value >> 1

    def bytes(self, length: int) -> bytes:
        """Return the next bytes. Raises ValueError if there are fewer."""
        found = self._data[self._at : self._at + length]
        if len(found) != length:
            raise ValueError(f"{length} bytes are due, and {len(found)} are left")
        self._at += length
        return found
