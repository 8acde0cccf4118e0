"""What CPython says when a module's function gets the wrong arguments.

How a C function takes its arguments shows in the words of its TypeErrors: METH_NOARGS, METH_O, a
tuple of so many, PyArg_ParseTuple, or Argument Clinic's keywords. Which function does it how was
noted from CPython 3.11; a test compares every function's texts with the host's.

Source: CPython Python/getargs.c, Objects/methodobject.c, Objects/descrobject.c.
"""

from typing import Any, Final

from workloads.language.binding import laid_out
from workloads.language.frames import Code
from workloads.language.tables import Param
from workloads.language.values import Builtin

#: By module: the functions of a kind, ``name:least:most`` where that is needed, ``@`` another name
#: used in the text.
_NONE: Final = {
    "os": (
        "fork wait getpid getppid getpgrp setpgrp setsid abort times sched_yield getuid geteuid "
        "getgid getegid getresgid getresuid pipe getcwd cpu_count"
    ),
    "time": (
        "monotonic monotonic_ns time time_ns perf_counter_ns process_time_ns thread_time_ns "
        "perf_counter process_time thread_time"
    ),
    "signal": ("pause"),
    "threading": ("Lock@_thread.allocate_lock get_native_id get_ident"),
    "_thread": ("exit allocate_lock"),
    "select": ("poll"),
    "random": ("random@Random.random"),
}
_ONE: Final = {
    "os": (
        "strerror getsid nice sched_getaffinity sched_getscheduler sched_getparam "
        "sched_rr_get_interval setuid setgid seteuid setegid umask dup pipe2 WCOREDUMP "
        "get_inheritable get_blocking isatty urandom"
    ),
    "random": ("getrandbits@Random.getrandbits"),
    "time": ("sleep mktime"),
    "math": (
        "sqrt ceil floor trunc fabs exp expm1 log2 log10 log1p sin cos tan asin acos atan sinh "
        "cosh tanh degrees radians isnan isinf isfinite modf frexp erf erfc gamma lgamma cbrt "
        "exp2 isqrt factorial fsum"
    ),
    "signal": ("strsignal raise_signal sigwaitinfo alarm getitimer"),
    "resource": ("getrlimit getrusage"),
}
_TUPLE: Final = {
    "os": (
        "execv:2:2 setreuid:2:2 setregid:2:2 setresgid:3:3 setresuid:3:3 read:2:2 write:2:2 "
        "lseek:3:3 putenv:2:2 ftruncate:2:2 set_inheritable:2:2 set_blocking:2:2"
    ),
    "sys": ("exit:0:1"),
    "time": ("asctime:0:1"),
    "math": (
        "atan2:2:2 fmod:2:2 copysign:2:2 pow:2:2 remainder:2:2 comb:2:2 perm:1:2 ldexp:2:2 dist:2:2"
    ),
    "signal": (
        "siginterrupt:2:2 pthread_kill:2:2 sigtimedwait:2:2 setitimer:2:3 pidfd_send_signal:2:4"
    ),
    "_thread": ("start_new_thread:2:3"),
    "fcntl": ("fcntl:2:3"),
    "resource": ("setrlimit:2:2"),
    "select": ("select:3:4"),
}
_PARSE: Final = {
    "os": (
        "waitpid:2:2 waitid:3:3 setpgid:2:2 kill:2:2 killpg:2:2 sched_setaffinity:2:2 "
        "sched_setscheduler:3:3 sched_setparam:2:2"
    ),
    "time": (
        "clock_getres:1:1 clock_gettime:1:1 clock_gettime_ns:1:1@clock_gettime localtime:0:1 "
        "gmtime:0:1 ctime:0:1 strftime:1:2"
    ),
}
_SPAWN: Final = (
    "10 path/ argv/ env/ file_actions=* setpgroup=* resetids=* setsid=* setsigmask=* setsigdef=*"
    " scheduler=*"
)
_WORDS: Final = {
    ("os", "remove"): "2 path dir_fd=*",
    ("os", "system"): "1 command",
    ("os", "_exit"): "1 status",
    ("os", "wait3"): "1 options",
    ("os", "wait4"): "2 pid options",
    ("os", "execve"): "3 path argv env",
    (
        "os",
        "posix_spawn",
    ): _SPAWN,
    (
        "os",
        "posix_spawnp",
    ): _SPAWN,
    ("os", "getpgid"): "1 pid",
    ("os", "pidfd_open"): "2 pid flags=",
    ("os", "getpriority"): "2 which who",
    ("os", "setpriority"): "3 which who priority",
    ("os", "sched_param"): "1 sched_priority",
    ("os", "sched_get_priority_max"): "1 policy",
    ("os", "sched_get_priority_min"): "1 policy",
    ("os", "open"): "4 path flags mode= dir_fd=*",
    ("os", "close"): "1 fd",
    ("os", "dup2"): "3 fd fd2 inheritable=",
    ("os", "unlink"): "2 path dir_fd=*",
    ("os", "mkdir"): "3 path mode= dir_fd=*",
    ("os", "chdir"): "1 path",
    ("os", "fstat"): "1 fd",
    ("os", "stat"): "3 path dir_fd=* follow_symlinks=*",
    ("os", "access"): "5 path mode dir_fd=* effective_ids=* follow_symlinks=*",
    ("os", "chmod"): "4 path mode dir_fd=* follow_symlinks=*",
    ("os", "waitstatus_to_exitcode"): "1 status",
    ("os", "WIFEXITED"): "1 status",
    ("os", "WEXITSTATUS"): "1 status",
    ("os", "WIFSIGNALED"): "1 status",
    ("os", "WTERMSIG"): "1 status",
    ("os", "WIFSTOPPED"): "1 status",
    ("os", "WSTOPSIG"): "1 status",
    ("os", "WIFCONTINUED"): "1 status",
    ("os", "mkfifo"): "3 path mode= dir_fd=*",
    ("os", "rmdir"): "2 path dir_fd=*",
    ("os", "readlink"): "2 path dir_fd=*",
    ("os", "rename"): "4 src dst src_dir_fd=* dst_dir_fd=*",
    ("os", "listdir"): "1 path=",
    ("os", "eventfd"): "2 initval flags=",
    ("os", "eventfd_read"): "1 fd",
    ("os", "eventfd_write"): "2 fd value",
    ("math", "prod"): "2 iterable/ start=*",
    ("math", "isclose"): "4 a b rel_tol=* abs_tol=*",
    ("signal", "set_wakeup_fd"): "2 fd/ warn_on_full_buffer=*",
}
_PYTHON: Final = {
    ("os", "execl"): "execl file *args",
    ("os", "execle"): "execle file *args",
    ("os", "execlp"): "execlp file *args",
    ("os", "execlpe"): "execlpe file *args",
    ("os", "execvpe"): "execvpe file args env",
    ("os", "execvp"): "execvp file args",
    ("os", "spawnv"): "spawnv mode file args",
    ("os", "spawnve"): "spawnve mode file args env",
    ("os", "spawnvp"): "spawnvp mode file args",
    ("os", "spawnvpe"): "spawnvpe mode file args env",
    ("os", "spawnl"): "spawnl mode file *args",
    ("os", "spawnle"): "spawnle mode file *args",
    ("os", "spawnlp"): "spawnlp mode file *args",
    ("os", "spawnlpe"): "spawnlpe mode file *args",
    ("os", "getenv"): "getenv key default=",
    ("os.path", "basename"): "basename p",
    ("os.path", "join"): "join a *p",
    ("os.path", "dirname"): "dirname p",
    ("os.path", "split"): "split p",
    ("os.path", "splitext"): "splitext p",
    ("os.path", "isabs"): "isabs s",
    ("os.path", "normpath"): "normpath path",
    ("os.path", "normcase"): "normcase s",
    ("os.path", "expanduser"): "expanduser path",
    ("os.path", "abspath"): "abspath path",
    ("os.path", "relpath"): "relpath path start=",
    ("os.path", "isfile"): "isfile path",
    ("os.path", "isdir"): "isdir s",
    ("os.path", "islink"): "islink path",
    ("os.path", "lexists"): "lexists path",
    ("os.path", "getsize"): "getsize filename",
    ("os.path", "getmtime"): "getmtime filename",
    ("os.path", "exists"): "exists path",
    ("signal", "signal"): "signal signalnum handler",
    ("signal", "getsignal"): "getsignal signalnum",
    ("signal", "pthread_sigmask"): "pthread_sigmask how mask",
    ("signal", "sigpending"): "sigpending",
    ("signal", "sigwait"): "sigwait sigset",
    ("signal", "valid_signals"): "valid_signals",
    ("threading", "Thread"): "Thread.__init__ self group= target= name= args= kwargs= * daemon=",
    ("threading", "RLock"): "RLock *args **kwargs",
    ("threading", "Condition"): "Condition.__init__ self lock=",
    ("threading", "Semaphore"): "Semaphore.__init__ self value=",
    ("threading", "BoundedSemaphore"): "BoundedSemaphore.__init__ self value=",
    ("threading", "Event"): "Event.__init__ self",
    ("threading", "Barrier"): "Barrier.__init__ self parties action= timeout=",
    ("queue", "Queue"): "Queue.__init__ self maxsize=",
    ("queue", "LifoQueue"): "Queue.__init__ self maxsize=",
    ("queue", "PriorityQueue"): "Queue.__init__ self maxsize=",
    ("random", "betavariate"): "Random.betavariate self alpha beta",
    ("random", "choice"): "Random.choice self seq",
    ("random", "choices"): "Random.choices self population weights= * cum_weights= k=",
    ("random", "expovariate"): "Random.expovariate self lambd",
    ("random", "gammavariate"): "Random.gammavariate self alpha beta",
    ("random", "gauss"): "Random.gauss self mu= sigma=",
    ("random", "lognormvariate"): "Random.lognormvariate self mu sigma",
    ("random", "normalvariate"): "Random.normalvariate self mu= sigma=",
    ("random", "paretovariate"): "Random.paretovariate self alpha",
    ("random", "randbytes"): "Random.randbytes self n",
    ("random", "randint"): "Random.randint self a b",
    ("random", "randrange"): "Random.randrange self start stop= step=",
    ("random", "sample"): "Random.sample self population k * counts=",
    ("random", "seed"): "Random.seed self a= version=",
    ("random", "shuffle"): "Random.shuffle self x",
    ("random", "triangular"): "Random.triangular self low= high= mode=",
    ("random", "uniform"): "Random.uniform self a b",
    ("random", "vonmisesvariate"): "Random.vonmisesvariate self mu kappa",
    ("random", "weibullvariate"): "Random.weibullvariate self alpha beta",
    ("threading", "Timer"): "Timer.__init__ self interval function args= kwargs=",
    ("threading", "enumerate"): "enumerate",
    ("threading", "active_count"): "active_count",
    ("threading", "current_thread"): "current_thread",
    ("threading", "main_thread"): "main_thread",
    ("traceback", "format_exc"): "format_exc limit= chain=",
    ("traceback", "print_exc"): "print_exc limit= file= chain=",
    ("traceback", "format_exception"): "format_exception exc value= tb= limit= chain=",
    ("traceback", "print_exception"): "print_exception exc value= tb= limit= file= chain=",
    ("os", "fdopen"): "fdopen fd mode= buffering= encoding= *args **kwargs",
    ("os", "popen"): "popen cmd mode= buffering=",
    ("socket", "socketpair"): "socketpair family= type= proto=",
}

