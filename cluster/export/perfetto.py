"""Perfetto's own format: a protocol buffer of packets, with the scheduler's events as ftrace's.

The events go into one ``FtraceEventBundle`` for each CPU and batch, so Perfetto draws CPU lanes,
thread states, wake-ups and process trees as for a trace of a phone or a server, and its SQL
(``sched``, ``thread_state``, ``sched.latency``) works. Before them stands a packet that says which
kernel this is: without it states beyond 0x20 are read wrongly. Beside them there are tracks of our
own (``cluster.export.perfetto_tracks``): lengths of runqueues, page faults, system calls, and
arrows from who forked or woke a task to where that one ran.

What is not a tracepoint of Linux (``task_change``, ``cache_refill``), or has no message in
Perfetto, is left out of the bundles.

Nearly all of a trace are switches, wake-ups and page faults. What they repeat (a task with its name
and priority) is encoded once and kept; the high bits of the time, too.

Source: protos/perfetto/trace/{trace_packet,ftrace/*,system_info}.proto.
Deviation: who has a process made is its parent, also with CLONE_PARENT, and stays it: Perfetto
knows no new parents.
"""

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Final

from cluster.export.perfetto_tracks import Tracks, packet
from cluster.export.proto import block, number, text, varint
from cluster.export.stream import Records, reported_state
from cluster.export.tasks import CHANGES, Tasks
from kernel import events as ev
from kernel.uapi.task_state import TASK_REPORT_MAX

_FTRACE: Final = 1  # fields of TracePacket
_SEQUENCE_FLAGS: Final = 13
_SYSTEM_INFO: Final = 45
_STATE_CLEARED: Final = 1
_MOST_KEPT: Final = 1 << 16  # pieces that are encoded once
_LOW: Final = [bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(1 << 14)]
_SHORT: Final = [bytes((length,)) for length in range(128)]

_SWITCH: Final = 4  # fields of FtraceEvent
_NEWTASK: Final = 235
_WAKEUPS: Final = {ev.SCHED_WAKEUP: 17, ev.SCHED_WAKING: 20, ev.SCHED_WAKEUP_NEW: 114}


def _signal(row: list[Any], at: int) -> bytes:
    sig, _errno, code, comm, pid, group, result = row[at:-1]
    return (
        number(1, code)
        + text(2, comm)
        + number(3, group)
        + number(4, pid)
        + number(5, result)
        + number(6, sig)
    )


def _fields(*kinds: Callable[[int, Any], bytes]) -> Callable[[list[Any], int], bytes]:
    """Return the encoder of an event whose fields are those of a message, in the same order."""

    def encode(row: list[Any], at: int) -> bytes:
        values = zip(kinds, row[at:])
        return b"".join([kind(place, value) for place, (kind, value) in enumerate(values, 1)])

    return encode


#: event -> field of FtraceEvent, and what encodes the message
_OTHERS: Final[dict[int, tuple[int, Callable[[list[Any], int], bytes]]]] = {
    ev.SCHED_MIGRATE_TASK: (491, _fields(text, number, number, number, number)),
    ev.SCHED_PROCESS_FORK: (239, _fields(text, number, text, number)),
    ev.SCHED_PROCESS_EXEC: (237, _fields(text, number, number)),
    ev.SCHED_PROCESS_EXIT: (
        238,
        lambda row, at: text(1, row[at]) + number(2, row[at + 1]) + number(4, row[at + 2]),
    ),
    ev.SCHED_PROCESS_WAIT: (242, _fields(text, number, number)),
    ev.SCHED_PROCESS_FREE: (240, _fields(text, number, number)),
    ev.TASK_RENAME: (236, _fields(number, text, text, number)),
    ev.SIGNAL_GENERATE: (325, _signal),
    ev.SIGNAL_DELIVER: (
        324,
        lambda row, at: number(1, row[at + 2]) + number(2, row[at + 4]) + number(3, row[at]),
    ),
    ev.OOM_MARK_VICTIM: (334, _fields(number)),
}
_TAGS: Final = {
    field: varint(field << 3 | 2)
    for field in (_SWITCH, *_WAKEUPS.values(), *(field for field, _ in _OTHERS.values()))
}


def _system(release: str) -> bytes:
    names = text(1, "Linux") + text(3, release) + text(4, "x86_64")
    return packet(block(_SYSTEM_INFO, block(1, names)) + number(_SEQUENCE_FLAGS, _STATE_CLEARED))


def write(records: Records, out: BinaryIO) -> None:
    """Write a trace; see ``cluster.export``."""
    tasks = Tasks()
    tracks = Tracks(records.cpus, tasks)
    bundles = _Bundles(records, tasks, tracks)
    out.write(_system(records.release))
    out.write(tracks.taken())
    for batch in records.batches():
        for cpu, parts in sorted(bundles.encode(batch).items()):
            out.write(packet(block(_FTRACE, number(1, cpu) + b"".join(parts))))
        out.write(tracks.taken())


