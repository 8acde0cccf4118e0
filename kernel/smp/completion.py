"""Completions: one task waits until another says that something is done.

A ``Completion`` counts what was completed and not yet waited for, so it does not matter who comes
first. ``complete_all`` lets everybody through for ever. Count and queue are under one lock, which
who completes gives up last: who has seen the count may be gone with the completion from then on.

Source: kernel/sched/completion.c, include/linux/completion.h.
"""

from typing import TYPE_CHECKING, Final

from kernel.points import ACQUIRE, RELEASE, SCHEDULE, Path
from kernel.signal.pending import fatal_signal_pending
from kernel.smp.ttwu import set_current_state
from kernel.smp.wait import WaitQueueHead, swake_up_locked
from kernel.task import TASK_KILLABLE, TASK_RUNNING, TASK_UNINTERRUPTIBLE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_ALL: Final = 1 << 30


class Completion:
    """``struct completion``: ``done`` completions nobody has waited for yet."""

    __slots__ = ("done", "wait")

    def __init__(self) -> None:
        self.done = 0
        self.wait = WaitQueueHead()


def complete(k: "Kernel", completion: Completion) -> Path[None]:
    """Let one waiter go on, now or when it comes. Source: kernel/sched/completion.c:complete()."""
    queue = completion.wait
    lock = queue.lock_of(k)
    yield "complete.lock", ACQUIRE, lock
    if completion.done != _ALL:
        completion.done += 1
    yield from swake_up_locked(k, queue)
    yield "complete.unlock", RELEASE, lock


def complete_all(k: "Kernel", completion: Completion) -> Path[None]:
    """Let every waiter go on, now and later. Source: kernel/sched/completion.c:complete_all()."""
    queue = completion.wait
    lock = queue.lock_of(k)
    yield "complete_all.lock", ACQUIRE, lock
    completion.done = _ALL
    while queue.tasks:
        yield from swake_up_locked(k, queue)
    yield "complete_all.unlock", RELEASE, lock


def wait_for_completion(
    k: "Kernel", completion: Completion, *, killable: bool = False
) -> Path[bool]:
    """Sleep until somebody completes it; return True, or False if the caller is being killed.

    Args:
        killable: a fatal signal ends the wait (wait_for_completion_killable()).

    Source: kernel/sched/completion.c:wait_for_completion(), wait_for_completion_killable(),
        do_wait_for_common(); kernel/sched/swait.c:__prepare_to_swait(), __finish_swait().
    """
    state = TASK_KILLABLE if killable else TASK_UNINTERRUPTIBLE
    task = k.current
    queue = completion.wait
    lock = queue.lock_of(k)
    yield "wait_for_completion.lock", ACQUIRE, lock
    waits = not completion.done
    while not completion.done:
        if task not in queue.tasks:
            queue.tasks.append(task)
            queue.nr += 1
        yield from set_current_state(k, state)
        if killable and fatal_signal_pending(task):
            break
        yield "wait_for_completion.unlock", RELEASE, lock
        yield "wait_for_completion.schedule", SCHEDULE, None
        yield "wait_for_completion.relock", ACQUIRE, lock
    if waits:
        yield from set_current_state(k, TASK_RUNNING)
        if task in queue.tasks:
            queue.tasks.remove(task)
            queue.nr -= 1
    done = completion.done
    if 0 < done < _ALL:
        completion.done = done - 1  # nobody else takes the same one
    yield "wait_for_completion.done_unlock", RELEASE, lock
    return bool(done)
