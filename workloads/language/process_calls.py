"""Calls of ``os`` that make, name, signal and end processes, and what a wait status says."""

import os
from typing import Any

from kernel.uapi import syscalls as nr
from workloads.language import library
from workloads.language.conversions import argv_of, env_of, path_join
from workloads.language.environment import environ_of
from workloads.language.frames import CALL

Values = list[Any]
DEFAULT_PATH = "/bin:/usr/bin"


def _own_env(G: Values) -> tuple[tuple[str, str], ...] | None:
    changed = G[0].c_environ
    return None if changed is None else tuple(changed.items())


def os_wait(G: Values) -> Any:
    """Begin ``os.wait``."""
    return (nr.NR_WAIT4, -1, 0)


def os_execv(G: Values, path: str, argv: Any) -> Any:
    """Begin ``os.execv`` with the environment as the C library has it."""
    return (nr.NR_EXECVE, path, argv_of(argv), _own_env(G), True)


def os_execve(G: Values, path: str, argv: Any, env: Any) -> Any:
    """Begin ``os.execve``."""
    return (nr.NR_EXECVE, path, argv_of(argv, "execve: argv"), env_of(env))


def search(G: Values, file: str) -> tuple[str, ...]:
    """Return the paths that a search of PATH tries for ``file``, in order."""
    directories = environ_of(G).get("PATH", DEFAULT_PATH).split(":")
    return tuple([path_join(G, directory, file) for directory in directories])


def os_execvp(G: Values, file: str, argv: Any) -> Any:
    """Begin ``os.execvp``; its frames of os.py show in tracebacks."""
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
    """Begin ``os.setpgrp``."""
    return (nr.NR_SETPGID, 0, 0)


def os_killpg(G: Values, pgid: int, signal: int) -> Any:
    """Begin ``os.killpg``; a negative group is EINVAL before any call."""
    if pgid < 0:
        raise OSError(22, "Invalid argument")
    return (nr.NR_KILL, -pgid, signal)


def os_abort(G: Values) -> Any:
    """Begin ``os.abort``."""
    return (CALL, library.ABORT, [0, 0])


def os_seteuid(G: Values, euid: int) -> Any:
    """Begin ``os.seteuid``, which is setresuid(2) in glibc."""
    # Source: glibc sysdeps/unix/sysv/linux/seteuid.c
    if euid & 0xFFFFFFFF == 0xFFFFFFFF:
        raise OSError(22, "Invalid argument")
    return (nr.NR_SETRESUID, -1, euid, -1)


def waitstatus_to_exitcode(G: Values, status: int) -> int:
    """Source: CPython Modules/posixmodule.c:os_waitstatus_to_exitcode_impl()."""
    return os.waitstatus_to_exitcode(status)


def wifexited(G: Values, status: int) -> bool:
    """Return ``os.WIFEXITED(status)``."""
    return status & 0x7F == 0


def wexitstatus(G: Values, status: int) -> int:
    """Return ``os.WEXITSTATUS(status)``."""
    return status >> 8 & 0xFF


def wifsignaled(G: Values, status: int) -> bool:
    """Return ``os.WIFSIGNALED(status)``."""
    return status & 0xFFFF != 0xFFFF and 0 < status & 0x7F < 0x7F


def wtermsig(G: Values, status: int) -> int:
    """Return ``os.WTERMSIG(status)``."""
    return status & 0x7F


def wifstopped(G: Values, status: int) -> bool:
    """Return ``os.WIFSTOPPED(status)``."""
    return status & 0xFF == 0x7F


def wstopsig(G: Values, status: int) -> int:
    """Return ``os.WSTOPSIG(status)``."""
    return status >> 8 & 0xFF


def wifcontinued(G: Values, status: int) -> bool:
    """Return ``os.WIFCONTINUED(status)``."""
    return status == 0xFFFF


def wcoredump(G: Values, status: int) -> bool:
    """Return ``os.WCOREDUMP(status)``."""
    return status & 0x80 != 0
