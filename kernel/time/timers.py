"""Sleeping for a time, and reading the clocks.

Virtual time starts at 0 when the machine boots; CLOCK_REALTIME is that plus the configured epoch.

Source: kernel/time/hrtimer.c, kernel/time/posix-timers.c, kernel/sched/cputime.c.
Deviation: timers fire at their very time: no timer slack (50 µs for ordinary tasks in Linux).
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError, RestartNoHand
from kernel.points import SCHEDULE, Path
from kernel.signal.pending import signal_pending
from kernel.smp.ttwu import set_current_state
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING
from kernel.uapi.clock import CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID
from kernel.uapi.errno_ import EINVAL

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_MONOTONIC: Final = (1, 4, 6, 7)  # MONOTONIC, its _RAW and _COARSE forms, BOOTTIME
_REALTIME: Final = (0, 5)  # REALTIME and its _COARSE form


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


def sys_gettimeofday(k: "Kernel") -> int:
    """Return ns since 1970, in whole microseconds. Source: kernel/time/time.c:gettimeofday()."""
    return (k.spec.epoch_ns + k.now_ns) // 1000 * 1000
