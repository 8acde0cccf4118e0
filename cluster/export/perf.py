"""perf.data: what ``perf sched latency``, ``timehist``, ``map``, ``perf script`` read.

One attribute for each tracepoint, with an id of its own; then samples in order of time, with
records of forks, names and exits between them, from which perf knows whose thread a task is. Each
batch ends a round: perf sorts rounds, not the file, so it needs no memory for the whole either.

``sched_stat_runtime`` is not in our trace. perf adds up run times from it, so one is made of each
stay on a CPU, just before the switch that ends it.

What stands at the front (where data end) is only known at the end, so the writer goes back once.

Source: tools/perf/Documentation/perf.data-file-format.txt; include/uapi/linux/perf_event.h.
"""

import struct
from typing import Any, BinaryIO, Final

from cluster.export.stream import Records, becomes
from cluster.export.tasks import CHANGES, Tasks
from cluster.export.tracepoints import COMMON, STAT_RUNTIME, TRACEPOINTS, Payloads, tracing_data
from kernel import events as ev

_HEAD: Final = struct.Struct("<8sQQ2Q2Q2Q4Q")
_ATTR: Final = struct.Struct("<IIQQQQQIIQQQQIiQIHH")
_SECTION: Final = struct.Struct("<QQ")
_TRACEPOINT: Final = 2  # PERF_TYPE_TRACEPOINT
# PERF_SAMPLE_IP, TID, TIME, CPU, PERIOD, RAW, IDENTIFIER
_SAMPLE_TYPE: Final = 1 | 2 | 4 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 16
_COMM_FLAG, _TASK_FLAG, _SAMPLE_ID_ALL = 1 << 9, 1 << 13, 1 << 18
# header; identifier, ip, pid, tid, time, cpu, 0, period, length of what follows, common fields
_SAMPLE: Final = "<IHHQQIIQIIQIHBBi"
_SAMPLE_HEAD: Final = struct.Struct("<IHHQQIIQIIQIHBBi")
_RAW_AT: Final = _SAMPLE_HEAD.size - COMMON.size - 4
_TRAILER: Final = struct.Struct("<IIQIIQ")  # of a record that is no sample: pid, tid, time, cpu, id
_RECORD_COMM, _RECORD_EXIT, _RECORD_FORK, _RECORD_SAMPLE = 3, 4, 7, 9
_FINISHED_ROUND: Final = struct.pack("<IHH", 68, 0, 8)
_COMM_EXEC: Final = 1 << 13
_TRACING_DATA, _HOSTNAME, _OSRELEASE, _VERSION, _ARCH, _NRCPUS = 1, 3, 4, 5, 6, 7  # features
_FAST: Final = (ev.SCHED_SWITCH, ev.SCHED_WAKEUP, ev.SCHED_WAKEUP_NEW, ev.SCHED_WAKING)


def write(records: Records, out: BinaryIO) -> None:
    """Write a trace; see ``cluster.export``. ``out`` is gone back in."""
    points = list(TRACEPOINTS.values())
    ids_at = _HEAD.size
    attrs_at = ids_at + 8 * len(points)
    data_at = attrs_at + (_ATTR.size + _SECTION.size) * len(points)
    out.write(bytes(_HEAD.size))
    for point in points:
        out.write(struct.pack("<Q", point.id))
    for place, point in enumerate(points):
        out.write(_attribute(point.id) + _SECTION.pack(ids_at + 8 * place, 8))
    samples = _Samples(records)
    size = 0
    for batch in records.batches():
        data = samples.encode(batch)
        out.write(data)
        size += len(data)
    data = samples.end()
    out.write(data)
    size += len(data)
    features = _features(records, data_at + size)
    out.write(features[1])
    out.seek(0)
    attrs = attrs_at, data_at - attrs_at
    out.write(
        _HEAD.pack(
            *(b"PERFILE2", _HEAD.size, _ATTR.size + _SECTION.size, *attrs, data_at, size, 0, 0),
            *(features[0], 0, 0, 0),
        )
    )
    out.seek(0, 2)


