"""The module ``signal``: what CPython does between its functions and the system calls.

A handler is the program's: ``Process.handlers`` has it, and the kernel only knows that there is
one. A disposition that was there when the program started is asked of the kernel, when somebody
wants to know it.

Source: CPython Modules/signalmodule.c, Lib/signal.py; glibc's sigset functions.
Deviation: a thread's identity is its tid; nothing is said on stderr when the wakeup descriptor is
full.
"""

import math
from signal import struct_siginfo
from typing import Any, Final

from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EINVAL
from kernel.uapi.fcntl import O_NONBLOCK
from kernel.uapi.signals import (
    NSIG,
    SA_RESTART,
    SI_TKILL,
    SI_USER,
    SIG_DFL,
    SIG_HANDLER,
    SIG_IGN,
    SIGINT,
)
from workloads.language.bounded import tname
from workloads.language.constants import STRERROR
from workloads.language.dict_views import LIVE_VIEWS
from workloads.language.enums import Handlers, Signals, handler_value, signal_value, strsignal
from workloads.language.filecalls import descriptor_flags
from workloads.language.frames import CALL, RERAISE, RETURN, VALUE, Frame, own_process
from workloads.language.library import CHECK, RAISE, give_back, library
from workloads.language.sets import GuestSet
from workloads.language.values import CALLABLE, DEFAULT_INT_HANDLER

Values = list[Any]

#: SIGCANCEL and SIGSETXID: the C library keeps them for itself.
_INTERNAL: Final = 1 << 31 | 1 << 32


def _check_number(signal: int) -> None:
    if not 1 <= signal <= NSIG:
        raise ValueError("signal number out of range")


def _is_internal(signal: int) -> bool:
    return 0 < signal <= NSIG and _INTERNAL >> (signal - 1) & 1 == 1


# ---- dispositions: [signal, what was asked for, old disposition] --------------------------------


def _old_handler(G: Values, signal: int, disposition: int) -> Any:
    """Return what Python says a signal's handler is."""
    handlers = G[0].handlers
    if signal in handlers:
        handler = handlers[signal]
        return handler_value(handler) if handler in (SIG_DFL, SIG_IGN) else handler
    if disposition in (SIG_DFL, SIG_IGN):
        return handler_value(disposition)
    return DEFAULT_INT_HANDLER if signal == SIGINT else None


def _set_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    handler = L[1]
    if type(handler) in CALLABLE:
        handler = SIG_HANDLER
    return (nr.NR_RT_SIGACTION, L[0], int(handler))


def _set_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    process = own_process(G)
    old = _old_handler(G, L[0], V)
    process.handlers = {**process.handlers, L[0]: L[1]}
    F.pc = 2
    return (CALL, CHECK, [old])


_SET: Final = library(
    "signal", (_set_call, -1), (_set_done, -1), (give_back, -1), interruptible=False
)


def _get_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_RT_SIGACTION, L[0], None)


def _get_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, _old_handler(G, L[0], V))


_GET: Final = library("getsignal", (_get_call, -1), (_get_done, -1))


