"""The module ``resource``, ``os.sched_*`` and ``guest.prctl``: what CPython does above the kernel.

Source: CPython 3.11 Modules/resource.c, Modules/posixmodule.c.
"""

import os
from resource import struct_rusage
from typing import Any, Final

from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EINVAL, EPERM
from kernel.uapi.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_NAME
from kernel.uapi.resource import RUSAGE_SELF
from kernel.uapi.rlimit import RLIM_NLIMITS
from workloads.language.bounded import tname
from workloads.language.conversions import as_int, as_path
from workloads.language.dict_views import LIVE_VIEWS
from workloads.language.frames import CALL, RERAISE, RETURN, Frame
from workloads.language.library import give_back, library
from workloads.language.sets import GuestSet

Values = list[Any]

_MAX_CPUS: Final = 1024  # CPU_SETSIZE


# ---- limits ------------------------------------------------------------------------------------


def _limit(value: Any) -> int:
    """Return a limit as the kernel takes it: a C long, as 64 bits unsigned."""
    number = as_int(value)
    if number >= 1 << 63:
        raise OverflowError("Python int too large to convert to C long")
    return number & (1 << 64) - 1


def _limits(value: Any) -> tuple[int, int]:
    if type(value) not in (tuple, list):
        raise TypeError(f"'{tname(value)}' object is not iterable")
    if len(value) != 2:
        raise ValueError("expected a tuple of 2 integers")
    return _limit(value[0]), _limit(value[1])


def _check_resource(resource: int) -> None:
    if not 0 <= resource < RLIM_NLIMITS:
        raise ValueError("invalid resource specified")


def rlimit_result(value: Any) -> tuple[int, int]:
    """RLIM_INFINITY is -1, as a C long has it."""
    soft, hard = [number - (1 << 64) if number >= 1 << 63 else number for number in value]
    return soft, hard


def resource_getrlimit(G: Values, resource: int) -> Any:
    """Begin ``resource.getrlimit``."""
    _check_resource(resource)
    return (nr.NR_PRLIMIT64, 0, resource, None)


def _set_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_PRLIMIT64, *L[:3])


def _set_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, rlimit_result(V) if L[3] else None)


def _set_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if isinstance(V, OSError):
        if V.errno == EINVAL:
            V = ValueError("current limit exceeds maximum limit")
        elif V.errno == EPERM and not L[3]:
            V = ValueError("not allowed to raise maximum limit")
    return (RERAISE, V)


#: [pid, resource, limits, whether it is prlimit()]
_SET: Final = library("setrlimit", (_set_call, 2), (_set_done, 2), (_set_failed, -1))


def resource_setrlimit(G: Values, resource: int, limits: Any) -> Any:
    """Begin ``resource.setrlimit``."""
    _check_resource(resource)
    return (CALL, _SET, [0, resource, _limits(limits), False])


def resource_prlimit(G: Values, pid: int, resource: int, limits: Any) -> Any:
    """Begin ``resource.prlimit``."""
    _check_resource(resource)
    # False stands for "not given": CPython refuses it as it refuses None
    return (CALL, _SET, [pid, resource, None if limits is False else _limits(limits), True])


# ---- usage -------------------------------------------------------------------------------------


