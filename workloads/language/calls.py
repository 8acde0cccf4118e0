"""Functions behind the names of ``tables``: how calls of a module's functions begin.

``runtime`` lists the modules that have such functions. Each is called by block code only, with
``G`` (the globals) first where the table says Pure or Routine. A Routine returns a system call, a
call of library code, or a plain value.
"""

from typing import Any

from kernel.uapi import syscalls as nr
from workloads.language.bounded import tname
from workloads.language.conversions import as_int, as_path
from workloads.language.errors import FatalRunError
from workloads.language.values import CALLABLE, Partial

O_CLOEXEC = 0o2000000

Values = list[Any]


# ---- files -------------------------------------------------------------------------------------


def os_open(G: Values, path: str, flags: int, mode: int) -> Any:
    """Begin ``os.open``: close-on-exec, as PEP 446 has it."""
    return (nr.NR_OPEN, path, flags | O_CLOEXEC, mode)


def os_read(G: Values, fd: int, length: int) -> Any:
    """Begin ``os.read``; a negative length is EINVAL before any call."""
    if length < 0:
        raise OSError(22, "Invalid argument")
    return (nr.NR_READ, fd, length)


def os_dup2(G: Values, fd: int, fd2: int, inheritable: Any) -> Any:
    """Begin ``os.dup2``.

    Deviation: a negative number is EBADF, as in CPython 3.11.7; older ones tell what errno was.
    """
    return (nr.NR_DUP2, fd, fd2, bool(inheritable))


def os_pipe(G: Values) -> Any:
    """Begin ``os.pipe``: both ends close-on-exec."""
    return (nr.NR_PIPE2, O_CLOEXEC)


def os_stat(G: Values, path: Any) -> Any:
    """Begin ``os.stat`` of a path or a descriptor."""
    if isinstance(path, int):
        return (nr.NR_FSTAT, as_int(path))
    return (nr.NR_STAT, as_path(path))


def os_cpu_count(G: Values) -> int:
    """Return the CPUs of the machine, which its loader was told."""
    count: int = G[0].program.runtime.cpus
    if count == 0:
        raise FatalRunError("os.cpu_count(): this machine did not say how many CPUs it has")
    return count


# ---- sys -----------------------------------------------------------------------------------------


def sys_exit(G: Values, status: Any) -> None:
    """Raise the SystemExit of ``sys.exit(status)``."""
    raise SystemExit(status) if status is not None else SystemExit


def site_exit(code: Any = None) -> None:
    """Source: CPython Lib/_sitebuiltins.py:Quitter."""
    raise SystemExit(code)


# ---- functools -----------------------------------------------------------------------------------


def functools_partial(G: Values, function: Any, *args: Any) -> Partial:
    """Return ``functools.partial(function, *args)``."""
    if type(function) not in CALLABLE:
        raise TypeError("the first argument must be callable")
    G[0].program.runtime.bounded.charge(len(args), "a partial function")
    return Partial(function, args, {})


# ---- workloads.guest ---------------------------------------------------------------------------


def guest_say(G: Values, text: Any) -> Any:
    """Begin ``guest.say``: one line in one write to descriptor 1."""
    if type(text) is not str:
        raise TypeError(f"say() argument must be str, not {tname(text)}")
    return (nr.NR_WRITE, 1, (text + "\n").encode())
