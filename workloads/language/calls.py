"""Functions behind the names of ``tables``: conversions, pure functions, and how calls begin.

Every function here is called by block code only, with ``G`` (the globals) first where the table
says Pure or Routine. A Routine returns a system call, a call of library code, or a plain value.
"""

import os
from typing import Any

from kernel.uapi import syscalls as nr
from workloads.language import filecalls, library, streams, sync, thread_frames
from workloads.language.bounded import tname
from workloads.language.constants import ERRNO
from workloads.language.conversions import argv_of, as_data, as_int, as_path, env_of, ns_of
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, VALUE, own_process
from workloads.language.thread_record import new_record
from workloads.language.tracebacks import add_frozen
from workloads.language.values import (
    CALLABLE,
    MAPPINGS,
    UNBOUND,
    FileHandle,
    LockHandle,
    MmapHandle,
    Partial,
    ShmHandle,
    SyncHandle,
    ThreadHandle,
    TypeValue,
    function_name,
)

O_CLOEXEC = 0o2000000
DEFAULT_PATH = "/bin:/usr/bin"

Values = list[Any]

#: The names of error numbers; the first of a number is its own.
ERRORCODE: dict[int, str] = {}
for _name, _number in ERRNO.items():
    if _name not in ("EWOULDBLOCK", "EDEADLK", "EOPNOTSUPP"):
        ERRORCODE.setdefault(_number, _name)

# ---- conversions of arguments ------------------------------------------------------------------


def _own_env(G: Values) -> tuple[tuple[str, str], ...] | None:
    changed = G[0].c_environ
    return None if changed is None else tuple(changed.items())


# ---- conversions of results --------------------------------------------------------------------


# ---- os: processes -----------------------------------------------------------------------------


def os_wait(G: Values) -> Any:
    return (nr.NR_WAIT4, -1, 0)


def os_execv(G: Values, path: str, argv: Any) -> Any:
    return (nr.NR_EXECVE, path, argv_of(argv), _own_env(G), True)


def os_execve(G: Values, path: str, argv: Any, env: Any) -> Any:
    return (nr.NR_EXECVE, path, argv_of(argv, "execve: argv"), env_of(env))


def search(G: Values, file: str) -> tuple[str, ...]:
    directories = _environ(G).get("PATH", DEFAULT_PATH).split(":")
    return tuple([path_join(G, directory, file) for directory in directories])


def os_execvp(G: Values, file: str, argv: Any) -> Any:
    op = _execvp(G, file, argv)
    return (CALL, library.OS_PY, [_entries_of(file, ("execvp", 574)), op])


def _entries_of(file: str, *outer: tuple[str, int]) -> tuple[tuple[str, int], ...]:
    """Return the frames of os.py around an exec that may search, inner first."""
    return (("_execvpe", 597), *outer) if "/" in file else outer


def _execvp(G: Values, file: str, argv: Any) -> Any:
    if "/" in file:
        return os_execv(G, file, argv)
    tail = (argv_of(argv), _own_env(G), True)
    return (CALL, library.SEARCH, [search(G, file), 0, tail, None, nr.NR_EXECVE])


def os_setpgrp(G: Values) -> Any:
    return (nr.NR_SETPGID, 0, 0)


def os_killpg(G: Values, pgid: int, signal: int) -> Any:
    if pgid < 0:
        raise OSError(22, "Invalid argument")
    return (nr.NR_KILL, -pgid, signal)


def os_abort(G: Values) -> Any:
    return (CALL, library.ABORT, [0, 0])


def os_seteuid(G: Values, euid: int) -> Any:
    # Source: glibc sysdeps/unix/sysv/linux/seteuid.c
    if euid & 0xFFFFFFFF == 0xFFFFFFFF:
        raise OSError(22, "Invalid argument")
    return (nr.NR_SETRESUID, -1, euid, -1)


