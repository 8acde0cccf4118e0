"""The system call table: number -> handler.

A handler takes ``(k, *args)`` with the arguments of ``kernel.uapi.syscalls.TABLE`` and either
returns the result or is a generator path (``kernel.points``). Calls that a CPU answers by itself
while its task has a context of its own (getpid, compute, …) stand here too: a task whose context
lives in the kernel asks for them like for any other.

Source: arch/x86/entry/syscalls/syscall_64.tbl, kernel/sys.c, kernel/sched/syscalls.c.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from kernel.cred import creds
from kernel.cred.setxid import setxid
from kernel.errors import InvariantError, KernelError
from kernel.fs import (
    capture,
    d_path,
    dirops,
    eventfd,
    fcntl,
    file,
    fs_struct,
    random,
    read_write,
    readdir,
    select,
    stat,
)
from kernel.fs import open as open_
from kernel.ipc import futex, msg, pipe, sem, shm, socket, waitwake
from kernel.mm import atomic, fault, madvise, mlock, mmap
from kernel.ns import setns, unshare
from kernel.proc import links
from kernel.process import (
    acct,
    exec,
    exit,
    fork,
    groups,
    pid,
    pidfd,
    prctl,
    resource,
    spawn,
    wait,
)
from kernel.ptrace import requests as ptrace
from kernel.signal import calls as sigcalls
from kernel.signal import deliver as signal
from kernel.signal import kill
from kernel.smp import prio
from kernel.smp import syscalls as sched_syscalls
from kernel.time import itimer, timekeeping, timers
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import ENOSYS

if TYPE_CHECKING:
    from kernel.kernel import Kernel

Handler = Callable[..., Any]


HANDLERS: Final[dict[int, Handler]] = {
    nr.NR_NI_SYSCALL: ptrace.sys_ni_syscall,
    nr.NR_READ: read_write.sys_read,
    nr.NR_WRITE: read_write.sys_write,
    nr.NR_OPEN: open_.sys_open,
    nr.NR_CLOSE: open_.sys_close,
    nr.NR_POLL: select.sys_poll,
    nr.NR_SELECT: select.sys_select,
    nr.NR_FTRUNCATE: open_.sys_ftruncate,
    nr.NR_READLINK: links.sys_readlink,
    nr.NR_RENAME: dirops.sys_rename,
    nr.NR_RMDIR: dirops.sys_rmdir,
    nr.NR_MKNOD: dirops.sys_mknod,
    nr.NR_GETDENTS64: readdir.sys_getdents64,
    nr.NR_SENDTO: socket.sys_sendto,
    nr.NR_RECVFROM: socket.sys_recvfrom,
    nr.NR_SHUTDOWN: socket.sys_shutdown,
    nr.NR_SOCKETPAIR: socket.sys_socketpair,
    nr.NR_EVENTFD2: eventfd.sys_eventfd2,
    nr.NR_EVENTFD_READ: eventfd.sys_eventfd_read,
    nr.NR_EVENTFD_WRITE: eventfd.sys_eventfd_write,
    nr.NR_STAT: stat.sys_stat,
    nr.NR_FSTAT: stat.sys_fstat,
    nr.NR_IOCTL: capture.sys_ioctl,
    nr.NR_LSEEK: read_write.sys_lseek,
    nr.NR_MMAP: mmap.sys_mmap,
    nr.NR_MUNMAP: mmap.sys_munmap,
    nr.NR_MADVISE: madvise.sys_madvise,
    nr.NR_MLOCK: mlock.sys_mlock,
    nr.NR_MUNLOCK: mlock.sys_munlock,
    nr.NR_MLOCKALL: mlock.sys_mlockall,
    nr.NR_MUNLOCKALL: mlock.sys_munlockall,
    nr.NR_RT_SIGACTION: sigcalls.sys_rt_sigaction,
    nr.NR_RT_SIGPROCMASK: sigcalls.sys_rt_sigprocmask,
    nr.NR_ACCESS: open_.sys_access,
    nr.NR_SCHED_YIELD: sched_syscalls.sys_sched_yield,
    nr.NR_SHMGET: shm.sys_shmget,
    nr.NR_SHMAT: shm.sys_shmat,
    nr.NR_SHMCTL: shm.sys_shmctl,
    nr.NR_DUP: fcntl.sys_dup,
    nr.NR_DUP2: file.sys_dup2,
    nr.NR_PAUSE: signal.sys_pause,
    nr.NR_NANOSLEEP: timers.sys_nanosleep,
    nr.NR_GETITIMER: itimer.sys_getitimer,
    nr.NR_ALARM: itimer.sys_alarm,
    nr.NR_SETITIMER: itimer.sys_setitimer,
    nr.NR_GETPID: pid.sys_getpid,
    nr.NR_CLONE: fork.sys_clone,
    nr.NR_FORK: fork.sys_fork,
    nr.NR_VFORK: fork.sys_vfork,
    nr.NR_EXECVE: exec.sys_execve,
    nr.NR_EXIT: exit.sys_exit,
    nr.NR_WAIT4: wait.sys_wait4,
    nr.NR_KILL: kill.sys_kill,
    nr.NR_SEMGET: sem.sys_semget,
    nr.NR_SEMOP: sem.sys_semop,
    nr.NR_SEMCTL: sem.sys_semctl,
    nr.NR_SHMDT: shm.sys_shmdt,
    nr.NR_MSGGET: msg.sys_msgget,
    nr.NR_MSGSND: msg.sys_msgsnd,
    nr.NR_MSGRCV: msg.sys_msgrcv,
    nr.NR_MSGCTL: msg.sys_msgctl,
    nr.NR_FCNTL: fcntl.sys_fcntl,
    nr.NR_GETCWD: d_path.sys_getcwd,
    nr.NR_GETRANDOM: random.sys_getrandom,
    nr.NR_CHDIR: open_.sys_chdir,
    nr.NR_MKDIR: dirops.sys_mkdir,
    nr.NR_UNLINK: dirops.sys_unlink,
    nr.NR_CHMOD: open_.sys_chmod,
    nr.NR_UMASK: fs_struct.sys_umask,
    nr.NR_GETTIMEOFDAY: timers.sys_gettimeofday,
    nr.NR_GETRUSAGE: resource.sys_getrusage,
    nr.NR_TIMES: timekeeping.sys_times,
    nr.NR_PTRACE: ptrace.sys_ptrace,
    nr.NR_GETUID: creds.sys_getuid,
    nr.NR_GETGID: creds.sys_getgid,
    nr.NR_SETUID: setxid(creds.sys_setuid),
    nr.NR_SETGID: setxid(creds.sys_setgid),
    nr.NR_GETEUID: creds.sys_geteuid,
    nr.NR_GETEGID: creds.sys_getegid,
    nr.NR_SETPGID: groups.sys_setpgid,
    nr.NR_GETPPID: pid.sys_getppid,
    nr.NR_GETPGRP: groups.sys_getpgrp,
    nr.NR_SETSID: groups.sys_setsid,
    nr.NR_SETREUID: setxid(creds.sys_setreuid),
    nr.NR_SETREGID: setxid(creds.sys_setregid),
    nr.NR_SETRESUID: setxid(creds.sys_setresuid),
    nr.NR_GETRESUID: creds.sys_getresuid,
    nr.NR_SETRESGID: setxid(creds.sys_setresgid),
    nr.NR_GETRESGID: creds.sys_getresgid,
    nr.NR_GETPGID: groups.sys_getpgid,
    nr.NR_GETSID: groups.sys_getsid,
    nr.NR_RT_SIGPENDING: sigcalls.sys_rt_sigpending,
    nr.NR_RT_SIGTIMEDWAIT: sigcalls.sys_rt_sigtimedwait,
    nr.NR_GETPRIORITY: prio.sys_getpriority,
    nr.NR_SETPRIORITY: prio.sys_setpriority,
    nr.NR_SCHED_SETPARAM: sched_syscalls.sys_sched_setparam,
    nr.NR_SCHED_GETPARAM: sched_syscalls.sys_sched_getparam,
    nr.NR_SCHED_SETSCHEDULER: sched_syscalls.sys_sched_setscheduler,
    nr.NR_SCHED_GETSCHEDULER: sched_syscalls.sys_sched_getscheduler,
    nr.NR_SCHED_GET_PRIORITY_MAX: sched_syscalls.sys_sched_get_priority_max,
    nr.NR_SCHED_GET_PRIORITY_MIN: sched_syscalls.sys_sched_get_priority_min,
    nr.NR_SCHED_RR_GET_INTERVAL: sched_syscalls.sys_sched_rr_get_interval,
    nr.NR_SCHED_SETAFFINITY: sched_syscalls.sys_sched_setaffinity,
    nr.NR_SCHED_GETAFFINITY: sched_syscalls.sys_sched_getaffinity,
    nr.NR_SCHED_SETATTR: sched_syscalls.sys_sched_setattr,
    nr.NR_SCHED_GETATTR: sched_syscalls.sys_sched_getattr,
    nr.NR_PRCTL: prctl.sys_prctl,
    nr.NR_ACCT: acct.sys_acct,
    nr.NR_GETTID: pid.sys_gettid,
    nr.NR_FUTEX: waitwake.sys_futex,
    nr.NR_ATOMIC: atomic.sys_atomic,
    nr.NR_SMP_BARRIER: atomic.sys_smp_barrier,
    nr.NR_CLOCK_GETTIME: timers.sys_clock_gettime,
    nr.NR_CLOCK_GETRES: timers.sys_clock_getres,
    nr.NR_EXIT_GROUP: exit.sys_exit_group,
    nr.NR_TGKILL: kill.sys_tgkill,
    nr.NR_WAITID: wait.sys_waitid,
    nr.NR_UNSHARE: unshare.sys_unshare,
    nr.NR_PIPE2: pipe.sys_pipe2,
    nr.NR_PRLIMIT64: resource.sys_prlimit64,
    nr.NR_PIDFD_SEND_SIGNAL: pidfd.sys_pidfd_send_signal,
    nr.NR_PIDFD_OPEN: pidfd.sys_pidfd_open,
    nr.NR_CLONE3: unshare.sys_clone3,
    nr.NR_SETNS: setns.sys_setns,
    nr.NR_TOUCH: mmap.sys_touch,
    nr.NR_LOAD: mmap.sys_load,
    nr.NR_STORE: mmap.sys_store,
    nr.NR_HLT: fault.sys_hlt,
    nr.NR_THREAD_START: fork.sys_thread_start,
    nr.NR_LOCK_ACQUIRE: futex.sys_lock_acquire,
    nr.NR_LOCK_RELEASE: futex.sys_lock_release,
    nr.NR_LOCK_FREE: futex.sys_lock_free,
    nr.NR_LOCK_LOCKED: futex.sys_lock_locked,
    nr.NR_POSIX_SPAWN: spawn.sys_posix_spawn,
    nr.NR_NICE: prio.sys_nice,
    nr.NR_SIGWAIT: sigcalls.sys_sigwait,
}


def table(form: Callable[[Handler], Handler], later: Sequence[int] = ()) -> list[Handler]:
    """Return the handlers by number; those of numbers without a call refuse to be called.

    NR_NI_SYSCALL is -1: its handler is the last.

    Args:
        form: what to make of each handler.
        later: the numbers of calls that the emulated kernel does not have yet.
    """
    handlers: list[Handler] = [_no_call] * (max(HANDLERS) + 2)
    for number, handler in HANDLERS.items():
        handlers[number] = form(handler)
    for number in later:
        handlers[number] = _later_call
    return handlers


def _later_call(k: "Kernel", *args: object) -> None:
    """A call of a later Linux. Source: kernel/sys_ni.c:sys_ni_syscall()."""
    raise KernelError(ENOSYS)


def _no_call(k: "Kernel", *args: object) -> None:
    """A program has asked for what is no call: the guest language makes none such."""
    raise InvariantError(f"{k.current!r}: no call has the number {k.current.in_syscall}")
