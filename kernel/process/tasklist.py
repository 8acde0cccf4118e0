"""The task list: all group leaders in creation order, circular and doubly linked, with counts.

The list's head is swapper/0 (``init_task``), which is on the list but not a process anybody can
look up. Links are fields of the tasks themselves (``tasks_next``, ``tasks_prev``), so linking and
unlinking touch two neighbours however long the list is. Threads hang off their leader's
``signal.threads``. Everything here is guarded by tasklist_lock; a reader that walks the list holds
it for reading.

Source: include/linux/sched/signal.h (next_task, for_each_process), kernel/fork.c (nr_threads,
max_threads, total_forks).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel.profiles import Profile
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.cred.creds import UserStruct
    from kernel.kernel import Kernel


class TaskList:
    """The list's head and what fork counts against."""

    __slots__ = (
        "head",
        "max_threads",
        "nr_processes",
        "nr_threads",
        "nr_zombies",
        "profile",
        "rlimits",
        "total_forks",
        "users",
    )

    def __init__(self, head: TaskStruct, profile: Profile, max_threads: int) -> None:
        head.tasks_next = head.tasks_prev = head
        self.head = head
        self.profile = profile  # the emulated kernel's version-dependent behaviour
        self.max_threads = max_threads
        self.nr_threads = 0  # every thread but the idle ones, zombies included
        self.nr_processes = 0
        self.nr_zombies = 0  # exited and not released yet
        self.total_forks = 0
        self.rlimits: tuple[tuple[int, int], ...] = ()  # defaults, by RLIMIT_ number
        self.users: dict[int, UserStruct] = {}  # uid -> accounting

    def link(self, task: TaskStruct) -> None:
        """Append a group leader: the list is in creation order."""
        head = self.head
        last = prev_task(head)
        task.tasks_prev = last
        task.tasks_next = head
        last.tasks_next = task
        head.tasks_prev = task
        self.nr_processes += 1

    def unlink(self, task: TaskStruct) -> None:
        """Take a group leader off the list."""
        after, before = next_task(task), prev_task(task)
        before.tasks_next = after
        after.tasks_prev = before
        task.tasks_next = task.tasks_prev = None
        self.nr_processes -= 1

    def replace(self, old: TaskStruct, new: TaskStruct) -> None:
        """Put ``new`` in ``old``'s place (exec by a thread that was not the leader)."""
        after, before = next_task(old), prev_task(old)
        new.tasks_next, new.tasks_prev = after, before
        before.tasks_next = after.tasks_prev = new
        old.tasks_next = old.tasks_prev = None


def next_task(task: TaskStruct) -> TaskStruct:
    """Return the group leader after ``task``; after the last one comes ``init_task``.

    Source: include/linux/sched/signal.h:next_task().
    """
    after = task.tasks_next
    if after is None:
        raise AssertionError(f"{task!r} is not on the task list")
    return after


def prev_task(task: TaskStruct) -> TaskStruct:
    """Return the group leader before ``task``; before ``init_task`` is the newest one.

    Source: include/linux/sched.h:prev_task() (2.6).
    """
    before = task.tasks_prev
    if before is None:
        raise AssertionError(f"{task!r} is not on the task list")
    return before


def for_each_process(k: "Kernel") -> Iterator[TaskStruct]:
    """Yield every process (its leader, zombies too) in creation order, without ``init_task``.

    The caller holds tasklist_lock. The current element may be unlinked by the loop's body.

    Source: include/linux/sched/signal.h:for_each_process().
    """
    head = k.tasks.head
    task = next_task(head)
    while task is not head:
        after = next_task(task)
        yield task
        task = after


def for_each_thread(k: "Kernel") -> Iterator[TaskStruct]:
    """Yield every thread of every process, processes in creation order.

    Source: include/linux/sched/signal.h:for_each_process_thread().
    """
    for leader in for_each_process(k):
        yield from tuple(leader.signal.threads)
