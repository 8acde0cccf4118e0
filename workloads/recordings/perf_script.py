"""Reads ``perf script`` of what ``perf sched record`` has recorded.

::

    perf sched record -o FILE -- COMMAND
    perf script -i FILE -F comm,pid,tid,cpu,time,event,trace --show-task-events > FILE.txt

**Time.** A task computes from the switch to it until the switch from it, to the microsecond (or
nanosecond) that perf prints: waiting for a processor is not counted. From a switch in another
state than R until its wake-up it sleeps.

**Who waits for whom.** Two things are certain, and kept: a parent in an uninterruptible sleep
right after a fork, woken by this child, has called vfork; a parent that a child woke as the last
thing before its end has waited for it. Of other wake-ups perf's text does not say whether the task
on that CPU made them or an interrupt that came upon it, so they are sleeps of the recorded length.

**Which tasks.** The command that perf started (its first name is perf-exec) and all that came of
it; in a recording without one, every task whose fork is there. Exit codes are not recorded: 0.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO, Final

from workloads.recordings.ends import finish_ends
from workloads.recordings.lines import numbered
from workloads.recordings.model import Recording, RecordingError, Step, Task

_HEAD: Final = re.compile(
    r"(-?\d{1,10})(?:/(-?\d{1,10}))? +\[(\d{1,4})\] +(\d{1,12})\.(\d{6,9}): +(.*)", re.S
)
_SWITCH: Final = re.compile(
    r"prev_comm=.{0,64}? prev_pid=(\d{1,10}) prev_prio=(-?\d{1,4}) prev_state=([A-Za-z|+]{1,8}) "
    r"==> next_comm=.{0,64}? next_pid=(\d{1,10}) next_prio=(-?\d{1,4})$"
)
_SHORT_SWITCH: Final = re.compile(
    r".{0,64}?:(\d{1,10}) \[(-?\d{1,4})\] ([A-Za-z|+]{1,8}) ==> "
    r".{0,64}?:(\d{1,10}) \[(-?\d{1,4})\]$"
)
_WAKE: Final = re.compile(r"comm=(.{0,64}?) pid=(\d{1,10}) prio=")
_SHORT_WAKE: Final = re.compile(r"(.{0,64}?):(\d{1,10}) \[")
_FORK: Final = re.compile(r"comm=.{0,64}? pid=(\d{1,10}) child_comm=.{0,64}? child_pid=(\d{1,10})$")
_FORK_RECORD: Final = re.compile(
    r"PERF_RECORD_FORK\((\d{1,10}):(\d{1,10})\):\((\d{1,10}):(\d{1,10})\)"
)
_COMM_RECORD: Final = re.compile(r"PERF_RECORD_COMM( exec)?: (.{0,64}):\d{1,10}/(\d{1,10})$")
_EXEC: Final = re.compile(r"filename=(\S{1,4096}) pid=(\d{1,10}) old_pid=(\d{1,10})$")
_STARTER: Final = "perf-exec"
_SHOWN: Final = 20


def is_line(text: str) -> bool:
    """Tell whether ``text`` has the form of a line of perf script."""
    found = _HEAD.search(text[:400])
    return found is not None and found.start() > 0


@dataclass(slots=True)
class _State:
    """A task, and what it is doing."""

    task: Task
    running_since_ns: int = -1
    blocked_since_ns: int = -1
    blocked: str = ""
    prio: int = 0
    woke: tuple[Task, Step] | None = None  # its parent, and the sleep that it ended


def read(source: BinaryIO, name: str) -> Recording:
    """Return the recording in ``source``, read once from its start.

    Args:
        name: of the file, for messages.

    Raises:
        RecordingError: it cannot be used, with a line for each problem.
    """
    reader = _Reader(Recording(name))
    problems: list[str] = []
    wrong = 0
    for number, text, whole in numbered(source, name):
        if not text.strip() or text.startswith("#"):
            continue
        head = _HEAD.search(text[:4096])
        if head is not None:
            reader.take(head)
        elif not whole:
            reader.recording.notes.append("the last line is cut; it was left out")
        else:
            wrong += 1
            if len(problems) < _SHOWN:
                problems.append(
                    f"{name}:{number}:1: expected a line of perf script: COMM PID [CPU] TIME: EVENT"
                )
    if problems:
        if wrong > len(problems):
            problems.append(f"{name}: and {wrong - len(problems):,} lines more")
        raise RecordingError("\n".join(problems))
    return reader.end()


class _Reader:
    """Takes lines; keeps what runs."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._states: dict[int, _State] = {}
        self._groups: dict[int, int] = {}  # task -> process, as far as that is told
        self._started: Task | None = None
        self._cpus: set[int] = set()
        self._last_ns = 0
        self._backwards = 0
        self._execs = False
        self._missing = 0

    def take(self, head: re.Match[str]) -> None:
        """Take a line, taken apart."""
        pid, tid, cpu, seconds, fraction, body = head.groups()
        at_ns = int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0"))
        if at_ns == 0:  # perf's own account of what there was before
            return
        recording = self.recording
        recording.begin_ns = recording.begin_ns or at_ns
        recording.end_ns = max(recording.end_ns, at_ns)
        self._backwards += at_ns < self._last_ns
        self._last_ns = at_ns
        current = int(tid or pid)
        name, _, rest = body.removeprefix("sched:").partition(": ")
        rest = rest.strip()
        if body.startswith("PERF_RECORD_"):
            self._task_event(body.strip(), at_ns)
        elif name == "sched_switch":
            self._switch(rest, at_ns, int(cpu))
        elif name in ("sched_waking", "sched_wakeup"):
            self._wake(rest, at_ns, current)
        elif name == "sched_process_fork" and (fork := _FORK.match(rest)):
            self._fork(int(fork[1]), int(fork[2]), at_ns)
        elif name == "sched_process_exec" and (done := _EXEC.match(rest)):
            self._exec(int(done[2]), done[1].rsplit("/", 1)[-1])
        elif name not in ("sched_stat_runtime", "sched_wakeup_new", "sched_migrate_task"):
            recording.left_out[name[:40] if name.isprintable() else "unnamed"] += 1

    def _task_event(self, body: str, at_ns: int) -> None:
        if fork := _FORK_RECORD.match(body):
            child, parent = int(fork[2]), int(fork[4])
            self._groups[child] = int(fork[1])
            self._fork(parent, child, at_ns)
        elif (named := _COMM_RECORD.match(body)) and named[1]:
            self._exec(int(named[3]), named[2])

    def _known(self, pid: int, comm: str, at_ns: int) -> _State | None:
        """Return the state of a task that is carried over."""
        state = self._states.get(pid)
        if state is None and comm == _STARTER and self._started is None:
            state = self._states[pid] = _State(self.recording.task(pid, at_ns))
            state.task.comm = comm
            self._started = state.task
        return state

    def _fork(self, parent: int, child: int, at_ns: int) -> None:
        maker = self._states.get(parent)
        known = self._states.get(child)
        if known is not None and known.task.ended is None:
            return  # the same fork, told by a record and by a tracepoint
        task = self.recording.task(child, at_ns)
        state = self._states[child] = _State(task)
        if maker is None:
            return
        task.parent = maker.task
        task.comm = maker.task.comm
        state.prio = maker.prio
        if child in self._groups and self._groups[child] != child:
            task.how = "thread"
            task.leader = maker.task.leader
        self._run_until(maker, at_ns)
        self.recording.step(maker.task, "fork", task)

    def _exec(self, pid: int, comm: str) -> None:
        state = self._states.get(pid)
        if state is None:
            return
        self._execs = True
        steps = [step for step in state.task.steps[-2:] if step[0] != "compute"]
        if steps and steps[-1][0] == "exec":
            return  # told twice, as forks are
        comm = "".join(c for c in comm if c.isascii() and (c.isalnum() or c in "._+-"))[:15]
        state.task.comm = comm or "unnamed"
        self.recording.step(state.task, "exec", state.task.comm)

    def _run_until(self, state: _State, at_ns: int) -> None:
        if state.running_since_ns >= 0:
            ran = max(0, at_ns - state.running_since_ns)
            self.recording.compute(state.task, ran, 0, 0)
            state.running_since_ns = at_ns

    def _switch(self, rest: str, at_ns: int, cpu: int) -> None:
        found = _SWITCH.match(rest) or _SHORT_SWITCH.match(rest)
        if found is None:
            self.recording.left_out["sched_switch that cannot be read"] += 1
            return
        if (state := self._states.get(int(found[1]))) and state.task.ended is None:
            self._missing += state.running_since_ns < 0
            self._run_until(state, at_ns)
            state.running_since_ns = -1
            if found[3][0] in "ZX":
                self._ended(state, at_ns)
            elif found[3][0] != "R":
                state.blocked_since_ns, state.blocked = at_ns, found[3][0]
        comm = _STARTER if f"next_comm={_STARTER} " in rest else ""
        if state := self._known(int(found[4]), comm, at_ns):
            self._cpus.add(cpu)
            self._unblock(state, at_ns, None)
            state.running_since_ns = at_ns
            self._priority(state, int(found[5]))

    def _priority(self, state: _State, prio: int) -> None:
        if state.prio and prio != state.prio:
            if prio >= 100:
                text = f"os.setpriority(os.PRIO_PROCESS, 0, {min(prio, 139) - 120})"
                self.recording.step(state.task, "call", text)
            else:
                self.recording.left_out["change to a real-time priority"] += 1
        state.prio = prio

    def _wake(self, rest: str, at_ns: int, waker: int) -> None:
        found = _WAKE.match(rest) or _SHORT_WAKE.match(rest)
        if found is None:
            self.recording.left_out["wake-up that cannot be read"] += 1
        elif state := self._known(int(found[2]), found[1], at_ns):
            self._unblock(state, at_ns, self._states.get(waker))

    def _unblock(self, state: _State, at_ns: int, waker: _State | None) -> None:
        """A task that slept goes on, maybe because ``waker`` has said so."""
        if state.blocked_since_ns < 0:
            return
        since_ns, state.blocked_since_ns = state.blocked_since_ns, -1
        child = waker.task if waker is not None and waker.task.parent is state.task else None
        if child is not None and state.blocked == "D" and self._just_forked(state.task, child):
            child.how = "vfork"
            return
        step = self.recording.step(state.task, "sleep", at_ns - since_ns)
        if waker is not None:
            waker.woke = (state.task, step)

    @staticmethod
    def _just_forked(parent: Task, child: Task) -> bool:
        if child.how == "thread" or any(step[0] not in ("compute", "exec") for step in child.steps):
            return False
        last = [step for step in parent.steps[-2:] if step[0] != "compute"]
        return bool(last) and last[-1][0] == "fork" and last[-1][1] is child

    def _ended(self, state: _State, at_ns: int) -> None:
        task = state.task
        task.end_ns = at_ns
        task.ended = ("exit", 0) if task is task.leader else ("exit_thread", 0)
        if state.woke is not None and task is task.leader and task.parent is not None:
            sleeper, step = state.woke
            if sleeper.leader is task.parent.leader:
                step[:] = ["wait", task]

    def end(self) -> Recording:
        """Return the whole recording."""
        recording = self.recording
        if self._started is not None:
            _keep_tree(recording, self._started)
        if not recording.tasks:
            raise RecordingError(
                f"{recording.source}: no task is there from its beginning: record with "
                f"perf sched record -- COMMAND"
            )
        still = [task for task in recording.tasks if task.ended is None]
        for task in still:
            task.end_ns = recording.end_ns
            task.ended = ("exit", 0) if task is task.leader else ("cut",)
        notes = recording.notes
        if still:
            notes.append(f"{len(still):,} tasks had not ended when the recording did: they exit")
        if self._missing:
            notes.append(f"{self._missing:,} switches to tasks are missing: their time is, too")
        notes.append("exit codes are not recorded: they are 0")
        if not self._groups:
            notes.append(
                "threads cannot be told from processes: write the text with -F …,pid,tid,…"
            )
        if not self._execs:
            notes.append("no exec is recorded: write the text with --show-task-events")
        if self._backwards:
            notes.append(f"the clock went back {self._backwards:,} times")
        finish_ends(recording, [])
        return recording


def _keep_tree(recording: Recording, root: Task) -> None:
    """Leave out all tasks but ``root`` and what came of it."""
    kept = {root: None}
    for task in recording.tasks:
        if task.parent in kept:
            kept[task] = None
    others = len(recording.tasks) - len(kept)
    if others:
        recording.notes.append(f"{others:,} tasks that the command did not make were left out")
    recording.tasks[:] = kept
    for number, task in enumerate(recording.tasks):
        task.number = number
