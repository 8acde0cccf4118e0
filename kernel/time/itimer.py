"""Interval timers: alarm(2), setitimer(2), getitimer(2).

ITIMER_REAL belongs to the process. It expires once, sends SIGALRM, and counts its next interval
from when that signal is taken off the queue: a process that blocks SIGALRM does not pile up work.
ITIMER_VIRTUAL and ITIMER_PROF run on CPU time: ``kernel.time.posix_cpu_timers``.

Source: kernel/time/itimer.c, kernel/signal.c:dequeue_signal().
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.points import ACQUIRE, RELEASE, Path
from kernel.process.pid import PIDTYPE_TGID
from kernel.signal.send import do_send_sig_info
from kernel.task import SignalStruct
from kernel.time.posix_cpu_timers import get_cpu_itimer, set_cpu_itimer
from kernel.timerq import TimerKind
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.errno_ import EINVAL
from kernel.uapi.signals import ITIMER_PROF, ITIMER_REAL, SI_KERNEL, SIGALRM

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_US_NS = 1000


class RealTimer:
    """ITIMER_REAL of a process: ``serial`` is 0 while it is not armed."""

    __slots__ = ("expires_ns", "interval_ns", "serial")

    def __init__(self) -> None:
        self.serial = 0
        self.expires_ns = 0
        self.interval_ns = 0


def _real_timer(signal: SignalStruct) -> RealTimer:
    timer = signal.itimer
    if timer is None:
        raise AssertionError(f"the process of {signal.leader!r} has no ITIMER_REAL")
    return timer


class RealTimerKind(TimerKind):
    """Signals the process ``what`` (its SignalStruct) if its ITIMER_REAL is still this one."""

    def is_live(self, what: SignalStruct, serial: int) -> bool:
        """Tell whether it has not been stopped or set anew since."""
        return what.itimer is not None and what.itimer.serial == serial

    def expire(self, k: "Kernel", what: SignalStruct, serial: int) -> object:
        """Send SIGALRM, as an interrupt: it is nobody's system call."""
        if not self.is_live(what, serial) or not what.live:
            return None
        k.set_cpu(what.leader.cpu)
        k.current = k.init_task
        k.now_ns += k.costs.timer_op
        return k.form(it_real_fn)(k, what)


REAL_TIMER: Final = RealTimerKind()


def it_real_fn(k: "Kernel", signal: SignalStruct) -> Path[None]:
    """The timer has expired: send SIGALRM.

    Source: kernel/time/itimer.c:it_real_fn().
    """
    _real_timer(signal).serial = 0
    info = (SIGALRM, SI_KERNEL, 0, 0, 0)
    yield from do_send_sig_info(k, SIGALRM, info, signal.leader, PIDTYPE_TGID)


def restart_real_timer(k: "Kernel", signal: SignalStruct) -> None:
    """Arm an expired timer again if it has an interval; its SIGALRM has just been taken.

    Source: kernel/signal.c:dequeue_signal().
    """
    timer = _real_timer(signal)
    if timer.serial or not timer.interval_ns:
        return
    late = max(k.now_ns - timer.expires_ns, 0)
    timer.expires_ns += (late // timer.interval_ns + 1) * timer.interval_ns
    timer.serial = k.arm_real_timer(signal, timer.expires_ns)


def get_real_timer(k: "Kernel", signal: SignalStruct) -> tuple[int, int]:
    """Return ``(ns left, interval in ns)``; an armed timer has at least 1 µs left.

    Source: kernel/time/itimer.c:itimer_get_remtime().
    """
    timer: RealTimer | None = signal.itimer
    if timer is None:
        return 0, 0
    left = max(timer.expires_ns - k.now_ns, _US_NS) if timer.serial else 0
    return left, timer.interval_ns


def _set_real_timer(k: "Kernel", ns: int, interval_ns: int) -> tuple[int, int]:
    """Arm (``ns`` > 0) or stop the caller's timer; return what ``get_real_timer`` said before.

    Source: kernel/time/itimer.c:do_setitimer().
    """
    signal = k.current.signal
    k.now_ns += k.costs.timer_op
    old = get_real_timer(k, signal)
    timer: RealTimer | None = signal.itimer
    if timer is None:
        timer = signal.itimer = RealTimer()
    timer.serial = timer.interval_ns = 0
    if ns:
        timer.expires_ns = k.now_ns + ns
        timer.interval_ns = interval_ns
        timer.serial = k.arm_real_timer(signal, timer.expires_ns)
    return old


def _check_which(which: int) -> None:
    """Raise unless ``which`` is a timer."""
    if not ITIMER_REAL <= which <= ITIMER_PROF:
        raise KernelError(EINVAL)


def _do_setitimer(k: "Kernel", which: int, ns: int, interval_ns: int) -> Path[tuple[int, int]]:
    """Source: kernel/time/itimer.c:do_setitimer(), set_cpu_itimer()."""
    siglock = k.current.sighand.siglock
    yield "do_setitimer.siglock", ACQUIRE, siglock
    if which == ITIMER_REAL:
        old = _set_real_timer(k, ns, interval_ns)
    else:
        k.now_ns += k.costs.timer_op
        old = set_cpu_itimer(k, k.current.signal, which, ns, interval_ns)
    yield "do_setitimer.siglock_done", RELEASE, siglock
    return old


def sys_setitimer(k: "Kernel", which: int, ns: int, interval_ns: int) -> Path[tuple[int, int]]:
    """Arm a timer of the caller's process; return the old ``(ns left, interval in ns)``.

    Args:
        which: ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF.
        ns: time to its expiry, whole microseconds; 0 stops it.
        interval_ns: time between later expiries; 0: there is only one.

    Raises:
        KernelError: EINVAL, no such timer or a negative time.

    Source: kernel/time/itimer.c:setitimer().
    """
    if ns < 0 or interval_ns < 0:
        raise KernelError(EINVAL)
    _check_which(which)
    return _do_setitimer(k, which, ns, interval_ns)


def sys_getitimer(k: "Kernel", which: int) -> Path[tuple[int, int]]:
    """Return ``(ns left, interval in ns)`` of a timer of the caller's process.

    Raises:
        KernelError: EINVAL, no such timer.

    Source: kernel/time/itimer.c:do_getitimer(), get_cpu_itimer().
    """
    _check_which(which)
    siglock = k.current.sighand.siglock
    yield "do_getitimer.siglock", ACQUIRE, siglock
    if which == ITIMER_REAL:
        found = get_real_timer(k, k.current.signal)
    else:
        found = get_cpu_itimer(k, k.current.signal, which)
    yield "do_getitimer.siglock_done", RELEASE, siglock
    return found


def sys_alarm(k: "Kernel", seconds: int) -> Path[int]:
    """Send SIGALRM in ``seconds``, or never if 0; return how many were left, at least 1 if any.

    Source: kernel/time/itimer.c:alarm_setitimer().
    """
    old = yield from _do_setitimer(k, ITIMER_REAL, (seconds & 0xFFFFFFFF) * NSEC_PER_SEC, 0)
    left_ns = old[0]
    left, rest = divmod(left_ns // _US_NS, 1_000_000)
    if rest >= 500_000 or (not left and rest):
        left += 1
    return left
