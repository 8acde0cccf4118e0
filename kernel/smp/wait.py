"""Wait queues: who sleeps for an event, and how one event wakes one or all of them.

A sleeper is on the queue *before* it publishes its state and tests its condition; a waker makes the
condition true before it looks at the queue. The queue's lock makes a waker's look and its wake-ups
one thing: nobody leaves the queue, or comes back to it, while a waker is in the middle. Without
it a waker that was held up after its wake-up would take the sleeper's next entry off the queue, or
give the one wake-up of an exclusive event to a task that has gone on to sleep for something else.

Besides the tasks that sleep for the event alone, a queue can have ``entries`` with a function of
their own: poll() stands on many queues at once. They are not exclusive and come first.

Source: kernel/sched/wait.c, include/linux/wait.h.
"""

from typing import TYPE_CHECKING, TypeVar

from kernel.drive.lockdep import assert_held
from kernel.points import ACQUIRE, LOAD, RELEASE, SCHEDULE, Path
from kernel.signal.pending import signal_pending_state
from kernel.smp.ttwu import set_current_state, wake_up_process
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING, TaskStruct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernel.fs.select import PollWqueues
    from kernel.kernel import Kernel
    from kernel.locking import Lock


_T = TypeVar("_T")


class WaitQueueEntry:
    """What is to be done at an event, other than to wake a task (``wait_queue_entry``).

    Attributes:
        func: ``func(k, entry, sync)``, a path; called with the queue's lock held.
        key: the kinds of event it is about, as a poll mask.
        private: the call that polls.
    """

    __slots__ = ("func", "key", "private")

    def __init__(
        self,
        func: "Callable[[Kernel, WaitQueueEntry, bool], Path[None]]",
        key: int,
        private: "PollWqueues",
    ) -> None:
        self.func = func
        self.key = key
        self.private = private


class WaitQueueHead:
    """The sleepers of one kind of event, first come first woken (``wait_queue_head``).

    Attributes:
        nr: how many ``tasks`` there are, for who looks without the lock.
    """

    __slots__ = ("entries", "lock", "nr", "tasks")

    def __init__(self) -> None:
        self.tasks: list[TaskStruct] = []
        self.nr = 0
        self.entries: list[WaitQueueEntry] | None = None  # newest first
        self.lock: Lock | None = None  # made at first use

    def __iter__(self) -> "Iterator[TaskStruct]":
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)

    def sleepers(self) -> list[TaskStruct]:
        """Return every task that stands on the queue, those that poll included."""
        pollers = [entry.private.task for entry in self.entries or ()]
        return [*self.tasks, *pollers]

    def active(self) -> bool:
        """Tell whether a wake-up would find anybody (waitqueue_active)."""
        return bool(self.tasks or self.entries)

    def lock_of(self, k: "Kernel") -> "Lock":
        """Return the queue's lock."""
        if self.lock is None:
            self.lock = k.new_lock("wait_queue")
        return self.lock


def waitqueue_active(k: "Kernel", queue: WaitQueueHead) -> Path[bool]:
    """Tell, without the queue's lock, whether a task sleeps on ``queue``.

    Who has stored what sleepers wait for, and calls this, needs a full barrier in between.

    Source: include/linux/wait.h:waitqueue_active().
    """
    nr: int = yield "waitqueue_active.nr", LOAD, (queue, "nr")
    return nr != 0


def prepare_to_wait(k: "Kernel", queue: WaitQueueHead, state: int) -> Path[None]:
    """Put the current task on ``queue``, unless it is there, and publish that it sleeps.

    Source: kernel/sched/wait.c:prepare_to_wait_exclusive().
    """
    task = k.current
    lock = queue.lock_of(k)
    yield "prepare_to_wait.lock", ACQUIRE, lock
    if task not in queue.tasks:
        queue.tasks.append(task)
        queue.nr += 1
    yield from set_current_state(k, state)
    yield "prepare_to_wait.unlock", RELEASE, lock


def finish_wait(k: "Kernel", queue: WaitQueueHead) -> Path[None]:
    """The current task runs again: take it off ``queue`` if nobody else has.

    Source: kernel/sched/wait.c:finish_wait().
    """
    task = k.current
    yield from set_current_state(k, TASK_RUNNING)
    if task not in queue.tasks:
        return  # list_empty_careful(): a waker that took it off is done with it
    lock = queue.lock_of(k)
    yield "finish_wait.lock", ACQUIRE, lock
    if task in queue.tasks:
        queue.tasks.remove(task)
        queue.nr -= 1
    yield "finish_wait.unlock", RELEASE, lock


