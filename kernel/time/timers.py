"""Sleeping for a time, and reading the clocks.

Virtual time starts at 0 when the machine boots; CLOCK_REALTIME is that plus the configured epoch.

Source: kernel/time/hrtimer.c, kernel/time/posix-timers.c, kernel/sched/cputime.c.
How late a sleep may end is ``kernel.time.slack``.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError, RestartNoHand
from kernel.points import SCHEDULE, Path
from kernel.signal.pending import signal_pending
from kernel.smp.ttwu import set_current_state
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING
from kernel.uapi.clock import (
    CLOCK_BOOTTIME,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_REALTIME_COARSE,
    CLOCK_TAI,
    CLOCK_THREAD_CPUTIME_ID,
)
from kernel.uapi.errno_ import EINVAL

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_COARSE: Final[tuple[int, ...]] = (CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE)
_MONOTONIC: Final[tuple[int, ...]] = (CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME)
_REALTIME: Final[tuple[int, ...]] = (CLOCK_REALTIME, CLOCK_TAI)
_CPU_TIME: Final[tuple[int, ...]] = (CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID)


def sys_nanosleep(k: "Kernel", ns: int, until_ns: int = 0) -> Path[None]:
    """Sleep for ``ns`` of virtual time.

    A call interrupted by a signal goes on to its first deadline when it is restarted, and tells
    the program what that was, for ``until_ns``, if a handler ran.

    Raises:
        KernelError: EINVAL, a negative time.
        RestartNoHand: a signal is pending.

    Source: kernel/time/hrtimer.c:hrtimer_nanosleep(), do_nanosleep(), hrtimer_nanosleep_restart().
    """
    if ns < 0:
        raise KernelError(EINVAL)
    task = k.current
    k.now_ns += k.costs.timer_op
    until_ns = until_ns or task.restart_ns or k.now_ns + ns
    task.restart_ns = 0
    k.arm_timer(task, until_ns)
    interrupted = False
    while True:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        if k.now_ns >= until_ns:
            break
        if signal_pending(task):
            interrupted = True
            break
        yield "do_nanosleep.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)
    k.cancel_timer(task)
    if interrupted:
        task.restart_ns = until_ns
        raise RestartNoHand


def sys_clock_gettime(k: "Kernel", clock: int) -> int:
    """Return the time of ``clock`` in ns.

    Raises:
        KernelError: EINVAL, no such clock.

    Source: kernel/time/posix-timers.c:clock_gettime(), kernel/time/posix-cpu-timers.c.
    Deviation: CPU time of the call in progress is counted when it ends.
    """
    if clock in _MONOTONIC:
        return k.now_ns
    if clock in _REALTIME:
        return k.spec.epoch_ns + k.now_ns
    if clock in _COARSE:
        tick_ns = k.now_ns // k.tick_ns * k.tick_ns
        return tick_ns if clock == CLOCK_MONOTONIC_COARSE else k.spec.epoch_ns + tick_ns
    task = k.current
    if clock == CLOCK_THREAD_CPUTIME_ID:
        return task.utime_ns + task.stime_ns
    if clock == CLOCK_PROCESS_CPUTIME_ID:
        signal = task.signal
        return (
            signal.utime_ns
            + signal.stime_ns
            + sum(thread.utime_ns + thread.stime_ns for thread in signal.threads)
        )
    raise KernelError(EINVAL)


def sys_clock_getres(k: "Kernel", clock: int) -> int:
    """Return how fine ``clock`` is, in ns: a tick for the coarse ones.

    Raises:
        KernelError: EINVAL, no such clock.

    Source: kernel/time/posix-timers.c:posix_get_hrtimer_res(), posix_get_coarse_res();
        kernel/time/posix-cpu-timers.c:posix_cpu_clock_getres().
    """
    if clock in _COARSE:
        return k.tick_ns
    if clock in _MONOTONIC or clock in _REALTIME or clock in _CPU_TIME:
        return 1
    raise KernelError(EINVAL)


def sys_gettimeofday(k: "Kernel") -> int:
    """Return ns since 1970, in whole microseconds. Source: kernel/time/time.c:gettimeofday()."""
    return (k.spec.epoch_ns + k.now_ns) // 1000 * 1000
