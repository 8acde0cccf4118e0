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
from cluster.export.proto import LOW, VARINTS, block, number, text, varint
from cluster.export.stream import Records, becomes, reported_state
from cluster.export.tasks import CHANGES, Tasks
from kernel import events as ev
from kernel.events import EVENTS
from kernel.uapi.task_state import TASK_REPORT_MAX

_FTRACE: Final = 1  # fields of TracePacket
_SEQUENCE_FLAGS: Final = 13
_SYSTEM_INFO: Final = 45
_STATE_CLEARED: Final = 1

_NEWTASK: Final = 235  # field of FtraceEvent


def _fork(row: list[Any], at: int) -> bytes:
    comm, pid, child_comm, child_pid, _ = row[at:]
    return (
        text(1, comm) + b"\x10" + VARINTS[pid] + text(3, child_comm) + b"\x20" + VARINTS[child_pid]
    )


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


def _task(row: list[Any], at: int) -> bytes:
    """Return a task's name, number and priority as fields 1 to 3."""
    name, pid, prio = row[at : at + 3]
    return text(1, name) + b"\x10" + VARINTS[pid] + b"\x18" + VARINTS[prio]


def _woken(row: list[Any], at: int) -> bytes:
    return _task(row, at) + b"\x28" + VARINTS[row[at + 3]]


_Encode = Callable[[list[Any], int], bytes]
#: event -> field of FtraceEvent, and what encodes the message; None: it needs more than the record
_MESSAGES: Final[dict[int, tuple[int, _Encode | None]]] = {
    ev.SCHED_SWITCH: (4, None),
    ev.SCHED_WAKEUP: (17, _woken),
    ev.SCHED_WAKING: (20, _woken),
    ev.SCHED_WAKEUP_NEW: (114, _woken),
    ev.SCHED_MIGRATE_TASK: (
        491,
        lambda row, at: _task(row, at) + number(4, row[at + 3]) + number(5, row[at + 4]),
    ),
    ev.SCHED_PROCESS_FORK: (239, None),
    ev.SCHED_PROCESS_EXEC: (
        237,
        lambda row, at: text(1, row[at]) + number(2, row[at + 1]) + number(3, row[at + 2]),
    ),
    ev.SCHED_PROCESS_EXIT: (
        238,
        lambda row, at: text(1, row[at]) + number(2, row[at + 1]) + number(4, row[at + 2]),
    ),
    ev.SCHED_PROCESS_WAIT: (242, _task),
    ev.SCHED_PROCESS_FREE: (240, _task),
    ev.TASK_RENAME: (
        236,
        lambda row, at: (
            number(1, row[at])
            + text(2, row[at + 1])
            + text(3, row[at + 2])
            + number(4, row[at + 3])
        ),
    ),
    ev.SIGNAL_GENERATE: (325, _signal),
    ev.SIGNAL_DELIVER: (
        324,
        lambda row, at: number(1, row[at + 2]) + number(2, row[at + 4]) + number(3, row[at]),
    ),
    ev.OOM_MARK_VICTIM: (334, lambda row, at: number(1, row[at])),
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
        for cpu, parts in bundles.encode(batch).items():
            out.write(packet(block(_FTRACE, number(1, cpu) + b"".join(parts))))
        out.write(tracks.taken())


class _Bundles:
    """Encodes the events of a machine, and tells the tracks of each."""

    def __init__(self, records: Records, tasks: Tasks, tracks: Tracks) -> None:
        self._cpu_of: Sequence[int | None] = records.cpu_of
        self._tasks = tasks
        self._current = [0] * records.cpus
        # event -> tag of its field, what encodes it, its track's handler, whether tasks change
        self._plans = {
            event: (
                varint(_MESSAGES[event][0] << 3 | 2) if event in _MESSAGES else b"",
                _MESSAGES[event][1] if event in _MESSAGES else None,
                tracks.handlers.get(event),
                event in CHANGES,
            )
            for event in EVENTS
        }
        self._newtask: tuple[list[Any], int] = [0, "", 0, 0, 0], 0

    def encode(self, batch: Sequence[list[Any]]) -> dict[int, list[bytes]]:
        """Return the events of a batch by CPU, each as a field of a bundle."""
        bundles: list[list[bytes]] = [[] for _ in self._current]
        cpu_of, current, plans = self._cpu_of, self._current, self._plans
        last_ns, high, high_bytes, when = -1, -1, b"", b""
        for row in batch:
            time_ns = row[0]
            cpu, at = cpu_of[row[-1]], 2
            if cpu is None:
                cpu, at = row[2], 3
            tag, encode, track, changes = plans[row[1]]
            if changes:
                self._tasks.follow(row[1], row, at)
            if cpu < 0:
                continue  # booting
            if time_ns != last_ns:
                last_ns = time_ns
                if time_ns >> 14 != high:
                    high = time_ns >> 14
                    high_bytes = varint(high)
                when = LOW[time_ns & 0x3FFF] + high_bytes
            pid = current[cpu]
            if row[1] == ev.SCHED_PROCESS_EXEC:
                becomes(current, cpu, row, at)
                pid = current[cpu]
            if encode is not None:
                body = encode(row, at)
            elif changes:
                if row[1] == ev.TASK_NEWTASK:
                    self._newtask = row, at
                    continue  # it is told with the fork, which knows who made it
                pid = row[at + 1]
                bundles[cpu].append(self._newtask_of(when, row, at))
                body = _fork(row, at)
            elif tag:
                body = self._switch(cpu, row, at)
            if track is not None:
                track(when, cpu, pid, row, at)
            if tag:
                body = b"\x08" + when + b"\x10" + VARINTS[pid] + tag + VARINTS[len(body)] + body
                bundles[cpu].append(b"\x12" + VARINTS[len(body)] + body)
        return {cpu: parts for cpu, parts in enumerate(bundles) if parts}

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
        return b"".join(
            (
                *(text(1, comm), b"\x10", VARINTS[pid], b"\x18", VARINTS[prio]),
                *(number(4, state), text(5, next_comm)),
                *(b"\x30", VARINTS[next_pid], b"\x38", VARINTS[next_prio]),
            )
        )