def waitstatus_to_exitcode(G: Values, status: int) -> int:
    """Source: CPython Modules/posixmodule.c:os_waitstatus_to_exitcode_impl()."""
    return os.waitstatus_to_exitcode(status)


def wifexited(G: Values, status: int) -> bool:
    return status & 0x7F == 0


def wexitstatus(G: Values, status: int) -> int:
    return status >> 8 & 0xFF


def wifsignaled(G: Values, status: int) -> bool:
    return status & 0xFFFF != 0xFFFF and 0 < status & 0x7F < 0x7F


def wtermsig(G: Values, status: int) -> int:
    return status & 0x7F


def wifstopped(G: Values, status: int) -> bool:
    return status & 0xFF == 0x7F


def wstopsig(G: Values, status: int) -> int:
    return status >> 8 & 0xFF


def wifcontinued(G: Values, status: int) -> bool:
    return status == 0xFFFF


def wcoredump(G: Values, status: int) -> bool:
    return status & 0x80 != 0


# ---- os: files ---------------------------------------------------------------------------------


def os_open(G: Values, path: str, flags: int, mode: int) -> Any:
    return (nr.NR_OPEN, path, flags | O_CLOEXEC, mode)


def os_read(G: Values, fd: int, length: int) -> Any:
    if length < 0:
        raise OSError(22, "Invalid argument")
    return (nr.NR_READ, fd, length)


def os_dup2(G: Values, fd: int, fd2: int, inheritable: Any) -> Any:
    return (nr.NR_DUP2, fd, fd2, bool(inheritable))


def os_pipe(G: Values) -> Any:
    return (nr.NR_PIPE2, O_CLOEXEC)


def os_stat(G: Values, path: Any) -> Any:
    if isinstance(path, int):
        return (nr.NR_FSTAT, as_int(path))
    return (nr.NR_STAT, as_path(path))


def os_cpu_count(G: Values) -> int:
    """Return the CPUs of the machine, which its loader was told."""
    count: int = G[0].program.runtime.cpus
    if count == 0:
        raise FatalRunError("os.cpu_count(): this machine did not say how many CPUs it has")
    return count


# ---- os: environment ---------------------------------------------------------------------------


def _environ(G: Values) -> dict[str, str]:
    changed: dict[str, str] | None = G[0].environ
    return dict(G[0].env) if changed is None else changed


def _environ_key(key: Any) -> str:
    if type(key) is not str:
        raise TypeError(f"str expected, not {tname(key)}")
    return key


def os_getenv(G: Values, key: Any, default: Any) -> Any:
    return _environ(G).get(_environ_key(key), default)


def environ_get(G: Values, key: Any) -> str:
    environ = _environ(G)
    if _environ_key(key) not in environ:
        error = KeyError(key)
        error.__suppress_context__ = True  # os.py raises it from None
        add_frozen(error, "os", ("__getitem__", 679))
        raise error
    return environ[key]


def environ_copy(G: Values) -> dict[str, str]:
    return dict(_environ(G))


def os_putenv(G: Values, name: Any, value: Any) -> None:
    """Change what exec passes on; ``os.environ`` does not see it, as in CPython."""
    process = own_process(G)
    if process.environ is None:
        process.environ = dict(process.env)
    if process.c_environ is None:
        process.c_environ = dict(process.env)
    process.c_environ[as_path(_environ_key(name))] = as_path(_environ_key(value))


def environ_set(G: Values, key: Any, value: Any) -> None:
    os_putenv(G, key, value)
    G[0].environ[key] = value


# ---- os.path, sys, time ------------------------------------------------------------------------


def path_basename(G: Values, path: Any) -> str:
    return as_path(path).rpartition("/")[2]


def path_join(G: Values, first: Any, *rest: Any) -> str:
    path = as_path(first)
    for part in rest:
        if part is None:
            break
        part = as_path(part)
        if part.startswith("/"):
            path = part
        elif not path or path.endswith("/"):
            path += part
        else:
            path += "/" + part
    return path