def wait_event(
    k: "Kernel",
    queue: WaitQueueHead,
    condition: "Callable[[_T], bool]",
    what: _T,
    *,
    state: int = TASK_INTERRUPTIBLE,
) -> Path[bool]:
    """Sleep exclusively on ``queue`` until ``condition(what)``; return True if a signal came first.

    A signal counts only while the condition is false, so a wake-up that was taken is used.

    Args:
        state: with TASK_KILLABLE only a fatal signal counts, with TASK_UNINTERRUPTIBLE none does.

    Source: include/linux/wait.h:___wait_event(), kernel/sched/wait.c:prepare_to_wait_event().
    """
    task = k.current
    interrupted = False
    while True:
        yield from prepare_to_wait(k, queue, state)
        if condition(what):
            break
        if signal_pending_state(state, task):
            interrupted = True
            break
        yield "wait_event.schedule", SCHEDULE, what
    yield from finish_wait(k, queue)
    return interrupted


def add_wait_queue(k: "Kernel", queue: WaitQueueHead, entry: WaitQueueEntry) -> Path[None]:
    """Put ``entry`` at the head of ``queue``. Source: kernel/sched/wait.c:add_wait_queue()."""
    lock = queue.lock_of(k)
    yield "add_wait_queue.lock", ACQUIRE, lock
    if queue.entries is None:
        queue.entries = []
    queue.entries.insert(0, entry)
    yield "add_wait_queue.unlock", RELEASE, lock


def remove_wait_queue(k: "Kernel", queue: WaitQueueHead, entry: WaitQueueEntry) -> Path[None]:
    """Take ``entry`` off ``queue``. Source: kernel/sched/wait.c:remove_wait_queue()."""
    lock = queue.lock_of(k)
    yield "remove_wait_queue.lock", ACQUIRE, lock
    entries = queue.entries
    if entries is not None:
        entries.remove(entry)
        if not entries:
            queue.entries = None
    yield "remove_wait_queue.unlock", RELEASE, lock


def wake_up(
    k: "Kernel", queue: WaitQueueHead, *, remove: bool = True, key: int = 0, sync: bool = False
) -> Path[None]:
    """Wake the first task on ``queue`` that is really asleep.

    Args:
        remove: take it off the queue (autoremove_wake_function); otherwise it does so itself.
        key: what has happened, as a poll mask; entries about other things stay quiet. 0: anything.
        sync: the current task is about to sleep, so its CPU will be free for whom it wakes.

    Source: kernel/sched/wait.c:__wake_up_common(), __wake_up_sync_key(),
        autoremove_wake_function().
    """
    lock = queue.lock_of(k)
    yield "wake_up.lock", ACQUIRE, lock
    yield from _wake(k, queue, one=True, remove=remove, key=key, sync=sync)
    yield "wake_up.unlock", RELEASE, lock


def wake_up_all(
    k: "Kernel", queue: WaitQueueHead, *, key: int = 0, sync: bool = False
) -> Path[None]:
    """Wake every task on ``queue`` and take it off; ``key`` and ``sync`` as for ``wake_up``.

    Source: kernel/sched/wait.c:wake_up_all().
    """
    lock = queue.lock_of(k)
    yield "wake_up_all.lock", ACQUIRE, lock
    yield from _wake(k, queue, one=False, remove=True, key=key, sync=sync)
    yield "wake_up_all.unlock", RELEASE, lock


def swake_up_locked(k: "Kernel", queue: WaitQueueHead) -> Path[None]:
    """Wake the first task on ``queue``, if there is one, and take it off. Under the queue's lock.

    It is taken off even if it is awake: what it waits for is true by then.

    Source: kernel/sched/swait.c:swake_up_locked().
    """
    assert_held(k, queue.lock_of(k))
    if queue.tasks:
        task = queue.tasks[0]
        yield from wake_up_process(k, task)
        queue.tasks.remove(task)
        queue.nr -= 1


def _wake(
    k: "Kernel", queue: WaitQueueHead, *, one: bool, remove: bool, key: int, sync: bool
) -> Path[None]:
    """Source: kernel/sched/wait.c:__wake_up_common()."""
    if queue.entries is not None:
        for entry in tuple(queue.entries):
            if not key or key & entry.key:
                yield from entry.func(k, entry, sync)
    for task in tuple(queue.tasks):
        woken = yield from wake_up_process(k, task, sync)
        if woken:
            if remove:
                queue.tasks.remove(task)
                queue.nr -= 1
            if one:
                return
