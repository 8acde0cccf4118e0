"""posix_spawn, and programs started by the machine's configuration.

posix_spawn is user code: glibc's clone(CLONE_VM | CLONE_VFORK), a few calls in the child, exec. So
it is here: the child's user context is a small machine (``SpawnChild``) that makes those calls one
after the other, each served like any other; the errno of the one that failed is left where the
parent finds it. The parent reaps a child that could not exec, so only a pid was used up.

Source: glibc sysdeps/unix/sysv/linux/spawni.c; kernel/umh.c (call_usermodehelper).
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.cgroup.access import notify
from kernel.cgroup.cgroup import attach_task
from kernel.cred.creds import Cred, alloc_uid
from kernel.errors import GuestFault, KernelError
from kernel.events import SCHED_PROCESS_EXEC, SCHED_PROCESS_FORK, TASK_CHANGE
from kernel.fs.capture import open_std
from kernel.fs.inode import set_mm_exe_file
from kernel.fs.namei import lookup_inode
from kernel.mm.mm import mm_alloc, mmput
from kernel.points import Path
from kernel.process.attrs import new_attrs
from kernel.process.binprm import prepare_exec
from kernel.process.exec import emit_args, install_program, start_bits
from kernel.process.fork import copy_process
from kernel.process.groups import set_special_pids
from kernel.process.pid import PIDTYPE_PID, pid_vnr
from kernel.process.spawn_child import SpawnChild
from kernel.process.vfork import wait_for_vfork_done
from kernel.process.wait import do_wait
from kernel.process.wait_task import WaitOpts
from kernel.ptrace.stops import ptrace_event, ptrace_fork_event
from kernel.signal.pending import recalc_sigpending_tsk
from kernel.smp.ttwu import wake_up_new_task
from kernel.task import PF_FORKNOEXEC, TaskStruct, files_of, fs_of, mm_of
from kernel.time.posix_cpu_timers import limit_cpu
from kernel.uapi.clone import CLONE_VFORK, CLONE_VM
from kernel.uapi.errno_ import ECHILD, ENOTDIR
from kernel.uapi.fcntl import F_SETFD
from kernel.uapi.ptrace import PTRACE_EVENT_VFORK_DONE
from kernel.uapi.rlimit import RLIMIT_CPU, RLIMIT_RTTIME
from kernel.uapi.signals import NSIG, SIG_DFL, SIG_KERNEL_ONLY_MASK, SIG_SETMASK, SIGCHLD
from kernel.uapi.syscalls import (
    NR_CLOSE,
    NR_DUP2,
    NR_EXECVE,
    NR_FCNTL,
    NR_GETGID,
    NR_GETUID,
    NR_OPEN,
    NR_RT_SIGACTION,
    NR_RT_SIGPROCMASK,
    NR_SCHED_SETPARAM,
    NR_SCHED_SETSCHEDULER,
    NR_SETPGID,
    NR_SETRESGID,
    NR_SETRESUID,
    NR_SETSID,
)
from kernel.uapi.wait import WALL, WEXITED

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.machine import SpawnSpec
    from kernel.user import Op

POSIX_SPAWN_OPEN: Final = 0
POSIX_SPAWN_CLOSE: Final = 1
POSIX_SPAWN_DUP2: Final = 2

_ALL_SIGNALS: Final = (1 << 64) - 1
_NO_ATTRIBUTES: Final = (False, False, None, 0, None, ())


def spawn_plan(
    path: str,
    argv: tuple[str, ...],
    env: tuple[tuple[str, str], ...] | None,
    file_actions: tuple[tuple[Any, ...], ...],
    setpgroup: int | None,
    attributes: tuple[Any, ...],
    cred: Cred,
) -> list["Op"]:
    """Return the calls of a spawn child, in glibc's order; an open carries the wanted fd too.

    Source: glibc sysdeps/unix/sysv/linux/spawni.c:__spawni_child().
    """
    resetids, setsid, sigmask, sigdef, scheduler, candidates = attributes
    plan: list[Op] = [
        (NR_RT_SIGACTION, signal, SIG_DFL)
        for signal in range(1, NSIG + 1)
        if sigdef >> (signal - 1) & 1
    ]
    if scheduler is not None:
        policy, priority = scheduler
        if policy is None:
            plan.append((NR_SCHED_SETPARAM, 0, priority))
        else:
            plan.append((NR_SCHED_SETSCHEDULER, 0, policy, priority))
    if setsid:
        plan.append((NR_SETSID,))
    if setpgroup is not None:
        plan.append((NR_SETPGID, 0, setpgroup))
    if resetids:
        plan += [(NR_GETUID,), (NR_SETRESUID, -1, cred.uid, -1)]
        plan += [(NR_GETGID,), (NR_SETRESGID, -1, cred.gid, -1)]
    for action in file_actions or ():
        if action[0] == POSIX_SPAWN_OPEN:
            _, fd, name, flags, mode = action
            plan.append((NR_CLOSE, fd))
            plan.append((NR_OPEN, name, flags, mode, fd))
        elif action[0] == POSIX_SPAWN_CLOSE:
            plan.append((NR_CLOSE, action[1]))
        elif action[1] == action[2]:
            plan.append((NR_FCNTL, action[1], F_SETFD, 0))  # to be inherited, then
        else:
            plan.append((NR_DUP2, action[1], action[2], True))
    if sigmask is not None:
        plan.append((NR_RT_SIGPROCMASK, SIG_SETMASK, sigmask))
    plan += [(NR_EXECVE, candidate, argv, env) for candidate in candidates or (path,)]
    return plan


def sys_posix_spawn(
    k: "Kernel",
    path: str,
    argv: tuple[str, ...],
    env: tuple[tuple[str, str], ...] | None,
    file_actions: tuple[tuple[Any, ...], ...],
    setpgroup: int | None,
    attributes: tuple[Any, ...] = _NO_ATTRIBUTES,
) -> Path[int]:
    """Start a program in a new child; return its pid.

    Args:
        path, argv, env: as in execve.
        file_actions: ``(POSIX_SPAWN_OPEN, fd, path, flags, mode)``, ``(POSIX_SPAWN_CLOSE, fd)``,
            ``(POSIX_SPAWN_DUP2, fd, new_fd)``, done in order.
        setpgroup: the child's process group (0: its own), or None to inherit.
        attributes: whether the effective ids become the real ones; whether it gets a session of its
            own; its signal mask, or None; the signals set to their default; ``(policy or None,
            priority)``, or None; the paths to try instead of ``path``.

    Raises:
        KernelError: the errno of the fork, or of whatever failed in the child.

    Source: glibc sysdeps/unix/sysv/linux/spawni.c:__spawnix().
    Deviation: RestartSyscall by a signal that came before the clone is the only interruption;
    CPython keeps its global lock until the child has let go, here the other threads run on.
    """
    current = k.current
    flags = CLONE_VM | CLONE_VFORK | SIGCHLD
    trace = ptrace_fork_event(current, flags) if current.ptrace else 0
    child: TaskStruct = yield from copy_process(k, flags, trace)
    context = SpawnChild(
        spawn_plan(path, argv, env, file_actions, setpgroup, attributes, current.cred)
    )
    child.ctx = context
    child.vfork_done = current
    thread_pid = child.thread_pid
    pid = pid_vnr(k, thread_pid)
    k.stats.vforks += 1
    if k.tracing:
        k.emit(SCHED_PROCESS_FORK, (current.comm, current.pid, child.comm, child.pid))
    # glibc blocks all signals until the child has let go of the memory
    blocked = current.blocked
    current.blocked = _ALL_SIGNALS & ~SIG_KERNEL_ONLY_MASK
    try:
        yield from wake_up_new_task(k, child, vfork=True)
        if trace:
            yield from ptrace_event(k, trace, pid)
        yield from wait_for_vfork_done(k, child)
        if current.ptrace:
            yield from ptrace_event(k, PTRACE_EVENT_VFORK_DONE, pid)
        if context.errno or context.fault:
            wo = WaitOpts(current, PIDTYPE_PID, thread_pid, WEXITED | WALL)
            try:
                yield from do_wait(k, wo)
            except KernelError as nobody:
                if nobody.errno != ECHILD:  # a parent that ignores SIGCHLD has no zombie
                    raise
    finally:
        current.blocked = blocked
        recalc_sigpending_tsk(current)
    if context.fault:
        raise GuestFault(context.fault)
    if context.errno:
        raise KernelError(context.errno, path)
    return pid


def spawn_process(k: "Kernel", spec: "SpawnSpec", label: str) -> Path[TaskStruct]:
    """Start one configured program as a child of init, in a session of its own; return the task.

    The caller has made init the current task.

    Args:
        spec: what to run.
        label: names the files its standard output and error go to.

    Raises:
        KernelError: the program cannot be run, or no task can be made.

    Source: kernel/umh.c:call_usermodehelper_exec_async().
    """
    init = k.current
    cwd = lookup_inode(k, spec.cwd)
    if cwd.entries is None:
        raise KernelError(ENOTDIR, spec.cwd)
    home = fs_of(init).cwd
    fs_of(init).cwd = cwd  # the program's path is looked up from where it will run
    try:
        bprm = prepare_exec(k, spec.path, spec.argv, spec.env)
    finally:
        fs_of(init).cwd = home
    child: TaskStruct = yield from copy_process(k, CLONE_VM | SIGCHLD)
    mm = mm_alloc(k, bprm.image)
    set_mm_exe_file(mm, bprm.inode, bprm.filename)
    yield from mmput(k, mm_of(child))
    child.mm = mm
    fs_of(child).cwd = cwd
    open_std(k, files_of(child), label, spec)
    uid, gid = k.spec.uid, k.spec.gid
    if uid or gid:
        user = alloc_uid(k, uid)
        child.cred.user.processes -= 1
        user.processes += 1
        child.cred = Cred(user, uid, uid, gid, gid, gid)
    set_special_pids(child)
    if spec.rlimits:
        child.signal.rlim = {which: (soft, hard) for which, soft, hard in spec.rlimits}
        if not child.signal.rlim.keys().isdisjoint((RLIMIT_CPU, RLIMIT_RTTIME)):
            limit_cpu(k, child.signal)
    child.signal.oom_score_adj = child.signal.oom_score_adj_min = spec.oom_score_adj
    if spec.no_new_privs:
        new_attrs(child).no_new_privs = True
    if spec.nice:
        child.nice = spec.nice
        if k.tracing:
            k.emit(TASK_CHANGE, (child.pid, "nice", spec.nice))
    child.flags &= ~PF_FORKNOEXEC
    k.stats.forks += 1
    if k.tracing:
        k.emit(SCHED_PROCESS_FORK, (init.comm, init.pid, child.comm, child.pid))
        k.emit(TASK_CHANGE, (child.pid, "sid", child.pid))
    install_program(k, child, bprm)
    k.stats.execs += 1
    if k.tracing:
        k.emit(SCHED_PROCESS_EXEC, (spec.path, child.pid, child.pid))
    emit_args(k, child, bprm)
    k.programs.labels[child.pid] = label  # before it runs: it may be gone when this path goes on
    program = (bprm.key, bprm.argv, bprm.env, start_bits(child, bprm))
    yield from wake_up_new_task(k, child, program=program)
    if spec.cgroup:
        yield from notify(k, attach_task(k, k.cgroups.at(spec.cgroup), child, True))
    return child
