"""Clocks, CPU times and sleeping for a time.

All clocks are views of virtual time: CLOCK_MONOTONIC starts at boot, CLOCK_REALTIME adds the
configured epoch. CPU times of the caller are as of its last entry into the kernel; those of its
sibling threads as of theirs.

Source: kernel/time/posix-timers.c, kernel/time/hrtimer.c, kernel/sys.c, kernel/sched/cputime.c.
Deviation: no timer slack: a sleep ends exactly when it should (Linux: up to 50 us later).
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError, RestartSyscall
from kernel.points import SCHEDULE, Path
from kernel.sched.ttwu import set_current_state
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING, TaskStruct
from kernel.uapi.errno_ import EINVAL

if TYPE_CHECKING:
    from kernel.state import KernelState

CLOCK_REALTIME: Final = 0
CLOCK_MONOTONIC: Final = 1
CLOCK_PROCESS_CPUTIME_ID: Final = 2
CLOCK_THREAD_CPUTIME_ID: Final = 3
CLOCK_MONOTONIC_RAW: Final = 4
CLOCK_REALTIME_COARSE: Final = 5
CLOCK_MONOTONIC_COARSE: Final = 6
CLOCK_BOOTTIME: Final = 7


def thread_group_cputime(task: TaskStruct) -> tuple[int, int]:
    """Return user and system ns of all threads of ``task``'s process, gone ones included.

    Source: kernel/sched/cputime.c:thread_group_cputime().
    """
    signal = task.signal
    utime_ns, stime_ns = signal.utime_ns, signal.stime_ns
    for thread in signal.threads:
        utime_ns += thread.utime_ns
        stime_ns += thread.stime_ns
    return utime_ns, stime_ns


def sys_times(k: "KernelState") -> tuple[int, int, int, int, int]:
    """Return ``(utime, stime, cutime, cstime, elapsed)`` of the process, all in ns.

    Source: kernel/sys.c:do_sys_times().
    Deviation: ns, not clock ticks; the guest's run time rounds.
    """
    current = k.current
    utime_ns, stime_ns = thread_group_cputime(current)
    signal = current.signal
    return utime_ns, stime_ns, signal.cutime_ns, signal.cstime_ns, k.now_ns


def sys_gettimeofday(k: "KernelState") -> int:
    """Return ns since the epoch. Source: kernel/time/time.c:gettimeofday()."""
    return k.spec.epoch_ns + k.now_ns


def sys_clock_gettime(k: "KernelState", clock: int) -> int:
    """Return the time of a clock in ns.

    Raises:
        KernelError: EINVAL, no such clock.

    Source: kernel/time/posix-timers.c:clock_gettime().
    """
    now_ns = k.now_ns
    if clock in (CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME):
        return now_ns
    if clock == CLOCK_REALTIME:
        return k.spec.epoch_ns + now_ns
    if clock == CLOCK_THREAD_CPUTIME_ID:
        return k.current.utime_ns + k.current.stime_ns
    if clock == CLOCK_PROCESS_CPUTIME_ID:
        return sum(thread_group_cputime(k.current))
    tick_ns = 1_000_000_000 // k.spec.hz
    if clock == CLOCK_MONOTONIC_COARSE:
        return now_ns - now_ns % tick_ns
    if clock == CLOCK_REALTIME_COARSE:
        return k.spec.epoch_ns + now_ns - now_ns % tick_ns
    raise KernelError(EINVAL)


def sys_nanosleep(k: "KernelState", ns: int) -> Path:
    """Sleep for ``ns``. A sleep that a stop or an ignored signal interrupts keeps its end.

    Raises:
        KernelError: EINVAL, negative.
        RestartSyscall: a signal is pending.

    Source: kernel/time/hrtimer.c:hrtimer_nanosleep(), do_nanosleep().
    """
    if ns < 0:
        raise KernelError(EINVAL)
    current = k.current
    deadline_ns = current.restart_ns or k.now_ns + ns
    current.restart_ns = 0
    interrupted = False
    k.now_ns += k.costs.timer_op
    k.arm_timer(current, deadline_ns)
    while True:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        if k.now_ns >= deadline_ns:
            break
        if current.sigpending:
            interrupted = True
            break
        yield "do_nanosleep.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)
    k.cancel_timer(current)
    if interrupted:
        current.restart_ns = deadline_ns
        raise RestartSyscall
    return None
