"""What copy_process() copies or shares: the structure itself, files, memory, signals, credentials.

Source: kernel/fork.c (dup_task_struct, copy_files, copy_fs, copy_sighand, copy_signal, copy_mm).
"""

from typing import TYPE_CHECKING

from kernel.arch.stack import alloc_thread_info, free_thread_info
from kernel.errors import KernelError
from kernel.fs.file import dup_fd
from kernel.fs.fs_struct import copy_fs_struct
from kernel.mm.mm import dup_mm, mmget
from kernel.task import (
    NO_RLIMITS,
    PF_FORKNOEXEC,
    TASK_RUNNING,
    SighandStruct,
    SignalStruct,
    TaskStruct,
)
from kernel.time.posix_cpu_timers import posix_cpu_timers_init_group
from kernel.uapi.clone import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_PARENT,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VM,
    CSIGNAL,
)
from kernel.uapi.errno_ import EAGAIN

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def dup_task_struct(k: "Kernel", orig: TaskStruct) -> TaskStruct:
    """Return a new task_struct with ``orig``'s values and a kernel stack of its own.

    Raises:
        KernelError: ENOMEM; EAGAIN, a task of its scheduling class may not fork.

    Source: kernel/fork.c:dup_task_struct(); the refusal is kernel/sched/core.c:sched_fork()'s.
    """
    k.now_ns += k.costs.dup_task_struct
    if orig.attrs is not None and not k.sched.of(orig).may_fork(orig.attrs):
        raise KernelError(EAGAIN)
    slab = k.slabs["task_struct"]
    slot = slab.alloc()
    child = TaskStruct(0, 0, orig.comm)
    child.slot = slot
    try:
        child.stack = alloc_thread_info(k, child)
    except KernelError:
        slab.free(slot)
        raise
    child.state = TASK_RUNNING  # the caller's, until sched_fork()
    child.flags = orig.flags | PF_FORKNOEXEC
    child.nice = orig.nice
    child.blocked = orig.blocked
    child.cred = orig.cred
    child.nsproxy = orig.nsproxy
    child.cpu = orig.cpu
    child.self_exec_id = orig.self_exec_id
    return child


def free_task(k: "Kernel", task: TaskStruct) -> None:
    """Give back a task_struct and its kernel stack, and cut the links that would keep it alive.

    Source: kernel/fork.c:free_task().
    """
    free_thread_info(k, task.stack)
    k.slabs["task_struct"].free(task.slot)
    task.stack = 0
    task.slot = -1
    # Python's cycle collector should have nothing to find here.
    task.real_parent = task.parent = task.group_leader = None  # type: ignore[assignment]
    task.nsproxy = None
    task.signal = task.sighand = None  # type: ignore[assignment]
    task.thread_pid = None  # type: ignore[assignment]
    task.path = task.pi_lock = task.alloc_lock = None


def copy_files(k: "Kernel", clone_flags: int, child: TaskStruct) -> None:
    """Share or copy the descriptor table. Source: kernel/fork.c:copy_files()."""
    files = k.current.files
    if files is None:
        return
    if clone_flags & CLONE_FILES:
        files.count += 1
        child.files = files
    else:
        child.files = dup_fd(k, files)


def copy_fs(k: "Kernel", clone_flags: int, child: TaskStruct) -> None:
    """Share or copy the working directory and umask.

    Raises:
        KernelError: EAGAIN, it is to be shared and another thread is in the middle of an exec.

    Source: kernel/fork.c:copy_fs().
    """
    fs = k.current.fs
    if fs is None:
        return
    if clone_flags & CLONE_FS:
        if fs.in_exec:
            raise KernelError(EAGAIN)
        fs.users += 1
        child.fs = fs
    else:
        child.fs = copy_fs_struct(k, fs)


def copy_sighand(k: "Kernel", clone_flags: int, child: TaskStruct) -> None:
    """Share or copy the signal handlers. Source: kernel/fork.c:copy_sighand()."""
    sighand = k.current.sighand
    if clone_flags & CLONE_SIGHAND:
        sighand.count += 1
        child.sighand = sighand
    else:
        child.sighand = SighandStruct(k.new_lock("siglock"), sighand.action)


def copy_signal(k: "Kernel", clone_flags: int, child: TaskStruct, orig: SignalStruct) -> None:
    """Join the thread group's signal_struct, or make one for a new group.

    Source: kernel/fork.c:copy_signal().
    """
    if clone_flags & CLONE_THREAD:
        child.signal = orig
        return
    signal = SignalStruct()
    signal.leader = child
    signal.threads.append(child)
    signal.args = orig.args
    signal.env = orig.env
    signal.oom_score_adj = orig.oom_score_adj
    signal.oom_score_adj_min = orig.oom_score_adj_min
    if orig.rlim is not NO_RLIMITS:
        signal.rlim = orig.rlim
        posix_cpu_timers_init_group(k, signal)
    child.signal = signal


def copy_mm(k: "Kernel", clone_flags: int, child: TaskStruct) -> None:
    """Share or copy the address space.

    Raises:
        KernelError: ENOMEM.

    Source: kernel/fork.c:copy_mm().
    """
    mm = k.current.mm
    if mm is None:
        return
    if clone_flags & CLONE_VM:
        child.mm = mmget(mm)
    else:
        child.mm = dup_mm(k, mm)


def set_parent(clone_flags: int, child: TaskStruct, current: TaskStruct) -> None:
    """Say whose child it is: the caller's, or the caller's sibling; a thread has no exit signal."""
    if clone_flags & (CLONE_PARENT | CLONE_THREAD):
        thread = clone_flags & CLONE_THREAD
        child.real_parent = current.real_parent
        child.parent_exec_id = current.parent_exec_id
        child.exit_signal = -1 if thread else current.group_leader.exit_signal
    else:
        child.real_parent = current
        child.parent_exec_id = current.self_exec_id
        child.exit_signal = clone_flags & CSIGNAL
    child.parent = child.real_parent
