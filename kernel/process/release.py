"""The last steps of a dead task: out of the task list and the pid hash, and its structure freed.

A task_struct has two references: one until it is released (reaped), one while a CPU still stands
on its kernel stack. The CPU's next task drops the second.

Source: kernel/exit.c (release_task, __unhash_process, __exit_signal), kernel/fork.c.
"""

from typing import TYPE_CHECKING

from kernel.cgroup.cgroup import cgroup_release
from kernel.drive.lockdep import assert_held
from kernel.errors import InvariantError
from kernel.events import SCHED_PROCESS_FREE
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.copy import free_task
from kernel.process.pid import PIDTYPE_PID, Pid, detach_leader, detach_pid, free_pid
from kernel.ptrace.link import ptrace_unlink
from kernel.signal.notify_parent import do_notify_parent
from kernel.smp.task_groups import sched_group_exit
from kernel.smp.ttwu import wake_up_process
from kernel.smp.wait import wake_up_all
from kernel.task import EXIT_DEAD, EXIT_ZOMBIE, SIGNAL_GROUP_EXIT, TaskStruct, set_exit_state
from kernel.uapi.prio import DEFAULT_PRIO

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def thread_group_empty(task: TaskStruct) -> bool:
    """Tell whether ``task`` is a leader without other threads.

    Source: include/linux/sched/signal.h:thread_group_empty().
    """
    return task.group_leader is task and len(task.signal.threads) == 1


def release_task(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Take a dead task (EXIT_DEAD) out of every list; for a last thread, go on with its leader.

    Source: kernel/exit.c:release_task().
    """
    lock = k.tasklist_lock
    while True:
        task.cred.user.processes -= 1
        yield "release_task.tasklist_lock", ACQUIRE, lock
        k.now_ns += k.costs.release_task
        if task.ptrace:
            yield from ptrace_unlink(k, task)
        leader = task.group_leader
        signal = task.signal
        siglock = task.sighand.siglock
        thread_pid = task.thread_pid
        yield "exit_signal.siglock", ACQUIRE, siglock
        if leader is not task:
            yield from _leave_group(k, task)
        unused = _exit_signal(k, task, leader is task)
        yield "exit_signal.siglock_done", RELEASE, siglock
        one_lock = k.pidmap_lock is lock  # then it has to be given up first
        if not one_lock:
            for pid in unused:
                yield from free_pid(k, pid)
        if task.cgroup is not None:
            cgroup_release(task)
        signal.count -= 1
        if not signal.count:
            sched_group_exit(k, signal)
        # The last thread is gone, and the leader has been a zombie for long: only now does the
        # parent hear of it, and if it does not care the leader goes, too.
        zap_leader = False
        if (
            leader is not task
            and leader.exit_state == EXIT_ZOMBIE
            and len(leader.signal.threads) == 1
        ):
            if (
                k.tasks.profile.last_thread_sets_exit_code
                and leader.signal.flags & SIGNAL_GROUP_EXIT
            ):
                leader.exit_code = leader.signal.group_exit_code  # what SIGCHLD tells
            zap_leader = yield from do_notify_parent(k, leader, leader.exit_signal)
            if zap_leader:
                set_exit_state(leader, EXIT_ZOMBIE, EXIT_DEAD)
                k.stats.autoreaped += 1
        if thread_pid.wait_pidfd is not None:
            yield from wake_up_all(k, thread_pid.wait_pidfd)
        yield "release_task.tasklist_unlock", RELEASE, lock
        if one_lock:
            for pid in unused:
                yield from free_pid(k, pid)
        k.stats.releases += 1
        if task.kthread is not None:
            k.nr_kthreads -= 1
        k.tasks.nr_zombies -= 1
        put_task_struct(k, task)
        if not zap_leader:
            return
        task = leader


def _leave_group(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Tell those who count on a thread that is not the leader. Caller holds siglock.

    Source: kernel/exit.c:__exit_signal().
    """
    assert_held(k, task.sighand.siglock)
    signal = task.signal
    if signal.notify_count > 0:
        signal.notify_count -= 1
        if not signal.notify_count and signal.group_exec_task is not None:
            yield from wake_up_process(k, signal.group_exec_task)
    if signal.curr_target is task:
        place = signal.threads.index(task) + 1
        signal.curr_target = signal.threads[place % len(signal.threads)]


def _exit_signal(k: "Kernel", task: TaskStruct, group_dead: bool) -> list[Pid]:
    """Leave the thread group: times, pid links, handlers.

    The caller holds tasklist_lock and siglock.

    Returns:
        The pids nothing uses any more.

    Source: kernel/exit.c:__exit_signal().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    assert_held(k, task.sighand.siglock)
    signal = task.signal
    # What times() and getrusage() tell of a process is the sum over its threads; those that are
    # gone live on in this one. Under siglock, so that nobody counts a thread twice or not at all.
    signal.utime_ns += task.utime_ns
    signal.stime_ns += task.stime_ns
    signal.min_flt += task.min_flt
    signal.nvcsw += task.nvcsw
    signal.nivcsw += task.nivcsw
    signal.nr_threads -= 1
    unused = unhash_process(k, task, group_dead)
    task.pending = ()
    task.sighand.count -= 1
    task.sighand = None  # type: ignore[assignment]  # lock_task_sighand() fails from now on
    if group_dead:
        signal.shared_pending = ()
    return unused


def unhash_process(k: "Kernel", task: TaskStruct, group_dead: bool) -> list[Pid]:
    """Unlink ``task`` from its pids, its group and, for a leader, the family and the task list.

    Returns:
        The pids nothing uses any more.

    Source: kernel/exit.c:__unhash_process().
    """
    tasks = k.tasks
    tasks.nr_threads -= 1
    if group_dead:
        unused = detach_leader(k, task)
        tasks.unlink(task)
        del task.real_parent.children[task.pid]
    else:
        pid = detach_pid(k, task, PIDTYPE_PID)
        unused = [] if pid is None else [pid]
    task.signal.threads.remove(task)
    return unused


def put_task_struct(k: "Kernel", task: TaskStruct) -> None:
    """Drop one of the task's two references; the last one frees it.

    Source: include/linux/sched/task.h:put_task_struct(), kernel/fork.c:__put_task_struct().
    """
    usage = task.usage = task.usage - 1
    if usage > 0:
        return
    if usage < 0:
        raise InvariantError(f"{task!r}: task_struct freed twice")
    if k.tracing:
        k.emit(SCHED_PROCESS_FREE, (task.comm, task.pid, DEFAULT_PRIO + task.nice))
    signal = task.signal
    if signal is not None and not signal.count:
        signal.leader = None  # type: ignore[assignment]
        signal.curr_target = signal.group_exec_task = None
    free_task(k, task)