def sys_exit(G: Values, status: Any) -> None:
    raise SystemExit(status) if status is not None else SystemExit


def site_exit(code: Any = None) -> None:
    """Source: CPython Lib/_sitebuiltins.py:Quitter."""
    raise SystemExit(code)


def time_sleep(G: Values, secs: Any) -> Any:
    if not isinstance(secs, int | float):
        raise TypeError(f"'{tname(secs)}' object cannot be interpreted as an integer")
    if secs != secs:
        raise ValueError("Invalid value NaN (not a number)")
    if secs < 0:
        raise ValueError("sleep length must be non-negative")
    return (nr.NR_NANOSLEEP, ns_of(secs, "timestamp too large to convert to C _PyTime_t"))


def clock_monotonic(G: Values) -> Any:
    return (nr.NR_CLOCK_GETTIME, 1)


def clock_realtime(G: Values) -> Any:
    return (nr.NR_CLOCK_GETTIME, 0)


def clock_process(G: Values) -> Any:
    return (nr.NR_CLOCK_GETTIME, 2)


def clock_thread(G: Values) -> Any:
    return (nr.NR_CLOCK_GETTIME, 3)


# ---- mmap --------------------------------------------------------------------------------------


def mmap_new(G: Values, fileno: int, length: int, flags: int) -> Any:
    if fileno != -1:
        raise FatalRunError("only anonymous mappings are in the guest language: mmap.mmap(-1, n)")
    if length < 0:
        raise OverflowError("memory mapped length must be positive")
    if length == 0:
        raise OSError(22, "Invalid argument")
    return (CALL, library.MMAP, [length, flags | 0x20])


def _span(m: MmapHandle | ShmHandle, key: Any) -> tuple[int, int]:
    """Return (offset, length) of an index or a slice of a mapping."""
    if m.address == 0:
        raise ValueError("mmap closed or invalid")
    if type(key) is slice:
        start, stop, step = key.indices(m.length)
        if step != 1:
            raise FatalRunError("a slice of a mapping has step 1 in the guest language")
        return start, max(stop - start, 0)
    if not isinstance(key, int):
        raise TypeError("mmap indices must be integers")
    index = key + m.length if key < 0 else key
    if not 0 <= index < m.length:
        raise IndexError("mmap index out of range")
    return index, 1


def mapping_load(bounded: Any, target: Any, key: Any) -> Any:
    """Begin ``target[key]`` where target may be a mapping."""
    if type(target) not in MAPPINGS:
        return (VALUE, target[key])
    offset, length = _span(target, key)
    if type(key) is slice:
        if length == 0:
            return (VALUE, b"")
        bounded.charge(length, "a slice of a mapping")
        return (nr.NR_LOAD, target.address, offset, length)
    return (CALL, library.LOAD_BYTE, [target.address, offset])


def mapping_store(bounded: Any, target: Any, key: Any, value: Any) -> Any:
    """Begin ``target[key] = value`` where target may be a mapping."""
    if type(target) not in MAPPINGS:
        if type(key) is slice:
            bounded.set_slice(target, key.start, key.stop, key.step, value)
        else:
            target[key] = value
        return (VALUE, None)
    offset, length = _span(target, key)
    if type(key) is slice:
        data = as_data(value)
        if len(data) != length:
            raise IndexError("mmap slice assignment is wrong size")
        if not data:
            return (VALUE, None)
        return (nr.NR_STORE, target.address, offset, data)
    if not isinstance(value, int):
        raise TypeError(f"'{tname(value)}' object cannot be interpreted as an integer")
    if not 0 <= value <= 255:
        raise ValueError("mmap item value must be in range(0, 256)")
    return (nr.NR_STORE, target.address, offset, bytes((value,)))


def length(value: Any) -> int:
    """Return ``len(value)``."""
    if type(value) in MAPPINGS:
        _span(value, slice(0, 0))
        return int(value.length)
    if isinstance(value, (*CALLABLE, FileHandle, LockHandle, ThreadHandle)):
        raise TypeError(f"object of type '{tname(value)}' has no len()")
    return len(value)


