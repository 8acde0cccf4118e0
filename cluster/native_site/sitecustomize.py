"""Loaded by the interpreter of a native run: notes each fork and each status a wait returns.

A record is one line in the file that SMPLAB_NATIVE_LOG names, appended with one write so that
records of different processes never mix. The file is opened anew for each record: a descriptor
kept open would be seen by the guest program.
"""

import os
from _thread import _local
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

LOG = "SMPLAB_NATIVE_LOG"
KEPT = (LOG, "PYTHONPATH", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE")


def note(text: str) -> None:
    fd = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND)
    os.write(fd, text.encode("ascii"))
    os.close(fd)


def note_fork(pid: int) -> None:
    note(f"fork {os.getpid()} {pid}\n")


def note_status(pid: int, status: int) -> None:
    if pid > 0 and (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
        note(f"status {pid} {status}\n")


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


def noting_spawn(call: Callable[..., int]) -> Callable[..., int]:
    """As noting_fork; and a spawn that failed had a child, which the C library has reaped.

    It left with 127 after its exec failed, and nobody is told its pid: it gets a number of ours.
    """
    noting = noting_fork(call)

    def wrapped(*args: Any, **kwargs: Any) -> int:
        try:
            return noting(*args, **kwargs)
        except OSError:
            failed.append(-(os.getpid() * 100_000 + len(failed) + 1))
            note_fork(failed[-1])
            note(f"status {failed[-1]} {127 << 8}\n")
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


def keeping(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let a program that the guest starts with an environment of its own be noted too."""

    def wrapped(path: Any, argv: Any, env: Any, **kwargs: Any) -> Any:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return call(path, argv, {**kept, **dict(env)}, **kwargs)

    return wrapped


def install() -> None:
    os.fork = noting_fork(os.fork)
    os.posix_spawn = noting_spawn(keeping(os.posix_spawn))
    os.posix_spawnp = noting_spawn(keeping(os.posix_spawnp))
    os.execve = keeping(os.execve)
    for name in ("wait", "waitpid", "wait3", "wait4"):
        setattr(os, name, noting_status(getattr(os, name)))
    os.waitid = noting_waitid(os.waitid)
    if find_spec("workloads") and find_spec("workloads.guest"):
        from workloads import guest

        guest.clone = noting_fork(guest.clone)


if LOG in os.environ:
    install()
