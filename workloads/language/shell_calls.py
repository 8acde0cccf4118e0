"""``os.system()`` and ``os.popen()``: their calls, which ``libraries/system.py`` goes on with."""

from typing import Any

from kernel.uapi import syscalls as nr
from workloads.language.bounded import tname
from workloads.language.file_states import State, Values, parts_of
from workloads.language.streams import call
from workloads.language.values import FileHandle


def io_popen_parts(G: Values, fd: int, mode: str, buffering: int) -> State:
    """Return what the stream of ``os.popen`` is made from."""
    return parts_of(G, {"file": fd, "mode": mode, "buffering": buffering})[0]


def io_popen_handle(G: Values, stream: FileHandle, pid: int) -> FileHandle:
    """Return the object that ``os.popen`` gives: a stream that knows its process."""
    return FileHandle("Popen", {"kind": "Popen", "stream": stream, "pid": pid, "status": None})


def io_spawn_shell(G: Values, command: str, mask: int, defaults: int, actions: Any) -> Any:
    """Begin to start the shell with a command."""
    attributes = (False, False, mask, defaults, None, ())
    argv = ("sh", "-c", command)
    changed = G[0].c_environ
    env = None if changed is None else tuple(changed.items())
    return (nr.NR_POSIX_SPAWN, "/bin/sh", argv, env, actions, None, attributes)


def io_set_signal(G: Values, signal: int, disposition: int) -> Any:
    """Begin to set what a signal does, without Python's table of handlers."""
    return (nr.NR_RT_SIGACTION, signal, disposition)


def io_set_mask(G: Values, how: int, mask: int) -> Any:
    """Begin to change the signal mask."""
    return (nr.NR_RT_SIGPROCMASK, how, mask)


def os_system(G: Values, command: str) -> Any:
    """Begin ``os.system``."""
    return call(G, None, "run_system", command)


def os_popen(G: Values, command: Any, mode: Any, buffering: Any) -> Any:
    """Begin ``os.popen(…)``. Source: CPython Lib/os.py:popen()."""
    mode = "r" if mode is None else mode
    if type(command) is not str:
        raise TypeError(f"invalid cmd type (<class '{tname(command)}'>, expected string)")
    if mode not in ("r", "w"):
        raise ValueError(f"invalid mode {mode!r}")
    if buffering == 0 or buffering is None:
        raise ValueError("popen() does not support unbuffered streams")
    if "\0" in command:
        raise ValueError("embedded null byte")
    return call(G, None, "popen_start", command, mode, buffering)