# ---- threads and locks -------------------------------------------------------------------------


def thread_new(
    G: Values, group: Any, target: Any, name: Any, args: Any, kwargs: Any, daemon: Any
) -> ThreadHandle:
    if group is not None:
        raise AssertionError("group argument must be None for now")
    process = own_process(G)
    if target is not None and type(target) not in CALLABLE:
        raise FatalRunError("the target of a thread is a function in the guest language")
    if not name:
        process.named += 1
        name = f"Thread-{process.named}"
        if target is not None and type(target) is not Partial:
            name += f" ({function_name(target)})"
    if daemon is None:
        current = process.current
        daemon = current >= 0 and process.threads[current][3]
    if type(args) not in (tuple, list):
        raise FatalRunError(f"{tname(args)} as the arguments of a thread: write a tuple")
    if kwargs:
        if type(kwargs) is not dict:
            raise FatalRunError("the named arguments of a thread are a dict in the guest language")
        target, args = Partial(target, tuple(args), dict(kwargs)), ()
    process.threads.append(new_record(target, args, str(name), bool(daemon)))
    return ThreadHandle(len(process.threads) - 1)


def current_thread(G: Values) -> ThreadHandle:
    return ThreadHandle(G[0].current)


def main_thread(G: Values) -> ThreadHandle:
    return ThreadHandle(G[0].main)


def main_thread_attribute(name: str) -> Any:
    """Return an attribute of the thread that no ``Thread`` was made for."""
    if name in ("name", "daemon"):
        return "MainThread" if name == "name" else False
    raise FatalRunError(f"the {name} of the main thread: write threading.get_{name}()")


def functools_partial(G: Values, function: Any, *args: Any) -> Partial:
    """Return ``functools.partial(function, *args)``."""
    if type(function) not in CALLABLE:
        raise TypeError("the first argument must be callable")
    G[0].program.runtime.bounded.charge(len(args), "a partial function")
    return Partial(function, args, {})


def thread_start_new(G: Values, function: Any, args: Any) -> Any:
    if type(function) not in CALLABLE:
        raise TypeError("first arg must be callable")
    if type(args) is not tuple:
        raise TypeError("2nd arg must be a tuple")
    threads = own_process(G).threads
    threads.append(new_record(function, args, None, True))
    return (CALL, thread_frames.THREAD_START, [len(threads) - 1, thread_frames.PTHREAD_FLAGS, True])


def thread_exit(G: Values) -> None:
    raise SystemExit


def _timeout_ns(value: Any) -> int:
    if value is None:
        return -1
    if not isinstance(value, int | float):
        raise TypeError(f"'{tname(value)}' object cannot be interpreted as an integer")
    return max(ns_of(value, "timeout value is too large"), 0)


def _thread_method(G: Values, handle: ThreadHandle, name: str, args: dict[str, Any]) -> Any:
    if handle.index < 0:
        if name == "is_alive":
            return (VALUE, True)
        if name == "start":
            raise RuntimeError("threads can only be started once")
        if G[0].current < 0:
            raise RuntimeError("cannot join current thread")
        raise FatalRunError("joining the main thread is not in the guest language")
    record = G[0].threads[handle.index]
    tid = record[4]
    if name == "start":
        if tid != 0:
            raise RuntimeError("threads can only be started once")
        return (CALL, thread_frames.THREAD_BEGIN, [handle.index])
    # a thread may run before the one that started it goes on and notes its id
    current = handle.index == G[0].current
    if name == "is_alive":
        if current or tid <= 0:
            return (VALUE, current)
        return (CALL, thread_frames.THREAD_ALIVE, [handle.index])
    if current:
        raise RuntimeError("cannot join current thread")
    if tid == 0:
        raise RuntimeError("cannot join thread before it is started")
    if tid < 0:
        return (VALUE, None)
    return (CALL, thread_frames.THREAD_JOIN, [handle.index, _timeout_ns(args.get("timeout")), None])


