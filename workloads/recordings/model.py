"""What a recording says: tasks, and what each did, step by step.

A step is a list that begins with its kind; times are ns, tasks are the objects:

=========  ==========================================================================
compute    ``time, gaps, calls``: CPU time, and of how many pieces it was added up
sleep      ``time``: blocked, and nobody of the recording is known to have ended it
fork       ``child``: a child was made, as ``child.how`` says
exec       ``name``: the image was replaced
wait       ``child``: it was waited for, and reaped
tell       ``edge``: who waits for this edge may go on
told       ``edge``: waits until somebody tells this edge
tell pid   ``edge``: the same; who waits gets the pid of this process
kill       ``signal, targets``: a signal that ended processes, each as a list of edges: the first
           tells its pid, and all are waited for
call       ``text``: a call as the guest language writes it
=========  ==========================================================================

An *edge* goes from one step to another that came later in the recording, so edges, waits and
signals together have no circle: whatever the speeds are, a replay comes to its end.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

MAX_TASKS: Final = 10_000
MAX_STEPS: Final = 100_000
MAX_LINE: Final = 1 << 20
MAX_FILE: Final = 16 << 30
_SHOWN: Final = 8
#: Kinds of which the tree of processes, or another task, depends.
STRUCTURAL: Final = frozenset(("fork", "exec", "wait", "kill", "tell"))

Step = list[Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a recording: at a line and column, from 1; with all of it: line 0."""

    what: str
    line: int = 0
    column: int = 0


class RecordingError(Exception):
    """A recording cannot be used; the message has a line for each problem.

    Attributes:
        problems: what is wrong, in file order.
    """

    def __init__(self, name: str, *problems: Problem) -> None:
        """Say what is wrong with the file called ``name``."""
        lines = [
            f"{name}:{one.line}:{one.column}: {one.what}" if one.line else f"{name}: {one.what}"
            for one in problems
        ]
        super().__init__("\n".join(lines))
        self.problems = problems


@dataclass(slots=True, eq=False)
class Task:
    """One task of a recording.

    Attributes:
        number: its place in order of appearance; what the program calls it.
        pid: as recorded.
        how: ``fork``, ``vfork`` or ``thread``; a root is forked by the program.
        leader: the first thread of its process.
        ended: ``("exit", code)``, ``("exit_thread", code)``, ``("signal", name)``, ``("cut",)`` of
            one that another thread's exit or a signal ended; None while it runs.
    """

    number: int
    pid: int
    first_ns: int
    how: str = "fork"
    parent: "Task | None" = None
    leader: "Task" = None  # type: ignore[assignment]
    comm: str = ""
    steps: list[Step] = field(default_factory=list)
    ended: tuple[Any, ...] | None = None
    end_ns: int = 0

    def __post_init__(self) -> None:
        self.leader = self


class Recording:
    """Tasks, with what was not carried over. Readers fill it in."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tasks: list[Task] = []
        self.left_out: Counter[str] = Counter()
        self.notes: list[str] = []
        self.edges = 0
        self.cpus = 1
        self.begin_ns = self.end_ns = 0
        #: what the recorder itself adds to each piece of computing time, and to each call
        self.overhead = (0, 0)
        self._steps = 0

    def task(self, pid: int, at_ns: int) -> Task:
        """Return a new task. Raises RecordingError: there are too many."""
        if len(self.tasks) == MAX_TASKS:
            raise RecordingError(
                self.source, Problem(f"more than {MAX_TASKS:,} tasks; record less")
            )
        task = Task(len(self.tasks), pid, at_ns)
        self.tasks.append(task)
        return task

    def step(self, task: Task, *parts: Any) -> Step:
        """Return a new step of ``task``. Raises RecordingError: there are too many."""
        if self._steps == MAX_STEPS:
            raise RecordingError(
                self.source,
                Problem(f"more than {MAX_STEPS:,} steps (forks, sleeps, waits); record less"),
            )
        self._steps += 1
        task.steps.append(list(parts))
        return task.steps[-1]

    def compute(self, task: Task, ns: int, gaps: int, calls: int) -> None:
        """Add CPU time to ``task``: to its last step, if that is computing, too."""
        if task.steps and task.steps[-1][0] == "compute":
            step = task.steps[-1]
            step[1:] = step[1] + ns, step[2] + gaps, step[3] + calls
        elif ns or gaps or calls:
            self.step(task, "compute", ns, gaps, calls)

    def edge(self) -> int:
        """Return the number of a new edge."""
        self.edges += 1
        return self.edges

    def computing_ns(self, step: Step) -> int:
        """Return the CPU time of a step, without what the recorder added."""
        _, ns, gaps, calls = step
        return max(0, int(ns - gaps * self.overhead[0] - calls * self.overhead[1]))

    def computed_ns(self, task: Task) -> int:
        """Return the CPU time of all of ``task``."""
        return sum(self.computing_ns(step) for step in task.steps if step[0] == "compute")

    def roots(self) -> list[Task]:
        """Return the tasks that no recorded task has made."""
        return [task for task in self.tasks if task.parent is None]

    def summary(self) -> list[str]:
        """Return what a person should know of what is not as recorded, a line for each."""
        lines = list(self.notes)
        if self.left_out:
            known = self.left_out.most_common()
            names = ", ".join(f"{name} {count:,}" for name, count in known[:_SHOWN])
            rest = len(known) - _SHOWN
            more = f", {rest} kinds more" if rest > 0 else ""
            lines.append(
                f"{self.left_out.total():,} calls of {len(known)} kinds were not carried over "
                f"(their time is computing time): {names}{more}"
            )
        return lines
