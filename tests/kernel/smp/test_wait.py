"""wait_event: what ends a sleep on a wait queue, and what does not."""

from typing import Any

from kernel.signal.sigqueue import lost_info
from kernel.smp.wait import WaitQueueHead, wait_event, wake_up
from kernel.task import TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_UNINTERRUPTIBLE
from kernel.uapi.signals import SIGKILL, SIGUSR1


class Event:
    """Something to wait for."""

    def __init__(self) -> None:
        self.queue = WaitQueueHead()
        self.happened = False


def has_happened(event: Event) -> bool:
    return event.happened


def sleeper(mini: Any, event: Event, state: int = TASK_INTERRUPTIBLE) -> Any:
    """Return a task that waits for ``event``."""
    task = mini.fork()
    mini.begin(task, wait, event, state)
    mini.run()
    return task


def wait(k: Any, event: Event, state: int) -> Any:
    return k.form(wait_event)(k, event.queue, has_happened, event, state=state)


def test_a_condition_that_holds_is_not_waited_for(mini: Any) -> None:
    event = Event()
    event.happened = True
    task = sleeper(mini, event)
    assert mini.result(task) is False and not event.queue.tasks


def test_a_wake_up_without_the_condition_is_slept_through(mini: Any) -> None:
    event = Event()
    task = sleeper(mini, event)
    mini.call(wake_up, event.queue)
    assert mini.sleeps(task) and task in event.queue.tasks
    event.happened = True
    mini.call(wake_up, event.queue)
    mini.run()
    assert mini.result(task) is False and not event.queue.tasks


def test_a_signal_ends_an_interruptible_sleep_and_leaves_no_entry(mini: Any) -> None:
    event = Event()
    task = sleeper(mini, event)
    mini.signal(task)
    assert mini.result(task) is True and not event.queue.tasks


def test_a_signal_that_comes_with_the_event_does_not_count(mini: Any) -> None:
    event = Event()
    task = sleeper(mini, event)
    event.happened = True
    mini.signal(task)
    assert mini.result(task) is False


def test_only_a_fatal_signal_ends_a_killable_sleep(mini: Any) -> None:
    event = Event()
    task = sleeper(mini, event, TASK_KILLABLE)
    task.pending = (lost_info(SIGUSR1),)
    mini.signal(task)
    assert mini.sleeps(task)
    task.pending = (lost_info(SIGKILL),)
    mini.signal(task)
    assert mini.result(task) is True


def test_no_signal_ends_an_uninterruptible_sleep(mini: Any) -> None:
    event = Event()
    task = sleeper(mini, event, TASK_UNINTERRUPTIBLE)
    task.pending = (lost_info(SIGKILL),)
    mini.signal(task)
    assert mini.sleeps(task)
    event.happened = True
    mini.call(wake_up, event.queue)
    mini.run()
    assert mini.result(task) is False
