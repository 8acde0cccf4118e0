"""What the kernel's scheduler did, as tasks and steps: perf's recordings are read into this.

**Time.** A task computes from the switch to it until the switch from it: waiting for a processor is
not counted. From a switch in another state than R until its wake-up it sleeps.

**Who waits for whom.** Two things are certain, and kept: a parent in an uninterruptible sleep
right after a fork, woken by this child, has called vfork; a parent that a child woke as the last
thing before its end has waited for it. Of other wake-ups it must be known whether the task on that
CPU made them, and not an interrupt that came upon it: who slept then waits for that task. Where it
is not known they are sleeps of the recorded length.

**Which tasks.** The command that perf started (its first name is perf-exec) and all that came of
it; in a recording without one, every task whose fork is there. Exit codes are not recorded: 0.
"""

from dataclasses import dataclass
from typing import Final

from workloads.recordings.ends import finish_ends
from workloads.recordings.model import Problem, Recording, RecordingError, Step, Task

#: tracepoints that say nothing more
NOT_CARRIED: Final = frozenset(("sched_stat_runtime", "sched_wakeup_new", "sched_migrate_task"))
_STARTER: Final = "perf-exec"


@dataclass(slots=True)
class _State:
    """A task, and what it is doing."""

    task: Task
    running_since_ns: int = -1
    blocked_since_ns: int = -1
    blocked: str = ""
    prio: int = 0
    woke: tuple[Task, Step, Step | None] | None = None  # its parent; the sleep it ended; its tell