def _lock_method(handle: LockHandle, name: str, args: dict[str, Any]) -> Any:
    if name == "release":
        return (nr.NR_LOCK_RELEASE, handle.number)
    if name == "locked":
        return (nr.NR_LOCK_LOCKED, handle.number)
    blocking = bool(args.get("blocking", True))
    timeout = args.get("timeout", -1)
    if not blocking and timeout != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout == -1:
        return (nr.NR_LOCK_ACQUIRE, handle.number, blocking, -1)
    if isinstance(timeout, int | float) and timeout < 0:
        raise ValueError("timeout value must be positive")
    return (nr.NR_LOCK_ACQUIRE, handle.number, blocking, _timeout_ns(timeout))


_SIGNATURES: dict[type, dict[str, tuple[str, ...]]] = {
    ThreadHandle: {"start": (), "join": ("timeout",), "is_alive": ()},
    LockHandle: {"acquire": ("blocking", "timeout"), "release": (), "locked": ()},
    MmapHandle: {"close": (), "madvise": ("option", "start", "length")},
    **filecalls.SIGNATURES,
}


def handle_method(
    call_method: Any, G: Values, receiver: Any, name: str, args: Any, words: Any
) -> Any:
    """Begin a method call that is one of a handle, or perhaps an ordinary one of that name."""
    kind = type(receiver)
    if kind is SyncHandle:
        signatures = sync.METHODS[receiver.kind]
    elif kind is FileHandle:
        signatures = streams.METHODS[receiver.kind]
    else:
        signatures = _SIGNATURES.get(kind, {})
    signature = signatures.get(name)
    if signature is None:
        split = len(args) - len(words)
        named = dict(zip(words, args[split:], strict=True))
        return (VALUE, call_method(receiver, name, *args[:split], **named))
    split = len(args) - len(words)
    if split > len(signature):
        raise TypeError(f"{name}() takes {len(signature)} arguments but {split} were given")
    given = dict(zip(signature, args[:split]))
    for word, value in zip(words, args[split:], strict=True):
        if word not in signature:
            raise TypeError(f"{name}() got an unexpected keyword argument '{word}'")
        given[word] = value
    if kind is ThreadHandle:
        return _thread_method(G, receiver, name, given)
    if kind is LockHandle:
        return _lock_method(receiver, name, given)
    if kind is SyncHandle:
        return sync.method(G, receiver, name, given, _lock_method)
    if kind is FileHandle:
        return streams.method(G, receiver, name, given)
    if kind in filecalls.SIGNATURES:
        return filecalls.method(receiver, name, given)
    return _mmap_method(receiver, name, given)


def _mmap_method(m: MmapHandle, name: str, args: dict[str, Any]) -> Any:
    address = m.address
    if name == "close":
        m.address = 0
        return (nr.NR_MUNMAP, address, m.length) if address else (VALUE, None)
    _span(m, slice(0, 0))
    if "option" not in args:
        raise TypeError("madvise expected at least 1 argument, got 0")
    start, size = args.get("start", 0), args.get("length", m.length)
    for value in (args["option"], start, size):
        if not isinstance(value, int):
            raise TypeError(f"'{tname(value)}' object cannot be interpreted as an integer")
    if not 0 <= start < m.length:
        raise ValueError("madvise start out of bounds")
    if size < 0:
        raise ValueError("madvise length invalid")
    return (nr.NR_MADVISE, address + start, min(size, m.length - start), args["option"])


def enter(G: Values, value: Any) -> Any:
    """Begin ``with value:``."""
    if type(value) is SyncHandle:
        return sync.enter(G, value, _lock_method)
    if type(value) is FileHandle:
        return streams.enter(G, value)
    if type(value) is not LockHandle:
        raise TypeError(f"'{tname(value)}' object does not support the context manager protocol")
    return (nr.NR_LOCK_ACQUIRE, value.number, True, -1)


