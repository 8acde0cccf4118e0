"""The way back of a fork that fails: what copy_process() has built is taken apart, last step first.

Source: kernel/fork.c:copy_process(), the bad_fork_* labels.
"""

from typing import TYPE_CHECKING, Final

from kernel.fs.file import put_files_struct
from kernel.fs.fs_struct import put_fs_struct
from kernel.mm.mm import mmput
from kernel.ns.nsproxy import exit_task_namespaces
from kernel.points import Path
from kernel.process.clone import KernelCloneArgs, cancel_pidfd
from kernel.process.copy import free_task
from kernel.process.pid import Pid, free_pid
from kernel.task import TaskStruct
from kernel.uapi.clone import CLONE_SIGHAND

if TYPE_CHECKING:
    from kernel.kernel import Kernel

# how far copy_process() has come, and what is to be undone: Linux's bad_fork_* labels
NOTHING: Final = 0
CHARGED: Final = 1  # to the user
FILES: Final = 2
FS: Final = 3
SIGNAL: Final = 4  # and handlers
MM: Final = 5


def unwind(
    k: "Kernel",
    clone_flags: int,
    child: TaskStruct,
    done: int,
    pid: Pid | None,
    args: KernelCloneArgs | None,
) -> Path[None]:
    """Take apart a child that was not linked, last step first.

    Args:
        done: the last step of copy_process() that is to be undone.

    Source: kernel/fork.c:copy_process(), the bad_fork_* labels.
    """
    k.stats.fork_failures += 1
    if args is not None:
        yield from cancel_pidfd(k, args)
    if pid is not None:
        yield from free_pid(k, pid)
    if done >= MM and child.nsproxy is not None:
        exit_task_namespaces(k, child)
    if done >= MM and child.mm is not None:
        yield from mmput(k, child.mm)
    if done >= SIGNAL and clone_flags & CLONE_SIGHAND:
        child.sighand.count -= 1
    if done >= FS and child.fs is not None:
        yield from put_fs_struct(k, child.fs)
    if done >= FILES and child.files is not None:
        yield from put_files_struct(k, child.files)
    if child.sysvsem is not None:
        child.sysvsem.refcnt -= 1  # the caller shares it, so it is not the last one
    if done >= CHARGED:
        child.cred.user.processes -= 1
    free_task(k, child)
