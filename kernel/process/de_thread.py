"""An exec leaves one thread: the others are killed, and the caller becomes the leader.

Source: fs/exec.c:de_thread().
"""

from typing import TYPE_CHECKING

from kernel.cred.cred_guard import exec_guard_release
from kernel.errors import KernelError
from kernel.messages import eff_rename
from kernel.points import ACQUIRE, READ, RELEASE, SCHEDULE, Path
from kernel.process.pid import exchange_tids, transfer_pid
from kernel.process.release import release_task
from kernel.process.wake_parent import wake_up_parent
from kernel.signal.pending import fatal_signal_pending
from kernel.signal.send import zap_process
from kernel.smp.ttwu import set_current_state
from kernel.task import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    SIGNAL_GROUP_EXIT,
    TASK_DEAD,
    TASK_KILLABLE,
    TASK_RUNNING,
    set_exit_state,
)
from kernel.uapi.errno_ import EAGAIN
from kernel.uapi.signals import SIGCHLD

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def de_thread(k: "Kernel") -> Path[None]:
    """Kill the other threads of the process and become its leader, under the leader's pid.

    The caller has seen that there are others.

    Raises:
        KernelError: EAGAIN, the process is being killed or another thread execs.

    Source: fs/exec.c:de_thread().
    """
    task = k.current
    signal = task.signal
    siglock = task.sighand.siglock
    yield "de_thread.siglock", ACQUIRE, siglock
    if signal.flags & SIGNAL_GROUP_EXIT or signal.group_exec_task is not None:
        yield "de_thread.siglock_lost", RELEASE, siglock
        raise KernelError(EAGAIN)
    signal.group_exec_task = task
    signal.notify_count = yield from zap_process(k, task, spare=task)
    if task.group_leader is not task:
        signal.notify_count -= 1
    while signal.notify_count:
        yield from set_current_state(k, TASK_KILLABLE)
        yield "de_thread.siglock_wait", RELEASE, siglock
        if signal.notify_count:
            yield "de_thread.schedule", SCHEDULE, None
        yield from _de_thread_killed(k)
        yield "de_thread.siglock_again", ACQUIRE, siglock
    yield from set_current_state(k, TASK_RUNNING)
    yield "de_thread.siglock_done", RELEASE, siglock
    if task.group_leader is not task:
        yield from _take_leadership(k)
    signal.group_exec_task = None
    signal.notify_count = 0
    yield from exec_guard_release(k, signal)


def _de_thread_killed(k: "Kernel") -> Path[None]:
    """Give the exec up if the caller is being killed.

    Source: fs/exec.c:de_thread(), label killed.
    """
    task = k.current
    if not fatal_signal_pending(task):
        return
    yield from set_current_state(k, TASK_RUNNING)
    yield "de_thread.killed_lock", READ, k.tasklist_lock
    task.signal.group_exec_task = None
    task.signal.notify_count = 0
    yield "de_thread.killed_unlock", RELEASE, k.tasklist_lock
    yield from exec_guard_release(k, task.signal)
    raise KernelError(EAGAIN)


def _take_leadership(k: "Kernel") -> Path[None]:
    """Wait for the leader to be a zombie, take its place, and release it in silence.

    Source: fs/exec.c:de_thread(), the part for a thread that is not the leader.
    Deviation: a leader that is a zombie and still on its way into its last schedule() is waited
    for too, as wait_task_inactive() does: no CPU may know two tasks by one number.
    """
    task = k.current
    signal = task.signal
    leader = task.group_leader
    lock = k.tasklist_lock
    while True:
        yield "de_thread.tasklist_lock", ACQUIRE, lock
        signal.notify_count = -1
        if leader.exit_state:
            break
        yield from set_current_state(k, TASK_KILLABLE)
        yield "de_thread.tasklist_wait", RELEASE, lock
        yield "de_thread.schedule_leader", SCHEDULE, None
        yield from _de_thread_killed(k)
    yield from set_current_state(k, TASK_RUNNING)
    while leader.state != TASK_DEAD:
        yield "de_thread.tasklist_spin", RELEASE, lock
        k.now_ns += k.costs.lock_acquire
        yield "de_thread.tasklist_again", ACQUIRE, lock
    if k.now_ns < leader.msg_ns:
        k.now_ns = leader.msg_ns  # its CPU has been told that it is gone
    task.start_time_ns = leader.start_time_ns
    k.send(task.cpu, eff_rename(k.stamp(task), task.pid, leader.pid))
    exchange_tids(k, task, leader)
    transfer_pid(leader, task)
    k.tasks.replace(leader, task)
    family = leader.real_parent.children
    family[task.pid] = task
    task.real_parent = leader.real_parent
    if not task.ptrace:
        task.parent = task.real_parent
    task.group_leader = leader.group_leader = task
    signal.leader = task
    signal.threads.remove(task)
    signal.threads.insert(0, task)  # the leader comes first
    task.exit_signal = SIGCHLD
    leader.exit_signal = -1
    set_exit_state(leader, EXIT_ZOMBIE, EXIT_DEAD)
    if leader.ptrace:
        # its tracer may sleep for it and is not told otherwise
        yield from wake_up_parent(k, leader, leader.parent)
    yield "de_thread.tasklist_unlock", RELEASE, lock
    yield from release_task(k, leader)
