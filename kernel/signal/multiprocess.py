"""Signals to several processes that come while one of them forks.

A signal to a process group must reach the children a member is just making: either the fork sees
the signal pending and begins again after it, or the child gets it too. So a fork leaves a note with
its process from its first look at pending signals until the child is linked, and a signal that is
sent to more than one process (to a group, or to everybody) is added to these notes.

Source: include/linux/sched/signal.h (struct multiprocess_signals), kernel/fork.c:copy_process(),
kernel/signal.c:__send_signal_locked().
"""

from typing import TYPE_CHECKING

from kernel.drive.lockdep import assert_held
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.signal.pending import recalc_sigpending, recalc_sigpending_tsk
from kernel.task import SignalStruct, TaskStruct
from kernel.uapi.clone import CLONE_THREAD
from kernel.uapi.signals import SI_USER, SIG_KERNEL_STOP_MASK, SIGCONT, sigmask

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class MultiprocessSignals:
    """The note of one fork: the set of signals the child is to get as well."""

    __slots__ = ("signals",)

    def __init__(self) -> None:
        self.signals = 0  # bit n-1 for signal n


def begin_multiprocess(k: "Kernel", clone_flags: int) -> Path[MultiprocessSignals | None]:
    """Leave a note that a fork is under way; return it, or None for a new thread.

    Source: kernel/fork.c:copy_process().
    """
    current = k.current
    siglock = current.sighand.siglock
    note: MultiprocessSignals | None = None
    yield "copy_process.multiprocess_lock", ACQUIRE, siglock
    if not clone_flags & CLONE_THREAD:
        note = MultiprocessSignals()
        signal = current.signal
        if signal.multiprocess is None:
            signal.multiprocess = []
        signal.multiprocess.append(note)
    recalc_sigpending(k, current)
    yield "copy_process.multiprocess_unlock", RELEASE, siglock
    return note


def drop_multiprocess(
    k: "Kernel", task: TaskStruct, note: MultiprocessSignals | None
) -> Path[None]:
    """Take the note back, as there will be no child. Source: copy_process(), from fork_out on."""
    if note is None:
        return
    siglock = task.sighand.siglock
    yield "copy_process.fork_out_lock", ACQUIRE, siglock
    end_multiprocess(k, task, note)
    yield "copy_process.fork_out_unlock", RELEASE, siglock


def end_multiprocess(k: "Kernel", task: TaskStruct, note: MultiprocessSignals) -> None:
    """Take the note back. Under siglock."""
    assert_held(k, task.sighand.siglock)
    if task.signal.multiprocess:
        task.signal.multiprocess.remove(note)


def note_multiprocess(k: "Kernel", signal: SignalStruct, sig: int) -> None:
    """Add a signal to several processes to the notes of the forks under way. Under siglock.

    A stop and a continue signal cancel each other, as in a queue.
    """
    assert_held(k, signal.leader.sighand.siglock)
    for note in signal.multiprocess or ():
        if sig == SIGCONT:
            note.signals &= ~SIG_KERNEL_STOP_MASK
        elif SIG_KERNEL_STOP_MASK >> (sig - 1) & 1:
            note.signals &= ~sigmask(SIGCONT)
        note.signals |= sigmask(sig)


def deliver_delayed(child: TaskStruct, note: MultiprocessSignals) -> None:
    """Give a child that is being linked the signals of the note; it will look at them first."""
    if not note.signals:
        return
    child.signal.shared_pending = tuple(
        (sig, SI_USER, 0, 0, 0) for sig in range(1, 65) if note.signals >> (sig - 1) & 1
    )
    recalc_sigpending_tsk(child)
