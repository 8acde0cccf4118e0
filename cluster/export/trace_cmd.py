"""trace.dat: what ``trace-cmd report`` and KernelShark read. Version 6, which all of them know.

The file has the pages of each CPU's ring buffer, CPU by CPU, as the kernel would have filled them;
records come by time. So full pages go to a file without a name first, and are put in order when
there are no more; what is kept of each is 4 bytes of 4096. Names of tasks stand at the front.

A page is the time of its first record, the length of what is in it, and records: a word with the
length (in words) and the time since the last one, then the record. What is longer than 28 words has
its length behind that word, and what took longer than 2^27 ns a word of time before it.

Source: trace-cmd's Documentation/trace-cmd/trace-cmd.dat.v6.5.txt; kernel/trace/ring_buffer.c.
Deviation: a file name of more than 3,900 bytes is cut: records do not go over pages.
"""

import struct
from array import array
from typing import Any, BinaryIO, Final

from cluster.export.sink import Spool
from cluster.export.stream import Records, becomes
from cluster.export.tasks import CHANGES, Tasks
from cluster.export.tracepoints import COMMON, TRACEPOINTS, Payloads, tracing_data
from kernel import events as ev

_PAGE: Final = 4096
_ROOM: Final = _PAGE - 16
_PAGE_HEAD: Final = struct.Struct("<QQ")
_DELTA_BITS: Final = 27
_TIME_EXTEND: Final = 30
_LONGEST_NAME: Final = 3900


def write(records: Records, out: BinaryIO) -> None:
    """Write a trace; see ``cluster.export``."""
    with Spool(out) as spool:
        rings = [_Ring(spool) for _ in range(records.cpus)]
        pages = _Pages(records, rings)
        for batch in records.batches():
            pages.add(batch)
        for ring in rings:
            ring.turn()
        head = _head(pages.names, records.cpus)
        out.write(head)
        at = len(head) + 16 * records.cpus
        at += -at % _PAGE
        gap = at - len(head) - 16 * records.cpus
        for ring in rings:
            size = _PAGE * len(ring.pages)
            out.write(struct.pack("<QQ", at, size))
            at += size
        out.write(bytes(gap))
        for ring in rings:
            for number in ring.pages:
                out.write(spool.read(number * _PAGE, _PAGE))


def _head(names: dict[int, str], cpus: int) -> bytes:
    text = "".join(f"{pid} {comm}\n" for pid, comm in sorted(names.items()))
    listed = text.encode("utf-8", "replace")
    return b"".join(
        (
            tracing_data(b"6"),
            *(struct.pack("<Q", len(listed)), listed, struct.pack("<I", cpus)),
            *(b"options  \0", struct.pack("<H", 0), b"flyrecord\0"),
        )
    )


class _Ring:
    """The ring buffer of a CPU: the page that is being filled, and where the others are."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.pages = array("I")
        self._parts: list[bytes] = []
        self._used = 0
        self._begin_ns = 0
        self._last_ns = 0

    def add(self, time_ns: int, record: bytes) -> None:
        """Add a record: whole words, and not earlier than the last one."""
        if len(record) <= 28 * 4:
            head, length = len(record) >> 2, b""
        else:
            head, length = 0, struct.pack("<I", len(record) + 4)
        delta = time_ns - self._last_ns if self._used else 0
        extend = delta >> _DELTA_BITS != 0
        size = len(record) + len(length) + (12 if extend else 4)
        if self._used and self._used + size > _ROOM:
            self.turn()
            delta, extend = 0, False
            size = len(record) + len(length) + 4
        if not self._used:
            self._begin_ns = time_ns
        if extend:
            low = delta & (1 << _DELTA_BITS) - 1
            self._parts.append(struct.pack("<II", _TIME_EXTEND | low << 5, delta >> _DELTA_BITS))
            delta = 0
        self._parts.append(struct.pack("<I", head | delta << 5) + length + record)
        self._used += size
        self._last_ns = time_ns

    def turn(self) -> None:
        """Put the page away, if there is anything on it."""
        if self._used:
            data = _PAGE_HEAD.pack(self._begin_ns, self._used) + b"".join(self._parts)
            self.pages.append(self._spool.write(data + bytes(_PAGE - len(data))) // _PAGE)
            self._parts, self._used = [], 0


class _Pages:
    """Encodes records into the rings.

    Attributes:
        names: of all tasks there were, the last one of each.
    """

    def __init__(self, records: Records, rings: list[_Ring]) -> None:
        self.names: dict[int, str] = {}
        self._rings = rings
        self._cpu_of = records.cpu_of
        self._tasks = Tasks()
        self._payloads = Payloads(self._tasks)
        self._current = [0] * records.cpus

    def add(self, batch: list[list[Any]]) -> None:
        """Add the records of a batch."""
        cpu_of, current, rings, payload = (
            *(self._cpu_of, self._current, self._rings),
            self._payloads.payload,
        )
        for row in batch:
            event = row[1]
            cpu, at = cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            if event in CHANGES:
                self._tasks.follow(event, row, at)
                self._name(event, row, at)
            if cpu < 0 or event not in TRACEPOINTS:
                continue
            if event == ev.SCHED_PROCESS_EXEC:
                becomes(current, cpu, row, at)
                row[at] = (
                    row[at][:_LONGEST_NAME]
                    .encode("utf-8", "replace")[:_LONGEST_NAME]
                    .decode("utf-8", "ignore")
                )
            common = COMMON.pack(TRACEPOINTS[event].id, 0, 0, current[cpu])
            rings[cpu].add(row[0], common + payload(event, row, at))
            if event == ev.SCHED_SWITCH:
                current[cpu] = row[at + 5]

    def _name(self, event: int, row: list[Any], at: int) -> None:
        if event == ev.SCHED_PROCESS_FORK:
            pid, comm = row[at + 3], row[at + 2]
        elif event == ev.TASK_RENAME:
            pid, comm = row[at], row[at + 2]
        else:
            return
        self.names[pid] = "".join(char if char.isprintable() else "?" for char in comm)
