"""Arguments and results of system calls as strace prints them: names of constants, not numbers.

Two tables: ``ARGUMENTS`` has a formatter for an argument of a call, by the call's name and the
argument's (``kernel.uapi.syscalls.TABLE``), or by the argument's alone; ``RESULTS`` one for the
result of a call, which may look at the arguments. Whatever has none is shown as a number, a quoted
text or a list.

Source: strace(1), and its src/xlat/*.in for the names.
Deviation: what a call stores through a pointer stands behind the result, in parentheses
(``wait4(-1, 0) = 4 (WIFEXITED(s) && WEXITSTATUS(s) == 7)``): arguments are printed when it begins.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from types import ModuleType
from typing import Any, Final

from kernel.trace.formats import MOST, Format, flags, octal, one_of, plain, quote
from kernel.uapi import (
    clone,
    eventfd,
    fcntl,
    ipc,
    mman,
    policy,
    poll,
    prctl,
    prio,
    ptrace,
    resource,
    rlimit,
    signals,
    socket,
    wait,
)
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.syscalls import TABLE


def _names(module: ModuleType, prefix: str, *more: str) -> dict[int, str]:
    """Return value -> name of a module's constants that begin with ``prefix``."""
    names: dict[int, str] = {}
    for name, value in vars(module).items():
        if name.startswith((prefix, *more)) and isinstance(value, int):
            names.setdefault(value, name)
    return names


def file_mode(value: Any) -> str:
    """Return a mode with the type of file: ``S_IFIFO|0600``."""
    kind = value & fcntl.S_IFMT
    return (
        f"{_FILE_TYPES.get(kind, f'{kind:#o}')}|{octal(value & 0o7777)}" if kind else octal(value)
    )


def open_flags(value: Any) -> str:
    """Return the flags of open: ``O_WRONLY|O_CREAT|O_CLOEXEC``."""
    how = value & fcntl.O_ACCMODE
    rest = flags(_OPEN, "")(value & ~fcntl.O_ACCMODE)
    return _ACCESS_MODES.get(how, str(how)) + (f"|{rest}" if rest else "")


def signal(value: Any) -> str:
    """Return the name of a signal: ``SIGCHLD``, ``SIGRT_2``."""
    if not isinstance(value, int):
        return plain(value)
    if signals.SIGRTMIN <= value <= signals.NSIG:
        return f"SIGRT_{value - signals.SIGRTMIN}"
    return _SIGNALS.get(value, str(value))


def signal_set(value: Any) -> str:
    """Return a set of signals: ``[INT CHLD]``; with most of them, what is missing: ``~[KILL]``."""
    if not isinstance(value, int):
        return plain(value)
    there = [number for number in range(1, signals.NSIG + 1) if value >> (number - 1) & 1]
    sign, shown = "", there
    if len(there) > signals.NSIG // 2:
        sign, shown = "~", [n for n in range(1, signals.NSIG + 1) if n not in there]
    return f"{sign}[{' '.join(signal(number).removeprefix('SIG') for number in shown)}]"


def status(value: int) -> str:
    """Return a wait status by the macros that tell what it is."""
    if value == 0xFFFF:
        return "WIFCONTINUED(s)"
    if value & 0xFF == 0x7F:
        event = value >> 16
        text = f"WIFSTOPPED(s) && WSTOPSIG(s) == {signal(value >> 8 & 0x7F)}"
        if value >> 8 & 0x80:
            text += " | 0x80"
        return text + (f", {_EVENTS.get(event, event)}" if event else "")
    if value & 0x7F:
        core = " && WCOREDUMP(s)" if value & 0x80 else ""
        return f"WIFSIGNALED(s) && WTERMSIG(s) == {signal(value & 0x7F)}{core}"
    return f"WIFEXITED(s) && WEXITSTATUS(s) == {value >> 8 & 0xFF}"


def timespec(value: Any) -> str:
    """Return a time in ns as a timespec; negative: no time limit."""
    if not isinstance(value, int) or value < 0:
        return "NULL"
    return f"{{tv_sec={value // NSEC_PER_SEC}, tv_nsec={value % NSEC_PER_SEC}}}"