def _interrupt_change(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 2
    disposition = V & ~SA_RESTART
    if disposition >= SIG_HANDLER and not L[1]:
        disposition |= SA_RESTART
    return (nr.NR_RT_SIGACTION, L[0], disposition)


def _nothing(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, None)


_INTERRUPT: Final = library(
    "siginterrupt", (_get_call, -1), (_interrupt_change, -1), (_nothing, -1)
)


def signal_signal(G: Values, signalnum: int, handler: Any) -> Any:
    """Begin ``signal.signal``; CPython's rules about who may call it and with what."""
    if G[0].current != G[0].main:
        raise ValueError("signal only works in main thread of the main interpreter")
    _check_number(signalnum)
    if type(handler) not in CALLABLE and handler not in (SIG_DFL, SIG_IGN):
        raise TypeError(
            "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
        )
    if _is_internal(signalnum):
        raise OSError(EINVAL, STRERROR[EINVAL])
    return (CALL, _SET, [signalnum, handler])


def signal_getsignal(G: Values, signalnum: int) -> Any:
    """Begin ``signal.getsignal``."""
    _check_number(signalnum)
    return (VALUE, None) if _is_internal(signalnum) else (CALL, _GET, [signalnum])


def signal_siginterrupt(G: Values, signalnum: int, flag: int) -> Any:
    """Begin ``signal.siginterrupt``."""
    _check_number(signalnum)
    if _is_internal(signalnum):
        raise OSError(EINVAL, STRERROR[EINVAL])
    return (CALL, _INTERRUPT, [signalnum, flag])


# ---- sending ------------------------------------------------------------------------------------


def signal_raise(G: Values, signalnum: int) -> Any:
    """Begin ``signal.raise_signal``."""
    return (CALL, RAISE, [signalnum, None, 0])


def signal_pthread_kill(G: Values, thread_id: int, signalnum: int) -> Any:
    """Begin ``signal.pthread_kill``."""
    if _is_internal(signalnum):
        raise OSError(EINVAL, STRERROR[EINVAL])
    return (CALL, RAISE, [signalnum, thread_id, 0])


def signal_pidfd_send_signal(
    G: Values, pidfd: int, signalnum: int, siginfo: Any, flags: int
) -> Any:
    """Begin ``signal.pidfd_send_signal``."""
    if siginfo is not None:
        raise TypeError("siginfo must be None")
    return (nr.NR_PIDFD_SEND_SIGNAL, pidfd, signalnum, flags)


# ---- the wakeup descriptor: [fd] ----------------------------------------------------------------


def _wakeup_set(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if not V & O_NONBLOCK:
        raise ValueError(f"the fd {L[0]} must be in non-blocking mode")
    return (RETURN, _set_wakeup(G, L[0]))


_WAKEUP_FD: Final = library("set_wakeup_fd", (descriptor_flags, -1), (_wakeup_set, -1))


def _set_wakeup(G: Values, fd: int) -> int:
    process = own_process(G)
    old, process.wakeup_fd = process.wakeup_fd, fd
    return old


def signal_set_wakeup_fd(G: Values, fd: int, warn_on_full_buffer: Any) -> Any:
    """Begin ``signal.set_wakeup_fd``."""
    if G[0].current != G[0].main:
        raise ValueError("set_wakeup_fd only works in main thread of the main interpreter")
    if fd == -1:
        return (VALUE, _set_wakeup(G, -1))
    return (CALL, _WAKEUP_FD, [fd])


# ---- sets ---------------------------------------------------------------------------------------


def mask_of(signals: Any) -> int:
    """Return a set of signals as bits."""
    if type(signals) not in (list, tuple, GuestSet, range, dict, *LIVE_VIEWS):
        raise TypeError(f"'{tname(signals)}' object is not iterable")
    mask = 0
    for signal in signals:
        if not isinstance(signal, int):
            raise TypeError(f"'{tname(signal)}' object cannot be interpreted as an integer")
        if not 1 <= signal <= NSIG:
            raise ValueError(f"signal number {signal} out of range [1; {NSIG}]")
        mask |= 1 << (signal - 1)
    return mask & ~_INTERNAL


def signals_of(mask: int) -> GuestSet:
    """Return a mask as the set of ``signal.Signals`` that Python gives."""
    numbers = [signal for signal in range(1, NSIG + 1) if mask >> (signal - 1) & 1]
    return GuestSet([signal_value(number) for number in numbers])


def signal_signals(G: Values, value: Any) -> Any:
    """Return ``signal.Signals(number)``."""
    return Signals(value)


def signal_handlers(G: Values, value: Any) -> Any:
    """Return ``signal.Handlers(number)``."""
    return Handlers(value)


def signal_strsignal(G: Values, signalnum: int) -> Any:
    """Return ``signal.strsignal(number)``."""
    _check_number(signalnum)
    return strsignal(signalnum)


def signal_valid(G: Values) -> GuestSet:
    """Return ``signal.valid_signals()``."""
    return signals_of((1 << NSIG) - 1 & ~_INTERNAL)


def signal_pthread_sigmask(G: Values, how: int, mask: Any) -> Any:
    """Begin ``signal.pthread_sigmask``."""
    return (nr.NR_RT_SIGPROCMASK, how, mask_of(mask))


def signal_sigwait(G: Values, sigset: Any) -> Any:
    """Begin ``signal.sigwait``."""
    return (nr.NR_SIGWAIT, mask_of(sigset))


def signal_sigwaitinfo(G: Values, sigset: Any) -> Any:
    """Begin ``signal.sigwaitinfo``."""
    return (nr.NR_RT_SIGTIMEDWAIT, mask_of(sigset), -1)


def siginfo(value: Any) -> Any:
    """Return a struct_siginfo; si_band is what lies where a poll event has it: pid and uid."""
    if value is None:
        return None
    signal, code, pid, uid, status = value
    if code == SI_TKILL:
        code = SI_USER  # Source: glibc sysdeps/unix/sysv/linux/sigtimedwait.c
    return struct_siginfo((signal, code, 0, pid, uid, status, pid | uid << 32))


def _wait_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (nr.NR_RT_SIGTIMEDWAIT, L[0], L[1])


def _wait_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, None) if isinstance(V, BlockingIOError) else (RERAISE, V)


#: [set, ns]
_TIMEDWAIT: Final = library("sigtimedwait", (_wait_call, 2), (give_back, 2), (_wait_failed, -1))


def signal_sigtimedwait(G: Values, sigset: Any, timeout: Any) -> Any:
    """Begin ``signal.sigtimedwait``."""
    ns = _to_ns(timeout, 1)
    if ns < 0:
        raise ValueError("timeout must be non-negative")
    return (CALL, _TIMEDWAIT, [mask_of(sigset), ns])


# ---- timers -------------------------------------------------------------------------------------


def _to_ns(seconds: Any, unit_ns: int) -> int:
    """Return a time as a multiple of ``unit_ns``, rounded up."""
    if not isinstance(seconds, int | float):
        raise TypeError(f"'{tname(seconds)}' object cannot be interpreted as an integer")
    if seconds != seconds:
        raise ValueError("Invalid value NaN (not a number)")
    if abs(seconds) * 1e9 >= 2**63:
        raise OverflowError("timestamp out of range for platform time_t")
    if isinstance(seconds, int):
        return seconds * 10**9
    return math.ceil(seconds * (10**9 // unit_ns)) * unit_ns


def signal_setitimer(G: Values, which: int, seconds: Any, interval: Any) -> Any:
    """Begin ``signal.setitimer``."""
    return (nr.NR_SETITIMER, which, _to_ns(seconds, 1000), _to_ns(interval, 1000))


def itimer_result(value: Any) -> tuple[float, float]:
    """Return a timer's value and interval, in seconds."""
    return value[0] // 1000 / 1e6, value[1] // 1000 / 1e6
