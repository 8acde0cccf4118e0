"""unshare() and clone3(): the calls that change or choose what a task shares.

Source: kernel/fork.c (ksys_unshare, clone3).
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import Cred, ns_capable
from kernel.errors import GuestFault, KernelError
from kernel.fs.file import dup_fd, put_files_struct
from kernel.fs.fs_struct import copy_fs_struct, put_fs_struct
from kernel.ipc.sem import exit_sem
from kernel.ns.nsproxy import (
    CLONE_NEW_ANY,
    NsProxy,
    create_new_namespaces,
    put_nsproxy,
)
from kernel.ns.pid_namespace import MAX_PID_NS_LEVEL
from kernel.ns.user_namespace import create_user_ns
from kernel.points import POINT, Path
from kernel.process.clone import CloneResult, KernelCloneArgs, check_clone_flags
from kernel.process.fork import do_fork
from kernel.task import TaskStruct, files_of, fs_of, mm_of, nsproxy_of
from kernel.uapi.clone import (
    CLONE_CLEAR_SIGHAND,
    CLONE_DETACHED,
    CLONE_FILES,
    CLONE_FS,
    CLONE_INTO_CGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_PARENT,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    CSIGNAL,
)
from kernel.uapi.errno_ import EINVAL, EPERM
from kernel.uapi.failure import refused
from kernel.uapi.signals import NSIG

if TYPE_CHECKING:
    from kernel.fs.file import FilesStruct
    from kernel.fs.fs_struct import FsStruct
    from kernel.kernel import Kernel

CLONE_LEGACY_FLAGS: Final = 0xFFFFFFFF
_INT_MAX: Final = (1 << 31) - 1
_UNSHARE_FLAGS: Final = (
    CLONE_THREAD
    | CLONE_FS
    | CLONE_SIGHAND
    | CLONE_VM
    | CLONE_FILES
    | CLONE_SYSVSEM
    | CLONE_NEW_ANY
    | CLONE_NEWUSER
)


def sys_clone3(
    k: "Kernel",
    flags: int,
    exit_signal: int,
    set_tid: tuple[int, ...],
    pidfd: bool,
    parent_tid: int,
    child_tid: int,
    cgroup: int = 0,
) -> Path[CloneResult]:
    """Make a child as ``flags`` say, with a choice of its numbers and of what the caller gets.

    Args:
        flags: CLONE_*; the low byte must be 0 but for CLONE_NEWTIME.
        exit_signal: sent to the parent when the child ends; 0 for none.
        set_tid: the child's numbers, from its innermost pid namespace on; () for the next ones.
        pidfd: there is a place for the pidfd of CLONE_PIDFD.
        parent_tid, child_tid: addresses for CLONE_PARENT_SETTID and CLONE_CHILD_SETTID, or 0.
        cgroup: the descriptor of CLONE_INTO_CGROUP: of the directory of a group.

    Returns:
        The child's pid, with CLONE_PIDFD ``(pid, pidfd)``; 0 in the child.

    Raises:
        KernelError: EINVAL, unknown flags, a bad exit signal, what does not go together; all that
            clone() fails with; EEXIST, EPERM, EINVAL for ``set_tid``; EBADF, ENOENT,
            EACCES, EBUSY, EOPNOTSUPP for ``cgroup``.
        GuestFault: REFUSED for CLONE_VM without CLONE_VFORK: parent and child would
            run on one stack at once. Use clone_thread().

    Source: kernel/fork.c:clone3(), copy_clone_args_from_user(), clone3_args_valid().
    """
    if len(set_tid) > MAX_PID_NS_LEVEL or exit_signal & ~CSIGNAL or not 0 <= exit_signal <= NSIG:
        raise KernelError(EINVAL)
    if flags & ~(CLONE_LEGACY_FLAGS | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP):
        raise KernelError(EINVAL)
    if flags & CLONE_INTO_CGROUP and not 0 <= cgroup <= _INT_MAX:
        raise KernelError(EINVAL)
    if flags & (CLONE_DETACHED | CSIGNAL & ~CLONE_NEWTIME):
        raise KernelError(EINVAL)
    if flags & CLONE_SIGHAND and flags & CLONE_CLEAR_SIGHAND:
        raise KernelError(EINVAL)
    if flags & (CLONE_THREAD | CLONE_PARENT) and exit_signal:
        raise KernelError(EINVAL)
    check_clone_flags(k, flags)
    if flags & CLONE_SETTLS:
        raise GuestFault(refused("clone3(CLONE_SETTLS) needs a TLS block"))
    if flags & (CLONE_VM | CLONE_VFORK) == CLONE_VM:
        raise GuestFault(
            refused("clone3(CLONE_VM) needs CLONE_VFORK, or clone_thread() and a stack of its own")
        )
    args = KernelCloneArgs(
        flags,
        set_tid,
        pidfd=pidfd,
        parent_tid=parent_tid,
        child_tid=child_tid,
        cgroup=cgroup,
    )
    return do_fork(k, flags & ~CSIGNAL | exit_signal, args)


def _implied_flags(flags: int) -> int:
    """Return ``flags`` with what cannot go on being shared then. Source: ksys_unshare()."""
    if flags & CLONE_NEWUSER:
        flags |= CLONE_THREAD | CLONE_FS
    if flags & CLONE_VM:
        flags |= CLONE_SIGHAND
    if flags & CLONE_SIGHAND:
        flags |= CLONE_THREAD
    if flags & CLONE_NEWNS:
        flags |= CLONE_FS
    return flags


def _check_unshare_flags(current: TaskStruct, flags: int) -> None:
    """Raise EINVAL for other flags, and for what cannot be had while others share it.

    Source: kernel/fork.c:check_unshare_flags().
    """
    if flags & ~_UNSHARE_FLAGS:
        raise KernelError(EINVAL)
    if flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) and len(current.signal.threads) > 1:
        raise KernelError(EINVAL)
    if flags & (CLONE_SIGHAND | CLONE_VM) and current.sighand.count > 1:
        raise KernelError(EINVAL)
    if flags & CLONE_VM and mm_of(current).users > 1:
        raise KernelError(EINVAL)


def sys_unshare(k: "Kernel", flags: int) -> Path[None]:
    """Stop sharing with others what ``flags`` name; a new namespace for each CLONE_NEW*.

    CLONE_NEWPID and CLONE_NEWTIME change where future children go, not the caller.

    Raises:
        KernelError: EINVAL, other flags, or CLONE_THREAD, CLONE_SIGHAND, CLONE_VM (and
            CLONE_NEWUSER, which includes the first) of a process with other threads; EINVAL, a
            second CLONE_NEWPID; EPERM, no privilege; EMFILE, ENOSPC.

    Source: kernel/fork.c:ksys_unshare().
    """
    flags = _implied_flags(flags & 0xFFFFFFFF)
    current = k.current
    _check_unshare_flags(current, flags)
    new_fs: FsStruct | None = None
    new_files: FilesStruct | None = None
    new_nsproxy: NsProxy | None = None
    new_cred: Cred | None = None
    failed: KernelError | None = None
    try:
        if flags & CLONE_FS and fs_of(current).users > 1:
            new_fs = copy_fs_struct(k, fs_of(current))
        if flags & CLONE_FILES and files_of(current).count > 1:
            new_files = dup_fd(k, files_of(current))
        if flags & CLONE_NEWUSER:
            new_cred = create_user_ns(k, current.cred)
        if flags & CLONE_NEW_ANY:
            cred: Cred = current.cred if new_cred is None else new_cred
            if not ns_capable(cred, cred.user_ns):
                raise KernelError(EPERM)
            new_nsproxy = create_new_namespaces(k, flags, nsproxy_of(current), cred.user_ns)
    except KernelError as error:
        failed = error
    if failed is None:
        if flags & (CLONE_NEWIPC | CLONE_SYSVSEM) and current.sysvsem is not None:
            yield from exit_sem(k, current)
        yield "unshare.task_lock", POINT, current
        if new_nsproxy is not None:
            old_nsproxy = nsproxy_of(current)
            current.nsproxy = new_nsproxy
            put_nsproxy(k, old_nsproxy)
        if new_fs is not None:
            new_fs, current.fs = current.fs, new_fs
        if new_files is not None:
            new_files, current.files = current.files, new_files
        if new_cred is not None:
            current.cred = new_cred
    # what is left over: the old ones, or the new ones after a failure
    if new_fs is not None:
        yield from put_fs_struct(k, new_fs)
    if new_files is not None:
        yield from put_files_struct(k, new_files)
    if failed is not None:
        raise failed
    return None
