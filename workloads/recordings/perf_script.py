"""Reads ``perf script`` of what ``perf sched record`` has recorded.

::

    perf sched record -o FILE -- COMMAND
    perf script -i FILE -F comm,pid,tid,cpu,time,event,trace --show-task-events > FILE.txt

``workloads.recordings.schedule`` says what becomes of it. The text does not say whether the task on
a CPU woke another one or an interrupt did that came upon it.
"""

import re
from typing import BinaryIO, Final

from workloads.recordings.lines import WrongLines, numbered
from workloads.recordings.model import Recording
from workloads.recordings.schedule import NOT_CARRIED, Schedule

_HEAD: Final = re.compile(
    r"(-?\d{1,10})(?:/(-?\d{1,10}))? +\[(\d{1,4})\] +(\d{1,12})\.(\d{6,9}): +(.*)", re.S
)
_SWITCH: Final = re.compile(
    r"prev_comm=.{0,64}? prev_pid=(\d{1,10}) prev_prio=-?\d{1,4} prev_state=([A-Za-z|+]{1,8}) "
    r"==> next_comm=(.{0,64}?) next_pid=(\d{1,10}) next_prio=(-?\d{1,4})$"
)
_SHORT_SWITCH: Final = re.compile(
    r".{0,64}?:(\d{1,10}) \[-?\d{1,4}\] ([A-Za-z|+]{1,8}) ==> "
    r"(.{0,64}?):(\d{1,10}) \[(-?\d{1,4})\]$"
)
_WAKE: Final = re.compile(r"comm=(.{0,64}?) pid=(\d{1,10}) prio=")
_SHORT_WAKE: Final = re.compile(r"(.{0,64}?):(\d{1,10}) \[")
_FORK: Final = re.compile(r"comm=.{0,64}? pid=(\d{1,10}) child_comm=.{0,64}? child_pid=(\d{1,10})$")
_FORK_RECORD: Final = re.compile(
    r"PERF_RECORD_FORK\((\d{1,10}):(\d{1,10})\):\((\d{1,10}):(\d{1,10})\)"
)
_COMM_RECORD: Final = re.compile(r"PERF_RECORD_COMM( exec)?: (.{0,64}):\d{1,10}/(\d{1,10})$")
_EXEC: Final = re.compile(r"filename=(\S{1,4096}) pid=(\d{1,10}) old_pid=(\d{1,10})$")


def is_line(text: str) -> bool:
    """Tell whether ``text`` has the form of a line of perf script."""
    found = _HEAD.search(text[:400])
    return found is not None and found.start() > 0


def read(source: BinaryIO, name: str) -> Recording:
    """Return the recording in ``source``, read once from its start.

    Args:
        name: of the file, for messages.

    Raises:
        RecordingError: it cannot be used, with a line for each problem.
    """
    reader = _Reader(Recording(name))
    wrong = WrongLines()
    for number, text, whole in numbered(source, name):
        if not text.strip() or text.startswith("#"):
            continue
        head = _HEAD.search(text[:4096])
        if head is not None:
            reader.take(head)
        elif not whole:
            reader.recording.notes.append("the last line is cut; it was left out")
        else:
            wrong.add(number, 1, "expected a line of perf script: COMM PID [CPU] TIME: EVENT")
    wrong.refuse(name)
    return reader.end()


class _Reader:
    """Takes lines apart."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._schedule = Schedule(recording)

    def take(self, head: re.Match[str]) -> None:
        """Take a line, of which the head has been read."""
        pid, tid, _, seconds, fraction, body = head.groups()
        at_ns = int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0"))
        if at_ns == 0:  # perf's own account of what there was before
            return
        schedule = self._schedule
        schedule.at(at_ns)
        name, _, rest = body.removeprefix("sched:").partition(": ")
        rest = rest.strip()
        if body.startswith("PERF_RECORD_"):
            self._task_event(body.strip())
        elif name == "sched_switch":
            self._switch(rest)
        elif name in ("sched_waking", "sched_wakeup"):
            if found := _WAKE.match(rest) or _SHORT_WAKE.match(rest):
                schedule.wake(int(found[2]), found[1], int(tid or pid), certain=False)
            else:
                self.recording.left_out["wake-up that cannot be read"] += 1
        elif name == "sched_process_fork" and (fork := _FORK.match(rest)):
            schedule.fork(int(fork[1]), int(fork[2]))
        elif name == "sched_process_exec" and (done := _EXEC.match(rest)):
            schedule.exec(int(done[2]), done[1].rsplit("/", 1)[-1])
        elif name not in NOT_CARRIED:
            self.recording.left_out[name[:40] if name.isprintable() else "unnamed"] += 1

    def _task_event(self, body: str) -> None:
        if fork := _FORK_RECORD.match(body):
            self._schedule.fork(int(fork[4]), int(fork[2]), int(fork[1]))
        elif (named := _COMM_RECORD.match(body)) and named[1]:
            self._schedule.exec(int(named[3]), named[2])

    def _switch(self, rest: str) -> None:
        found = _SWITCH.match(rest) or _SHORT_SWITCH.match(rest)
        if found is None:
            self.recording.left_out["sched_switch that cannot be read"] += 1
            return
        prev, letters, comm, following, prio = found.groups()
        self._schedule.switch(int(prev), letters, int(following), comm, int(prio))

    def end(self) -> Recording:
        """Return the whole recording."""
        return self._schedule.end(
            threads="write the text with -F …,pid,tid,…",
            execs="write the text with --show-task-events",
        )