def limits(value: Any) -> str:
    """Return a pair of resource limits."""
    if not isinstance(value, tuple) or len(value) != 2:
        return plain(value)
    soft, hard = ("RLIM64_INFINITY" if one == rlimit.RLIM_INFINITY else one for one in value)
    return f"{{rlim_cur={soft}, rlim_max={hard}}}"


def poll_fds(value: Any) -> str:
    """Return what poll is asked for."""
    shown = [f"{{fd={fd}, events={_poll(events)}}}" for fd, events in value[:MOST]]
    return f"[{', '.join(shown)}]"


def environment(value: Any) -> str:
    """Return an environment by its size, as strace does."""
    if value is None:
        return "environ"
    return f"/* {len(value)} var{'' if len(value) == 1 else 's'} */"


def _clone_flags(value: Any) -> str:
    """Return the flags of clone, with the exit signal of the low byte."""
    rest = value & ~clone.CSIGNAL
    exit_signal = signal(value & clone.CSIGNAL) if value & clone.CSIGNAL else ""
    names = flags(_CLONE, "")(rest)
    return "|".join(part for part in (names, exit_signal) if part) or "0"


def _policy(value: Any) -> str:
    rest = value & ~policy.SCHED_RESET_ON_FORK
    text = _POLICIES.get(rest, str(rest))
    return f"{text}|SCHED_RESET_ON_FORK" if value & policy.SCHED_RESET_ON_FORK else text


def _cpu_mask(value: Any) -> str:
    if not isinstance(value, int) or value < 0:
        return plain(value)
    cpus = [str(bit) for bit in range(min(value.bit_length(), 4096)) if value >> bit & 1]
    return f"[{' '.join(cpus[:MOST])}{' ...' if len(cpus) > MOST else ''}]"


def _socket_type(value: Any) -> str:
    kind = value & socket.SOCK_TYPE_MASK
    rest = flags({socket.SOCK_NONBLOCK: "SOCK_NONBLOCK", socket.SOCK_CLOEXEC: "SOCK_CLOEXEC"}, "")(
        value & ~socket.SOCK_TYPE_MASK
    )
    return _SOCKET_TYPES.get(kind, str(kind)) + (f"|{rest}" if rest else "")


def _ipc_key(value: Any) -> str:
    return "IPC_PRIVATE" if value == 0 else f"{value:#x}" if isinstance(value, int) else "?"


