"""Reads perf.data as its documentation lays it out: attributes, records, the texts of events."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.export.formats_reader import Formats, read_formats

TRACING_DATA = 1


@dataclass
class Record:
    """One record: its kind, and of a sample event, task, time, CPU and raw bytes."""

    kind: int
    body: bytes
    event: int = 0
    pid: int = 0
    tid: int = 0
    time_ns: int = 0
    cpu: int = 0
    raw: bytes = b""


class PerfFile:
    """A file, all of it in memory."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        magic, size, attr_size, attrs_at, attrs, self.data_at, self.data_size, _, _, bits = (
            struct.unpack_from("<8sQQ2Q2Q2QQ", self.data)
        )
        assert (magic, size) == (b"PERFILE2", 104)
        self.event_of: dict[int, int] = {}  # id -> event
        for at in range(attrs_at, attrs_at + attrs, attr_size):
            kind, length, config, period, sample_type = struct.unpack_from("<IIQQQ", self.data, at)
            assert (kind, period, sample_type) == (2, 1, 0x10587)
            ids_at, ids = struct.unpack_from("<QQ", self.data, at + length)
            for (number,) in struct.iter_unpack("<Q", self.data[ids_at : ids_at + ids]):
                self.event_of[number] = config
        at = self.data_at + self.data_size
        self.features: dict[int, bytes] = {}
        for bit in range(64):
            if bits >> bit & 1:
                begin, length = struct.unpack_from("<QQ", self.data, at)
                assert begin + length <= len(self.data)
                self.features[bit] = self.data[begin : begin + length]
                at += 16
        self.formats: Formats = read_formats(self.features[TRACING_DATA], b"0.6")

    def records(self) -> Iterator[Record]:
        """Yield the records in their order."""
        at, end = self.data_at, self.data_at + self.data_size
        while at < end:
            kind, _, size = struct.unpack_from("<IHH", self.data, at)
            assert size % 8 == 0 and 8 <= size <= end - at
            body = self.data[at + 8 : at + size]
            record = Record(kind, body)
            if kind == 9:
                number, _, record.pid, record.tid, record.time_ns, record.cpu, _, period, raw = (
                    struct.unpack_from("<QQIIQIIQI", body)
                )
                assert period == 1 and len(body) == 52 + raw
                record.event = self.event_of[number]
                record.raw = body[52:]
            yield record
            at += size
