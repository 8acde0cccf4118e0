"""Stories: what the tasks that a broken invariant is about went through last.

At granularity ``step`` the driver notes for each task the last points it passed, points of others
that were about it, and every change of its state, exit_state and on_rq. At ``syscall`` there are no
steps to note; what is known then is the task as it stands and its last trace records, if the
machine traces. ``tell`` appends the stories to the message of an ``InvariantError``: those of the
tasks it names, as they print (``<task 5/5 sh S>``), and that of the current one.

Nothing here is part of a run's results: a trace or a digest never sees it.
"""

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from kernel.errors import InvariantError
from kernel.events import EVENTS
from kernel.points import KIND_NAMES
from kernel.task import TaskStruct
from kernel.trace.printable import printable
from kernel.uapi.syscalls import NAMES

if TYPE_CHECKING:
    from kernel.drive.chooser import Choice
    from kernel.kernel import Kernel

_LINES: Final = 12  # of one task
_TASKS: Final = 4096  # that are remembered, and then those that were seen first are forgotten
_MOST: Final = 4  # stories in one message
_NAMED: Final = re.compile(r"<task ([0-9]+)/")

_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")  # of the host's memory: no other run has it

_Was = tuple[int, int, bool]
_Line = tuple[int, int, int, str, int, Any]  # time, cpu, pid of whose path it is, point, kind, what

_MOVED: Final = -2  # the kind of a line that tells of a change of state


class _Past:
    """What one task went through."""

    __slots__ = ("lines", "was")

    def __init__(self, was: _Was) -> None:
        self.lines: deque[_Line] = deque(maxlen=_LINES)
        self.was = was


class Story:
    """What the tasks of one machine went through last, by pid."""

    __slots__ = ("_past",)

    def __init__(self) -> None:
        self._past: dict[int, _Past] = {}

    def note(self, path: "Choice") -> None:
        """Note what ``path`` is about to do, for its task and for the task that it is about."""
        name, kind, obj = path.op
        task = path.task
        what: Any = None
        if type(obj) is tuple and len(obj) > 1:  # a LOAD or a STORE
            what = (obj[1], obj[2]) if len(obj) > 2 else obj[1]
            obj = obj[0]
        line = (path.now_ns, path.cpu, task.pid, name, kind, what)
        self._of(task).lines.append(line)
        if obj is not task and isinstance(obj, TaskStruct):
            self._of(obj).lines.append(line)

    def moved(self, path: "Choice", obj: Any, now_ns: int) -> None:
        """Note how the task of ``path``, which has taken a step, and that of ``obj`` stand now."""
        task = path.task
        self._moved(task, path.cpu, task.pid, now_ns)
        if type(obj) is tuple and obj:
            obj = obj[0]
        if obj is not task and isinstance(obj, TaskStruct):
            self._moved(obj, path.cpu, task.pid, now_ns)

    def _moved(self, task: TaskStruct, cpu: int, by: int, now_ns: int) -> None:
        past = self._of(task)
        now = (task.state, task.exit_state, task.on_rq)
        if now != past.was:
            past.lines.append((now_ns, cpu, by, "", _MOVED, (past.was, now)))
            past.was = now

    def of(self, pid: int) -> list[str]:
        """Return the lines of the task with this pid, the oldest first."""
        past = self._past.get(pid)
        return [] if past is None else [_told(line, pid) for line in past.lines]

    def _of(self, task: TaskStruct) -> _Past:
        past = self._past.get(task.pid)
        if past is None:
            if len(self._past) >= _TASKS:
                del self._past[next(iter(self._past))]
            was = (task.state, task.exit_state, task.on_rq)
            past = self._past[task.pid] = _Past(was)
        return past


def _told(line: _Line, pid: int) -> str:
    now_ns, cpu, by, name, kind, what = line
    if kind == _MOVED:
        was, now = what
        names = ("state", "exit_state", "on_rq")
        text = ", ".join(
            f"{each} {before:#x} -> {after:#x}"
            for each, before, after in zip(names, was, now)
            if before != after
        )
    else:
        text = f"{name} ({KIND_NAMES[kind]})"
        if type(what) is tuple:
            text += f" {what[0]} = {_short(what[1])}"
        elif what is not None:
            text += f" {what}"
    return f"{now_ns} ns, cpu {cpu}: {text}" + (f", by {by}" if by != pid else "")


def _short(value: Any) -> str:
    text = f"{value:#x}" if type(value) is int else printable(repr(value))
    return text if len(text) <= 60 else text[:57] + "..."


def oops_told(error: Exception, where: str, path: str = "") -> str:
    """Return what is said of an exception that a mutated kernel raised by mistake.

    Args:
        where: whose code raised it.
        path: the name of the path; empty: the functions that led there are told instead.
    """
    what = _ADDRESS.sub("", f"{type(error).__name__}: {error}")
    if path:
        return f"oops: {where} in {path}: {what}"
    names = []
    frames = error.__traceback__
    while frames is not None:
        code = frames.tb_frame
        if code.f_globals.get("__name__", "").startswith("kernel."):
            names.append(code.f_code.co_name)
        frames = frames.tb_next
    last = names[-1] if names else "the kernel"
    return "\n".join((f"oops: {where} in {last}: {what}", *(f"    in {one}()" for one in names)))


def story_of(k: "Kernel", task: TaskStruct) -> str:
    """Return what is known of ``task``: how it stands, and what it went through last."""
    call = NAMES.get(task.in_syscall, str(task.in_syscall)) if task.in_syscall >= 0 else ""
    signal = task.signal
    parts = [
        f"state {task.state:#x}",
        f"exit_state {task.exit_state:#x}",
        f"flags {task.flags:#x}",
        "on_rq" if task.on_rq else "not on_rq",
        f"cpu {task.cpu}",
        *([f"in {call}"] if call else []),
        *([f"group {signal.nr_threads} threads, flags {signal.flags:#x}"] if signal else []),
        f"parent {task.real_parent.pid}",
    ]
    past = k.story.of(task.pid) if k.story is not None else _records(k, task.pid)
    lines = "".join(f"\n    {line}" for line in past)
    return f"  story of {task!r}: {', '.join(parts)}{lines}"


def _records(k: "Kernel", pid: int) -> list[str]:
    """Return the last trace records that name ``pid``, as far as they are still here."""
    found: list[str] = []
    for at_ns, event, cpu, *fields in reversed(k.trace):
        name, names = EVENTS[event]
        pairs = list(zip(names, fields))
        if any(value == pid and each.endswith("pid") for each, value in pairs):
            text = " ".join(f"{each}={printable(str(value))}" for each, value in pairs)
            found.append(f"{at_ns} ns, cpu {cpu}: {name} {text}")
            if len(found) == _LINES:
                break
    return found[::-1]


def tell(k: "Kernel", broken: InvariantError) -> InvariantError:
    """Add the stories of the tasks that ``broken`` is about to its message, once; return it."""
    if broken.told:
        return broken
    broken.told = True
    message = str(broken)
    tasks: dict[TaskStruct, None] = {}
    for pid in _NAMED.findall(message):
        found = k.pids.hash.get(int(pid))
        if found is not None and found.task is not None:
            tasks[found.task] = None
    if k.current is not None and not k.current.exit_state:
        tasks[k.current] = None
    stories = [story_of(k, task) for task in list(tasks)[:_MOST]]
    broken.args = ("\n".join((message, *stories)),)
    return broken
