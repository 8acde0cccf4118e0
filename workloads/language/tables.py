"""The names of the guest language: modules, functions, constants, what is still to come.

Each name of a module is one of

- ``Const``: a number or text, put into the code when the program is compiled; ``Value``, ``Made``:
  another value, one for all or made at each mention;
- ``Sys``: one system call; its arguments are converted as ``params`` says, its result by the
  function named ``result`` in ``calls``;
- ``Pure``: a function of ``calls`` that needs no system call;
- ``Routine``: a function of ``calls`` that returns an op, a call of a library frame or a value;

``params`` is ``"name:kind name:kind=default …"``; kinds: ``i`` int of 64 bits, ``n`` C int, ``m`` C
int of a call with a pid (which says so in other words when it does not fit), ``s`` a wide int that
is cut to a C int, ``u`` user or group id, ``p`` path, ``d`` bytes-like, ``w`` anything the call
walks (texts, sequences: charged as a whole), ``x`` anything else. ``*`` makes
the rest keyword-only.
"""

import sys
from dataclasses import dataclass
from typing import Any, Final

from kernel.uapi import syscalls as nr
from kernel.uapi.fcntl import O_CLOEXEC
from workloads.language import constants, constants_io, enums, mathcalls
from workloads.language.sets import GuestSet


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: name, kind, whether it may be omitted and what it is then."""

    name: str
    kind: str
    required: bool
    default: Any
    keyword_only: bool
    rest: bool = False  # all further positional arguments, as a tuple


def parse_params(text: str) -> tuple[Param, ...]:
    """Return the parameters that ``text`` describes (format: see the module header)."""
    params = []
    keyword_only = False
    for word in text.split():
        if word == "*":
            keyword_only = True
            continue
        if word.startswith("*"):
            name, _, kind = word[1:].partition(":")
            params.append(Param(name, kind, False, (), False, True))
            continue
        head, _, default = word.partition("=")
        name, _, kind = head.partition(":")
        value: Any = None
        if default == "None":
            value = None
        elif default == "...":
            value = ...  # not given
        elif default == "()":
            value = ()
        elif default in ("True", "False"):
            value = default == "True"
        elif default:
            value = int(default, 0)
        params.append(Param(name, kind, "=" not in word, value, keyword_only))
    return tuple(params)


@dataclass(frozen=True, slots=True)
class Const:
    """A compile-time constant."""

    value: Any


@dataclass(frozen=True, slots=True)
class Sys:
    """One system call."""

    nr: int
    params: tuple[Param, ...]
    result: str


@dataclass(frozen=True, slots=True)
class Pure:
    """A function without system calls."""

    helper: str
    params: tuple[Param, ...]


@dataclass(frozen=True, slots=True)
class Routine:
    """A function that stops the block: ``helper`` says how."""

    helper: str
    params: tuple[Param, ...]
    result: str


@dataclass(frozen=True, slots=True)
class Value:
    """An immutable value that block code takes from its namespace."""

    value: Any


@dataclass(frozen=True, slots=True)
class Made:
    """A value that the function ``helper`` makes at each mention."""

    helper: str


@dataclass(frozen=True, slots=True)
class Exc:
    """An exception that has to be imported."""

    name: str


Entry = Const | Value | Made | Sys | Pure | Routine | Exc


def _sys(number: int, params: str = "", result: str = "") -> Sys:
    return Sys(number, parse_params(params), result)


def _pure(helper: str, params: str = "") -> Pure:
    return Pure(helper, parse_params(params))


def _routine(helper: str, params: str = "", result: str = "") -> Routine:
    return Routine(helper, parse_params(params), result)


def _consts(table: dict[str, int]) -> dict[str, Entry]:
    return {name: Const(value) for name, value in table.items()}


_SPAWN = (
    "argv:w env:w * file_actions:w=... setpgroup:x=... resetids:x=False setsid:x=False"
    " setsigmask:w=... setsigdef:w=... scheduler:x=..."
)

#: Parameters of the functions of ``random`` (see ``randomcalls``).
RANDOM_FUNCTIONS: Final = {
    "random": "", "uniform": "a:x b:x", "randint": "a:x b:x",
    "randrange": "start:x stop:x=... step:x=...", "choice": "seq:x",
    "choices": "population:x weights:x=None * cum_weights:x=None k:x=1", "shuffle": "x:x",
    "sample": "population:x k:x * counts:x=None", "getrandbits": "k:x", "randbytes": "n:x",
    "gauss": "mu:x=... sigma:x=...", "normalvariate": "mu:x=... sigma:x=...",
    "expovariate": "lambd:x", "betavariate": "alpha:x beta:x", "gammavariate": "alpha:x beta:x",
    "triangular": "low:x=... high:x=... mode:x=...", "lognormvariate": "mu:x sigma:x",
    "paretovariate": "alpha:x", "weibullvariate": "alpha:x beta:x",
    "vonmisesvariate": "mu:x kappa:x", "seed": "a:x=None version:x=2",
}  # fmt: skip

_OS: dict[str, Entry] = {
    **_consts(constants.OS),
    "devnull": Const("/dev/null"),
    "name": Const("posix"),
    "sep": Const("/"),
    "curdir": Const("."),
    "pardir": Const(".."),
    "extsep": Const("."),
    "pathsep": Const(":"),
    "linesep": Const("\n"),
    "defpath": Const("/bin:/usr/bin"),
    "strerror": _pure("os_strerror", "code:n"),
    "urandom": _routine("os_urandom", "size:i"),
    "execl": _routine("os_execl", "file:x *args:x"),
    "execle": _routine("os_execle", "file:x *args:x"),
    "execlp": _routine("os_execlp", "file:x *args:x"),
    "execlpe": _routine("os_execlpe", "file:x *args:x"),
    "execvpe": _routine("os_execvpe", "file:p args:x env:x"),
    "remove": _sys(nr.NR_UNLINK, "path:p"),
    "spawnv": _routine("os_spawnv", "mode:x file:x args:w"),
    "spawnve": _routine("os_spawnve", "mode:x file:x args:w env:w"),
    "spawnvp": _routine("os_spawnvp", "mode:x file:x args:w"),
    "spawnvpe": _routine("os_spawnvpe", "mode:x file:x args:w env:w"),
    "spawnl": _routine("os_spawnl", "mode:x file:x *args:x"),
    "spawnle": _routine("os_spawnle", "mode:x file:x *args:x"),
    "spawnlp": _routine("os_spawnlp", "mode:x file:x *args:x"),
    "spawnlpe": _routine("os_spawnlpe", "mode:x file:x *args:x"),
    "fork": _sys(nr.NR_FORK),
    "_exit": _sys(nr.NR_EXIT_GROUP, "status:n"),
    "wait": _routine("os_wait", "", "first_two"),
    "waitpid": _sys(nr.NR_WAIT4, "pid:m options:m", "first_two"),
    "wait3": _routine("os_wait3", "options:n", "with_rusage"),
    "wait4": _routine("os_wait4", "pid:m options:m", "with_rusage"),
    "waitid": _sys(nr.NR_WAITID, "idtype:m id:m options:m", "waitid_result"),
    "execv": _routine("os_execv", "path:p argv:w"),
    "execve": _routine("os_execve", "path:p argv:w env:w"),
    "execvp": _routine("os_execvp", "file:p args:w"),
    "posix_spawn": _routine("os_posix_spawn", "path:p " + _SPAWN),
    "posix_spawnp": _routine("os_posix_spawnp", "path:p " + _SPAWN),
    "getpid": _sys(nr.NR_GETPID),
    "getppid": _sys(nr.NR_GETPPID),
    "getpgid": _sys(nr.NR_GETPGID, "pid:m"),
    "getpgrp": _sys(nr.NR_GETPGRP),
    "setpgid": _sys(nr.NR_SETPGID, "pid:m pgrp:m"),
    "setpgrp": _routine("os_setpgrp"),
    "getsid": _sys(nr.NR_GETSID, "pid:m"),
    "setsid": _sys(nr.NR_SETSID, "", "nothing"),
    "kill": _sys(nr.NR_KILL, "pid:m signal:s"),
    "killpg": _routine("os_killpg", "pgid:m signal:m"),
    "abort": _routine("os_abort"),
    "pidfd_open": _sys(nr.NR_PIDFD_OPEN, "pid:n flags:n=0"),
    "times": _sys(nr.NR_TIMES, "", "times_result"),
    "nice": _sys(nr.NR_NICE, "increment:n"),
    "getpriority": _sys(nr.NR_GETPRIORITY, "which:n who:n"),
    "setpriority": _sys(nr.NR_SETPRIORITY, "which:n who:n priority:n"),
    "sched_yield": _sys(nr.NR_SCHED_YIELD, "", "nothing"),
    **_consts(constants.SCHED),
    "sched_param": _pure("sched_param", "sched_priority:x"),
    "sched_setaffinity": _routine("os_sched_setaffinity", "pid:m mask:w", "nothing"),
    "sched_getaffinity": _sys(nr.NR_SCHED_GETAFFINITY, "pid:m", "cpus_of"),
    "sched_setscheduler": _routine("os_sched_setscheduler", "pid:m policy:n param:x", "nothing"),
    "sched_getscheduler": _sys(nr.NR_SCHED_GETSCHEDULER, "pid:m"),
    "sched_setparam": _routine("os_sched_setparam", "pid:m param:x", "nothing"),
    "sched_getparam": _sys(nr.NR_SCHED_GETPARAM, "pid:m", "sched_param_result"),
    "sched_rr_get_interval": _sys(nr.NR_SCHED_RR_GET_INTERVAL, "pid:m", "seconds"),
    "sched_get_priority_max": _sys(nr.NR_SCHED_GET_PRIORITY_MAX, "policy:n"),
    "sched_get_priority_min": _sys(nr.NR_SCHED_GET_PRIORITY_MIN, "policy:n"),
    "getuid": _sys(nr.NR_GETUID),
    "geteuid": _sys(nr.NR_GETEUID),
    "getgid": _sys(nr.NR_GETGID),
    "getegid": _sys(nr.NR_GETEGID),
    "setuid": _sys(nr.NR_SETUID, "uid:u"),
    "setgid": _sys(nr.NR_SETGID, "gid:u"),
    "seteuid": _routine("os_seteuid", "euid:u"),
    "setegid": _routine("os_setegid", "egid:u"),
    "setreuid": _sys(nr.NR_SETREUID, "ruid:u euid:u"),
    "setregid": _sys(nr.NR_SETREGID, "rgid:u egid:u"),
    "setresgid": _sys(nr.NR_SETRESGID, "rgid:u egid:u sgid:u"),
    "getresgid": _sys(nr.NR_GETRESGID, "", "as_tuple"),
    "setresuid": _sys(nr.NR_SETRESUID, "ruid:u euid:u suid:u"),
    "getresuid": _sys(nr.NR_GETRESUID, "", "as_tuple"),
    "umask": _sys(nr.NR_UMASK, "mask:n"),
    "open": _routine("os_open", "path:p flags:n mode:n=0o777"),
    "read": _routine("os_read", "fd:n length:i"),
    "write": _sys(nr.NR_WRITE, "fd:n data:d"),
    "close": _sys(nr.NR_CLOSE, "fd:n"),
    "dup": _sys(nr.NR_DUP, "fd:n"),
    "dup2": _routine("os_dup2", "fd:n fd2:n inheritable:x=True"),
    "lseek": _sys(nr.NR_LSEEK, "fd:n position:i how:n"),
    "pipe": _routine("os_pipe", "", "as_tuple"),
    "pipe2": _sys(nr.NR_PIPE2, "flags:n", "as_tuple"),
    "unlink": _sys(nr.NR_UNLINK, "path:p"),
    "mkdir": _sys(nr.NR_MKDIR, "path:p mode:n=0o777"),
    "chdir": _sys(nr.NR_CHDIR, "path:p"),
    "getcwd": _sys(nr.NR_GETCWD),
    "fstat": _sys(nr.NR_FSTAT, "fd:n", "stat_result"),
    "isatty": _routine("os_isatty", "fd:n"),
    "system": _routine("os_system", "command:p"),
    "popen": _routine("os_popen", "cmd:x mode:x=None buffering:x=-1"),
    "fdopen": _routine(
        "os_fdopen",
        "fd:x mode:x=None buffering:x=-1 encoding:x=None errors:x=None newline:x=None"
        " closefd:x=True opener:x=None",
    ),
    "stat": _routine("os_stat", "path:w", "stat_result"),
    "access": _sys(nr.NR_ACCESS, "path:p mode:n"),
    "chmod": _sys(nr.NR_CHMOD, "path:p mode:n"),
    "getenv": _pure("os_getenv", "key:w default:x=None"),
    "putenv": _pure("os_putenv", "name:w value:w"),
    "cpu_count": _pure("os_cpu_count"),
    "waitstatus_to_exitcode": _pure("waitstatus_to_exitcode", "status:n"),
    "WIFEXITED": _pure("wifexited", "status:n"),
    "WEXITSTATUS": _pure("wexitstatus", "status:n"),
    "WIFSIGNALED": _pure("wifsignaled", "status:n"),
    "WTERMSIG": _pure("wtermsig", "status:n"),
    "WIFSTOPPED": _pure("wifstopped", "status:n"),
    "WSTOPSIG": _pure("wstopsig", "status:n"),
    "WIFCONTINUED": _pure("wifcontinued", "status:n"),
    "WCOREDUMP": _pure("wcoredump", "status:n"),
    "mkfifo": _routine("os_mkfifo", "path:p mode:n=0o666"),
    "rmdir": _sys(nr.NR_RMDIR, "path:p"),
    "readlink": _sys(nr.NR_READLINK, "path:p"),
    "rename": _sys(nr.NR_RENAME, "src:p dst:p"),
    "listdir": _routine("os_listdir", "path:w=None"),
    "ftruncate": _sys(nr.NR_FTRUNCATE, "fd:n length:i"),
    "set_inheritable": _routine("os_set_inheritable", "fd:n inheritable:x", "nothing"),
    "get_inheritable": _routine("os_get_inheritable", "fd:n", "is_inheritable"),
    "set_blocking": _routine("os_set_blocking", "fd:n blocking:x"),
    "get_blocking": _routine("os_get_blocking", "fd:n", "is_blocking"),
    "eventfd": _routine("os_eventfd", f"initval:x flags:n={O_CLOEXEC}"),
    "eventfd_read": _sys(nr.NR_EVENTFD_READ, "fd:n", "eventfd_value"),
    "eventfd_write": _routine("os_eventfd_write", "fd:n value:x", "nothing"),
    **_consts(constants_io.EVENTFD),
}

_SYS: dict[str, Entry] = {
    "exit": _pure("sys_exit", "status:x=None"),
    "platform": Const("linux"),
    "byteorder": Const("little"),
    "maxsize": Const((1 << 63) - 1),
    "version_info": Value(sys.version_info),
}

_TIME: dict[str, Entry] = {
    "sleep": _routine("time_sleep", "secs:x"),
    "monotonic": _routine("clock_monotonic", "", "seconds"),
    "monotonic_ns": _routine("clock_monotonic"),
    "time": _routine("clock_realtime", "", "seconds"),
    "time_ns": _routine("clock_realtime"),
    "perf_counter_ns": _routine("clock_monotonic"),
    "process_time_ns": _routine("clock_process"),
    "thread_time_ns": _routine("clock_thread"),
    "perf_counter": _routine("clock_monotonic", "", "seconds"),
    "process_time": _routine("clock_process", "", "seconds"),
    "thread_time": _routine("clock_thread", "", "seconds"),
    "clock_gettime": _routine("clock_gettime", "clk_id:n", "seconds"),
    "clock_gettime_ns": _routine("clock_gettime", "clk_id:n"),
    "clock_getres": _sys(nr.NR_CLOCK_GETRES, "clk_id:n", "seconds"),
    "CLOCK_REALTIME": Const(0),
    "CLOCK_MONOTONIC": Const(1),
    "CLOCK_PROCESS_CPUTIME_ID": Const(2),
    "CLOCK_THREAD_CPUTIME_ID": Const(3),
    "CLOCK_MONOTONIC_RAW": Const(4),
    "CLOCK_BOOTTIME": Const(7),
    "CLOCK_TAI": Const(11),
    "localtime": _routine("time_localtime", "secs:x=None"),
    "gmtime": _routine("time_gmtime", "secs:x=None"),
    "ctime": _routine("time_ctime", "secs:x=None"),
    "asctime": _routine("time_asctime", "t:x=None"),
    "strftime": _routine("time_strftime", "format:x t:x=None"),
    "mktime": _pure("time_mktime", "t:x"),
    "timezone": Const(0),
    "altzone": Const(0),
    "daylight": Const(0),
    "tzname": Value(("UTC", "UTC")),
}

_SIGNAL: dict[str, Entry] = {
    **_consts(constants.SIGNAL),
    **{name: Value(member) for kind in enums.ENUMS for name, member in kind.__members__.items()},
    "NSIG": Const(65),
    "Signals": _pure("signal_signals", "value:x"),
    "Handlers": _pure("signal_handlers", "value:x"),
    "strsignal": _pure("signal_strsignal", "signalnum:n"),
    "signal": _routine("signal_signal", "signalnum:n handler:x"),
    "getsignal": _routine("signal_getsignal", "signalnum:n"),
    "siginterrupt": _routine("signal_siginterrupt", "signalnum:n flag:n"),
    "raise_signal": _routine("signal_raise", "signalnum:n"),
    "pthread_kill": _routine("signal_pthread_kill", "thread_id:i signalnum:n"),
    "pthread_sigmask": _routine("signal_pthread_sigmask", "how:n mask:w", "signals_of"),
    "sigpending": _sys(nr.NR_RT_SIGPENDING, "", "signals_of"),
    "sigwait": _routine("signal_sigwait", "sigset:w", "signal_value"),
    "sigwaitinfo": _routine("signal_sigwaitinfo", "sigset:w", "siginfo"),
    "sigtimedwait": _routine("signal_sigtimedwait", "sigset:w timeout:x", "siginfo"),
    "valid_signals": _pure("signal_valid"),
    "pause": _sys(nr.NR_PAUSE, "", "nothing"),
    "alarm": _sys(nr.NR_ALARM, "seconds:n"),
    "setitimer": _routine("signal_setitimer", "which:n seconds:x interval:x=0", "itimer_result"),
    "getitimer": _sys(nr.NR_GETITIMER, "which:n", "itimer_result"),
    "pidfd_send_signal": _routine(
        "signal_pidfd_send_signal", "pidfd:n signalnum:n siginfo:x=None flags:n=0"
    ),
    "set_wakeup_fd": _routine("signal_set_wakeup_fd", "fd:n * warn_on_full_buffer:x=True", ""),
}

_MMAP: dict[str, Entry] = {
    **_consts(constants.MMAP),
    "mmap": _routine("mmap_new", "fileno:i length:i flags:i=1"),
}

_THREADING: dict[str, Entry] = {
    "Thread": _pure(
        "thread_new",
        "group:x=None target:x=None name:x=None args:x=() kwargs:x=None * daemon:x=None",
    ),
    "Lock": _pure("lock_new"),
    "current_thread": _pure("current_thread"),
    "main_thread": _pure("main_thread"),
    "get_native_id": _sys(nr.NR_GETTID),
    "get_ident": _sys(nr.NR_GETTID),
    "RLock": _pure("rlock_new"),
    "Condition": _pure("condition_new", "lock:x=None"),
    "Semaphore": _pure("semaphore_new", "value:x=1"),
    "BoundedSemaphore": _pure("bounded_semaphore_new", "value:x=1"),
    "Event": _pure("event_new"),
    "Barrier": _pure("barrier_new", "parties:x action:x=None timeout:x=None"),
    "BrokenBarrierError": Exc("BrokenBarrierError"),
    "Timer": _pure("timer_new", "interval:x function:x args:x=None kwargs:x=None"),
    "enumerate": _pure("thread_enumerate"),
    "active_count": _pure("active_count"),
}

_QUEUE: dict[str, Entry] = {
    "Queue": _pure("queue_new", "maxsize:x=0"),
    "LifoQueue": _pure("lifo_queue_new", "maxsize:x=0"),
    "PriorityQueue": _pure("priority_queue_new", "maxsize:x=0"),
    "Empty": Exc("Empty"),
    "Full": Exc("Full"),
}

_THREAD: dict[str, Entry] = {
    "start_new_thread": _routine("thread_start_new", "function:x args:x"),
    "exit": _pure("thread_exit"),
    "allocate_lock": _pure("lock_new"),
}

_GUEST: dict[str, Entry] = {
    **_consts(constants.CLONE),
    **_consts(constants.IPC),
    "semget": _sys(nr.NR_SEMGET, "key:n nsems:n flags:n"),
    "semop": _routine("guest_semop", "id:n operations:w", "nothing"),
    "semctl": _routine("guest_semctl", "id:n index:n command:n value:n=0"),
    "msgget": _sys(nr.NR_MSGGET, "key:n flags:n"),
    "msgsnd": _sys(nr.NR_MSGSND, "id:n mtype:i data:d flags:n=0", "nothing"),
    "msgrcv": _sys(nr.NR_MSGRCV, "id:n size:i mtype:i=0 flags:n=0", "as_tuple"),
    "msgctl": _routine("guest_msgctl", "id:n command:n", "msgctl_result"),
    "shmget": _sys(nr.NR_SHMGET, "key:n size:i flags:n"),
    "shmat": _sys(nr.NR_SHMAT, "id:n", "shm_handle"),
    "shmdt": _routine("guest_shmdt", "handle:x", "nothing"),
    "shmctl": _routine("guest_shmctl", "id:n command:n", "shmctl_result"),
    "futex_wait": _routine(
        "guest_futex_wait", "m:x offset:i expected:i timeout_ns:x=None", "nothing"
    ),
    "futex_wake": _routine("guest_futex_wake", "m:x offset:i count:i"),
    "READ_ONCE": _routine("guest_read_once", "m:x offset:i"),
    "WRITE_ONCE": _routine("guest_write_once", "m:x offset:i value:i", "nothing"),
    "load_acquire": _routine("guest_load_acquire", "m:x offset:i"),
    "store_release": _routine("guest_store_release", "m:x offset:i value:i", "nothing"),
    "xchg": _routine("guest_xchg", "m:x offset:i value:i"),
    "cmpxchg": _routine("guest_cmpxchg", "m:x offset:i old:i new:i"),
    "atomic_add": _routine("guest_atomic_add", "m:x offset:i n:i"),
    "smp_mb": _routine("guest_smp_mb", "", "nothing"),
    "smp_rmb": _routine("guest_smp_rmb", "", "nothing"),
    "smp_wmb": _routine("guest_smp_wmb", "", "nothing"),
    **_consts(constants.MCL),
    "mlock": _routine("guest_mlock", "m:x first_page:i pages:i", "nothing"),
    "munlock": _routine("guest_munlock", "m:x first_page:i pages:i", "nothing"),
    "mlockall": _sys(nr.NR_MLOCKALL, "flags:i", "nothing"),
    "munlockall": _sys(nr.NR_MUNLOCKALL, "", "nothing"),
    **_consts(constants.PRCTL),
    "prctl": _routine("guest_prctl", "option:n arg:w=0", "prctl_result"),
    "acct": _routine("guest_acct", "path:w", "nothing"),
    **_consts(constants.SCHED_FLAGS),
    "sched_setattr": _routine(
        "guest_sched_setattr",
        "pid:n policy:n * nice:n=0 priority:n=0 runtime_ns:i=0 deadline_ns:i=0 period_ns:i=0"
        " flags:i=0 size:n=56",
        "nothing",
    ),
    "sched_getattr": _sys(nr.NR_SCHED_GETATTR, "pid:n size:n=56"),
    "set_child_subreaper": _routine("guest_set_child_subreaper", "on:x=True", "nothing"),
    "compute": _sys(nr.NR_COMPUTE, "ns:i", "nothing"),
    "touch": _routine("guest_touch", "m:x first_page:i pages:i write:x=True", "nothing"),
    "say": _routine("guest_say", "text:w", "nothing"),
    "clone": _sys(nr.NR_CLONE, "flags:i"),
    "clone3": _routine(
        "guest_clone3",
        "flags:i * exit_signal:i=17 set_tid:w=None pidfd:x=False"
        " parent_tid:x=None child_tid:x=None cgroup:x=None",
    ),
    "clone_thread": _routine("guest_clone_thread", "flags:i fn:x a:x=... b:x=... c:x=... d:x=..."),
    "unshare": _sys(nr.NR_UNSHARE, "flags:i", "nothing"),
    "setns": _sys(nr.NR_SETNS, "fd:n nstype:n=0", "nothing"),
    "vfork": _sys(nr.NR_VFORK),
    "gettid": _sys(nr.NR_GETTID),
    "ptrace": _sys(nr.NR_PTRACE, "request:i pid:n addr:i=0 data:i=0"),
    "addressof": _pure("guest_addressof", "m:x"),
    **_consts(constants.PTRACE),
    "exit_thread": _sys(nr.NR_EXIT, "code:i"),
}

MODULES: Final[dict[str, dict[str, Entry]]] = {
    "os": _OS,
    "os.path": {
        "basename": _pure("path_basename", "p:w"),
        "join": _pure("path_join_any", "a:w *p:w"),
        "dirname": _pure("path_dirname", "p:w"),
        "split": _pure("path_split", "p:w"),
        "splitext": _pure("path_splitext", "p:w"),
        "isabs": _pure("path_isabs", "s:w"),
        "normpath": _pure("path_normpath", "path:w"),
        "normcase": _pure("path_normcase", "s:w"),
        "expanduser": _pure("path_expanduser", "path:w"),
        "abspath": _routine("path_abspath", "path:w"),
        "relpath": _routine("path_relpath", "path:w start:w=None"),
        "isfile": _routine("path_isfile", "path:w"),
        "isdir": _routine("path_isdir", "s:w"),
        "islink": _routine("path_islink", "path:w"),
        "lexists": _routine("path_exists", "path:w"),
        "getsize": _routine("path_getsize", "filename:w"),
        "getmtime": _routine("path_getmtime", "filename:w"),
        "sep": Const("/"),
        "pardir": Const(".."),
        "curdir": Const("."),
        "exists": _routine("path_exists", "path:w"),
    },
    "os.environ": {
        "get": _pure("os_getenv", "key:w default:x=None"),
        "copy": _pure("environ_copy"),
    },
    "sys": _SYS,
    "time": _TIME,
    "random": {
        name: _routine(f"random_{name}", params) for name, params in RANDOM_FUNCTIONS.items()
    },
    "traceback": {
        "print_exc": _routine("traceback_print_exc"),
        "format_exc": _pure("traceback_format_exc"),
        "print_exception": _routine("traceback_print_exception", "exc:x value:x=... tb:x=..."),
        "format_exception": _pure("traceback_format_exception", "exc:x value:x=... tb:x=..."),
    },
    "functools": {"partial": _pure("functools_partial", "func:x *args:x")},
    "errno": {**_consts(constants.ERRNO), "errorcode": Made("errno_errorcode")},
    "math": {
        **{name: Const(value) for name, value in mathcalls.CONSTANTS.items()},
        **{name: _pure(f"math_{name}", params) for name, params in mathcalls.PARAMETERS.items()},
        "log": _pure("math_log", "x:x base:x=..."),
        "gcd": _pure("math_gcd", "*integers:x"),
        "lcm": _pure("math_lcm", "*integers:x"),
        "hypot": _pure("math_hypot", "*coordinates:x"),
        "factorial": _pure("math_factorial", "n:x"),
        "comb": _pure("math_comb", "n:x k:x"),
        "perm": _pure("math_perm", "n:x k:x=None"),
        "fsum": _pure("math_fsum", "seq:x"),
        "prod": _pure("math_prod", "iterable:x * start:x=1"),
        "isclose": _pure("math_isclose", "a:x b:x * rel_tol:x=None abs_tol:x=0"),
        "ldexp": _pure("math_ldexp", "x:x i:x"),
        "dist": _pure("math_dist", "p:x q:x"),
    },
    "signal": _SIGNAL,
    "mmap": _MMAP,
    "threading": _THREADING,
    "_thread": _THREAD,
    "queue": _QUEUE,
    "workloads.guest": _GUEST,
    "fcntl": {
        **_consts(constants_io.FCNTL),
        "fcntl": _routine("fcntl_fcntl", "fd:x cmd:n arg:w=0"),
    },
    "resource": {
        **_consts(constants.RESOURCE),
        "getrlimit": _routine("resource_getrlimit", "resource:n", "rlimit_result"),
        "setrlimit": _routine("resource_setrlimit", "resource:n limits:x", "nothing"),
        "prlimit": _routine("resource_prlimit", "pid:m resource:n limits:x=False"),
        "getrusage": _routine("resource_getrusage", "who:n", "rusage_result"),
    },
    "select": {
        **_consts(constants_io.SELECT),
        "poll": _pure("select_poll"),
        "select": _routine("select_select", "rlist:w wlist:w xlist:w timeout:x=None"),
    },
    "socket": {
        **_consts(constants_io.SOCKET),
        "socketpair": _routine("socket_socketpair", "family:x=None type:n=1 proto:n=0"),
    },
}

#: Modules that only ``libraries/threading.py`` and ``libraries/iteration.py`` may import.
LIBRARY_MODULES: Final[dict[str, dict[str, Entry]]] = {
    "_runtime": {
        "current": _pure("runtime_current"),
        "forget": _routine("runtime_forget", "lock:x"),
        "order": _pure("iteration_order", "items:x keys:x reverse:x"),
        "extreme_of": _pure("iteration_extreme", "items:x keys:x largest:x default:x"),
        "next_of": _routine("iteration_next", "source:x"),
        "check_signals": _routine("io_check_signals"),
        "reentrant": _pure("io_reentrant", "self:x"),
        "unsupported": _pure("io_unsupported", "what:x"),
        "would_block": _pure("io_would_block", "what:x written:x"),
        "end_of_input": _pure("io_end_of_input"),
        "encode": _pure("io_encode", "self:x text:x"),
        "must_flush": _pure("io_must_flush", "self:x text:x"),
        "decode": _pure("io_decode", "self:x data:x final:x"),
        "take_line": _pure("io_take_line", "self:x limit:x final:x"),
        "take_text": _pure("io_take_text", "self:x size:x"),
        "register": _pure("io_register", "handle:x"),
        "popen_parts": _pure("io_popen_parts", "fd:x mode:x buffering:x"),
        "popen_handle": _pure("io_popen_handle", "stream:x pid:x"),
        "spawn_shell": _routine("io_spawn_shell", "command:x mask:x defaults:x actions:x"),
        "set_signal": _routine("io_set_signal", "signal:x disposition:x"),
        "set_mask": _routine("io_set_mask", "how:x mask:x"),
        "text_bytes": _pure("io_text_bytes", "self:x"),
    },
}

#: Submodules by attribute: ``os.path`` in a program is this key of MODULES.
SUBMODULES: Final = {
    ("os", "path"): "os.path",
    ("os", "environ"): "os.environ",
    ("workloads", "guest"): "workloads.guest",
}

#: Names whose value is made when the program starts: module, name -> hidden global.
START_VALUES: Final = {
    ("sys", "argv"): "sys.argv",
    ("sys", "executable"): "sys.executable",
    ("sys", "stdin"): "sys.stdin",
    ("sys", "stdout"): "sys.stdout",
    ("sys", "stderr"): "sys.stderr",
    ("signal", "default_int_handler"): "signal.default_int_handler",
}

_DIRECTORY: Final = ("dir_fd", "follow_symlinks", "src_dir_fd", "dst_dir_fd", "effective_ids")
#: Parameters of CPython's functions that those here do not have: refused, not a TypeError.
BEYOND: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("mmap", "mmap"): ("prot", "access", "offset"),
    ("socket", "socketpair"): (),
}


def beyond(module: str, name: str) -> tuple[str, ...]:
    """Return the parameters that CPython's function has and the language's has not."""
    more = BEYOND.get((module, name), ())
    return (*more, *_DIRECTORY) if module == "os" else more


#: What to write instead of some names that are often tried.
INSTEAD: Final = {
    ("os", "getlogin"): "write os.getuid()",
}

#: Builtin functions: name -> (helper in the block namespace, least and most arguments).
BUILTINS: Final[dict[str, tuple[str, int, int]]] = {
    "len": ("_len", 1, 1),
    "range": ("_range", 1, 3),
    "int": ("_new_int", 0, 2),
    "str": ("_new_str", 0, 3),
    "bytes": ("_new_bytes", 0, 3),
    "bytearray": ("_new_bytearray", 0, 3),
    "bool": ("_bool", 0, 1),
    "float": ("_float", 0, 1),
    "abs": ("_abs", 1, 1),
    "min": ("_smallest", 1, 99),
    "max": ("_largest", 1, 99),
    "sum": ("_total", 1, 2),
    "sorted": ("_ordered", 1, 1),
    "reversed": ("_reversed", 1, 1),
    "enumerate": ("_enumerate", 1, 2),
    "zip": ("_zip", 0, 99),
    "list": ("_new_list", 0, 1),
    "tuple": ("_new_tuple_of", 0, 1),
    "dict": ("_new_dict", 0, 1),
    "set": ("_new_set", 0, 1),
    "isinstance": ("_isinstance", 2, 2),
    "repr": ("_repr", 1, 1),
    "ord": ("_ord", 1, 1),
    "chr": ("_chr", 1, 1),
    "hex": ("_hex", 1, 1),
    "divmod": ("_divmod", 2, 2),
    "any": ("_any_of", 1, 1),
    "all": ("_all_of", 1, 1),
    "exit": ("_site_exit", 0, 1),
    "quit": ("_site_exit", 0, 1),
    "map": ("_map", 2, 99),
    "filter": ("_filter", 2, 2),
    "iter": ("_iter", 1, 1),
    "next": ("_next", 1, 2),
    "type": ("_type_of", 1, 1),
    "callable": ("_callable", 1, 1),
    "round": ("_round", 1, 2),
    "pow": ("_pow", 2, 3),
    "bin": ("_bin", 1, 1),
    "oct": ("_oct", 1, 1),
    "ascii": ("_ascii", 1, 1),
}

#: Named arguments of builtins.
BUILTIN_WORDS: Final[dict[str, frozenset[str]]] = {
    "sorted": frozenset({"reverse", "key"}),
    "enumerate": frozenset({"start"}),
    "sum": frozenset({"start"}),
    "min": frozenset({"key", "default"}),
    "max": frozenset({"key", "default"}),
    "int": frozenset({"base"}),
    "round": frozenset({"ndigits"}),
    "pow": frozenset({"base", "exp", "mod"}),
    "str": frozenset({"encoding", "errors"}),
    "bytes": frozenset({"encoding", "errors"}),
    "bytearray": frozenset({"encoding", "errors"}),
    "zip": frozenset({"strict"}),
}

#: Builtins whose first parameters can be named, too.
NAMED: Final = frozenset({"pow"})
#: Builtins that take any named argument.
ANY_WORDS: Final = frozenset({"dict"})
#: Builtins that call a function of the program if they get a key.
KEYED: Final = frozenset({"sorted", "min", "max"})
#: Builtins whose helper gets the globals first: what they make may call the program.
WITH_GLOBALS: Final = frozenset({"map", "filter", "iter"})
#: What may give an iterator, by the name it is called with: builtins, functions, attributes.
ITERATOR_MAKERS: Final = frozenset(
    {"map", "filter", "iter", "open", "fdopen", "popen", "stdin", "makefile", "scandir", "walk"}
)


def star_names(module: str) -> list[str]:
    """Return the names that ``from module import *`` brings."""
    if "." in module or module not in MODULES:
        return []
    names = [*MODULES[module]]
    names += [name for where, name in (*SUBMODULES, *START_VALUES) if where == module]
    return sorted([name for name in names if not name.startswith("_") or name == "_exit"])


#: Builtin functions that work on files: their helpers. They stop the block.
STREAM_BUILTINS: Final = {"open": "_open", "input": "_input"}
#: File descriptors of the standard streams, by hidden global.
STREAM_FDS: Final = {"sys.stdin": 0, "sys.stdout": 1, "sys.stderr": 2}

#: Builtins that give an iterator: only where it is consumed at once.
LAZY: Final = frozenset({"reversed", "enumerate", "zip"})
#: Builtins that consume an iterator argument.
CONSUMERS: Final = frozenset(
    {"list", "tuple", "dict", "set", "sorted", "sum", "min", "max", "any", "all", "bytes"}
)
LAZY_METHODS: Final = frozenset({"items", "keys", "values"})

TYPES: Final[dict[str, type]] = {
    "int": int,
    "str": str,
    "bytes": bytes,
    "bytearray": bytearray,
    "bool": bool,
    "float": float,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "set": GuestSet,
}

EXCEPTIONS: Final[dict[str, type[BaseException]]] = {
    "IOError": OSError,
    "EnvironmentError": OSError,
} | {
    cls.__name__: cls
    for cls in (
        OSError,
        ChildProcessError,
        ProcessLookupError,
        PermissionError,
        BlockingIOError,
        BrokenPipeError,
        EOFError,
        InterruptedError,
        FileNotFoundError,
        NotADirectoryError,
        FileExistsError,
        IsADirectoryError,
        TimeoutError,
        ValueError,
        KeyError,
        IndexError,
        ZeroDivisionError,
        TypeError,
        AssertionError,
        RuntimeError,
        OverflowError,
        SystemExit,
        KeyboardInterrupt,
        Exception,
        BaseException,
        ArithmeticError,
        AttributeError,
        BufferError,
        BytesWarning,
        ConnectionAbortedError,
        ConnectionError,
        ConnectionRefusedError,
        ConnectionResetError,
        DeprecationWarning,
        EOFError,
        FloatingPointError,
        FutureWarning,
        GeneratorExit,
        ImportError,
        ImportWarning,
        LookupError,
        MemoryError,
        ModuleNotFoundError,
        NameError,
        NotImplementedError,
        PendingDeprecationWarning,
        RecursionError,
        ReferenceError,
        ResourceWarning,
        RuntimeWarning,
        StopAsyncIteration,
        StopIteration,
        SyntaxError,
        SyntaxWarning,
        SystemError,
        UnboundLocalError,
        UnicodeDecodeError,
        UnicodeEncodeError,
        UnicodeError,
        UnicodeTranslateError,
        UnicodeWarning,
        UserWarning,
        Warning,
    )
}

#: Methods that may stop the block when the receiver is a handle.
HANDLE_METHODS: Final = frozenset(
    {
        "start",
        "join",
        "is_alive",
        "cancel",
        "throw",
        "acquire",
        "release",
        "locked",
        "close",
        "madvise",
    }
    | {"send", "recv", "sendall", "shutdown", "setblocking", "fileno"}
    | {"poll", "register", "modify", "unregister"}
    | {"wait", "wait_for", "notify", "notify_all", "is_set", "set", "clear", "reset", "abort"}
    | {"put", "get", "put_nowait", "get_nowait", "task_done", "qsize", "empty", "full"}
    | {"read", "readline", "readlines", "write", "writelines", "seek", "tell", "flush", "truncate"}
    | {"isatty", "readable", "writable", "seekable", "readall", "read1", "peek", "reconfigure"}
)
#: Those of them that ordinary values have, too: handles only in programs that import this module.
COMMON_METHODS: Final = {"clear": "threading", "get": "queue"}
#: Attributes that can be read (which type has which: ``methods.ATTRIBUTES``).
READABLE: Final = frozenset(
    {
        "args", "errno", "strerror", "filename", "filename2", "code",
        "st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size",
        "st_atime", "st_mtime", "st_ctime",
        "si_pid", "si_uid", "si_signo", "si_status", "si_code",
        "user", "system", "children_user", "children_system", "elapsed",
        "ru_utime", "ru_stime", "ru_maxrss", "ru_ixrss", "ru_idrss", "ru_isrss", "ru_minflt",
        "ru_majflt", "ru_nswap", "ru_inblock", "ru_oublock", "ru_msgsnd", "ru_msgrcv",
        "ru_nsignals", "ru_nvcsw", "ru_nivcsw", "sched_priority",
        "tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday",
        "tm_isdst", "tm_zone", "tm_gmtoff", "value", "major", "minor", "micro",
        "daemon", "native_id", "ident", "name", "__name__", "__class__",
        "si_errno", "si_band", "parties", "n_waiting", "broken", "maxsize", "unfinished_tasks",
        "closed", "encoding", "errors", "mode", "buffer", "raw", "line_buffering", "write_through",
        "closefd",
    }
)  # fmt: skip
