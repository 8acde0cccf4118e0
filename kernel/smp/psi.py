"""Pressure stall information of the CPUs: how much of the time some task waits for one.

A CPU is under pressure while more tasks are runnable on it than one. The time of each CPU counts as
much as the CPU was busy. Every 2 s (and a tick) the share of the last period is blended into three
averages over 10, 60 and 300 s, in the fixed point of the load average. The kernel counts when the
number of a CPU's runnable tasks changes; what is due of the averages is computed then, or when they
are read, and is what the work that does so in Linux would have made of it.

Source: kernel/sched/psi.c (psi_group_change, collect_percpu_times, update_averages, psi_show).
Deviation: the time from a wake-up on an idle CPU to the switch to that task is no pressure. Of the
whole machine only, not of task groups, and without triggers.
"""

from typing import TYPE_CHECKING, Final

from kernel.smp.loadavg import FIXED_1, FSHIFT, calc_load, calc_load_n

if TYPE_CHECKING:
    from kernel.kernel import Kernel

EXP_10S: Final = 1677
EXP_60S: Final = 1981
EXP_300S: Final = 2034
_DECAYS: Final[tuple[int, ...]] = (EXP_10S, EXP_60S, EXP_300S)
_SOME: Final = 2  # of so many runnable tasks one waits


def psi_period_ns(hz: int, tick_ns: int) -> int:
    """Return the time between two averagings: PSI_FREQ ticks."""
    return (2 * hz + 1) * tick_ns


class PsiGroupCpu:
    """One CPU. ``number``: its runnable tasks; ``since_ns``: from when on times are not counted
    yet; ``busy_ns`` and ``some_ns``: times that are not collected yet.
    """

    __slots__ = ("busy_ns", "number", "since_ns", "some_ns")

    def __init__(self) -> None:
        self.number = 0
        self.since_ns = 0
        self.busy_ns = 0
        self.some_ns = 0

    def record(self, now_ns: int) -> None:
        """Count the time up to now. Source: kernel/sched/psi.c:record_times()."""
        delta = now_ns - self.since_ns
        if delta <= 0:
            return
        self.since_ns = now_ns
        number = self.number
        if number > 0:
            self.busy_ns += delta
            if number >= _SOME:
                self.some_ns += delta


class PsiGroup:
    """Pressure of the machine (``psi_system``). Times in ns.

    ``total``: how long some task has waited, as of the last collection. ``avg``: the three
    averages, in percent, fixed point.
    """

    __slots__ = (
        "_cpus",
        "_tick_ns",
        "avg",
        "avg_last_update",
        "avg_next_update",
        "avg_total",
        "period_ns",
        "total",
    )

    def __init__(self, cpus: int, hz: int, tick_ns: int) -> None:
        self.period_ns = psi_period_ns(hz, tick_ns)
        self._tick_ns = tick_ns
        self._cpus = [PsiGroupCpu() for _ in range(cpus)]
        self.total = 0
        self.avg = [0, 0, 0]
        self.avg_total = 0
        self.avg_last_update = 0
        self.avg_next_update = self.period_ns

    def change(self, now_ns: int, cpu: int, number: int) -> None:
        """From ``now_ns`` on ``number`` tasks are runnable on ``cpu``.

        Source: kernel/sched/psi.c:psi_group_change().
        """
        if now_ns >= self.avg_next_update:
            self.advance(now_ns)
        mine = self._cpus[cpu]
        mine.record(now_ns)
        mine.number = number if number > 0 else 0

    def advance(self, now_ns: int) -> None:
        """Average all periods that have ended by ``now_ns``.

        Linux's work runs at the end of each as long as a CPU is busy in it.
        """
        while self.avg_next_update <= now_ns:
            if not any(mine.number or mine.busy_ns for mine in self._cpus):
                self.update_averages(now_ns)
                return
            at_ns = self.avg_next_update
            self.collect(at_ns)
            self.update_averages(at_ns)

    def collect(self, now_ns: int) -> None:
        """Add to ``total`` what the CPUs have counted, each weighted by how long it was busy.

        Source: kernel/sched/psi.c:collect_percpu_times().
        """
        nonidle_total = weighted = 0
        for mine in self._cpus:
            mine.record(now_ns)
            nonidle = mine.busy_ns // self._tick_ns
            nonidle_total += nonidle
            weighted += mine.some_ns * nonidle
            mine.busy_ns = mine.some_ns = 0
        self.total += weighted // max(nonidle_total, 1)

    def update_averages(self, now_ns: int) -> None:
        """Blend the period that has ended into the averages; those that nobody saw were idle.

        Source: kernel/sched/psi.c:update_averages(), calc_avgs().
        """
        period_ns = self.period_ns
        expires = self.avg_next_update
        missed = (now_ns - expires) // period_ns
        self.avg_next_update = expires + (1 + missed) * period_ns
        period = now_ns - (self.avg_last_update + missed * period_ns)
        self.avg_last_update = now_ns
        sample = min(self.total - self.avg_total, period)
        self.avg_total += sample
        percent = sample * 100 // period * FIXED_1
        for which, decay in enumerate(_DECAYS):
            avg = self.avg[which]
            if missed:
                avg = calc_load_n(avg, decay, 0, missed)
            self.avg[which] = calc_load(avg, decay, percent)


def psi_show(k: "Kernel") -> str:
    """Return /proc/pressure/cpu. Source: kernel/sched/psi.c:psi_show()."""
    psi = k.psi
    if psi is None:
        raise AssertionError("this profile has no pressure")
    psi.advance(k.now_ns)
    psi.collect(k.now_ns)
    shown = " ".join(
        f"avg{seconds}={avg >> FSHIFT}.{(avg & (FIXED_1 - 1)) * 100 >> FSHIFT:02d}"
        for seconds, avg in zip((10, 60, 300), psi.avg)
    )
    return f"some {shown} total={psi.total // 1000}\n{NO_STALL.format('full')}"


# of what does not happen here: a whole machine that waits for a CPU, memory, devices
NO_STALL: Final = "{} avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
