"""CPU times of a process.

Those of the caller are as of its last entry into the kernel, those of its sibling threads as of
theirs. Clocks and sleeping are in ``kernel.time.timers``.

Source: kernel/sys.c, kernel/sched/cputime.c.
"""

from typing import TYPE_CHECKING

from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


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


def sys_times(k: "Kernel") -> tuple[int, int, int, int, int]:
    """Return ``(utime, stime, cutime, cstime, elapsed)`` of the process, all in ns.

    ``elapsed`` counts ticks: it is that of the last one.

    Source: kernel/sys.c:do_sys_times(), get_jiffies_64().
    Deviation: ns, not clock ticks; the guest's run time rounds.
    """
    current = k.current
    utime_ns, stime_ns = thread_group_cputime(current)
    signal = current.signal
    jiffies_ns = k.now_ns // k.tick_ns * k.tick_ns
    return utime_ns, stime_ns, signal.cutime_ns, signal.cstime_ns, jiffies_ns