def _attribute(number: int) -> bytes:
    flags = _COMM_FLAG | _TASK_FLAG | _SAMPLE_ID_ALL
    return _ATTR.pack(
        *(_TRACEPOINT, _ATTR.size, number, 1, _SAMPLE_TYPE, 0, flags),
        *(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    )


def _string(text: str) -> bytes:
    data = text.encode() + b"\0"
    data += bytes(-len(data) % 64)
    return struct.pack("<I", len(data)) + data


def _features(records: Records, at: int) -> tuple[int, bytes]:
    """Return the bits of the sections at the end of the file, and these."""
    found = {
        _TRACING_DATA: tracing_data(b"0.6") + struct.pack("<Q", 0),
        _HOSTNAME: _string("smplab"),
        _OSRELEASE: _string(records.release),
        _VERSION: _string("smplab"),
        _ARCH: _string("x86_64"),
        _NRCPUS: struct.pack("<II", records.cpus, records.cpus),
    }
    at += _SECTION.size * len(found)
    sections = b""
    for data in found.values():
        sections += _SECTION.pack(at, len(data))
        at += len(data)
    return sum(1 << bit for bit in found), sections + b"".join(found.values())


def _layout(event: int) -> tuple[struct.Struct, int, int, int]:
    """Return the layout of a whole sample, its bytes, bytes of its raw part, and the event's id."""
    point = TRACEPOINTS[event]
    raw = COMMON.size + point.layout.size
    gap = -(raw + 4) % 8
    layout = struct.Struct(f"{_SAMPLE}{point.codes}{gap}x")
    return layout, layout.size, raw + gap, point.id


class _Samples:
    """Encodes records as perf's."""

    def __init__(self, records: Records) -> None:
        self._cpu_of = records.cpu_of
        self._tasks = Tasks()
        self._payloads = Payloads(self._tasks)
        self._current = [0] * records.cpus
        self._since_ns = [0] * records.cpus
        self._last_ns = 0
        self._layouts = {event: _layout(event) for event in TRACEPOINTS}

    def encode(self, batch: list[list[Any]]) -> bytes:
        """Return the records of a batch, and that it ends."""
        parts: list[bytes] = []
        cpu_of, current, tasks, layouts = self._cpu_of, self._current, self._tasks, self._layouts
        values = self._payloads.values
        for row in batch:
            time_ns, event = row[0], row[1]
            cpu, at = cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            if event in CHANGES:
                tasks.follow(event, row, at)
            if cpu < 0:
                continue  # booting
            if event == ev.SCHED_PROCESS_EXEC:
                becomes(current, cpu, row, at)
            pid = current[cpu]
            group = tasks.tgid.get(pid, pid)
            if event == ev.SCHED_SWITCH:
                if pid:
                    parts.append(self._runtime(cpu, time_ns, row[at]))
                self._since_ns[cpu] = time_ns
                current[cpu] = row[at + 5]
            elif event not in _FAST:
                if event not in layouts:
                    continue
                self._tell(parts, time_ns, event, cpu, row, at)
                if event == ev.SCHED_PROCESS_EXEC:
                    parts.append(self._exec(time_ns, cpu, row, at))
                    continue
            layout, size, raw, number = layouts[event]
            parts.append(
                layout.pack(
                    *(_RECORD_SAMPLE, 1, size, number, 0, group, pid, time_ns, cpu, 0, 1, raw),
                    *(number, 0, 0, pid, *values(event, row, at)),
                )
            )
        if batch:
            self._last_ns = batch[-1][0]
        parts.append(_FINISHED_ROUND)
        return b"".join(parts)

    def _runtime(self, cpu: int, time_ns: int, comm: str) -> bytes:
        """Return the sample of how long the task of a CPU has run there."""
        layout, size, raw, number = self._layouts[STAT_RUNTIME]
        pid = self._current[cpu]
        return layout.pack(
            *(_RECORD_SAMPLE, 1, size, number, 0, self._tasks.group(pid), pid, time_ns, cpu, 0),
            *(1, raw, number, 0, 0, pid),
            *(self._payloads.name(comm), pid, time_ns - self._since_ns[cpu], 0),
        )

    def end(self) -> bytes:
        """Return the run times of those that run when the trace ends."""
        running = [(cpu, pid) for cpu, pid in enumerate(self._current) if pid]
        comm = self._tasks.comm
        return b"".join(
            [self._runtime(cpu, self._last_ns, comm.get(pid, "")) for cpu, pid in running]
        )

    def _exec(self, time_ns: int, cpu: int, row: list[Any], at: int) -> bytes:
        """Return the sample of an exec, whose file name may be of any length."""
        pid = self._current[cpu]
        number = TRACEPOINTS[ev.SCHED_PROCESS_EXEC].id
        raw = COMMON.pack(number, 0, 0, pid)
        raw += self._payloads.payload(ev.SCHED_PROCESS_EXEC, row, at)
        raw += bytes(-(len(raw) + 4) % 8)
        head = _SAMPLE_HEAD.pack(
            *(_RECORD_SAMPLE, 1, _RAW_AT + 4 + len(raw), number, 0, self._tasks.group(pid), pid),
            *(time_ns, cpu, 0, 1, len(raw), 0, 0, 0, 0),
        )
        return head[: -COMMON.size] + raw

    def _tell(
        self, parts: list[bytes], time_ns: int, event: int, cpu: int, row: list[Any], at: int
    ) -> None:
        """Add what tells perf of a task that is made, named or ended."""
        pid = self._current[cpu]
        trailer = _TRAILER.pack(self._tasks.group(pid), pid, time_ns, cpu, 0, 0)
        if event == ev.SCHED_PROCESS_FORK:
            _, parent, comm, child = row[at:-1]
            parts.append(self._family(_RECORD_FORK, time_ns, child, parent, trailer))
            if parent == 0:  # it has another name than its parent, and is not renamed
                parts.append(self._named(child, comm, 0, trailer))
        elif event == ev.TASK_RENAME:
            parts.append(self._named(row[at], row[at + 2], _COMM_EXEC, trailer))
        elif event == ev.SCHED_PROCESS_EXIT:
            parts.append(self._family(_RECORD_EXIT, time_ns, row[at + 1], row[at + 1], trailer))

    def _family(self, kind: int, time_ns: int, pid: int, parent: int, trailer: bytes) -> bytes:
        group = self._tasks.group
        size = 8 + 24 + len(trailer)
        numbers = group(pid), group(parent), pid, parent, time_ns
        return struct.pack("<IHHIIIIQ", kind, 0, size, *numbers) + trailer

    def _named(self, pid: int, comm: str, flags: int, trailer: bytes) -> bytes:
        name = self._payloads.name(comm) + b"\0"
        name += bytes(-len(name) % 8)
        size = 16 + len(name) + len(trailer)
        head = struct.pack("<IHHII", _RECORD_COMM, flags, size, self._tasks.group(pid), pid)
        return head + name + trailer
