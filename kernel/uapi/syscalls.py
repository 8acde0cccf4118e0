"""System call numbers and signatures: the one contract between guest programs and the kernel.

A compiled guest program stops at an *op*: a tuple ``(nr, *args)`` of plain data (int, float, str,
bytes, bool, None, and tuples of them). Numbers are x86-64's where Linux has the call; numbers
from 1000 on are smplab's own: what a C library or CPython does in user space above the kernel
(thread start and join, locks), accesses that may fault, and pure CPU time.

``TABLE`` maps a number to ``(name, argument names, result)``; an argument whose name ends with ?
may be left out. A call that fails is answered with
a record instead of a result (``kernel.uapi.failure``); the guest's run time makes of it what its
language has for that.

Source: arch/x86/entry/syscalls/syscall_64.tbl (numbers).
"""

from typing import Final

NR_NI_SYSCALL: Final = -1  # a number without a call, which only a tracer can ask for
NR_READ: Final = 0
NR_WRITE: Final = 1
NR_OPEN: Final = 2
NR_CLOSE: Final = 3
NR_STAT: Final = 4
NR_FSTAT: Final = 5
NR_POLL: Final = 7
NR_LSEEK: Final = 8
NR_MMAP: Final = 9
NR_MUNMAP: Final = 11
NR_RT_SIGACTION: Final = 13
NR_RT_SIGPROCMASK: Final = 14
NR_IOCTL: Final = 16
NR_ACCESS: Final = 21
NR_SELECT: Final = 23
NR_SCHED_YIELD: Final = 24
NR_MADVISE: Final = 28
NR_SHMGET: Final = 29
NR_SHMAT: Final = 30
NR_SHMCTL: Final = 31
NR_DUP: Final = 32
NR_DUP2: Final = 33
NR_PAUSE: Final = 34
NR_NANOSLEEP: Final = 35
NR_GETITIMER: Final = 36
NR_ALARM: Final = 37
NR_SETITIMER: Final = 38
NR_GETPID: Final = 39
NR_SENDTO: Final = 44
NR_RECVFROM: Final = 45
NR_SHUTDOWN: Final = 48
NR_SOCKETPAIR: Final = 53
NR_CLONE: Final = 56
NR_FORK: Final = 57
NR_VFORK: Final = 58
NR_EXECVE: Final = 59
NR_EXIT: Final = 60
NR_WAIT4: Final = 61
NR_KILL: Final = 62
NR_SEMGET: Final = 64
NR_SEMOP: Final = 65
NR_SEMCTL: Final = 66
NR_SHMDT: Final = 67
NR_MSGGET: Final = 68
NR_MSGSND: Final = 69
NR_MSGRCV: Final = 70
NR_MSGCTL: Final = 71
NR_FCNTL: Final = 72
NR_FTRUNCATE: Final = 77
NR_GETCWD: Final = 79
NR_CHDIR: Final = 80
NR_RENAME: Final = 82
NR_MKDIR: Final = 83
NR_RMDIR: Final = 84
NR_UNLINK: Final = 87
NR_READLINK: Final = 89
NR_CHMOD: Final = 90
NR_UMASK: Final = 95
NR_GETTIMEOFDAY: Final = 96
NR_GETRUSAGE: Final = 98
NR_TIMES: Final = 100
NR_PTRACE: Final = 101
NR_GETUID: Final = 102
NR_GETGID: Final = 104
NR_SETUID: Final = 105
NR_SETGID: Final = 106
NR_GETEUID: Final = 107
NR_GETEGID: Final = 108
NR_SETPGID: Final = 109
NR_GETPPID: Final = 110
NR_GETPGRP: Final = 111
NR_SETSID: Final = 112
NR_SETREUID: Final = 113
NR_SETREGID: Final = 114
NR_SETRESUID: Final = 117
NR_GETRESUID: Final = 118
NR_SETRESGID: Final = 119
NR_GETRESGID: Final = 120
NR_GETPGID: Final = 121
NR_GETSID: Final = 124
NR_RT_SIGPENDING: Final = 127
NR_RT_SIGTIMEDWAIT: Final = 128
NR_MKNOD: Final = 133
NR_GETPRIORITY: Final = 140
NR_SETPRIORITY: Final = 141
NR_MLOCK: Final = 149
NR_MUNLOCK: Final = 150
NR_MLOCKALL: Final = 151
NR_MUNLOCKALL: Final = 152
NR_SCHED_SETPARAM: Final = 142
NR_SCHED_GETPARAM: Final = 143
NR_SCHED_SETSCHEDULER: Final = 144
NR_SCHED_GETSCHEDULER: Final = 145
NR_SCHED_GET_PRIORITY_MAX: Final = 146
NR_SCHED_GET_PRIORITY_MIN: Final = 147
NR_SCHED_RR_GET_INTERVAL: Final = 148
NR_PRCTL: Final = 157
NR_ACCT: Final = 163
NR_GETTID: Final = 186
NR_FUTEX: Final = 202
NR_SCHED_SETAFFINITY: Final = 203
NR_SCHED_GETAFFINITY: Final = 204
NR_GETDENTS64: Final = 217
NR_CLOCK_GETTIME: Final = 228
NR_CLOCK_GETRES: Final = 229
NR_EXIT_GROUP: Final = 231
NR_TGKILL: Final = 234
NR_WAITID: Final = 247
NR_UNSHARE: Final = 272
NR_EVENTFD2: Final = 290
NR_PIPE2: Final = 293
NR_PRLIMIT64: Final = 302
NR_SETNS: Final = 308
NR_GETRANDOM: Final = 318
NR_SCHED_SETATTR: Final = 314
NR_SCHED_GETATTR: Final = 315
NR_PIDFD_SEND_SIGNAL: Final = 424
NR_PIDFD_OPEN: Final = 434
NR_CLONE3: Final = 435
# smplab's own
NR_COMPUTE: Final = 1000
NR_TOUCH: Final = 1001
NR_LOAD: Final = 1002
NR_STORE: Final = 1003
NR_THREAD_START: Final = 1004
NR_LOCK_ACQUIRE: Final = 1007
NR_LOCK_RELEASE: Final = 1008
NR_LOCK_LOCKED: Final = 1009
NR_POSIX_SPAWN: Final = 1010
NR_PREEMPT_POINT: Final = 1011
NR_NICE: Final = 1012
NR_SIGWAIT: Final = 1013
NR_ATOMIC: Final = 1014
NR_SMP_BARRIER: Final = 1015
NR_LOCK_FREE: Final = 1016
NR_HLT: Final = 1017
NR_EVENTFD_READ: Final = 1040
NR_EVENTFD_WRITE: Final = 1041
NR_FATAL: Final = 1099

