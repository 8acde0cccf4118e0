"""The load average and the pressure against straight transcriptions of Linux's arithmetic."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.smp import loadavg
from kernel.smp.loadavg import calc_global_load, load_period_ns
from kernel.smp.psi import PsiGroup, psi_period_ns

TICK = 4_000_000
LOAD_FREQ = 5 * 250 + 1
EXPS = (1884, 2014, 2037)
SECOND = 10**9


class Jiffies:
    """``kernel/sched/loadavg.c`` and the ticks that call it, one after the other."""

    def __init__(self, up=True):
        self.up = up
        self.jiffies = 0
        self.calc_load_update = LOAD_FREQ
        self.avenrun = [0, 0, 0]

    def sample(self, exp, load, active):
        newload = load * exp + active * (2048 - exp)
        if self.up and active >= load:
            newload += 2047
        return newload // 2048

    def power(self, x, n):
        result = 2048
        for bit in range(n.bit_length()):
            if n >> bit & 1:
                result = (result * x + 1024) >> 11
            x = (x * x + 1024) >> 11
        return result

    def tick(self, jiffies, active):
        """The first tick after a while: at ``jiffies``."""
        self.jiffies = jiffies
        if jiffies < self.calc_load_update:
            return
        pairs = list(zip(EXPS, self.avenrun))
        self.avenrun = [self.sample(exp, load, active * 2048) for exp, load in pairs]
        self.calc_load_update += LOAD_FREQ
        if jiffies >= self.calc_load_update:
            n = 1 + (jiffies - self.calc_load_update) // LOAD_FREQ
            pairs = list(zip(EXPS, self.avenrun))
            self.avenrun = [
                self.sample(self.power(exp, n), load, active * 2048) for exp, load in pairs
            ]
            self.calc_load_update += n * LOAD_FREQ


def machine(up=True, nohz="ideal"):
    return SimpleNamespace(
        spec=SimpleNamespace(hz=250, nohz=nohz),
        load=SimpleNamespace(nr_running=[0, 0]),
        tasks=SimpleNamespace(profile=SimpleNamespace(loadavg_rounds_up=up)),
        avenrun=[0, 0, 0],
        calc_load_update_ns=load_period_ns(250),
    )


STRETCHES = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(1, 40_000)), min_size=1, max_size=12
)


@given(STRETCHES, st.booleans())
@settings(deadline=None, max_examples=60)
def test_samples_are_those_of_a_kernel_that_counts_jiffies(stretches, up):
    k, linux = machine(up), Jiffies(up)
    for running, asleep, ticks in stretches:
        k.load.nr_running[0] = running
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loadavg, "nr_uninterruptible", lambda _, n=asleep: n)
            end = linux.jiffies + ticks
            if not up:
                calc_global_load(k, end * TICK)
        active = running + asleep
        if running or not up:  # somebody takes every tick
            for jiffies in range(linux.jiffies + 1, end + 1):
                linux.tick(jiffies, active)
        else:
            linux.tick(end, active)
        if up:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(loadavg, "nr_uninterruptible", lambda _, n=asleep: n)
                calc_global_load(k, end * TICK)
        assert k.avenrun == linux.avenrun
        assert k.calc_load_update_ns == linux.calc_load_update * TICK


class Worker:
    """``psi.c`` of a machine on which the work runs at the end of every period."""

    def __init__(self, cpus):
        self.period = (2 * 250 + 1) * TICK
        self.total = self.avg_total = 0
        self.avg = [0, 0, 0]
        self.cpus = cpus

    def end_of_period(self, times):
        """``times``: of each CPU, how long it was busy and how long somebody waited, in ns."""
        nonidle = [busy // TICK for busy, _ in times]
        self.total += sum(some * part for (_, some), part in zip(times, nonidle)) // max(
            sum(nonidle), 1
        )
        sample = min(self.total - self.avg_total, self.period)
        self.avg_total += sample
        percent = sample * 100 // self.period * 2048
        for place, exp in enumerate((1677, 1981, 2034)):
            new = self.avg[place] * exp + percent * (2048 - exp)
            self.avg[place] = (new + (2047 if percent >= self.avg[place] else 0)) // 2048


CHANGES = st.lists(
    st.tuples(st.integers(1, 3 * SECOND), st.integers(0, 1), st.integers(0, 4)),
    min_size=1,
    max_size=40,
)


@given(CHANGES)
@settings(deadline=None, max_examples=60)
def test_pressure_is_that_of_a_worker_that_runs_at_the_end_of_every_period(changes):
    psi, linux = PsiGroup(2, 250, TICK), Worker(2)
    psi.change(0, 1, 1)  # the second CPU is always busy
    now, numbers = 0, [0, 1]
    times = [[0, 0], [0, 0]]
    next_end = linux.period
    for after, cpu, number in changes:
        until = now + after
        while now < until:
            stop = min(until, next_end)
            for which, count in enumerate(numbers):
                times[which][0] += (stop - now) * (count > 0)
                times[which][1] += (stop - now) * (count > 1)
            now = stop
            if now == next_end:
                linux.end_of_period(times)
                times = [[0, 0], [0, 0]]
                next_end += linux.period
        numbers[cpu] = max(number, cpu)
        psi.change(now, cpu, numbers[cpu])
        psi.advance(now)
        assert (psi.avg, psi.total) == (linux.avg, linux.total)


def test_averages_of_pressure_fall_while_a_machine_idles_and_nobody_looks():
    psi = PsiGroup(1, 250, TICK)
    psi.change(0, 0, 2)
    psi.change(60 * SECOND, 0, 0)
    # 29 whole periods: 100 * (1 - (1981 / 2048) ** 29), and so on
    assert [avg >> 11 for avg in psi.avg] == [99, 61, 18]
    psi.advance(120 * SECOND)
    psi.collect(120 * SECOND)
    # one with 1.9 s of pressure, and 29 without
    assert [avg >> 11 for avg in psi.avg] == [0, 24, 15]
    assert psi.total == 60 * SECOND
    assert psi_period_ns(250, TICK) == 2_004_000_000
