"""Conversions: what a call's arguments must be, and what its result is made into."""

import math
import os
from typing import Any

from workloads.language.bounded import tname

Values = list[Any]


def as_int(value: Any) -> int:
    """Return an int argument, or raise CPython's TypeError."""
    if isinstance(value, int):
        number = int(value)
        if -(1 << 63) <= number < 1 << 64:
            return number
        raise OverflowError("Python int too large to convert to C long")
    raise TypeError(f"'{tname(value)}' object cannot be interpreted as an integer")


def as_c_int(value: Any) -> int:
    """Return a C int argument. Source: CPython Objects/longobject.c:_PyLong_AsInt()."""
    if not isinstance(value, int):
        return as_int(value)
    if -(1 << 31) <= value < 1 << 31:
        return int(value)
    raise OverflowError("Python int too large to convert to C int")


def as_pid_int(value: Any) -> int:
    """Return an argument of a call with a pid. Source: CPython Python/getargs.c, format i."""
    number = as_int(value)
    if number >= 1 << 31:
        raise OverflowError("signed integer is greater than maximum")
    if number < -(1 << 31):
        raise OverflowError("signed integer is less than minimum")
    return number


def as_cut_int(value: Any) -> int:
    """Return a Py_ssize_t argument as the C int it is passed on as."""
    number = as_int(value)
    if number >= 1 << 63:
        raise OverflowError("Python int too large to convert to C ssize_t")
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


def as_id(value: Any) -> int:
    """Return a uid or gid. Source: CPython Modules/posixmodule.c:_Py_Uid_Converter()."""
    number = as_int(value)
    if number < -1:
        raise OverflowError("uid is less than minimum")
    if number >= 1 << 32:
        raise OverflowError("uid is greater than maximum")
    return number


def as_path(value: Any, should: str = "expected str, bytes or os.PathLike object") -> str:
    """Return a path argument; ``should`` begins the message about anything else.

    Source: CPython Modules/posixmodule.c:path_converter().
    """
    if type(value) is bytes:
        call, _, rest = should.partition(": ")
        if b"\0" in value and rest:
            raise ValueError(f"{call}: embedded null character in {rest.split()[0]}")
        value = os.fsdecode(value)
    if type(value) is not str:
        raise TypeError(f"{should}, not {tname(value)}")
    if "\0" in value:
        raise ValueError("embedded null byte")
    if not value.isascii():
        os.fsencode(value)  # a lone surrogate is CPython's UnicodeEncodeError
    return str(value)


def as_data(value: Any) -> bytes:
    """Return a bytes-like argument."""
    if type(value) is bytes:
        return value
    if type(value) is bytearray:
        return bytes(value)
    raise TypeError(f"a bytes-like object is required, not '{tname(value)}'")


def argv_of(value: Any, name: str = "execv() arg 2") -> tuple[str, ...]:
    """Return the arguments of an exec, checked; ``name`` begins messages."""
    if type(value) not in (list, tuple):
        raise TypeError(f"{name} must be a tuple or list")
    if not value:
        raise ValueError(f"{name} must not be empty")
    argv = tuple([as_path(item) for item in value])
    if not argv[0]:
        raise ValueError(f"{name} first element cannot be empty")
    return argv


def env_of(value: Any, name: str = "execve") -> tuple[tuple[str, str], ...]:
    """Return the environment of an exec as pairs, checked; ``name`` begins messages."""
    if type(value) is not dict:
        raise TypeError(f"{name}: environment must be a mapping object")
    env = tuple([(as_path(key), as_path(item)) for key, item in value.items()])
    if any("=" in key[1:] or not key for key, _ in env):
        raise ValueError("illegal environment variable name")
    return env


def first_two(value: Any) -> tuple[int, int]:
    """Return the first two parts of a result: pid and status."""
    return value[0], value[1]


def waitid_result(value: Any) -> Any:
    """Return the result of ``os.waitid``."""
    return None if value is None else os.waitid_result(value)


def stat_result(value: Any) -> Any:
    """Return the result of ``os.stat`` and ``os.fstat``."""
    return os.stat_result(value)


def times_result(value: Any) -> Any:
    """Clock ticks are 10 ms, as sysconf(_SC_CLK_TCK) says."""
    return os.times_result([part // 10_000_000 / 100 for part in value])


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return a result as a tuple."""
    return tuple(value)


def nothing(value: Any) -> None:
    """Return None, whatever the call gave."""
    return None


def seconds(value: int) -> float:
    """Return ns as seconds."""
    return value / 1e9


def ns_of(secs: float, too_large: str) -> int:
    """Return seconds as ns, rounded up; ``too_large`` is the text of an OverflowError."""
    if secs * 1e9 >= 2**63:
        raise OverflowError(too_large)
    return secs * 10**9 if isinstance(secs, int) else math.ceil(secs * 1e9)


def path_basename(G: Values, path: Any) -> str:
    """Return ``os.path.basename(path)``."""
    return as_path(path).rpartition("/")[2]


def path_join(G: Values, first: Any, *rest: Any) -> str:
    """Return ``os.path.join(first, *rest)`` of texts; a None ends them."""
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