#: Module names in texts about C functions.
_C_NAMES: Final = {"os": "posix", "signal": "_signal", "threading": "_thread"}
#: METH_VARARGS functions: the text about named arguments does not name their module.
_VARARGS: Final = frozenset(
    {"asctime", "clock_getres", "clock_gettime", "clock_gettime_ns", "ctime", "gmtime", "localtime"}
    | {"strftime", "start_new_thread"}
)


def _plural(count: int) -> str:
    return "" if count == 1 else "s"


def _listed(kinds: dict[str, str], function: Builtin) -> tuple[str, int, int] | None:
    """Return (name in texts, least, most) of a function that stands in ``kinds``."""
    for word in kinds.get(function.module, "").split():
        word, _, alias = word.partition("@")
        name, _, counts = word.partition(":")
        if name == function.name:
            least, _, most = counts.partition(":")
            return alias or name, int(least or 0), int(most or 0)
    return None


def signature_error(
    function: Builtin, params: tuple[Param, ...], args: tuple[Any, ...], words: Any
) -> str:
    """Return the text of the TypeError about a call whose arguments do not fit."""
    given = len(args)
    key = (function.module, function.name)
    if key in _PYTHON:
        return _python_error(_PYTHON[key], args, words)
    if key in _WORDS:
        return _words_error(function.name, _WORDS[key].split(), given, words)
    for kinds, say in ((_NONE, _no_arguments), (_ONE, _one_argument)):
        found = _listed(kinds, function)
        if found is not None:
            name = found[0]
            if "." not in name:
                name = f"{_C_NAMES.get(function.module, function.module)}.{name}"
            return f"{name}() takes no keyword arguments" if words else say(name, given)
    for kinds, tell in ((_TUPLE, _tuple_error), (_PARSE, _parse_error)):
        found = _listed(kinds, function)
        if found is not None:
            if words and function.name in _VARARGS:
                return f"{function.name}() takes no keyword arguments"
            if words:
                module = _C_NAMES.get(function.module, function.module)
                return f"{module}.{function.name}() takes no keyword arguments"
            return tell(found[0], found[1], found[2], given)
    if words:
        return f"{function.name}() takes no keyword arguments"
    most = len([p for p in params if not p.keyword_only])
    least = len([p for p in params if p.required])
    module = _C_NAMES.get(function.module, function.module)
    return f"{module}.{function.name} requires {least} to {most} arguments"