class _Bundles:
    """Encodes the events of a machine, and tells the tracks of each."""

    def __init__(self, records: Records, tasks: Tasks, tracks: Tracks) -> None:
        self._cpu_of: Sequence[int | None] = records.cpu_of
        self._tasks = tasks
        self._tracks = tracks
        self._current = [0] * records.cpus
        self._newtask: tuple[list[Any], int] = [0, "", 0, 0, 0], 0
        # parts of messages that come again and again
        self._sides: dict[tuple[int, str, int, int], bytes] = {}
        self._numbers: dict[tuple[int, int], bytes] = {}

    def encode(self, batch: Sequence[list[Any]]) -> dict[int, list[bytes]]:
        """Return the events of a batch by CPU, each as a field of a bundle."""
        bundles: dict[int, list[bytes]] = {}
        cpu_of, current, numbers, tracks = self._cpu_of, self._current, self._numbers, self._tracks
        high, high_bytes = -1, b""
        for row in batch:
            time_ns, event = row[0], row[1]
            cpu, at = cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            if time_ns >> 14 != high:
                high = time_ns >> 14
                high_bytes = varint(high)
            when = _LOW[time_ns & 0x3FFF] + high_bytes
            if event in CHANGES:
                self._tasks.follow(event, row, at)
                if event == ev.TASK_NEWTASK:
                    self._newtask = row, at
                    continue  # it is told with the fork, which knows who made it
            if cpu < 0:
                continue  # booting
            pid = current[cpu]
            if event == ev.SCHED_PROCESS_FORK:
                pid = row[at + 1]
                bundles.setdefault(cpu, []).append(self._newtask_of(when, row, at))
            if event == ev.SCHED_SWITCH:
                field, body = _SWITCH, self._switch(cpu, row, at)
            elif event in _WAKEUPS:
                field = _WAKEUPS[event]
                body = self._side(1, row[at], row[at + 1], row[at + 2])
                body += numbers.get((5, row[at + 3])) or self._number(5, row[at + 3])
            elif event in _OTHERS:
                field, encode = _OTHERS[event]
                body = encode(row, at)
            else:
                tracks.follow(when, event, cpu, pid, row, at)
                continue
            tracks.follow(when, event, cpu, pid, row, at)
            length = len(body)
            body = (
                b"\x08"
                + when
                + (numbers.get((2, pid)) or self._number(2, pid))
                + _TAGS[field]
                + (_SHORT[length] if length < 128 else varint(length))
                + body
            )
            length = len(body)
            parts = bundles.get(cpu)
            if parts is None:
                parts = bundles[cpu] = []
            parts.append(b"\x12" + (_SHORT[length] if length < 128 else varint(length)) + body)
        return bundles

    def _newtask_of(self, when: bytes, row: list[Any], at: int) -> bytes:
        """Return the event task_newtask of a fork, whose record came before."""
        _, parent, comm, pid = row[at:-1]
        made, place = self._newtask
        _, old_comm, flags, oom_score_adj = made[place:-1]
        name = old_comm if parent else comm  # what the machine makes for itself is not renamed
        task = number(1, pid) + text(2, name) + number(3, flags) + number(4, oom_score_adj)
        return block(2, b"\x08" + when + number(2, parent) + block(_NEWTASK, task))

    def _switch(self, cpu: int, row: list[Any], at: int) -> bytes:
        comm, pid, prio, state, next_comm, next_pid, next_prio, _ = row[at:]
        self._current[cpu] = next_pid
        if state not in (0, 1, TASK_REPORT_MAX):
            state = reported_state(state, thread=self._tasks.is_thread(pid))
        return (
            (self._sides.get((1, comm, pid, prio)) or self._side(1, comm, pid, prio))
            + (self._numbers.get((4, state)) or self._number(4, state))
            + self._side(5, next_comm, next_pid, next_prio)
        )

    def _side(self, first: int, comm: str, pid: int, prio: int) -> bytes:
        """Return a task's name, number and priority in fields ``first`` and the two after it."""
        key = first, comm, pid, prio
        piece = self._sides.get(key)
        if piece is None:
            if len(self._sides) > _MOST_KEPT:
                self._sides.clear()
            piece = text(first, comm) + number(first + 1, pid) + number(first + 2, prio)
            self._sides[key] = piece
        return piece

    def _number(self, field: int, value: int) -> bytes:
        """Return a field that is a number."""
        if len(self._numbers) > _MOST_KEPT:
            self._numbers.clear()
        piece = self._numbers[field, value] = number(field, value)
        return piece
