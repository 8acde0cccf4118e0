"""vfork's bargain: the parent sleeps until the child has left the memory they share.

Source: kernel/fork.c (wait_for_vfork_done, complete_vfork_done, mm_release).
"""

from typing import TYPE_CHECKING

from kernel.points import ACQUIRE, LOAD, POINT, RELEASE, SCHEDULE, STORE, Path
from kernel.signal.pending import fatal_signal_pending
from kernel.smp.completion import complete_all
from kernel.smp.ttwu import set_current_state, try_to_wake_up
from kernel.task import (
    TASK_KILLABLE,
    TASK_NORMAL,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    TaskStruct,
    mm_of,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def wait_for_vfork_done(k: "Kernel", child: TaskStruct) -> Path[None]:
    """Sleep until ``child`` lets go of the caller's memory, or the caller is being killed.

    A killed caller takes itself out of ``child.vfork_done`` so that the child does not wake it.

    Source: kernel/fork.c:wait_for_vfork_done(), include/linux/completion.h.
    Deviation: the child's ``vfork_done`` names the sleeper; done means it is None.
    """
    k.now_ns += k.costs.vfork
    current = k.current
    killable = k.tasks.profile.vfork_killable
    state = TASK_KILLABLE if killable else TASK_UNINTERRUPTIBLE
    sleeper: object = current  # compared as a task, vfork_done would count as one from then on
    while True:
        yield from set_current_state(k, state)
        waited_for: object = yield "wait_for_vfork_done.done", LOAD, (child, "vfork_done")
        if waited_for is not sleeper:
            break
        if killable and fatal_signal_pending(current):
            lock = k.task_lock(child)
            yield "wait_for_vfork_done.task_lock", ACQUIRE, lock
            if child.vfork_done is sleeper:
                child.vfork_done = None
            yield "wait_for_vfork_done.task_unlock", RELEASE, lock
            break
        yield "wait_for_vfork_done.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)


def complete_vfork_done(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Let the parent that waits for ``task`` go on, if it still does.

    Source: kernel/fork.c:complete_vfork_done().
    """
    lock = k.task_lock(task)
    yield "complete_vfork_done.task_lock", ACQUIRE, lock
    parent = task.vfork_done
    if parent is not None:
        yield "complete_vfork_done.done", STORE, (task, "vfork_done", None)
        yield from try_to_wake_up(k, parent, TASK_NORMAL)
    yield "complete_vfork_done.task_unlock", RELEASE, lock


def mm_release(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Tell those who wait that ``task`` no longer uses its memory: the vfork parent.

    The word that CLONE_CHILD_CLEARTID clears is the C library's, for pthread_join(). CPython's
    threads wait for locks instead, so nobody sleeps there.

    Source: kernel/fork.c:mm_release().
    """
    if task.clear_child_tid:
        task.clear_child_tid = False
        if mm_of(task).users > 1:
            yield "mm_release.clear_child_tid", POINT, task
    if task.vfork_done is not None:
        yield from complete_vfork_done(k, task)
    if task.kthread is not None:
        yield from complete_all(k, task.kthread.exited)  # kthread_stop()