_SIGNALS: Final = {
    number: name
    for number, name in _names(signals, "SIG").items()
    if 0 < number < signals.SIGRTMIN and "_" not in name
}
_OPEN: Final = {
    value: name for value, name in _names(fcntl, "O_").items() if value > fcntl.O_ACCMODE
}
_ACCESS_MODES: Final = {0: "O_RDONLY", 1: "O_WRONLY", 2: "O_RDWR"}
_FILE_TYPES: Final = {v: n for v, n in _names(fcntl, "S_IF").items() if n != "S_IFMT"}
_CLONE: Final = {v: n for v, n in _names(clone, "CLONE_").items() if n != "CLONE_NEWTIME"}
_NAMESPACES: Final = _names(clone, "CLONE_")
_POLL: Final = _names(poll, "POLL")
_poll: Final = flags(_POLL)
_WAIT: Final = {
    **{v: n for v, n in _names(wait, "W").items() if n != "WUNTRACED"},
    wait.WSTOPPED: "WSTOPPED",  # so strace, for both calls
    wait.WALL: "__WALL",
    wait.WCLONE: "__WCLONE",
    wait.WNOTHREAD: "__WNOTHREAD",
}
_CODES: Final = _names(wait, "CLD_")
_EVENTS: Final = _names(ptrace, "PTRACE_EVENT_")
_POLICIES: Final = {**_names(policy, "SCHED_"), policy.SCHED_NORMAL: "SCHED_OTHER"}
_SOCKET_TYPES: Final = {
    v: n for v, n in _names(socket, "SOCK_").items() if v < socket.SOCK_TYPE_MASK
}
_IPC_FLAGS: Final = {
    ipc.IPC_CREAT: "IPC_CREAT",
    ipc.IPC_EXCL: "IPC_EXCL",
    ipc.IPC_NOWAIT: "IPC_NOWAIT",
}
_IPC_COMMANDS: Final = {
    **{ipc.IPC_RMID: "IPC_RMID", ipc.IPC_SET: "IPC_SET", ipc.IPC_STAT: "IPC_STAT"},
    **{ipc.GETPID: "GETPID", ipc.GETVAL: "GETVAL", ipc.SETVAL: "SETVAL"},
    **{ipc.GETNCNT: "GETNCNT", ipc.GETZCNT: "GETZCNT"},
}
_MSG: Final = {
    **{ipc.IPC_NOWAIT: "IPC_NOWAIT", ipc.MSG_NOERROR: "MSG_NOERROR"},
    **{ipc.MSG_EXCEPT: "MSG_EXCEPT", ipc.MSG_COPY: "MSG_COPY"},
}
_MAP: Final = {v: n for v, n in _names(mman, "MAP_").items() if n != "MAP_TYPE"}
_ADVICE: Final = dict(
    enumerate(("MADV_NORMAL", "MADV_RANDOM", "MADV_SEQUENTIAL", "MADV_WILLNEED", "MADV_DONTNEED"))
) | {
    **{8: "MADV_FREE", 9: "MADV_REMOVE", 10: "MADV_DONTFORK", 11: "MADV_DOFORK"},
    **{16: "MADV_DONTDUMP", 17: "MADV_DODUMP", 18: "MADV_WIPEONFORK", 19: "MADV_KEEPONFORK"},
}
_CLOCKS: Final = {
    **{0: "CLOCK_REALTIME", 1: "CLOCK_MONOTONIC"},
    **{2: "CLOCK_PROCESS_CPUTIME_ID", 3: "CLOCK_THREAD_CPUTIME_ID"},
    **{4: "CLOCK_MONOTONIC_RAW", 5: "CLOCK_REALTIME_COARSE", 6: "CLOCK_MONOTONIC_COARSE"},
    **{7: "CLOCK_BOOTTIME", 11: "CLOCK_TAI"},
}
_DISPOSITIONS: Final = {signals.SIG_DFL: "SIG_DFL", signals.SIG_IGN: "SIG_IGN"}


def _disposition(value: Any) -> str:
    if not isinstance(value, int):
        return plain(value)
    name = _DISPOSITIONS.get(value & 3, "handler")
    return f"{name}|SA_RESTART" if value & signals.SA_RESTART else name


def _ipc_flags(value: Any) -> str:
    names = flags(_IPC_FLAGS, "")(value & ~0o777)
    mode = octal(value & 0o777)
    return f"{names}|{mode}" if names else mode


