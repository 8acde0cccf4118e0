"""CFS bandwidth: the pool of time of each group that has a limit (``cpu.max``), and who waits.

A group with a limit may have ``quota`` in every ``period``, on all CPUs together. Its pool is
filled at the beginning of each. CPUs take slices of it (``kernel.sched.bandwidth``); one that asks
an empty pool throttles the group and waits here until the next period, in the order in which they
came. Then each gets what makes good its debt, and may run again. What a CPU gives back, because
nobody of the group is left there, goes to those that wait 5 ms later (the slack timer).

Time that is not used up is lost, but for ``burst``: so much more than the quota a pool may hold.
The timer of a period stands still once the pool was not asked for a whole one. Linux has this since
3.2; profile 2.6.34 has none.

``cpu_max_show``, ``cpu_max_write``, ``cpu_burst_show``, ``cpu_burst_write`` and ``cfs_stat`` are
what the files of a control group say and take. Whoever changes in which groups tasks are calls
``recount``; ``unlimit`` comes before a group is no more.

Source: kernel/sched/fair.c of Linux 6.12 (__assign_cfs_rq_runtime, distribute_cfs_runtime,
do_sched_cfs_period_timer, do_sched_cfs_slack_timer), kernel/sched/core.c (tg_set_cfs_bandwidth,
cpu_max_write, cpu_extra_stat_show).
Deviation: periods begin at multiples of their length since boot; Linux adds a random offset for
each group. A period is not made longer if its timer comes too often (sched_cfs_period_timer, 3
loops).
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.messages import eff_told
from kernel.process.tasklist import for_each_process
from kernel.sched.bandwidth import (
    ASK,
    GROUP_LIMIT,
    GROUP_RUNTIME,
    GROUP_UNTHROTTLE,
    RETURN,
    SLICE_NS,
    THROTTLED,
)
from kernel.sched.sched_class import FAIR_RANK
from kernel.smp.load import load_dec, load_inc
from kernel.smp.task_groups import (
    DEFAULT_PERIOD_NS,
    MAX_PERIOD_NS,
    MAX_RUNTIME_NS,
    MIN_NS,
    CfsBandwidth,
    TaskGroup,
)
from kernel.smp.throttled import throttled_hierarchy, trace_throttled
from kernel.task import TaskStruct
from kernel.timerq import TimerKind
from kernel.uapi.errno_ import EINVAL

if TYPE_CHECKING:
    from kernel.kernel import Kernel

NO_QUOTA: Final = -1  # RUNTIME_INF
_SLACK_PERIOD_NS: Final = 5_000_000  # cfs_bandwidth_slack_period
_MIN_EXPIRATION_NS: Final = 2_000_000  # min_bandwidth_expiration
_US: Final = 1000


class PeriodTimer(TimerKind):
    """A period of a group begins."""

    def is_live(self, what: TaskGroup, serial: int) -> bool:
        """Tell whether somebody may run again by it."""
        band = what.band
        return band is not None and serial == band.timer and bool(band.waiting)

    def expire(self, k: "Kernel", what: TaskGroup, serial: int) -> object:
        """Fill the pool; the next period follows if anybody has asked in this one.

        Source: kernel/sched/fair.c:sched_cfs_period_timer().
        """
        band = what.band
        if band is None or serial != band.timer:
            return None
        band.timer = 0
        if _do_sched_cfs_period_timer(k, what, band):
            _start_period(k, what, band)
        return None


class SlackTimer(TimerKind):
    """CPUs have given time back: others that wait may have it."""

    def is_live(self, what: TaskGroup, serial: int) -> bool:
        """Tell whether somebody may run again by it."""
        band = what.band
        return band is not None and serial == band.slack_timer and bool(band.waiting)

    def expire(self, k: "Kernel", what: TaskGroup, serial: int) -> object:
        """Source: kernel/sched/fair.c:do_sched_cfs_slack_timer()."""
        band = what.band
        if band is None or serial != band.slack_timer:
            return None
        band.slack_timer = 0
        if not _refresh_within(k, band, _MIN_EXPIRATION_NS) and band.runtime_ns > SLICE_NS:
            _distribute_cfs_runtime(k, what, band)
        return None


PERIOD_TIMER: Final = PeriodTimer()
SLACK_TIMER: Final = SlackTimer()


# -- the pool -------------------------------------------------------------------------------------


def said(k: "Kernel", cpu: int, key: int, data: tuple[int, ...]) -> None:
    """``cpu`` asks for time of a group, gives some back, or has throttled it.

    What is about a limit that is none any more is left.
    """
    gid, serial, amount_ns = data
    group = k.groups.groups.get(gid)
    band = None if group is None else group.band
    if group is None or band is None or band.serial != serial or band.quota_ns < 0:
        return
    if key == ASK:
        got_ns = _assign(k, group, band, amount_ns)
        k.send(cpu, eff_told(k.now_ns, FAIR_RANK, GROUP_RUNTIME, (gid, got_ns)))
    elif key == RETURN:
        band.runtime_ns += amount_ns
        if band.waiting and band.runtime_ns > SLICE_NS:
            _start_slack(k, group, band)
    elif key == THROTTLED:
        # the pool may have been filled since the CPU was told that it is empty
        got_ns = _assign(k, group, band, amount_ns)
        if got_ns == amount_ns:
            k.send(cpu, eff_told(k.now_ns, FAIR_RANK, GROUP_UNTHROTTLE, (gid, got_ns)))
            return
        band.waiting[cpu] = amount_ns - got_ns
        band.needed[cpu] = amount_ns
        band.since_ns[cpu] = k.now_ns
        _throttle(k, group, cpu)
    else:
        raise AssertionError(f"cpu {cpu} says {key} of group {gid}, and that is nothing")


def _assign(k: "Kernel", group: TaskGroup, band: CfsBandwidth, wanted_ns: int) -> int:
    """Take time off the pool, as much of it as there is.

    Source: kernel/sched/fair.c:__assign_cfs_rq_runtime().
    """
    _start_period(k, group, band)
    got_ns = min(band.runtime_ns, wanted_ns)
    if got_ns > 0:
        band.runtime_ns -= got_ns
        band.idle = False
    return got_ns


def _refill(band: CfsBandwidth) -> None:
    """Source: kernel/sched/fair.c:__refill_cfs_bandwidth_runtime()."""
    if band.quota_ns < 0:
        return
    band.runtime_ns += band.quota_ns
    used_ns = band.snap_ns - band.runtime_ns
    if used_ns > 0:
        band.burst_time_ns += used_ns
        band.nr_burst += 1
    band.runtime_ns = min(band.runtime_ns, band.quota_ns + band.burst_ns)
    band.snap_ns = band.runtime_ns


def _start_period(k: "Kernel", group: TaskGroup, band: CfsBandwidth) -> None:
    """Source: kernel/sched/fair.c:start_cfs_bandwidth()."""
    if not band.timer:
        band.period_end_ns = (k.now_ns // band.period_ns + 1) * band.period_ns
        band.timer = k.timers.add(band.period_end_ns, PERIOD_TIMER, group)


def _do_sched_cfs_period_timer(k: "Kernel", group: TaskGroup, band: CfsBandwidth) -> bool:
    """A period is over; return whether the next one is to be seen to.

    Source: kernel/sched/fair.c:do_sched_cfs_period_timer().
    """
    if band.quota_ns < 0:
        return False
    throttled = bool(band.waiting)
    band.nr_periods += 1
    _refill(band)
    if band.idle and not throttled:
        return False
    if not throttled:
        band.idle = True
        return True
    band.nr_throttled += 1
    _distribute_cfs_runtime(k, group, band)
    band.idle = False
    return True


def _refresh_within(k: "Kernel", band: CfsBandwidth, ns: int) -> bool:
    """Source: kernel/sched/fair.c:runtime_refresh_within()."""
    return not band.timer or band.period_end_ns - k.now_ns < ns


def _start_slack(k: "Kernel", group: TaskGroup, band: CfsBandwidth) -> None:
    """Source: kernel/sched/fair.c:start_cfs_slack_bandwidth()."""
    if band.slack_timer or _refresh_within(k, band, _SLACK_PERIOD_NS + _MIN_EXPIRATION_NS):
        return
    band.slack_timer = k.timers.add(k.now_ns + _SLACK_PERIOD_NS, SLACK_TIMER, group)


def _distribute_cfs_runtime(k: "Kernel", group: TaskGroup, band: CfsBandwidth) -> None:
    """Give those that wait what they need to run again, in the order in which they came.

    Source: kernel/sched/fair.c:distribute_cfs_runtime().
    """
    for cpu in list(band.waiting):
        if not band.runtime_ns:
            return
        got_ns = min(band.runtime_ns, band.waiting[cpu])
        band.runtime_ns -= got_ns
        band.waiting[cpu] -= got_ns
        if not band.waiting[cpu]:
            needed_ns = band.needed[cpu]
            _waits_no_more(k, band, cpu)
            data = (group.gid, needed_ns)
            k.send(cpu, eff_told(k.now_ns, FAIR_RANK, GROUP_UNTHROTTLE, data))
            _unthrottle(k, group, cpu)


def _waits_no_more(k: "Kernel", band: CfsBandwidth, cpu: int) -> None:
    del band.waiting[cpu]
    del band.needed[cpu]
    band.throttled_ns += k.now_ns - band.since_ns.pop(cpu)


# -- what counts ----------------------------------------------------------------------------------


def _tasks_on(k: "Kernel", group: TaskGroup, cpu: int) -> list[TaskStruct]:
    """Return the tasks of a group, and of those in it, that can run on ``cpu``.

    Who is released may be on its way into its last schedule().
    """
    threads = [task for process in for_each_process(k) for task in process.signal.threads]
    return [
        task
        for task in dict.fromkeys([*threads, *(path.task for path in k.active)])
        if task.on_rq
        and task.cpu == cpu
        and group.gid in k.groups.path_of(task)
        and not throttled_hierarchy(k, task, cpu)
    ]


def _throttle(k: "Kernel", group: TaskGroup, cpu: int) -> None:
    """The tasks of ``group`` on ``cpu`` count no more. Source: fair.c:throttle_cfs_rq()."""
    tasks = [task for task in _tasks_on(k, group, cpu) if k.sched.of(task).rank == FAIR_RANK]
    k.groups.throttled[(group.gid, cpu)] = None
    for task in tasks:
        trace_throttled(k, task, 1)
        load_dec(k, cpu)


def _unthrottle(k: "Kernel", group: TaskGroup, cpu: int) -> None:
    """They count again. Source: kernel/sched/fair.c:unthrottle_cfs_rq()."""
    del k.groups.throttled[(group.gid, cpu)]
    for task in _tasks_on(k, group, cpu):
        if k.sched.of(task).rank == FAIR_RANK:
            trace_throttled(k, task, 0)
            load_inc(k, cpu)


def recount(k: "Kernel", tasks: list[TaskStruct], before: list[bool]) -> None:
    """Something has changed that decides whether ``tasks`` are throttled; ``before`` they were."""
    for task, was in zip(tasks, before):
        if task.on_rq:
            throttled = throttled_hierarchy(k, task, task.cpu)
            if was != throttled:
                trace_throttled(k, task, int(throttled))
            if was and not throttled:
                load_inc(k, task.cpu)
            elif throttled and not was:
                load_dec(k, task.cpu)


# -- the files ------------------------------------------------------------------------------------


def tg_set_cfs_bandwidth(
    k: "Kernel", group: TaskGroup, period_ns: int, quota_ns: int, burst_ns: int
) -> None:
    """Give a group a limit, another limit, or none (``quota_ns`` NO_QUOTA).

    Raises:
        KernelError: EINVAL.

    Source: kernel/sched/core.c:tg_set_cfs_bandwidth().
    """
    limited = quota_ns >= 0
    if (limited and quota_ns < MIN_NS) or not MIN_NS <= period_ns <= MAX_PERIOD_NS:
        raise KernelError(EINVAL)
    if limited and quota_ns > MAX_RUNTIME_NS:
        raise KernelError(EINVAL)
    if limited and (burst_ns > quota_ns or burst_ns + quota_ns > MAX_RUNTIME_NS):
        raise KernelError(EINVAL)
    band = group.band
    if band is None:
        band = group.band = CfsBandwidth()
    for cpu in list(band.waiting):
        _waits_no_more(k, band, cpu)
        _unthrottle(k, group, cpu)
    was_limited = band.quota_ns >= 0
    band.period_ns, band.quota_ns, band.burst_ns = period_ns, quota_ns, burst_ns
    _refill(band)
    if limited or was_limited:
        band.serial += 1
        data = (group.gid, band.serial if limited else 0)
        for cpu in range(k.spec.cpus):
            k.send(cpu, eff_told(k.now_ns, FAIR_RANK, GROUP_LIMIT, data))
    if limited:
        band.timer = 0  # that of the old period means nothing any more
        _start_period(k, group, band)


def unlimit(k: "Kernel", group: TaskGroup) -> None:
    """A group will be no more: nobody waits for its time any longer.

    Source: kernel/sched/fair.c:destroy_cfs_bandwidth().
    """
    band = group.band
    if band is not None and band.quota_ns >= 0:
        tg_set_cfs_bandwidth(k, group, band.period_ns, NO_QUOTA, 0)


def cpu_max_show(group: TaskGroup) -> str:
    """Return what cpu.max reads. Source: kernel/sched/core.c:cpu_max_show()."""
    band = group.band
    if band is None:
        return f"max {DEFAULT_PERIOD_NS // _US}\n"
    quota = "max" if band.quota_ns < 0 else str(band.quota_ns // _US)
    return f"{quota} {band.period_ns // _US}\n"


def cpu_max_write(k: "Kernel", group: TaskGroup, text: str) -> None:
    """Write cpu.max: a quota in us or "max", and the period in us unless it stays.

    Raises:
        KernelError: EINVAL.

    Source: kernel/sched/core.c:cpu_max_write(), cpu_period_quota_parse().
    """
    words = text.split()
    if not words:
        raise KernelError(EINVAL)
    band = group.band
    period_ns = DEFAULT_PERIOD_NS if band is None else band.period_ns
    if len(words) > 1 and _digits(words[1]):
        period_ns = int(_digits(words[1])) * _US
    if _digits(words[0]):
        quota_ns = int(_digits(words[0])) * _US
    elif words[0] == "max":
        quota_ns = NO_QUOTA
    else:
        raise KernelError(EINVAL)
    tg_set_cfs_bandwidth(k, group, period_ns, quota_ns, 0 if band is None else band.burst_ns)


def _digits(word: str) -> str:
    """Return the number that ``word`` begins with, as sscanf() takes it."""
    number = 0
    while number < len(word) and "0" <= word[number] <= "9":
        number += 1
    return word[:number]


def cpu_burst_show(group: TaskGroup) -> str:
    """Return what cpu.max.burst reads. Source: kernel/sched/core.c:cpu_burst_read_u64()."""
    return f"{0 if group.band is None else group.band.burst_ns // _US}\n"


def cpu_burst_write(k: "Kernel", group: TaskGroup, burst_us: int) -> None:
    """Write cpu.max.burst.

    Raises:
        KernelError: EINVAL.

    Source: kernel/sched/core.c:cpu_burst_write_u64(), tg_set_cfs_burst().
    """
    band = group.band
    period_ns = DEFAULT_PERIOD_NS if band is None else band.period_ns
    quota_ns = NO_QUOTA if band is None else band.quota_ns
    tg_set_cfs_bandwidth(k, group, period_ns, quota_ns, burst_us * _US)


def cfs_stat(group: TaskGroup) -> dict[str, int]:
    """Return what cpu.stat has of a group's limit, in its order, times in us.

    Source: kernel/sched/core.c:cpu_extra_stat_show().
    """
    band = group.band or CfsBandwidth()
    return {
        "nr_periods": band.nr_periods,
        "nr_throttled": band.nr_throttled,
        "throttled_usec": band.throttled_ns // _US,
        "nr_bursts": band.nr_burst,
        "burst_usec": band.burst_time_ns // _US,
    }
