"""What must be true of the objects that a step has written: the invariants of ``check_kernel`` that
speak of them and of their neighbours, in time that grows with them alone.

What is written under tasklist_lock may be apart until that is given up, so it is kept till then.
Only writes of fields that a check looks at need one: ``LOOKED_AT``, and ``STATES`` for the few that
say how one task stands.
Counts of the whole machine (threads, numbers taken, references) need a walk over everything:
``TouchedChecks`` does that every ``EVERYTHING_EVERY`` steps.
"""

from typing import TYPE_CHECKING, Final

from kernel.check.history import History
from kernel.check.invariants import check_kernel, check_state, check_task, is_listed
from kernel.check.memory import check_current
from kernel.check.places import check_load_table
from kernel.errors import InvariantError
from kernel.process.pid import Pid
from kernel.ptrace.ledger import check_ptrace
from kernel.smp.load import LoadTable
from kernel.task import SignalStruct, TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.state import KernelState

EVERYTHING_EVERY: Final = 64  # steps

# The fields that ``check_task`` looks at, of the task and of its neighbours.
LOOKED_AT: Final[dict[type, frozenset[str]]] = {
    TaskStruct: frozenset(
        (
            *("children", "exit_state", "group_leader", "parent", "pid", "ptrace", "real_parent"),
            *("sighand", "signal", "tasks_next", "tasks_prev", "tgid", "thread_pid"),
        )
    ),
    SignalStruct: frozenset(
        ("leader", "live", "nr_threads", "pgrp", "session", "shared_pending", "threads")
    ),
    Pid: frozenset(("leader", "nr", "pgrp", "session", "task")),
}
# Those of a task that concern nobody else.
STATES: Final = frozenset(("cpu", "flags", "jobctl", "kthread", "mm", "on_rq", "pending", "state"))


def looked_at(of: type, field: str) -> bool:
    """Tell whether a write of this field may break what ``check_touched`` checks."""
    return of is LoadTable or field in LOOKED_AT.get(of, ())


def check_touched(
    k: "Kernel",
    written: dict[int, object],
    history: History | None = None,
    moved: dict[int, TaskStruct] | None = None,
) -> list[str]:
    """Return the violations around what has been written; what has been looked at is removed.

    Args:
        k: the kernel, after a step.
        written: objects by their id, in the order in which they were written.
        history: what is known from earlier steps, if it is.
        moved: likewise tasks of which only ``STATES`` were written.
    """
    found: list[str] = []
    locked = k.tasklist_lock.owner is not None
    if moved:
        for number, task in tuple(moved.items()):
            if history is not None:
                history.look(task, k.now_ns, found, k.current)
            if locked:
                continue
            if number not in written and task.signal is not None and task is not k.init_task:
                check_state(task, found)
                if is_listed(k, task):
                    check_ptrace(task, found)
            del moved[number]
    tasks: dict[TaskStruct, None] = {}
    for number, obj in tuple(written.items()):
        kind = type(obj)
        if history is not None:
            history.look(obj, k.now_ns, found, k.current)
        if kind is LoadTable:
            check_load_table(k, found)
        elif locked and kind in (TaskStruct, SignalStruct, Pid):
            continue
        elif isinstance(obj, TaskStruct):
            tasks[obj] = None
        elif isinstance(obj, SignalStruct):
            if obj.threads:
                tasks[obj.threads[0]] = None
        elif isinstance(obj, Pid) and obj.task is not None:
            tasks[obj.task] = None
        del written[number]
    for task in tasks:
        check_task(k, task, found)
    return found


class TouchedChecks:
    """What a controlled run looks at after every step.

    Attributes:
        written, moved: what has not been looked at since it was written: see ``check_touched``.
    """

    __slots__ = ("_current", "_history", "_steps", "moved", "written")

    def __init__(
        self, written: dict[int, object], moved: dict[int, TaskStruct] | None = None
    ) -> None:
        self.written = written
        self.moved: dict[int, TaskStruct] = {} if moved is None else moved
        self._history = History()
        self._steps = 0
        self._current: TaskStruct | None = None

    def __call__(self, k: "KernelState") -> None:
        """Check what this step has written, and now and then everything.

        Raises:
            InvariantError: with the stories of what does not hold.
        """
        self._steps += 1
        stories: list[str] = []
        if self.written or self.moved:
            stories = check_touched(k, self.written, self._history, self.moved)
        if k.current is not self._current or k.dying:
            self._current = k.current
            check_current(k, stories)
        if not stories and not self._steps % EVERYTHING_EVERY:
            stories = check_kernel(k)
        if stories:
            raise InvariantError("\n".join(stories))