# (call, argument) or argument -> its formatter; an empty result leaves the argument out
ARGUMENTS: Final[dict[Any, Format]] = {
    "signal": signal,
    "exit_signal": signal,
    "path": plain,
    "mode": octal,
    "mask": octal,
    "until_ns": lambda value: "",
    "timeout_ns": timespec,
    "ns": timespec,
    "interval_ns": timespec,
    "policy": _policy,
    "env": environment,
    "key": _ipc_key,
    "fds": poll_fds,
    "limits": limits,
    "nameless": lambda value: "",
    "rusage": lambda value: "",
    ("open", "flags"): open_flags,
    ("mmap", "flags"): flags(_MAP),
    ("madvise", "advice"): one_of(_ADVICE),
    ("mlockall", "flags"): flags({1: "MCL_CURRENT", 2: "MCL_FUTURE", 4: "MCL_ONFAULT"}),
    ("rt_sigaction", "disposition"): _disposition,
    ("rt_sigprocmask", "how"): one_of({0: "SIG_BLOCK", 1: "SIG_UNBLOCK", 2: "SIG_SETMASK"}),
    "set": signal_set,
    ("access", "mode"): flags({4: "R_OK", 2: "W_OK", 1: "X_OK"}, "F_OK"),
    ("lseek", "whence"): one_of(_names(fcntl, "SEEK_")),
    ("dup2", "inheritable"): lambda value: "",
    "which": one_of(_names(signals, "ITIMER_")),
    ("sendto", "flags"): flags(_names(socket, "MSG_")),
    ("recvfrom", "flags"): flags(_names(socket, "MSG_")),
    ("shutdown", "how"): one_of(_names(socket, "SHUT_")),
    "family": one_of(_names(socket, "AF_")),
    "type": _socket_type,
    ("clone", "flags"): _clone_flags,
    ("clone3", "flags"): flags(_CLONE),
    ("thread_start", "flags"): flags(_CLONE),
    ("thread_start", "start"): lambda value: "",
    ("unshare", "flags"): flags(_NAMESPACES),
    ("setns", "nstype"): flags(_NAMESPACES),
    ("wait4", "options"): flags(_WAIT),
    ("waitid", "options"): flags(_WAIT),
    "idtype": one_of(_names(wait, "P_")),
    ("semget", "flags"): _ipc_flags,
    ("msgget", "flags"): _ipc_flags,
    ("shmget", "flags"): _ipc_flags,
    ("msgsnd", "flags"): flags(_MSG),
    ("msgrcv", "flags"): flags(_MSG),
    "cmd": one_of(_IPC_COMMANDS),
    ("fcntl", "command"): one_of(_names(fcntl, "F_DUP", "F_GET", "F_SET")),
    ("mknod", "mode"): file_mode,
    "who": plain,
    ("getrusage", "who"): one_of(
        {v: n for v, n in _names(resource, "RUSAGE_").items() if n != "RUSAGE_BOTH"}
    ),
    ("getpriority", "which"): one_of(_names(prio, "PRIO_")),
    ("setpriority", "which"): one_of(_names(prio, "PRIO_")),
    "request": one_of(
        {
            v: n
            for v, n in _names(ptrace, "PTRACE_").items()
            if not n.startswith(("PTRACE_O_", "PTRACE_EVENT", "PTRACE_SYSCALL_INFO"))
        }
    ),
    "option": one_of({v: n for v, n in _names(prctl, "PR_").items() if n != "PR_LAST"}),
    "resource": one_of(_names(rlimit, "RLIMIT_")),
    "futex_op": one_of(_names(ipc, "FUTEX_")),
    "clock": one_of(_CLOCKS),
    ("sched_setaffinity", "mask"): _cpu_mask,
    ("eventfd2", "flags"): flags(_names(eventfd, "EFD_")),
    ("pipe2", "flags"): flags(_OPEN),
    ("posix_spawn", "setpgroup"): plain,
}


def arguments(number: int, args: tuple[Any, ...]) -> str:
    """Return the arguments of a call as strace prints them.

    Args:
        number: of the call.
        args: as the kernel got them.
    """
    call, names, _ = TABLE.get(number, ("", (), ""))
    shown = []
    for place, value in enumerate(args):
        name = names[place].removesuffix("?") if place < len(names) else ""
        form = ARGUMENTS.get((call, name)) or ARGUMENTS.get(name) or plain
        shown.append(_one(form, value))
    with suppress(TypeError, IndexError, ValueError):  # a program may pass anything
        if call == "write":
            shown.append(str(len(args[1])))
        elif call == "open" and not args[1] & fcntl.O_CREAT:
            shown = shown[:2]
        elif call == "fcntl":
            shown[2] = _fcntl_argument(args[1], args[2])
        elif call == "ptrace":
            shown[3] = _ptrace_data(args[0], args[3])
    return ", ".join([text for text in shown if text])


def _one(form: Format, value: Any) -> str:
    """Format one argument; whatever a program passes is shown, if need be as it is."""
    try:
        return form(value)
    except (TypeError, ValueError, AttributeError):
        return plain(value)


def _fcntl_argument(command: int, value: Any) -> str:
    if command == fcntl.F_SETFD:
        return flags({fcntl.FD_CLOEXEC: "FD_CLOEXEC"})(value)
    if command == fcntl.F_SETFL:
        return open_flags(value)
    return "" if command in (fcntl.F_GETFD, fcntl.F_GETFL, fcntl.F_GETPIPE_SZ) else plain(value)