TABLE: Final[dict[int, tuple[str, tuple[str, ...], str]]] = {
    NR_READ: ("read", ("fd", "count"), "bytes"),
    NR_WRITE: ("write", ("fd", "data"), "int"),
    # flags are the numbers of the ABI; the guest's os.open has already added O_CLOEXEC (PEP 446)
    NR_OPEN: ("open", ("path", "flags", "mode"), "int"),
    NR_CLOSE: ("close", ("fd",), "None"),
    NR_STAT: ("stat", ("path",), "tuple: the ten fields of os.stat_result"),
    NR_FSTAT: ("fstat", ("fd",), "tuple: the ten fields of os.stat_result"),
    # fds: pairs (fd, events)
    NR_POLL: ("poll", ("fds", "timeout_ns", "until_ns?"), "tuple: the events that are there"),
    NR_IOCTL: ("ioctl", ("fd", "request"), "int"),
    NR_LSEEK: ("lseek", ("fd", "offset", "whence"), "int"),
    # anonymous only; the result is the address, which is the guest's handle of the mapping
    NR_MMAP: ("mmap", ("length", "flags"), "int"),
    NR_MUNMAP: ("munmap", ("address", "length"), "None"),
    NR_MADVISE: ("madvise", ("address", "length", "advice"), "None"),
    NR_MLOCK: ("mlock", ("address", "length"), "None"),
    NR_MUNLOCK: ("munlock", ("address", "length"), "None"),
    NR_MLOCKALL: ("mlockall", ("flags",), "None"),
    NR_MUNLOCKALL: ("munlockall", (), "None"),
    # a disposition: SIG_DFL 0, SIG_IGN 1, or SIG_HANDLER 2 with sa_flags; None asks only
    NR_RT_SIGACTION: ("rt_sigaction", ("signal", "disposition"), "int: the old disposition"),
    # sets of signals are ints: bit n-1 for signal n; None asks only
    NR_RT_SIGPROCMASK: ("rt_sigprocmask", ("how", "set"), "int: the old set of blocked signals"),
    NR_ACCESS: ("access", ("path", "mode"), "bool"),
    NR_SELECT: (
        "select",
        ("inp", "outp", "exp", "timeout_ns", "until_ns?"),
        "(ready to read, to write, exceptional): tuples of descriptors",
    ),
    NR_SCHED_YIELD: ("sched_yield", (), "None"),
    NR_SHMGET: ("shmget", ("key", "size", "flags"), "int: the id"),
    NR_SHMAT: ("shmat", ("shmid",), "(address, size)"),
    NR_SHMCTL: ("shmctl", ("shmid", "cmd"), "(size, nattch) for IPC_STAT, else 0"),
    NR_DUP: ("dup", ("fd",), "int (close-on-exec set: PEP 446)"),
    NR_DUP2: ("dup2", ("fd", "fd2", "inheritable"), "int"),
    NR_PAUSE: ("pause", (), "None"),
    # until_ns: when a call that a signal interrupted was to end, 0 for a first call
    NR_NANOSLEEP: ("nanosleep", ("ns", "until_ns?"), "None"),
    NR_GETITIMER: ("getitimer", ("which",), "(ns left, interval in ns)"),
    NR_ALARM: ("alarm", ("seconds",), "int: seconds that were left"),
    NR_SETITIMER: ("setitimer", ("which", "ns", "interval_ns"), "(ns left, interval in ns): old"),
    NR_GETPID: ("getpid", (), "int"),
    NR_SENDTO: ("sendto", ("fd", "data", "flags"), "int"),
    NR_RECVFROM: ("recvfrom", ("fd", "size", "flags"), "bytes"),
    NR_SHUTDOWN: ("shutdown", ("fd", "how"), "None"),
    NR_SOCKETPAIR: ("socketpair", ("family", "type", "protocol"), "(fd, fd)"),
    NR_CLONE: ("clone", ("flags",), "int: pid in the parent, 0 in the child"),
    NR_FORK: ("fork", (), "int: pid in the parent, 0 in the child"),
    NR_VFORK: ("vfork", (), "int: pid in the parent, 0 in the child"),
    # argv: tuple of str; env: tuple of (name, value), or None for the caller's own environment
    NR_EXECVE: ("execve", ("path", "argv", "env", "nameless?"), "does not return"),
    NR_EXIT: ("exit", ("code",), "does not return: ends the calling thread"),
    # result of wait4: (pid, status, utime_ns, stime_ns), or (pid, status, what getrusage gives)
    # if the last argument is True; pid 0 = nothing yet under WNOHANG
    NR_WAIT4: ("wait4", ("pid", "options", "rusage?"), "(pid, status, …)"),
    NR_KILL: ("kill", ("pid", "signal"), "None"),
    NR_SEMGET: ("semget", ("key", "nsems", "flags"), "int: the id"),
    # sops: a tuple of (number of the semaphore, change, flags)
    NR_SEMOP: ("semop", ("semid", "sops"), "None"),
    NR_SEMCTL: ("semctl", ("semid", "semnum", "cmd", "arg"), "int"),
    NR_SHMDT: ("shmdt", ("address",), "None"),
    NR_MSGGET: ("msgget", ("key", "flags"), "int: the id"),
    NR_MSGSND: ("msgsnd", ("msqid", "mtype", "data", "flags"), "None"),
    NR_MSGRCV: ("msgrcv", ("msqid", "size", "mtype", "flags"), "(type, data)"),
    NR_MSGCTL: ("msgctl", ("msqid", "cmd"), "(messages, bytes) for IPC_STAT, else 0"),
    NR_FCNTL: ("fcntl", ("fd", "command", "argument"), "int"),
    NR_FTRUNCATE: ("ftruncate", ("fd", "length"), "None"),
    NR_GETCWD: ("getcwd", (), "str"),
    NR_CHDIR: ("chdir", ("path",), "None"),
    NR_RENAME: ("rename", ("old", "new"), "None"),
    NR_MKDIR: ("mkdir", ("path", "mode"), "None"),
    NR_RMDIR: ("rmdir", ("path",), "None"),
    NR_UNLINK: ("unlink", ("path",), "None"),
    NR_READLINK: ("readlink", ("path",), "str"),
    NR_CHMOD: ("chmod", ("path", "mode"), "None"),
    NR_UMASK: ("umask", ("mask",), "int"),
    NR_GETTIMEOFDAY: ("gettimeofday", (), "int: ns since the epoch"),
    # result of getrusage: utime_ns, stime_ns, then the fields of struct rusage in its order
    NR_GETRUSAGE: ("getrusage", ("who",), "16 ints: kernel.process.resource.Rusage"),
    NR_TIMES: ("times", (), "(utime_ns, stime_ns, cutime_ns, cstime_ns, elapsed_ns)"),
    # integers in, one integer out: see kernel.ptrace.requests
    NR_PTRACE: ("ptrace", ("request", "pid", "addr", "data"), "int"),
    NR_GETUID: ("getuid", (), "int"),
    NR_GETGID: ("getgid", (), "int"),
    NR_SETUID: ("setuid", ("uid",), "None"),
    NR_SETGID: ("setgid", ("gid",), "None"),
    NR_GETEUID: ("geteuid", (), "int"),
    NR_GETEGID: ("getegid", (), "int"),
    NR_SETPGID: ("setpgid", ("pid", "pgid"), "None"),
    NR_GETPPID: ("getppid", (), "int"),
    NR_GETPGRP: ("getpgrp", (), "int"),
    NR_SETSID: ("setsid", (), "int"),
    NR_SETREUID: ("setreuid", ("ruid", "euid"), "None"),
    NR_SETREGID: ("setregid", ("rgid", "egid"), "None"),
    NR_SETRESUID: ("setresuid", ("ruid", "euid", "suid"), "None"),
    NR_GETRESUID: ("getresuid", (), "(ruid, euid, suid)"),
    NR_SETRESGID: ("setresgid", ("rgid", "egid", "sgid"), "None"),
    NR_GETRESGID: ("getresgid", (), "(rgid, egid, sgid)"),
    NR_GETPGID: ("getpgid", ("pid",), "int"),
    NR_GETSID: ("getsid", ("pid",), "int"),
    NR_RT_SIGPENDING: ("rt_sigpending", (), "int: the set of blocked signals that are pending"),
    NR_RT_SIGTIMEDWAIT: (
        "rt_sigtimedwait",
        ("set", "timeout_ns", "until_ns?"),
        "(signal, code, pid, uid, status)",
    ),
    NR_MKNOD: ("mknod", ("path", "mode"), "None"),
    NR_GETPRIORITY: ("getpriority", ("which", "who"), "int"),
    NR_SETPRIORITY: ("setpriority", ("which", "who", "nice"), "None"),
    NR_SCHED_SETPARAM: ("sched_setparam", ("pid", "priority"), "None"),
    NR_SCHED_GETPARAM: ("sched_getparam", ("pid",), "int: the real-time priority"),
    NR_SCHED_SETSCHEDULER: ("sched_setscheduler", ("pid", "policy", "priority"), "None"),
    NR_SCHED_GETSCHEDULER: ("sched_getscheduler", ("pid",), "int: policy | SCHED_RESET_ON_FORK"),
    NR_SCHED_GET_PRIORITY_MAX: ("sched_get_priority_max", ("policy",), "int"),
    NR_SCHED_GET_PRIORITY_MIN: ("sched_get_priority_min", ("policy",), "int"),
    NR_SCHED_RR_GET_INTERVAL: ("sched_rr_get_interval", ("pid",), "int: ns"),
    # argument: int, or str for PR_SET_NAME
    NR_PRCTL: ("prctl", ("option", "argument"), "int, or str for PR_GET_NAME"),
    NR_ACCT: ("acct", ("path",), "None"),
    NR_GETTID: ("gettid", (), "int"),
    # futex_op: FUTEX_WAIT 0 or FUTEX_WAKE 1; timeout None: for ever
    NR_FUTEX: ("futex", ("address", "futex_op", "val", "timeout_ns"), "int: how many were woken"),
    # mask: bit n for CPU n
    NR_SCHED_SETAFFINITY: ("sched_setaffinity", ("pid", "mask"), "None"),
    NR_SCHED_GETAFFINITY: ("sched_getaffinity", ("pid",), "int: mask"),
    NR_GETDENTS64: ("getdents64", ("fd",), "tuple of the next names"),
    # clock: CLOCK_… of kernel.uapi.clock
    NR_CLOCK_GETTIME: ("clock_gettime", ("clock",), "int: ns"),
    NR_CLOCK_GETRES: ("clock_getres", ("clock",), "int: ns"),
    NR_EXIT_GROUP: ("exit_group", ("code",), "does not return"),
    NR_TGKILL: ("tgkill", ("tgid", "tid", "signal"), "None"),
    NR_WAITID: (
        "waitid",
        ("idtype", "id", "options"),
        "(pid, uid, signo, status, code), or None when nothing is ready under WNOHANG",
    ),
    NR_UNSHARE: ("unshare", ("flags",), "None"),
    NR_EVENTFD2: ("eventfd2", ("count", "flags"), "int"),
    NR_PIPE2: ("pipe2", ("flags",), "(read fd, write fd)"),
    # limits: (soft, hard) or None; 2^64 - 1 is RLIM_INFINITY
    NR_PRLIMIT64: ("prlimit64", ("pid", "resource", "limits"), "(soft, hard): the old ones"),
    NR_SETNS: ("setns", ("fd", "nstype"), "None"),
    NR_SCHED_SETATTR: (
        "sched_setattr",
        (
            "pid",
            "policy",
            "nice",
            "priority",
            "runtime_ns",
            "deadline_ns",
            "period_ns",
            "flags",
            "size",
        ),
        "None",
    ),
    NR_SCHED_GETATTR: (
        "sched_getattr",
        ("pid", "size"),
        "(policy, flags, nice, priority, runtime_ns, deadline_ns, period_ns)",
    ),
    NR_PIDFD_SEND_SIGNAL: ("pidfd_send_signal", ("pidfd", "signal", "flags"), "None"),
    NR_PIDFD_OPEN: ("pidfd_open", ("pid", "flags"), "int"),
    # pidfd: the caller wants one; the tids' places are addresses of mappings plus offsets, or 0
    NR_CLONE3: (
        "clone3",
        ("flags", "exit_signal", "set_tid", "pidfd", "parent_tid", "child_tid", "cgroup?"),
        "int: pid in the parent, 0 in the child; (pid, pidfd) with CLONE_PIDFD",
    ),
    NR_COMPUTE: ("compute", ("ns",), "None: burns that much CPU time"),
    NR_TOUCH: ("touch", ("address", "first_page", "pages", "write"), "None"),
    NR_LOAD: ("load", ("address", "offset", "length"), "bytes"),
    NR_STORE: ("store", ("address", "offset", "data"), "None"),
    # start: what UserContext.thread() takes, opaque to the kernel
    NR_THREAD_START: ("thread_start", ("flags", "start", "daemon", "locks?"), "int: tid"),
    NR_LOCK_ACQUIRE: ("lock_acquire", ("lock", "blocking", "timeout_ns", "until_ns?"), "bool"),
    NR_LOCK_RELEASE: ("lock_release", ("lock",), "None, or NOT_LOCKED"),
    NR_LOCK_LOCKED: ("lock_locked", ("lock",), "bool"),
    # clone(CLONE_VM|CLONE_VFORK) + exec in one, as glibc does it; an exec error is the caller's
    # attributes: (resetids, setsid, signal mask or None, signals set to default, scheduler or None,
    # paths to try)
    NR_GETRANDOM: ("getrandom", ("length", "flags?"), "bytes"),
    NR_POSIX_SPAWN: (
        "posix_spawn",
        ("path", "argv", "env", "file_actions", "setpgroup", "attributes?"),
        "int",
    ),
    # back edge of a guest loop whose fuel is used up: no kernel entry, only a place to be preempted
    NR_PREEMPT_POINT: ("preempt_point", (), "None"),
    NR_NICE: ("nice", ("increment",), "int: the new nice value"),
    NR_LOCK_FREE: ("lock_free", ("lock",), "None: nobody will use the lock any more"),
    # accesses to 32-bit words: ATOMIC_* and MB_* of kernel.uapi.atomic
    NR_ATOMIC: ("atomic", ("atomic_op", "address", "value", "expected"), "int: the old value"),
    NR_SMP_BARRIER: ("smp_barrier", ("kind",), "None"),
    # sigwait(3) of the C library: no handler makes it return
    NR_SIGWAIT: ("sigwait", ("set",), "int: the signal taken"),
    # an instruction that user code may not execute: the last resort of the C library
    NR_HLT: ("hlt", (), "does not return: SIGSEGV, and again after a handler"),
    # of the C library: a read or write of 8 bytes that CPython does not begin again after EINTR
    NR_EVENTFD_READ: ("eventfd_read", ("fd",), "bytes"),
    NR_EVENTFD_WRITE: ("eventfd_write", ("fd", "data"), "int"),
    # not a call: the guest program broke a limit of the emulator; the engine reports and stops
    NR_FATAL: ("fatal", ("message",), "does not return: the run is broken by the guest program"),
}

NAMES: Final[dict[int, str]] = {nr: row[0] for nr, row in TABLE.items()}