def leave(G: Values, value: Any) -> Any:
    """Begin the end of ``with value:``."""
    if type(value) is SyncHandle:
        return sync.method(G, value, "release", {}, _lock_method)
    if type(value) is FileHandle:
        return streams.method(G, value, "close", {})
    return (nr.NR_LOCK_RELEASE, value.number)


# ---- workloads.guest ---------------------------------------------------------------------------


def _pages_of(name: str, m: Any, first_page: int, pages: int) -> None:
    """Refuse what is not a range of pages of a mapping."""
    if type(m) not in MAPPINGS:
        raise TypeError(f"{name}() needs a mapping, not {tname(m)}")
    _span(m, slice(0, 0))
    if first_page < 0 or pages < 0 or (first_page + pages) * 4096 > -(-m.length // 4096) * 4096:
        raise IndexError("mmap index out of range")


def guest_mlock(G: Values, m: Any, first_page: int, pages: int) -> Any:
    _pages_of("mlock", m, first_page, pages)
    return (nr.NR_MLOCK, m.address + first_page * 4096, pages * 4096)


def guest_munlock(G: Values, m: Any, first_page: int, pages: int) -> Any:
    _pages_of("munlock", m, first_page, pages)
    return (nr.NR_MUNLOCK, m.address + first_page * 4096, pages * 4096)


def guest_touch(G: Values, m: Any, first_page: int, pages: int, write: Any) -> Any:
    _pages_of("touch", m, first_page, pages)
    return (nr.NR_TOUCH, m.address, first_page, pages, bool(write))


def guest_addressof(G: Values, m: Any) -> int:
    if type(m) is not MmapHandle:
        raise TypeError(f"addressof() needs a mapping, not {tname(m)}")
    _span(m, slice(0, 0))
    return m.address


def guest_say(G: Values, text: Any) -> Any:
    if type(text) is not str:
        raise TypeError(f"say() argument must be str, not {tname(text)}")
    return (nr.NR_WRITE, 1, (text + "\n").encode())


# ---- what block code does about names and exceptions -------------------------------------------


def assigned(variables: Values, place: int, value: Any) -> Any:
    """Do ``(variable := value)``."""
    variables[place] = value
    return value


def local(value: Any, name: str) -> Any:
    """Return a local that may not have a value yet."""
    if value is UNBOUND:
        raise UnboundLocalError(
            f"cannot access local variable '{name}' where it is not associated with a value"
        )
    return value


def global_(value: Any, name: str) -> Any:
    """Return a global that may not have a value yet."""
    if value is UNBOUND:
        raise NameError(f"name '{name}' is not defined")
    return value


def exception(kind: type[BaseException], *args: Any) -> BaseException:
    """Return a new exception."""
    return kind(*args)


def global_or(value: Any, builtin: Any) -> Any:
    """Return a global that hides a builtin, if it has a value."""
    return builtin if value is UNBOUND else value


def free(value: Any, name: str) -> Any:
    """Return a variable of an enclosing function that may not have a value yet."""
    if value is UNBOUND:
        raise NameError(
            f"cannot access free variable '{name}' where it is not associated with a value in"
            " enclosing scope"
        )
    return value


def raisable(value: Any) -> BaseException:
    """Return what ``raise value`` raises."""
    if type(value) is TypeValue and value.kind and issubclass(value.kind, BaseException):
        value = value.kind()
    if isinstance(value, BaseException):
        return value
    raise TypeError("exceptions must derive from BaseException")


def caused(value: Any, cause: Any) -> BaseException:
    """Return what ``raise value from cause`` raises."""
    error = raisable(value)
    if cause is not None and not isinstance(cause, BaseException):
        raise TypeError("exception causes must derive from BaseException")
    error.__cause__ = cause
    error.__suppress_context__ = True
    return error
