"""The death of a pid namespace's init: everybody in it dies, and it waits until they are gone.

Source: kernel/pid_namespace.c:zap_pid_ns_processes().
"""

from typing import TYPE_CHECKING

from kernel.errors import KernelError, RestartSyscall
from kernel.ns.pid_namespace import PidNamespace
from kernel.points import ACQUIRE, POINT, READ, RELEASE, SCHEDULE, Path
from kernel.process.acct import acct_exit_ns
from kernel.process.pid import PIDTYPE_MAX
from kernel.process.wait import do_wait
from kernel.process.wait_task import WaitOpts
from kernel.signal.pending import fatal_signal_pending
from kernel.signal.send import do_send_sig_info
from kernel.smp.ttwu import set_current_state
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING
from kernel.uapi.signals import SI_KERNEL, SIG_IGN, SIGCHLD, SIGKILL
from kernel.uapi.wait import WALL, WEXITED

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def zap_pid_ns_processes(k: "Kernel", ns: PidNamespace) -> Path[None]:
    """Kill everybody in ``ns`` but the caller, its dying init, and wait until they are gone.

    Called without locks.

    Source: kernel/pid_namespace.c:zap_pid_ns_processes(), disable_pid_allocation().
    """
    me = k.current
    lock = k.pidmap_lock
    init_pids = 1 if me.group_leader is me else 2
    yield "zap_pid_ns_processes.pidmap_lock", ACQUIRE, lock
    ns.adding = False
    yield "zap_pid_ns_processes.pidmap_unlock", RELEASE, lock
    # from now on children are reaped as they die
    siglock = me.sighand.siglock
    yield "zap_pid_ns_processes.siglock", ACQUIRE, siglock
    me.sighand.action = {**me.sighand.action, SIGCHLD: SIG_IGN}
    yield "zap_pid_ns_processes.siglock_done", RELEASE, siglock
    yield "zap_pid_ns_processes.tasklist_lock", READ, k.tasklist_lock
    for number in sorted(ns.pids.hash):
        pid = ns.pids.hash.get(number)
        task = None if pid is None else pid.task
        if number > 1 and task is not None and not fatal_signal_pending(task):
            info = (SIGKILL, SI_KERNEL, 0, 0, 0)
            yield from do_send_sig_info(k, SIGKILL, info, task, PIDTYPE_MAX)
    yield "zap_pid_ns_processes.tasklist_unlock", RELEASE, k.tasklist_lock
    # the zombies of the time before
    left = True
    while left:
        me.sigpending = False
        try:
            yield from do_wait(k, WaitOpts(me, PIDTYPE_MAX, None, WEXITED | WALL))
        except KernelError:
            left = False  # ECHILD
        except RestartSyscall:
            pass
    # and whoever is no child of the caller's, or was reaped as it died, and is still on its way out
    left = True
    while left:
        left = False
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        yield "zap_pid_ns_processes.pid_allocated", POINT, ns
        left = ns.pid_allocated != init_pids
        if left:
            yield "zap_pid_ns_processes.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)
    if ns.bacct is not None:
        yield from acct_exit_ns(k, ns)
