"""Whether invariants are ever put to the test: the situations of which they say something.

An invariant about zombies says nothing of a run without one. ``Sometimes`` counts, step by step, in
how many steps each situation was there; a suite whose programs never bring one about has an
invariant that it does not test.

Source: the ``sometimes`` properties of Antithesis: what is never exercised is a failure.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from kernel.task import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    PF_EXITING,
    PF_KTHREAD,
    TASK_DEAD,
    TASK_NEW,
    TASK_RUNNING,
    TaskStruct,
)
from kernel.uapi.task_state import TASK_STOPPED, TASK_TRACED

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.state import KernelState

Situation = Callable[["Kernel", list[TaskStruct]], bool]


def _sleeps(task: TaskStruct) -> bool:
    return not task.on_rq and task.state not in (TASK_RUNNING, TASK_NEW, TASK_DEAD)


def _start_ns(task: TaskStruct) -> int:
    return task.start_time_ns


def _orphans(k: "Kernel", tasks: list[TaskStruct]) -> bool:
    init = k.pids.hash.get(1)
    return init is not None and any(
        task.real_parent is init.task and not task.flags & PF_KTHREAD for task in tasks
    )


# name -> is it so now, in a machine with these tasks
SITUATIONS: Final[dict[str, Situation]] = {
    "load table: a cpu has two runnable tasks": lambda k, tasks: k.load.overloaded > 0,
    "load table: a cpu has nothing to do": lambda k, tasks: k.load.idle_mask > 0,
    "pid hash: a number is taken and not published": lambda k, tasks: (
        k.pids.taken > len(k.pids.hash)
    ),
    "pid: a number comes after a higher one": lambda k, tasks: any(
        task.pid < older.pid for older, task in pairwise(sorted(tasks, key=_start_ns))
    ),
    "task list: a process has threads": lambda k, tasks: any(
        task.group_leader is not task for task in tasks
    ),
    "group: a leader is dead before its threads": lambda k, tasks: any(
        task.exit_state == EXIT_ZOMBIE and len(task.signal.threads) > 1 for task in tasks
    ),
    "family: a zombie waits for its parent": lambda k, tasks: any(
        task.exit_state == EXIT_ZOMBIE for task in tasks
    ),
    "family: a child of init that was somebody else's, or a program's first": _orphans,
    "state: a task is on its way out and no zombie": lambda k, tasks: any(
        task.flags & PF_EXITING and not task.exit_state for task in tasks
    ),
    "state: a task is being reaped": lambda k, tasks: any(
        task.exit_state == EXIT_DEAD
        for task in (*tasks, *(path.task for path in k.active if path.task is not None))
        if task.signal is not None
    ),
    "state: a task sleeps in a system call": lambda k, tasks: any(
        _sleeps(task) and task.path is not None for task in tasks
    ),
    "state: a task is made and not started": lambda k, tasks: any(
        task.state == TASK_NEW for task in tasks
    ),
    "stack: a dead task is still on its cpu": lambda k, tasks: bool(k.dying),
    "kernel thread: one is there": lambda k, tasks: any(task.flags & PF_KTHREAD for task in tasks),
    "vfork: a parent waits for its child": lambda k, tasks: any(
        task.vfork_done is not None for task in tasks
    ),
    "holders: two tasks share an address space": lambda k, tasks: any(
        task.mm is not None and task.mm.users > 1 for task in tasks
    ),
    "holders: two tasks share a table of files": lambda k, tasks: any(
        task.files is not None and task.files.count > 1 for task in tasks
    ),
    "wait queue: a parent waits for a child": lambda k, tasks: any(
        len(task.signal.wait_chldexit) > 0 for task in tasks if task.group_leader is task
    ),
    "signals: one is pending": lambda k, tasks: any(
        task.pending or task.signal.shared_pending for task in tasks
    ),
    "ptrace: a task is traced": lambda k, tasks: any(task.ptrace for task in tasks),
    "locks: somebody waits for one": lambda k, tasks: any(
        path.blocked_on is not None for path in k.active
    ),
    "stop: a task is stopped or stands in a trap": lambda k, tasks: any(
        task.state in (TASK_STOPPED, TASK_TRACED) for task in tasks
    ),
    "quiet: no path is in progress": lambda k, tasks: not k.active,
    "classes: a task has a policy or a mask of its own": lambda k, tasks: any(
        task.attrs is not None for task in tasks
    ),
    "cgroup: a group below the root has a task": lambda k, tasks: any(
        task.cgroup is not None and task.cgroup.parent is not None for task in tasks
    ),
}

_QUIET: Final = "quiet: no path is in progress"

# what looks for violations -> the situations without which it says nothing
EXERCISED: Final[dict[str, tuple[str, ...]]] = {
    "check_load_table": (
        "load table: a cpu has two runnable tasks",
        "load table: a cpu has nothing to do",
    ),
    "check_kernel": ("load table: a cpu has two runnable tasks",),
    "check_current": ("stack: a dead task is still on its cpu",),
    "check_task": ("state: a task is on its way out and no zombie", "ptrace: a task is traced"),
    "_check_task_list": ("task list: a process has threads", "state: a task is being reaped"),
    "_check_pid_numbers": (
        "pid hash: a number is taken and not published",
        "pid: a number comes after a higher one",
    ),
    "_check_pid_links": ("task list: a process has threads",),
    "_check_links_of": ("state: a task is being reaped", "family: a zombie waits for its parent"),
    "_check_group": (
        "group: a leader is dead before its threads",
        "signals: one is pending",
        "state: a task sleeps in a system call",
    ),
    "_check_family": (
        "family: a zombie waits for its parent",
        "family: a child of init that was somebody else's, or a program's first",
        "ptrace: a task is traced",
    ),
    "check_state": (
        "state: a task sleeps in a system call",
        "state: a task is made and not started",
        "state: a task is on its way out and no zombie",
    ),
    "_check_kthread": ("kernel thread: one is there",),
    "check_classes": ("classes: a task has a policy or a mask of its own",),
    "check_cgroups": (_QUIET, "cgroup: a group below the root has a task"),
    "_check_cgroup": (_QUIET, "cgroup: a group below the root has a task"),
    "_check_quiet": (_QUIET, "vfork: a parent waits for its child"),
    "_check_lock": (_QUIET, "locks: somebody waits for one"),
    "_check_wait_queues": (_QUIET, "wait queue: a parent waits for a child"),
    "_check_holders": (
        _QUIET,
        "holders: two tasks share an address space",
        "holders: two tasks share a table of files",
    ),
    "check_users": (_QUIET,),
    "check_memory": (_QUIET,),
    "check_places": (_QUIET,),
    "_check_halves": (_QUIET,),
    "_look_at_pending": ("signals: one is pending",),
    "_look_at_pid": ("pid: a number comes after a higher one",),
    "_look_at_state": (
        "stop: a task is stopped or stands in a trap",
        "state: a task is being reaped",
    ),
}


class Sometimes:
    """Counts in how many steps each situation was there: an ``after_step`` of the driver.

    Attributes:
        counts: by name; all names are there.
    """

    def __init__(self) -> None:
        self.counts = dict.fromkeys(SITUATIONS, 0)

    def __call__(self, k: "KernelState") -> None:
        """Look at the machine between two steps."""
        if k.tasklist_lock.owner is not None:
            return
        tasks = list(_tasks(k))
        counts = self.counts
        for name, is_so in SITUATIONS.items():
            if is_so(k, tasks):
                counts[name] += 1

    def never(self) -> list[str]:
        """Return the situations that never were."""
        return [name for name, count in self.counts.items() if not count]


def _tasks(k: "Kernel") -> Iterator[TaskStruct]:
    for pid in k.pids.hash.values():
        if pid.task is not None and pid.task.signal is not None:
            yield pid.task