def _no_arguments(name: str, given: int) -> str:
    return f"{name}() takes no arguments ({given} given)"


def _one_argument(name: str, given: int) -> str:
    return f"{name}() takes exactly one argument ({given} given)"


def _tuple_error(name: str, least: int, most: int, given: int) -> str:
    bound = least if given < least else most
    edge = "" if least == most else "at least " if given < least else "at most "
    return f"{name} expected {edge}{bound} argument{_plural(bound)}, got {given}"


def _parse_error(name: str, least: int, most: int, given: int) -> str:
    bound = least if given < least else most
    edge = "exactly" if least == most else "at least" if given < least else "at most"
    return f"{name}() takes {edge} {bound} argument{_plural(bound)} ({given} given)"


def _words_error(name: str, signature: list[str], given: int, words: Any) -> str:
    """Source: CPython Python/getargs.c:vgetargskeywordsfast_impl(), unpack_keywords."""
    total, parameters = int(signature[0]), signature[1:]
    hidden = [p for p in parameters if "/" in p]
    positional = [p for p in parameters if "*" not in p]
    names = [p.rstrip("=*/") for p in parameters]
    if given + len(words) > total:
        what = "keyword " if given == 0 else ""
        return (
            f"{name}() takes at most {total} {what}argument{_plural(total)}"
            f" ({given + len(words)} given)"
        )
    if hidden and given < len(hidden):
        return (
            f"{name}() takes exactly {len(hidden)} positional argument{_plural(len(hidden))}"
            f" ({given} given)"
        )
    if given > len(positional):
        least = len([p for p in positional if "=" not in p])
        edge = "exactly" if least == len(positional) else "at most"
        bound = len(positional)
        return f"{name}() takes {edge} {bound} positional argument{_plural(bound)} ({given} given)"
    named = [text for text, _ in words]
    for place, parameter in enumerate(parameters):
        text = names[place]
        if place < given:
            if text in named and "/" not in parameter:
                return f"argument for {name}() given by name ('{text}') and position ({place + 1})"
        elif "=" not in parameter and text not in named:
            return f"{name}() missing required argument '{text}' (pos {place + 1})"
    wrong = [text for text in named if text not in names]
    return f"'{wrong[0] if wrong else ''}' is an invalid keyword argument for {name}()"


def _python_error(signature: str, args: tuple[Any, ...], words: Any) -> str:
    """Return what binding the arguments to a function written in Python says."""
    name, *parameters = signature.split()
    code = Code(0, name)
    code.qualname = name
    keyword_only = False
    named: list[tuple[str, bool]] = []
    stars: list[tuple[str, bool]] = []
    optional: list[str] = []
    for word in parameters:
        if word.startswith("*"):
            keyword_only = True
            if word != "*":
                stars.append((word.lstrip("*"), False))
            continue
        text = word.rstrip("=")
        named.append((text, keyword_only))
        if word.endswith("="):
            optional.append(text)
    code.parameters = (*named, *stars)
    code.stars = (any(w[:1] == "*" != w and w[:2] != "**" for w in parameters), "**" in signature)
    code.locals_count = len(code.parameters)
    own = (None, *args) if named and named[0][0] == "self" else args
    try:
        laid_out(code, own, words, dict.fromkeys(optional))
    except TypeError as error:
        return str(error)
    return f"{name}() takes arguments that the guest language has not"