class Schedule:
    """Takes events in order of time, after ``at`` each; keeps what runs."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._states: dict[int, _State] = {}
        self._groups: dict[int, int] = {}  # task -> process, as far as that is told
        self._started: Task | None = None
        self._now_ns = 0
        self._backwards = 0
        self._execs = False
        self._missing = 0

    def at(self, time_ns: int) -> None:
        """Take note of when the next events are."""
        recording = self.recording
        recording.begin_ns = recording.begin_ns or time_ns
        recording.end_ns = max(recording.end_ns, time_ns)
        self._backwards += time_ns < self._now_ns
        self._now_ns = time_ns

    def _known(self, pid: int, comm: str) -> _State | None:
        """Return the state of a task that is carried over."""
        state = self._states.get(pid)
        if state is None and comm == _STARTER and self._started is None:
            state = self._states[pid] = _State(self.recording.task(pid, self._now_ns))
            state.task.comm = comm
            self._started = state.task
        return state

    def fork(self, parent: int, child: int, group: int | None = None) -> None:
        """A task was made; told twice it counts once.

        Args:
            group: the child's process, where that is known.
        """
        if group is not None:
            self._groups[child] = group
        maker = self._states.get(parent)
        known = self._states.get(child)
        if known is not None and known.task.ended is None:
            return
        task = self.recording.task(child, self._now_ns)
        state = self._states[child] = _State(task)
        if maker is None:
            return
        task.parent = maker.task
        task.comm = maker.task.comm
        state.prio = maker.prio
        if child in self._groups and self._groups[child] != child:
            task.how = "thread"
            task.leader = maker.task.leader
        self._run_until_now(maker)
        self.recording.step(maker.task, "fork", task)

    def exec(self, pid: int, comm: str) -> None:
        """A task has another program, or so its name says; told twice it counts once."""
        state = self._states.get(pid)
        if state is None:
            return
        self._execs = True
        steps = [step for step in state.task.steps[-2:] if step[0] != "compute"]
        if steps and steps[-1][0] == "exec":
            return
        comm = "".join(c for c in comm if c.isascii() and (c.isalnum() or c in "._+-"))[:15]
        state.task.comm = comm or "unnamed"
        self.recording.step(state.task, "exec", state.task.comm)

    def _run_until_now(self, state: _State) -> None:
        if state.running_since_ns >= 0:
            ran = max(0, self._now_ns - state.running_since_ns)
            self.recording.compute(state.task, ran, 0, 0)
            state.running_since_ns = self._now_ns

    def switch(self, prev: int, letters: str, following: int, comm: str, prio: int) -> None:
        """A CPU goes from task ``prev`` to another.

        Args:
            letters: of the state that ``prev`` is left in, as the kernel prints it: R, S, D, Z...
            following: the other task, with its name and priority.
        """
        if (state := self._states.get(prev)) and state.task.ended is None:
            self._missing += state.running_since_ns < 0
            self._run_until_now(state)
            state.running_since_ns = -1
            if letters[0] in "ZX":
                self._ended(state)
            elif letters[0] != "R":
                state.blocked_since_ns, state.blocked = self._now_ns, letters[0]
        if state := self._known(following, comm):
            self._unblock(state, None, certain=False)
            state.running_since_ns = self._now_ns
            self._priority(state, prio)

    def _priority(self, state: _State, prio: int) -> None:
        if state.prio and prio != state.prio:
            if prio >= 100:
                text = f"os.setpriority(os.PRIO_PROCESS, 0, {min(prio, 139) - 120})"
                self.recording.step(state.task, "call", text)
            else:
                self.recording.left_out["change to a real-time priority"] += 1
        state.prio = prio

    def wake(self, pid: int, comm: str, waker: int, *, certain: bool) -> None:
        """A task was woken while ``waker`` ran.

        Args:
            certain: ``waker`` did it, and not an interrupt.
        """
        if state := self._known(pid, comm):
            self._unblock(state, self._states.get(waker), certain=certain)

    def _unblock(self, state: _State, waker: _State | None, *, certain: bool) -> None:
        """A task that slept goes on, maybe because ``waker`` has said so."""
        if state.blocked_since_ns < 0:
            return
        since_ns, state.blocked_since_ns = state.blocked_since_ns, -1
        child = waker.task if waker is not None and waker.task.parent is state.task else None
        if child is not None and state.blocked == "D" and self._just_forked(state.task, child):
            child.how = "vfork"
            return
        if waker is None or waker is state:
            self.recording.step(state.task, "sleep", self._now_ns - since_ns)
            return
        told = None
        if certain and waker.task.ended is None:
            edge = self.recording.edge()
            self._run_until_now(waker)
            told = self.recording.step(waker.task, "tell", edge)
            step = self.recording.step(state.task, "told", edge, self._now_ns - since_ns)
        else:
            step = self.recording.step(state.task, "sleep", self._now_ns - since_ns)
        waker.woke = (state.task, step, told)

    @staticmethod
    def _just_forked(parent: Task, child: Task) -> bool:
        if child.how == "thread" or any(step[0] not in ("compute", "exec") for step in child.steps):
            return False
        last = [step for step in parent.steps[-2:] if step[0] != "compute"]
        return bool(last) and last[-1][0] == "fork" and last[-1][1] is child

    def _ended(self, state: _State) -> None:
        task = state.task
        task.end_ns = self._now_ns
        task.ended = ("exit", 0) if task is task.leader else ("exit_thread", 0)
        if state.woke is not None and task is task.leader and task.parent is not None:
            sleeper, step, told = state.woke
            if sleeper.leader is task.parent.leader:
                step[:] = ["wait", task]
                if told is not None:
                    _untell(task, told)

    def end(self, *, threads: str, execs: str) -> Recording:
        """Return the whole recording.

        Args:
            threads, execs: how to write it so that it tells threads from processes, and execs.
        """
        recording = self.recording
        if self._started is not None:
            _keep_tree(recording, self._started)
        if not recording.tasks:
            what = "no task is there from its beginning: record with perf sched record -- COMMAND"
            raise RecordingError(recording.source, Problem(what))
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
            notes.append(f"threads cannot be told from processes: {threads}")
        if not self._execs:
            notes.append(f"no exec is recorded: {execs}")
        if self._backwards:
            often = "once" if self._backwards == 1 else f"{self._backwards:,} times"
            notes.append(f"the clock went back {often}")
        finish_ends(recording, [])
        return recording


def _untell(task: Task, told: Step) -> None:
    """Take out a step; what a task computes before and after it is one piece again."""
    steps = task.steps
    place = next(place for place, step in enumerate(steps) if step is told)
    del steps[place]
    if 0 < place < len(steps) and steps[place - 1][0] == steps[place][0] == "compute":
        before, after = steps[place - 1], steps.pop(place)
        before[1:] = [one + other for one, other in zip(before[1:], after[1:], strict=True)]


def _keep_tree(recording: Recording, root: Task) -> None:
    """Leave out all tasks but ``root`` and what came of it; who waited for others sleeps."""
    kept = {root: None}
    for task in recording.tasks:
        if task.parent in kept:
            kept[task] = None
    others = len(recording.tasks) - len(kept)
    if others:
        what, were = ("task", "was") if others == 1 else ("tasks", "were")
        recording.notes.append(f"{others:,} {what} that the command did not make {were} left out")
    recording.tasks[:] = kept
    for number, task in enumerate(recording.tasks):
        task.number = number
    told = {step[1] for task in kept for step in task.steps if step[0] == "tell"}
    for task in kept:
        for step in task.steps:
            if step[0] == "told" and step[1] not in told:
                step[:] = ["sleep", step[2]]
