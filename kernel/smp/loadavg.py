"""The load average: how many tasks run or wait uninterruptibly, exponentially damped.

Every 5 * HZ + 1 ticks the number is sampled and blended into three averages over 1, 5 and 15
minutes, in fixed point with 11 bits. Here no timer does it, because a machine on which nothing
happens must be seen to stand still: KernelState takes the samples that are due before it serves the
next event, and between two events the number does not change.

Source: kernel/sched/loadavg.c, include/linux/sched/loadavg.h.
Deviation: the global average only, in one sum, without the 10 ticks of slack in which the CPUs hand
in theirs. 2.6.34, too, takes every sample that an idle machine has missed.
"""

from typing import TYPE_CHECKING, Final

from kernel.process.tasklist import for_each_thread
from kernel.task import TASK_NOLOAD, TASK_UNINTERRUPTIBLE
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from kernel.kernel import Kernel

FSHIFT: Final = 11
FIXED_1: Final = 1 << FSHIFT
EXP_1: Final = 1884
EXP_5: Final = 2014
EXP_15: Final = 2037
_DECAYS: Final[tuple[int, ...]] = (EXP_1, EXP_5, EXP_15)


def load_period_ns(hz: int) -> int:
    """Return the time between two samples: LOAD_FREQ ticks."""
    return (5 * hz + 1) * (NSEC_PER_SEC // hz)


def calc_load(load: int, exp: int, active: int, up: bool = True) -> int:
    """Return ``load`` with one more sample; all in fixed point.

    ``up``: a load that rises is rounded up, as since 4.7.

    Source: include/linux/sched/loadavg.h:calc_load(); kernel/sched.c of 2.6.34.
    """
    new = load * exp + active * (FIXED_1 - exp)
    if up and active >= load:
        new += FIXED_1 - 1
    return new // FIXED_1


def fixed_power_int(x: int, frac_bits: int, n: int) -> int:
    """Return x to the power of n, in fixed point. Source: kernel/sched/loadavg.c."""
    result = 1 << frac_bits
    half = 1 << (frac_bits - 1)
    while n:
        if n & 1:
            result = (result * x + half) >> frac_bits
        n >>= 1
        if n:
            x = (x * x + half) >> frac_bits
    return result


def calc_load_n(load: int, exp: int, active: int, n: int) -> int:
    """Return ``load`` with ``n`` equal samples at once. Source: kernel/sched/loadavg.c."""
    return calc_load(load, fixed_power_int(exp, FSHIFT, n), active)


def nr_uninterruptible(k: "Kernel") -> int:
    """Return how many tasks sleep uninterruptibly and count as load."""
    return sum(
        1
        for task in for_each_thread(k)
        if not task.on_rq
        and not task.exit_state
        and task.state & TASK_UNINTERRUPTIBLE
        and not task.state & TASK_NOLOAD
    )


def calc_global_load(k: "Kernel", now_ns: int) -> None:
    """Take every sample that is due at or before ``now_ns``.

    A machine on which nothing ran takes no ticks: all but the first are taken at once then.

    Source: kernel/sched/loadavg.c:calc_global_load(), calc_global_nohz().
    """
    period_ns = load_period_ns(k.spec.hz)
    running = sum(k.load.nr_running)
    active = max(0, running + nr_uninterruptible(k)) * FIXED_1
    up = k.tasks.profile.loadavg_rounds_up
    folds = running <= 0 and up and k.spec.nohz != "off"
    while k.calc_load_update_ns <= now_ns:
        k.calc_load_update_ns += period_ns
        before = k.avenrun
        k.avenrun = [calc_load(load, exp, active, up) for load, exp in zip(before, _DECAYS)]
        left = max(0, now_ns - k.calc_load_update_ns + period_ns) // period_ns
        if folds and left:
            k.avenrun = [
                calc_load_n(load, exp, active, left) for load, exp in zip(k.avenrun, _DECAYS)
            ]
        elif k.avenrun != before:
            continue  # from there on every sample would leave it as it is
        k.calc_load_update_ns += left * period_ns


def get_avenrun(k: "Kernel") -> tuple[str, ...]:
    """Return the three averages as /proc/loadavg shows them.

    Source: fs/proc/loadavg.c:loadavg_proc_show().
    """
    shown = []
    for load in k.avenrun:
        load += FIXED_1 // 200
        shown.append(f"{load >> FSHIFT}.{(load & (FIXED_1 - 1)) * 100 >> FSHIFT:02d}")
    return tuple(shown)
