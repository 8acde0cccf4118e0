"""What Perfetto shows beside the schedule: counters, system calls, and arrows between tasks.

- ``Run queues``: a counter for each CPU, the tasks that are runnable on it.
- ``Page faults``: a counter for each kind of fault, those so far.
- On the track of a thread: its system calls (of a run with ``trace.syscalls``) with arguments and
  results; ``fork`` and ``wake`` where it made or woke another task, with an arrow to where that one
  ran next. Who woke is known of a run with ``trace.waking``.

Locks have no track: a trace has no records of them.

Source: protos/perfetto/trace/track_event/{track_event,track_descriptor}.proto.
"""

from collections.abc import Callable
from typing import Any, Final

from cluster.export.proto import VARINTS, block, fixed64, number, text, varint
from cluster.export.queues import Queues
from cluster.export.tasks import Tasks
from kernel import events as ev
from kernel.uapi.syscalls import TABLE

_PACKET: Final = 1  # field of Trace
_TIMESTAMP_TAG: Final = b"\x40"  # of field 8 of TracePacket
_SEQUENCE_ID: Final = 10
_TRACK_EVENT: Final = 11
_TRACK_DESCRIPTOR: Final = 60
# TrackEvent.type, as a field
_SLICE_BEGIN, _SLICE_END, _INSTANT, _COUNTER = (number(9, kind) for kind in (1, 2, 3, 4))
_FLOW_IDS: Final = 47
_TERMINATING_FLOW_IDS: Final = 48
_UNIT_COUNT: Final = 2
_UUID_TAG: Final = varint(1 << 3)  # uuid of a descriptor
_TRACK_TAG: Final = varint(11 << 3)  # track_uuid
_VALUE_TAG: Final = varint(30 << 3)  # counter_value, a varint

_QUEUES, _FAULTS = 1, 2  # uuids
_FIRST_FAULT: Final = 16
_FIRST_QUEUE: Final = 1 << 16
_FIRST_THREAD: Final = 1 << 32
_END: Final = number(_SEQUENCE_ID, 1)
_OF_THREADS: Final = number(_SEQUENCE_ID, 2)
_MOST_KEPT: Final = 1 << 16


def packet(body: bytes) -> bytes:
    """Return a packet of the trace."""
    return block(_PACKET, body + _END)


def _counter(uuid: int, name: str, parent: int) -> bytes:
    counter = block(8, number(3, _UNIT_COUNT))
    body = number(1, uuid) + number(5, parent) + text(2, name) + counter
    return packet(block(_TRACK_DESCRIPTOR, body))


