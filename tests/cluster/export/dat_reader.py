"""Reads trace.dat, version 6, as trace-cmd.dat(5) lays it out."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cluster.export.formats_reader import read_formats

PAGE = 4096


class DatFile:
    """A file, all of it in memory.

    Attributes:
        names: pid -> name, of the list at the front.
        cpus: of each CPU the bytes of its pages.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self.formats = read_formats(data, b"6")
        at = self.formats.end
        (length,) = struct.unpack_from("<Q", data, at)
        text = data[at + 8 : at + 8 + length].decode()
        self.names = {
            int(pid): comm for pid, comm in (line.split(" ", 1) for line in text.splitlines())
        }
        at += 8 + length
        (cpus,) = struct.unpack_from("<I", data, at)
        at += 4
        assert data[at : at + 10] == b"options  \0"
        assert data[at + 10 : at + 12] == b"\0\0"
        assert data[at + 12 : at + 22] == b"flyrecord\0"
        at += 22
        self.cpus: list[bytes] = []
        end = at + 16 * cpus
        for cpu in range(cpus):
            begin, size = struct.unpack_from("<QQ", data, at + 16 * cpu)
            assert begin % PAGE == size % PAGE == 0 and end <= begin <= begin + size <= len(data)
            self.cpus.append(data[begin : begin + size])
            end = begin + size
        assert end == len(data)

    def records(self, cpu: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """Yield time, event and fields of a CPU's records."""
        pages = self.cpus[cpu]
        for begin in range(0, len(pages), PAGE):
            time_ns, used = struct.unpack_from("<QQ", pages, begin)
            assert 0 < used <= PAGE - 16
            at, end = begin + 16, begin + 16 + used
            while at < end:
                (head,) = struct.unpack_from("<I", pages, at)
                kind, delta = head & 31, head >> 5
                at += 4
                if kind == 30:  # a word of time
                    (high,) = struct.unpack_from("<I", pages, at)
                    time_ns += delta + (high << 27)
                    at += 4
                    continue
                assert kind < 29
                time_ns += delta
                size = kind * 4
                if not kind:
                    size = struct.unpack_from("<I", pages, at)[0] - 4
                    at += 4
                raw = pages[at : at + size]
                at += size
                assert at <= end
                event = self.formats.events[int.from_bytes(raw[:2], "little")]
                yield time_ns, event.name, event.read(raw)