def rusage_result(value: Any) -> Any:
    """Times are seconds, cut to microseconds as struct timeval has them."""
    utime, stime, *rest = value
    return struct_rusage([utime // 1000 / 1e6, stime // 1000 / 1e6, *rest])


def with_rusage(value: Any) -> tuple[int, int, Any]:
    """Return the result of ``os.wait3`` and ``os.wait4``."""
    return value[0], value[1], rusage_result(value[2])


def _usage_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_GETRUSAGE, L[0])


def _usage_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if isinstance(V, OSError) and V.errno == EINVAL:
        V = ValueError("invalid who parameter")
    return (RERAISE, V)


_USAGE: Final = library("getrusage", (_usage_call, 2), (give_back, 2), (_usage_failed, -1))


def resource_getrusage(G: Values, who: int) -> Any:
    """Begin ``resource.getrusage``."""
    if who == RUSAGE_SELF:
        return (nr.NR_GETRUSAGE, who)
    return (CALL, _USAGE, [who])


def os_wait3(G: Values, options: int) -> Any:
    """Begin ``os.wait3``."""
    return (nr.NR_WAIT4, -1, options, True)


def os_wait4(G: Values, pid: int, options: int) -> Any:
    """Begin ``os.wait4``."""
    return (nr.NR_WAIT4, pid, options, True)


# ---- scheduling --------------------------------------------------------------------------------


def sched_param(G: Values, sched_priority: Any) -> Any:
    """Return ``os.sched_param(sched_priority)``."""
    return os.sched_param(sched_priority)


def sched_param_result(value: int) -> Any:
    """Return a priority as ``os.sched_param``."""
    return os.sched_param(value)


def priority_of(param: Any) -> int:
    """Return the priority in an ``os.sched_param``."""
    if type(param) is not os.sched_param:
        raise TypeError("must have a sched_param object")
    number = as_int(param.sched_priority)
    if not -(1 << 31) <= number < 1 << 31:
        raise OverflowError("sched_priority out of range")
    return number


def os_sched_setparam(G: Values, pid: int, param: Any) -> Any:
    """Begin ``os.sched_setparam``."""
    return (nr.NR_SCHED_SETPARAM, pid, priority_of(param))


def os_sched_setscheduler(G: Values, pid: int, policy: int, param: Any) -> Any:
    """Begin ``os.sched_setscheduler``."""
    return (nr.NR_SCHED_SETSCHEDULER, pid, policy, priority_of(param))


def os_sched_setaffinity(G: Values, pid: int, mask: Any) -> Any:
    """Begin ``os.sched_setaffinity``."""
    if type(mask) not in (list, tuple, GuestSet, range, dict, *LIVE_VIEWS):
        raise TypeError(f"'{tname(mask)}' object is not iterable")
    bits = 0
    for cpu in mask:
        if not isinstance(cpu, int):
            raise TypeError(f"expected an iterator of ints, but iterator yielded {type(cpu)!r}")
        if cpu < 0:
            raise ValueError("negative CPU number")
        if cpu >= (1 << 31) - 1:
            raise OverflowError("CPU number too large")
        if cpu < _MAX_CPUS:
            bits |= 1 << cpu
    return (nr.NR_SCHED_SETAFFINITY, pid, bits)


def cpus_of(mask: int) -> GuestSet:
    """Return a mask of CPUs as the set that ``os.sched_getaffinity`` gives."""
    return GuestSet(cpu for cpu in range(mask.bit_length()) if mask >> cpu & 1)


def guest_sched_setattr(
    G: Values,
    pid: int,
    policy: int,
    nice: int,
    priority: int,
    runtime_ns: int,
    deadline_ns: int,
    period_ns: int,
    flags: int,
    size: int,
) -> Any:
    """Begin ``guest.sched_setattr``."""
    return (
        nr.NR_SCHED_SETATTR, pid, policy, nice, priority, runtime_ns, deadline_ns, period_ns, flags,
        size,
    )  # fmt: skip


# ---- guest.prctl -------------------------------------------------------------------------------


def guest_prctl(G: Values, option: int, arg: Any) -> Any:
    """Begin ``guest.prctl``."""
    if option == PR_SET_NAME and type(arg) is str:
        if "\0" in arg:
            raise ValueError("embedded null character")
        return (nr.NR_PRCTL, option, arg)
    return (nr.NR_PRCTL, option, as_int(arg))


def prctl_result(value: Any) -> Any:
    """The C library's prctl() returns an int."""
    return value if type(value) is str else (value + (1 << 31)) % (1 << 32) - (1 << 31)


def guest_set_child_subreaper(G: Values, on: Any) -> Any:
    """Begin ``guest.set_child_subreaper``."""
    return (nr.NR_PRCTL, PR_SET_CHILD_SUBREAPER, int(bool(on)))


# ---- guest.acct --------------------------------------------------------------------------------


def guest_acct(G: Values, path: Any) -> Any:
    """Begin ``guest.acct``."""
    return (nr.NR_ACCT, None if path is None else as_path(path))


# ---- os.setegid --------------------------------------------------------------------------------


def os_setegid(G: Values, egid: int) -> Any:
    """Begin ``os.setegid``, which is setresgid(2) in glibc."""
    if egid & 0xFFFFFFFF == 0xFFFFFFFF:
        raise OSError(22, "Invalid argument")
    return (nr.NR_SETRESGID, -1, egid, -1)
