"""Loaded by the interpreter of a native run: notes each fork and each status a wait returns.

A record is a symbolic link in the folder that SMPLAB_NATIVE_LOG names: what it points to is the
text, its name the time. So records of different processes never mix, and neither a descriptor that
the guest program would see nor a limit that it sets (of descriptors, of the size of files) is in
the way.

Records name processes by their pids in the run's own pid namespace, whose /proc is mounted. In a
namespace nested below it, what the guest sees of its children are other numbers: there a fork is
noted with both, and a status with the namespace, so that the reader can put them together.

Two more things on demand, for functions of os, signal, time and workloads.guest only. With
SMPLAB_NATIVE_CALLS each call is noted before and after it is made. With SMPLAB_NATIVE_JITTER a
call now and then begins later, by up to so many microseconds: the host's kernel may hold up any
process at any time, and so what it can do is seen sooner.
"""

import os
import signal
import time
from _thread import _local
from collections.abc import Callable
from contextlib import suppress
from errno import EAGAIN, ENOMEM, errorcode
from importlib.util import find_spec
from typing import Any

LOG = "SMPLAB_NATIVE_LOG"
CALLS = "SMPLAB_NATIVE_CALLS"
JITTER = "SMPLAB_NATIVE_JITTER"
KEPT = (LOG, CALLS, JITTER, "PYTHONPATH", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE")


symlink = os.symlink


def note(text: str) -> None:
    folder = os.environ[LOG]
    while True:
        with suppress(FileExistsError):
            symlink(text, f"{folder}/{time.monotonic_ns():020}")
            return


def outer_self() -> int:
    """Return this process's pid in the run's namespace; where it has no other, what it knows."""
    return int(os.readlink("/proc/self"))


def outer_tid() -> int:
    return int(os.readlink("/proc/thread-self").rpartition("/")[2])


def namespace() -> int:
    return os.stat("/proc/self/ns/pid").st_ino


def numbers_of(pid: str) -> list[int]:
    """Return the pids of a process in all namespaces from the run's own down to its own."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("NSpid:"):
                return [int(word) for word in line.split()[1:]]
    return []


def outer_child(pid: int) -> int:
    """Return the pid in the run's namespace of a child, known here as ``pid``; 0 if it is gone."""
    level = len(numbers_of("self")) - 1
    with open("/proc/self/stat", encoding="ascii", errors="replace") as stat:
        parent = stat.read().rpartition(")")[2].split()[1]  # of a child by CLONE_PARENT
    for family in ("thread-self", f"{parent}/task/{parent}"):
        try:
            with open(f"/proc/{family}/children", encoding="ascii") as children:
                candidates = children.read().split()
        except OSError:
            continue
        for child in candidates:
            numbers = numbers_of(child)
            if len(numbers) > level and numbers[level] == pid:
                return numbers[0]
    return 0


def note_fork(pid: int) -> None:
    me = outer_self()
    if me != os.getpid() and pid > 0:
        known, pid = pid, outer_child(pid)
        if not pid:
            return
        note(f"alias {namespace()} {known} {pid}")
    note(f"fork {me} {pid} {outer_tid()}")


def note_status(pid: int, status: int) -> None:
    if pid > 0 and (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
        if outer_self() != os.getpid():
            note(f"inner {namespace()} {pid} {status}")
        else:
            note(f"status {pid} {status}")


inside = _local()  # of the calling thread: one wrapped call may be made of another


def noting_fork(call: Callable[..., int]) -> Callable[..., int]:
    def wrapped(*args: Any, **kwargs: Any) -> int:
        if getattr(inside, "fork", False):
            return call(*args, **kwargs)
        inside.fork = True
        try:
            pid = call(*args, **kwargs)
        finally:
            inside.fork = False
        if pid:
            note_fork(pid)
        return pid

    return wrapped


def noting_clone3(call: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        pid = result[0] if isinstance(result, tuple) else result
        if pid:
            note_fork(pid)
        return result

    return wrapped


def noting_spawn(call: Callable[..., int]) -> Callable[..., int]:
    """As noting_fork; and a spawn that failed had a child, which the C library has reaped.

    It left with 127 after its exec failed, and nobody is told its pid: it gets a number of ours.
    """
    noting = noting_fork(call)

    def wrapped(*args: Any, **kwargs: Any) -> int:
        try:
            return noting(*args, **kwargs)
        except OSError as error:
            if error.errno in (EAGAIN, ENOMEM) or error.filename is None:
                raise  # there was no child at all; without a file, not even a call of spawn
            failed.append(-(outer_self() * 100_000 + len(failed) + 1))
            note_fork(failed[-1])
            note(f"status {failed[-1]} {127 << 8}")
            raise

    return wrapped


failed: list[int] = []


def noting_status(call: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        note_status(result[0], result[1])
        return result

    return wrapped


def noting_waitid(call: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        if result is not None:
            if result.si_code == os.CLD_EXITED:
                note_status(result.si_pid, result.si_status << 8)
            elif result.si_code in (os.CLD_KILLED, os.CLD_DUMPED):
                core = 0x80 if result.si_code == os.CLD_DUMPED else 0
                note_status(result.si_pid, result.si_status | core)
        return result

    return wrapped


def noting_missing(call: Callable[[str], Any]) -> Callable[[str], Any]:
    """Tell that the program made a call that has no native form: it cannot be compared."""

    def wrapped(what: str) -> Any:
        note(f"refused {what}")
        return call(what)

    return wrapped


def keeping(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let a program that the guest starts with an environment of its own be noted too."""

    def wrapped(path: Any, argv: Any, env: Any, **kwargs: Any) -> Any:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return call(path, argv, {**kept, **dict(env)}, **kwargs)

    return wrapped


# no system calls, or compared by identity
QUIET = (
    *("fspath", "urandom", "strerror", "cpu_count", "register_at_fork", "device_encoding"),
    *("strsignal", "default_int_handler", "valid_signals"),
)


def show(value: Any) -> str:
    """Return an argument or a result as one short line."""
    if callable(value):
        return getattr(value, "__name__", "function")
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def watching(name: str, call: Callable[..., Any], jitter_us: int, noting: bool) -> Any:
    """Wrap a call that is held up now and then, or noted before and after."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if getattr(inside, "call", False):
            return call(*args, **kwargs)
        inside.call = True  # what it calls itself is no call of the program's
        try:
            if jitter_us and not time.perf_counter_ns() >> 7 & 3:
                sleep(time.perf_counter_ns() % jitter_us / 1e6)
            if not noting:
                return call(*args, **kwargs)
            values = [*map(show, args), *(f"{key}={show(kwargs[key])}" for key in kwargs)]
            note(f"call {outer_self()} {outer_tid()} {name}({', '.join(values)})")
            try:
                result = call(*args, **kwargs)
            except BaseException as error:
                number = getattr(error, "errno", None)
                text = type(error).__name__ if number is None else f"-1 {errorcode.get(number)}"
                note(f"left {outer_self()} {outer_tid()} {text}")
                raise
            note(f"left {outer_self()} {outer_tid()} {show(result)}")
            return result
        finally:
            inside.call = False

    return wrapped


sleep = time.sleep


def watch(jitter_us: int, noting: bool) -> None:
    """Wrap every function of the three modules that stands for a system call."""
    from types import BuiltinFunctionType, FunctionType

    modules: list[tuple[str, Any]] = [("", os), ("", signal)]
    if find_spec("workloads") and find_spec("workloads.guest"):
        from workloads import guest

        modules.append(("guest.", guest))
    for prefix, module in modules:
        for name, call in list(vars(module).items()):
            if not isinstance(call, (BuiltinFunctionType, FunctionType)) or name in QUIET:
                continue
            if (name.startswith("_") and name != "_exit") or name[0].isupper():
                continue
            if module is os and call.__module__ not in ("posix", __name__):
                continue  # written in Python above the calls
            setattr(module, name, watching(prefix + name, call, jitter_us, noting))
    time.sleep = watching("time.sleep", sleep, jitter_us, noting)


def noting_system(call: Callable[..., int]) -> Callable[..., int]:
    """The C library reaps the shell, and nobody is told its pid: it gets a number of ours."""

    def wrapped(command: Any) -> int:
        status = call(command)
        if status >= 0:
            failed.append(-(outer_self() * 100_000 + len(failed) + 1))
            note_fork(failed[-1])
            note(f"status {failed[-1]} {status}\n")
        return status

    return wrapped


def install() -> None:
    import _posixsubprocess

    _posixsubprocess.fork_exec = noting_fork(_posixsubprocess.fork_exec)
    os.system = noting_system(os.system)
    os.fork = noting_fork(os.fork)
    os.posix_spawn = noting_spawn(keeping(os.posix_spawn))
    os.posix_spawnp = noting_spawn(keeping(os.posix_spawnp))
    os.execve = keeping(os.execve)
    for name in ("wait", "waitpid", "wait3", "wait4"):
        setattr(os, name, noting_status(getattr(os, name)))
    os.waitid = noting_waitid(os.waitid)
    if find_spec("workloads") and find_spec("workloads.guest"):
        from workloads import guest, native_form

        noted: Any = noting_missing(native_form.missing)
        native_form.missing = noted
        guest.clone = noting_fork(guest.clone)
        guest.clone3 = noting_clone3(guest.clone3)
    jitter_us, noting = int(os.environ.get(JITTER, "0")), CALLS in os.environ
    if jitter_us or noting:
        watch(jitter_us, noting)


if LOG in os.environ:
    install()
