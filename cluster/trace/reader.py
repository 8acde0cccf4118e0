"""Reading a trace: a merged stream of all logical processes, in little memory.

The order of a merged stream is ``(time_ns, lp, seq)``. A CPU's own records rise in time, the
kernel's need not: it serves requests one after the other, each at its own virtual time, so a
path that started early may end after its successor began. The merge is exact all the same. Each
chunk's head carries the least time in it; chunks are opened in that order, each one sorted, and
a record leaves the heap only when no unopened chunk can still hold an earlier one. Memory is that
of the chunks that overlap in time: about one for each logical process.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from operator import itemgetter
from typing import Any

import msgpack

from cluster.trace.chunks import MSGPACK_ERRORS, ChunkRef, TraceFile
from cluster.trace.format import TraceError

time_of = itemgetter(0)
_event_of = itemgetter(1)
_cpu_of = itemgetter(2)


def _are_records(rows: list[Any], min_ns: int, max_ns: int) -> bool:
    """Tell whether each row is a list that begins with a time in that span and an event.

    Without a loop of ours, which would take longer than all else that is done with a row.
    """
    if set(map(type, rows)) != {list} or min(map(len, rows)) < 2:
        return False
    times: list[int] = list(map(time_of, rows))
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


class TraceReader(TraceFile):
    """Reads one ``trace.smpt``; arguments, attributes and errors as for ``TraceFile``."""

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

    def cpu_numbers(self) -> list[int | None]:
        """Return of each logical process which CPU it is; None: none."""
        return list(self._cpus)

    def batches(self, from_ns: int = 0, to_ns: int | None = None) -> Iterator[list[list[Any]]]:
        """Iterate over the trace by time, many records at a time.

        A record is a list as in the file, with the number of its logical process after its last
        field. At equal times the kernel's come first, else the order is the merged one. Several
        times as fast as ``select``, for who takes all. No batch has records of a time of which the
        next one has some, too.

        Args:
            from_ns: from this virtual time on.
            to_ns: before this virtual time; None: to the end.

        Raises:
            TraceError: a chunk is damaged, or a record has no such event or number of fields.
        """
        for batch in self._merged_batches(from_ns, to_ns):
            low = bisect_left(batch, from_ns, key=time_of)
            high = len(batch) if to_ns is None else bisect_left(batch, to_ns, key=time_of)
            if low or high < len(batch):
                batch = batch[low:high]
            if batch:
                yield batch

    def _merged_batches(self, from_ns: int, to_ns: int | None) -> Iterator[list[list[Any]]]:
        closed = sorted(
            (
                ref
                for ref in self._chunks
                if ref.max_ns >= from_ns and (to_ns is None or ref.min_ns < to_ns)
            ),
            key=lambda ref: (ref.min_ns, ref.lp, ref.seq),
            reverse=True,
        )
        # by stream what is open, by time, without what was handed out
        waiting: dict[int, list[list[Any]]] = {}
        while closed or waiting:
            if closed:
                ref = closed.pop()
                rows = waiting.setdefault(ref.lp, [])
                rows += self._checked_rows(ref)
                rows.sort(key=time_of)  # stable: equal times stay in their order
                if closed and closed[-1].min_ns <= ref.min_ns:
                    continue
            batch: list[list[Any]] = []
            for lp in sorted(waiting, key=lambda lp: (self._cpus[lp] is not None, lp)):
                rows = waiting[lp]
                cut = len(rows)
                if closed:
                    cut = bisect_left(rows, closed[-1].min_ns, key=time_of)
                batch += rows[:cut]
                if cut == len(rows):
                    del waiting[lp]
                else:
                    del rows[:cut]
            batch.sort(key=time_of)
            yield batch

    def _checked_rows(self, ref: ChunkRef) -> list[list[Any]]:
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
        self, ref: ChunkRef, rows: list[list[Any]], wrong: set[tuple[int, int]], head: int
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

    def _in_order(self, ref: ChunkRef) -> Iterator[tuple[int, list[Any]]]:
        """Return (number in its stream, record) of a chunk's records, by time."""
        rows = self._rows(ref)
        times = list(map(time_of, rows))
        if times == sorted(times):
            return enumerate(rows, ref.first_seq)
        return iter(sorted(enumerate(rows, ref.first_seq), key=lambda item: item[1][0]))

    def _rows(self, ref: ChunkRef) -> list[list[Any]]:
        raw = self._load(ref)
        try:
            min_ns, max_ns, rows = msgpack.unpackb(raw, unicode_errors="surrogatepass")
            if len(rows) != ref.records or (rows and not _are_records(rows, min_ns, max_ns)):
                raise ValueError("its records are not what its head says")
        except MSGPACK_ERRORS as error:
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
