"""What clone() and clone3() have beyond fork(): which flags go together, and their extra results.

fork and thread start pass no ``KernelCloneArgs``: copy_process() then skips all of this with one
test.

Source: kernel/fork.c (copy_process, kernel_clone, pidfd_prepare), kernel/signal.c.
Deviation: the word of CLONE_CHILD_SETTID is written when the child is complete, not when it first
runs; CLONE_CHILD_CLEARTID takes no word (see ``mm_release``).
"""

from typing import TYPE_CHECKING

from kernel.cgroup.cgroupfs import cgroup_css_set_fork
from kernel.errors import KernelError
from kernel.fs.file import close_fd
from kernel.mm.access import store
from kernel.mm.fault import find_vma
from kernel.points import Path
from kernel.process.pid import pid_nr_ns, task_active_pid_ns
from kernel.process.pidfd import PIDFD_THREAD, pidfd_create
from kernel.task import SIGNAL_UNKILLABLE, SighandStruct, TaskStruct, files_of, mm_of, nsproxy_of
from kernel.uapi.clone import (
    CLONE_CHILD_SETTID,
    CLONE_DETACHED,
    CLONE_FS,
    CLONE_INTO_CGROUP,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VM,
)
from kernel.uapi.errno_ import EFAULT, EINVAL
from kernel.uapi.mman import PAGE_SHIFT
from kernel.uapi.signals import SIG_IGN

if TYPE_CHECKING:
    from kernel.cgroup.cgroup import Cgroup
    from kernel.kernel import Kernel
    from kernel.process.pid import Pid


CloneResult = int | tuple[int, int]  # pid; with CLONE_PIDFD (pid, pidfd)


class KernelCloneArgs:
    """Arguments of clone() and clone3() (``struct kernel_clone_args``).

    Attributes:
        flags: CLONE_* without an exit signal.
        set_tid: numbers the child is to have, from the innermost pid namespace on.
        pidfd: the caller takes a pidfd; without it CLONE_PIDFD has nowhere to put it.
        parent_tid, child_tid: addresses of the words for the child's tid, or 0.
        pidfd_fd: the descriptor made for the caller; -1 if none.
        cgroup: the descriptor of CLONE_INTO_CGROUP; ``into``: the group that it is.
    """

    __slots__ = (
        "cgroup",
        "child_tid",
        "flags",
        "into",
        "parent_tid",
        "pidfd",
        "pidfd_fd",
        "set_tid",
    )

    def __init__(
        self,
        flags: int,
        set_tid: tuple[int, ...] = (),
        *,
        pidfd: bool = False,
        parent_tid: int = 0,
        child_tid: int = 0,
        cgroup: int = 0,
    ) -> None:
        self.flags = flags
        self.set_tid = set_tid
        self.pidfd = pidfd
        self.parent_tid = parent_tid
        self.child_tid = child_tid
        self.pidfd_fd = -1
        self.cgroup = cgroup
        self.into: Cgroup | None = None


def check_clone_flags(k: "Kernel", flags: int) -> None:
    """Raise KernelError(EINVAL) if ``flags`` do not go together.

    Source: kernel/fork.c:copy_process(), the checks before anything is built.
    """
    if flags & CLONE_FS and flags & (CLONE_NEWNS | CLONE_NEWUSER):
        raise KernelError(EINVAL)
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND:
        raise KernelError(EINVAL)
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise KernelError(EINVAL)
    current = k.current
    if flags & CLONE_PARENT and current.signal.flags & SIGNAL_UNKILLABLE:
        raise KernelError(EINVAL)
    if flags & CLONE_THREAD:
        if flags & (CLONE_NEWUSER | CLONE_NEWPID):
            raise KernelError(EINVAL)
        nsproxy = nsproxy_of(current)
        if nsproxy is not k.init_nsproxy and nsproxy.pid_ns_for_children is not task_active_pid_ns(
            k, current
        ):
            raise KernelError(EINVAL)
    if flags & CLONE_PIDFD and flags & CLONE_DETACHED:
        raise KernelError(EINVAL)


def flush_signal_handlers(task: TaskStruct) -> None:
    """Set every handler of a new process to SIG_DFL; what is ignored stays so.

    Source: kernel/signal.c:flush_signal_handlers().
    """
    sighand: SighandStruct = task.sighand
    sighand.action = {sig: act for sig, act in sighand.action.items() if act == SIG_IGN}


def prepare_pidfd(k: "Kernel", args: KernelCloneArgs, pid: "Pid") -> None:
    """Make the pidfd of CLONE_PIDFD in the caller's table, and check what comes after it.

    Raises:
        KernelError: EMFILE; EFAULT, nowhere to put its number; of CLONE_INTO_CGROUP as
            ``cgroup_css_set_fork``.

    Source: kernel/fork.c:copy_process(), pidfd_prepare(); kernel/cgroup/cgroup.c:cgroup_can_fork().
    """
    if args.flags & CLONE_PIDFD:
        thread = args.flags & CLONE_THREAD
        args.pidfd_fd = pidfd_create(k, pid, PIDFD_THREAD if thread else 0)
        if not args.pidfd:
            raise KernelError(EFAULT)
    if args.flags & CLONE_INTO_CGROUP:
        args.into = cgroup_css_set_fork(k, args.cgroup, not args.flags & CLONE_THREAD)
        args.into.expected += 1


def cancel_pidfd(k: "Kernel", args: KernelCloneArgs) -> Path[None]:
    """Close the pidfd of a child that was not made after all, and expect it nowhere."""
    if args.into is not None:
        args.into.expected -= 1
    if args.pidfd_fd >= 0:
        fd, args.pidfd_fd = args.pidfd_fd, -1
        yield from close_fd(k, files_of(k.current), fd)


def finish_clone(
    k: "Kernel", args: KernelCloneArgs, child: TaskStruct, pid: int
) -> Path[CloneResult]:
    """Store the child's tid where the caller wants it; return the result of the call.

    A bad address is nobody's error, as in Linux.

    Source: kernel/fork.c:kernel_clone() (put_user), schedule_tail().
    """
    if args.flags & CLONE_PARENT_SETTID and args.parent_tid:
        yield from _put_tid(k, k.current, args.parent_tid, pid)
    if args.flags & CLONE_CHILD_SETTID and args.child_tid:
        number = pid_nr_ns(child.thread_pid, task_active_pid_ns(k, child))
        yield from _put_tid(k, child, args.child_tid, number)
    result: CloneResult = pid
    if args.pidfd_fd >= 0:
        result = (pid, args.pidfd_fd)
    return result


def _put_tid(k: "Kernel", task: TaskStruct, address: int, number: int) -> Path[None]:
    """Store a tid in ``task``'s memory, if it has a writable word at ``address``.

    Source: include/asm-generic/uaccess.h:put_user().
    """
    if find_vma(mm_of(task), address >> PAGE_SHIFT) is None:
        return
    k.now_ns += k.costs.memory_access
    yield from store(k, mm_of(task), address, number.to_bytes(4, "little"))
