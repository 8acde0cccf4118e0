"""The tasks that boot makes, and what init does for a living.

swapper/0 (pid 0) is there before anything else; its number is not in the pid map. It makes init
(pid 1), which becomes a user process, and kthreadd (pid 2), which makes the kernel threads; those
that each CPU boots with (``kernel.boot.smpboot``) are made here without it, before time begins.

Source: init/main.c:rest_init(), init/init_task.c, kernel/kthread.c:kthreadd().
Deviation: init is a kernel-side loop: it reaps every child and does nothing else.
"""

from typing import TYPE_CHECKING

from kernel.boot.services import do_initcalls
from kernel.boot.smpboot_names import boot_kthreads
from kernel.cred.creds import Cred, UserStruct
from kernel.events import SCHED_PROCESS_FORK, TASK_CHANGE
from kernel.fs.file import init_files
from kernel.fs.fs_struct import init_fs
from kernel.mm.mm import mm_alloc
from kernel.ns.nsproxy import boot_nsproxy
from kernel.ns.pid_namespace import boot_pid_ns
from kernel.points import SCHEDULE, Path
from kernel.process.attrs import new_attrs
from kernel.process.exec import NO_ACTION
from kernel.process.fork import copy_process
from kernel.process.groups import set_special_pids
from kernel.process.kthread import KthreadList
from kernel.process.limits import boot_rlimits, max_threads
from kernel.process.pid import (
    PIDTYPE_MAX,
    PIDTYPE_PGID,
    PIDTYPE_PID,
    PIDTYPE_SID,
    Pid,
    PidMap,
    attach_pid,
)
from kernel.process.tasklist import TaskList
from kernel.process.wait import wait_scan
from kernel.process.wait_task import WaitOpts
from kernel.profiles import profile_named
from kernel.signal.deliver import get_signal
from kernel.smp.ttwu import set_current_state
from kernel.smp.weigh import set_task_cpu
from kernel.task import (
    PF_FORKNOEXEC,
    PF_KTHREAD,
    PF_NO_SETAFFINITY,
    SIGNAL_UNKILLABLE,
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    SighandStruct,
    SignalStruct,
    TaskStruct,
)
from kernel.uapi.clone import CLONE_FILES, CLONE_FS
from kernel.uapi.signals import NSIG, SIG_IGN, SIGCHLD
from kernel.uapi.wait import WEXITED

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def boot_tasks(k: "Kernel") -> None:
    """Make ``k.tasks``, ``k.pids``, swapper, init and kthreadd.

    Page frames, slab caches, kernel stacks and the file tree must be there. Afterwards init is
    RUNNING, ready for init_reap(), and so are kthreadd and the per-CPU threads.
    """
    swapper = TaskStruct(0, 0, "swapper/0")
    threads = max_threads(k.spec)
    k.tasks = TaskList(swapper, profile_named(k.spec.linux), threads)
    k.tasks.rlimits = boot_rlimits(threads)
    k.pids = PidMap(k.spec.pid_max)
    k.init_pid_ns = boot_pid_ns(k)
    root = UserStruct(0)
    k.tasks.users[0] = root
    swapper.state = TASK_RUNNING
    swapper.flags = PF_KTHREAD
    swapper.cred = Cred(root, 0, 0, 0, 0, 0)
    swapper.sighand = SighandStruct(k.new_lock("siglock"), NO_ACTION)
    signal = swapper.signal = SignalStruct()
    signal.leader = swapper
    signal.threads.append(swapper)
    pid0 = Pid(0)
    attach_pid(k, swapper, PIDTYPE_PID, pid0)
    attach_pid(k, swapper, PIDTYPE_PGID, pid0)
    attach_pid(k, swapper, PIDTYPE_SID, pid0)
    swapper.files = init_files(k)
    swapper.fs = init_fs(k)
    swapper.nsproxy = k.init_nsproxy = boot_nsproxy(k.init_pid_ns)
    k.init_task = k.current = swapper

    init = _kernel_thread(k, CLONE_FS, "init")
    init.signal.flags = SIGNAL_UNKILLABLE
    init.flags &= ~(PF_KTHREAD | PF_FORKNOEXEC)
    init.exit_signal = SIGCHLD
    init.mm = mm_alloc(k, None)
    set_special_pids(init)
    if k.tracing:
        k.emit(TASK_CHANGE, (init.pid, "sid", init.pid))
    k.child_reaper = k.init_pid_ns.child_reaper = init

    kthreadd = _kernel_thread(k, CLONE_FS | CLONE_FILES, "kthreadd")
    kthreadd.sighand.action = dict.fromkeys(range(1, NSIG + 1), SIG_IGN)
    kthreadd.state = TASK_RUNNING
    k.kthreadd = kthreadd
    k.kthread_create_list = KthreadList(k.new_lock("kthread_create_lock"))
    k.current = kthreadd
    for _pid, name, cpu in boot_kthreads(k.spec):
        task = _kernel_thread(k, CLONE_FS | CLONE_FILES | SIGCHLD, name)
        set_task_cpu(k, task, cpu)
        if k.tracing:
            k.emit(TASK_CHANGE, (task.pid, "cpu", cpu))
        task.flags |= PF_NO_SETAFFINITY
        new_attrs(task).cpus_mask = 1 << cpu
        k.affinity_used = True


def _kernel_thread(k: "Kernel", flags: int, comm: str) -> TaskStruct:
    """Return a child of the current task, made before there is anything to interleave with."""
    path = copy_process(k, flags)  # its points mean nothing yet
    while True:
        try:
            next(path)
        except StopIteration as done:
            task: TaskStruct = done.value
            break
    task.comm = comm
    if k.tracing:
        k.emit(SCHED_PROCESS_FORK, (k.current.comm, k.current.pid, comm, task.pid))
    task.state = TASK_RUNNING
    return task


def kernel_init(k: "Kernel") -> Path[None]:
    """Be pid 1: start what the kernel starts, then be init.

    Source: init/main.c:kernel_init().
    """
    if k.spec.services:
        yield from do_initcalls(k)
    yield from init_reap(k)


def init_reap(k: "Kernel") -> Path[None]:
    """Be init: wait for children for ever, and tell ``k.programs`` of each. Never returns."""
    init = k.current
    wo = WaitOpts(init, PIDTYPE_MAX, None, WEXITED)
    init.signal.wait_chldexit.append(wo)
    while True:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        report = yield from wait_scan(k, wo)
        if isinstance(report, tuple):
            k.programs.exited(report[0], report[1])
            yield from set_current_state(k, TASK_RUNNING)
        elif init.sigpending:
            yield from set_current_state(k, TASK_RUNNING)
            yield from get_signal(k)  # nothing ends init, but a tracer may stop it
        else:
            # also without any child: the next one to exit finds the entry on the wait queue
            yield "init_reap.schedule", SCHEDULE, None