class Tracks:
    """The tracks of a machine's trace: is told of records, and makes packets.

    Attributes:
        handlers: event -> what to call with a record of it: its time (a varint), its CPU, the pid
            of who ran there, the record, and where its fields begin.
    """

    def __init__(self, cpus: int, tasks: Tasks) -> None:
        self._tasks = tasks
        self._queues = Queues(cpus)
        self._packets: list[bytes] = []
        self._values: dict[tuple[int, int], bytes] = {}  # of counters
        self._faults: dict[str, bytes] = {}  # kind -> what all events of its track begin with
        self._faults_of: dict[str, int] = {}  # kind -> faults so far
        self._threads: dict[int, bytes] = {}  # task -> its track, as a field
        self._made = 0  # tracks of threads
        self._arrows = 0
        self._arriving: dict[int, list[int]] = {}  # task -> arrows that end where it runs
        self._in_call: set[int] = set()
        self.handlers: dict[int, Callable[[bytes, int, int, list[Any], int], None]] = {
            ev.SCHED_SWITCH: self._switch,
            ev.SCHED_WAKEUP: self._wakeup,
            ev.SCHED_WAKEUP_NEW: self._wakeup,
            ev.SCHED_WAKING: self._waking,
            ev.SCHED_MIGRATE_TASK: self._migrate,
            ev.SCHED_PROCESS_FORK: self._fork,
            ev.SCHED_PROCESS_EXIT: self._exit,
            ev.SCHED_PROCESS_FREE: self._free,
            ev.PAGE_FAULT_USER: self._fault,
            ev.SYS_ENTER: self._enter,
            ev.SYS_EXIT: self._leave,
        }
        name = number(1, _QUEUES) + text(2, "Run queues")
        self._packets.append(packet(block(_TRACK_DESCRIPTOR, name)))
        for cpu in range(cpus):
            self._packets.append(_counter(_FIRST_QUEUE + cpu, f"CPU {cpu} runnable", _QUEUES))

    def taken(self) -> bytes:
        """Return the packets that were made since this was asked last."""
        packets = b"".join(self._packets)
        self._packets.clear()
        return packets

    def _put(self, when: bytes, event: bytes) -> None:
        """Make a packet of an event that is a field."""
        body = _TIMESTAMP_TAG + when + event
        self._packets.append(b"\x0a" + VARINTS[len(body)] + body)

    # Counters

    def _lengths(self, when: bytes, cpus: tuple[int, ...]) -> None:
        for cpu in cpus:
            value = self._queues.length[cpu]
            event = self._values.get((cpu, value))
            if event is None:
                if len(self._values) > _MOST_KEPT:
                    self._values.clear()
                body = _COUNTER + number(11, _FIRST_QUEUE + cpu) + number(30, value)
                event = self._values[cpu, value] = block(_TRACK_EVENT, body) + _END
            self._put(when, event)

    def _fault(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        kind = row[at + 3]
        if kind not in self._faults:
            if not self._faults:
                name = number(1, _FAULTS) + text(2, "Page faults")
                self._packets.append(packet(block(_TRACK_DESCRIPTOR, name)))
            uuid = _FIRST_FAULT + len(self._faults)
            self._faults[kind] = _COUNTER + number(11, uuid)
            self._faults_of[kind] = 0
            self._packets.append(_counter(uuid, f"faults {kind}", _FAULTS))
        self._faults_of[kind] = value = self._faults_of[kind] + 1
        body = self._faults[kind] + _VALUE_TAG + varint(value)
        self._put(when, block(_TRACK_EVENT, body) + _END)

    def _migrate(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        self._lengths(when, self._queues.move(row[at + 1], row[at + 4]))

    # Threads

    def _thread(self, when: bytes, pid: int) -> bytes:
        """Make a track for a task; return the field that names it."""
        uuid = varint(_FIRST_THREAD + self._made)
        self._made += 1
        found = self._threads[pid] = _TRACK_TAG + uuid
        thread = number(1, self._tasks.group(pid)) + number(2, pid)
        body = _UUID_TAG + uuid + block(4, thread)
        # With a time: when it is read the task must live, or is taken for another one. And of
        # a sequence of its own: all events of a sequence are also of the thread named last.
        self._put(when, block(_TRACK_DESCRIPTOR, body) + _OF_THREADS)
        return found

    def _event(self, when: bytes, pid: int, kind: bytes, rest: bytes) -> None:
        """Put an event on the track of a task."""
        track = self._threads.get(pid) or self._thread(when, pid)
        self._put(when, block(_TRACK_EVENT, kind + track + rest) + _END)

    def _arrow(self, when: bytes, pid: int, name: str, to: int) -> None:
        """Begin an arrow at a task; it ends where the other one runs next."""
        self._arrows += 1
        self._arriving.setdefault(to, []).append(self._arrows)
        self._event(when, pid, _INSTANT, text(23, name) + fixed64(_FLOW_IDS, self._arrows))

    def _switch(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        _, prev, _, state, _, following, _, _ = row[at:]
        changed = self._queues.switch(cpu, prev, state, following)
        if changed:
            self._lengths(when, changed)
        if following in self._arriving:
            ends = [fixed64(_TERMINATING_FLOW_IDS, one) for one in self._arriving.pop(following)]
            self._event(when, following, _INSTANT, text(23, "runs") + b"".join(ends))

    def _wakeup(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        changed = self._queues.wake(row[at + 1], row[at + 3])
        if changed:
            self._lengths(when, changed)

    def _waking(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        if pid:  # an interrupt of the idle task woke it
            self._arrow(when, pid, "wake", row[at + 1])

    def _fork(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        if pid:
            self._arrow(when, pid, "fork", row[at + 3])

    # System calls

    def _enter(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        caller, nr, arguments = row[at:-1]
        name = TABLE[nr][0] if nr in TABLE else f"call {nr}"
        self._in_call.add(caller)
        rest = text(23, name) + _note("arguments", arguments)
        self._event(when, caller, _SLICE_BEGIN, rest)

    def _leave(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        caller, _, result = row[at:-1]
        if caller in self._in_call:
            self._in_call.discard(caller)
            self._event(when, caller, _SLICE_END, _note("result", result))

    def _exit(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        caller = row[at + 1]
        if caller in self._in_call:  # exit() does not return
            self._in_call.discard(caller)
            self._event(when, caller, _SLICE_END, b"")

    def _free(self, when: bytes, cpu: int, pid: int, row: list[Any], at: int) -> None:
        self._threads.pop(row[at + 1], None)
        self._arriving.pop(row[at + 1], None)


def _note(name: str, value: str) -> bytes:
    return block(4, text(10, name) + text(6, value)) if value else b""