def _ptrace_data(request: int, value: Any) -> str:
    if request in (ptrace.PTRACE_SETOPTIONS, ptrace.PTRACE_SEIZE):
        return flags(_names(ptrace, "PTRACE_O_TRACE", "PTRACE_O_EXIT"))(value)
    if request in (
        ptrace.PTRACE_CONT,
        ptrace.PTRACE_SYSCALL,
        ptrace.PTRACE_SINGLESTEP,
        ptrace.PTRACE_DETACH,
    ):
        return signal(value) if value else "0"
    return plain(value)


def _wait4(args: tuple[Any, ...], value: Any) -> str:
    return f"{value[0]} ({status(value[1])})" if value[0] else "0"


def _waitid(args: tuple[Any, ...], value: Any) -> str:
    if value is None:
        return "0"
    pid, uid, number, code_status, code = value
    how = code_status if code == wait.CLD_EXITED else signal(code_status)
    return (
        f"0 ({{si_signo={signal(number)}, si_code={_CODES.get(code, code)}, si_pid={pid}, "
        f"si_uid={uid}, si_status={how}}})"
    )


def _fcntl(args: tuple[Any, ...], value: Any) -> str:
    if args[1] == fcntl.F_GETFL:
        return f"{value:#x} (flags {open_flags(value)})"
    if args[1] == fcntl.F_GETFD and value:
        return f"{value:#x} (flags FD_CLOEXEC)"
    return plain(value)


def _stored(form: Format) -> Callable[[tuple[Any, ...], Any], str]:
    """Return the formatter of a result that a call stores: ``0 (form)``."""
    return lambda args, value: f"0 ({_one(form, value)})"


def _poll_result(args: tuple[Any, ...], value: Iterable[int]) -> str:
    there = [
        f"{{fd={fd}, revents={_poll(events)}}}" for (fd, _), events in zip(args[0], value) if events
    ]
    return f"{len(there)} ([{', '.join(there[:MOST])}])" if there else "0 (Timeout)"


def _stat(args: tuple[Any, ...], value: tuple[int, ...]) -> str:
    return f"0 ({{st_mode={file_mode(value[0])}, st_size={value[6]}, ...}})"


RESULTS: Final[dict[str, Callable[[tuple[Any, ...], Any], str]]] = {
    "wait4": _wait4,
    "waitid": _waitid,
    "fcntl": _fcntl,
    "poll": _poll_result,
    "stat": _stat,
    "fstat": _stat,
    "rt_sigaction": _stored(_disposition),
    "rt_sigprocmask": _stored(signal_set),
    "rt_sigpending": _stored(signal_set),
    "rt_sigtimedwait": lambda args, value: f"{value[0] + 0} ({signal(value[0])})",
    "sigwait": lambda args, value: f"0 ([{signal(value)}])",
    "pipe2": _stored(plain),
    "socketpair": _stored(plain),
    "prlimit64": _stored(limits),
    "getitimer": _stored(plain),
    "setitimer": _stored(plain),
    "getrusage": _stored(lambda value: f"{{ru_utime={timespec(value[0])}, ...}}"),
    "clock_gettime": _stored(timespec),
    "clock_getres": _stored(timespec),
    "gettimeofday": _stored(timespec),
    "sched_getscheduler": lambda args, value: f"{value} ({_policy(value)})",
    "sched_getaffinity": _stored(_cpu_mask),
    "sched_rr_get_interval": _stored(timespec),
    "umask": lambda args, value: octal(value),
    "mmap": lambda args, value: f"{value:#x}",
    "shmat": lambda args, value: f"{value[0]:#x}",
}


def result(number: int, args: tuple[Any, ...], value: Any) -> str:
    """Return what a call gave as strace prints it; texts and lists stand behind their count."""
    call = TABLE[number][0] if number in TABLE else ""
    form = RESULTS.get(call)
    if form is not None:
        try:
            return form(args, value)
        except (TypeError, ValueError, IndexError, AttributeError):
            return plain(value)
    if isinstance(value, (str, bytes)):
        return f"{len(value)} ({quote(value)})"
    if isinstance(value, tuple):
        return f"0 ({plain(value)})"
    # None, and ExecResult and its like: what the guest gets is no value of a call
    return plain(value) if isinstance(value, (bool, int, float)) else "0"
