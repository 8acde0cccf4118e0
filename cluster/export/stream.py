"""A trace as the formats of kernel tools need it: by time, and with the task of every record.

In ftrace, perf and Perfetto a record belongs to a CPU and to the task that ran there. Ours name
the CPU; the task follows from the switches before. So records are gone through in order of time,
batch by batch (``TraceReader.batches``), and whoever writes keeps what each CPU runs.

At equal times the kernel's records come before those of the CPUs: a path ends in the moment in
which its CPU switches, and who is woken may be switched to in the moment of the wake-up.
"""

from collections.abc import Iterator
from typing import Any, Final

from cluster.trace import TraceReader
from cluster.trace.format import TraceError
from kernel.events import EVENTS
from kernel.uapi.task_state import TASK_DEAD, TASK_IDLE, TASK_REPORT_MAX

EXIT_DEAD: Final = 0x10
EXIT_ZOMBIE: Final = 0x20
_TASK_REPORT: Final = 0x7F
_TASK_REPORT_IDLE: Final = 0x80


def reported_state(state: int, *, thread: bool) -> int:
    """Return what Linux's sched_switch has as ``prev_state``, of one of ours.

    Args:
        state: as recorded: the task's state, or 0x100 for one that was preempted.
        thread: it is no process of its own; nobody waits for the end of such a one.

    Source: include/trace/events/sched.h:__trace_sched_switch_state(); include/linux/sched.h:
    __task_state_index().
    Deviation: a process that has ended is a zombie, also one whose parent ignores SIGCHLD.
    """
    if state == TASK_REPORT_MAX:
        return state
    if state & TASK_DEAD:
        return EXIT_DEAD if thread else EXIT_ZOMBIE
    if state & TASK_IDLE == TASK_IDLE:
        return _TASK_REPORT_IDLE
    state &= _TASK_REPORT
    return 1 << state.bit_length() - 1 if state else 0


def becomes(current: list[int], cpu: int, row: list[Any], at: int) -> None:
    """Take note of an exec: a thread that is not the first has its process's number from here on.

    Args:
        current: of each CPU the pid that runs there.
        row: of a sched_process_exec of ``cpu``, whose fields begin at ``at``.
    """
    if current[cpu] == row[at + 2]:
        current[cpu] = row[at + 1]


class Records:
    """The records of a trace in order of time. To be gone through once.

    Args:
        reader: of the trace. Its table of events must be ours: formats name fields by place.

    Raises:
        TraceError: it is not.

    Attributes:
        cpu_of: of each logical process which CPU it is; None: the kernel, whose records name one.
        cpus: how many CPUs the machine had.
        count: records so far.
        complete: False if the trace was cut, or its run did not end.
        release: of the Linux that was emulated; formats name one.
    """

    release: Final = "6.12.0"

    def __init__(self, reader: TraceReader) -> None:
        for number, described in reader.events.items():
            if EVENTS.get(number) != described:
                raise TraceError(
                    f"{reader.path}: its event {described[0]} is not that of this version"
                )
        self._reader = reader
        self.cpu_of = reader.cpu_numbers()
        self.cpus = sum(cpu is not None for cpu in self.cpu_of)
        self.count = 0
        self.complete = reader.complete

    def batches(self) -> Iterator[list[list[Any]]]:
        """Iterate over the records as ``TraceReader.batches`` has them."""
        for batch in self._reader.batches():
            self.count += len(batch)
            yield batch
