"""Completions: one task waits until another says that something is done.

A ``Completion`` counts what was completed and not yet waited for, so it does not matter who comes
first. ``complete_all`` lets everybody through for ever.

Source: kernel/sched/completion.c, include/linux/completion.h.
"""

from typing import TYPE_CHECKING, Final

from kernel.points import ACQUIRE, RELEASE, SCHEDULE, Path
from kernel.signal.pending import fatal_signal_pending
from kernel.smp.wait import WaitQueueHead, finish_wait, prepare_to_wait, wake_up, wake_up_all
from kernel.task import TASK_KILLABLE, TASK_UNINTERRUPTIBLE

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
    lock = completion.wait.lock_of(k)
    yield "complete.lock", ACQUIRE, lock
    completion.done += 1
    yield "complete.unlock", RELEASE, lock
    yield from wake_up(k, completion.wait)


def complete_all(k: "Kernel", completion: Completion) -> Path[None]:
    """Let every waiter go on, now and later. Source: kernel/sched/completion.c:complete_all()."""
    lock = completion.wait.lock_of(k)
    yield "complete_all.lock", ACQUIRE, lock
    completion.done = _ALL
    yield "complete_all.unlock", RELEASE, lock
    yield from wake_up_all(k, completion.wait)


def wait_for_completion(
    k: "Kernel", completion: Completion, *, killable: bool = False
) -> Path[bool]:
    """Sleep until somebody completes it; return True, or False if the caller is being killed.

    Args:
        killable: a fatal signal ends the wait (wait_for_completion_killable()).

    Source: kernel/sched/completion.c:wait_for_completion(), wait_for_completion_killable().
    """
    state = TASK_KILLABLE if killable else TASK_UNINTERRUPTIBLE
    lock = completion.wait.lock_of(k)
    while True:
        yield from prepare_to_wait(k, completion.wait, state)
        yield "wait_for_completion.lock", ACQUIRE, lock
        done = completion.done
        if 0 < done < _ALL:
            completion.done = done - 1  # nobody else takes the same one
        yield "wait_for_completion.unlock", RELEASE, lock
        if done:
            break
        if killable and fatal_signal_pending(k.current):
            break
        yield "wait_for_completion.schedule", SCHEDULE, None
    yield from finish_wait(k, completion.wait)
    return bool(done)
