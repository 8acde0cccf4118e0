"""Real-time throttling, as of 2.6.25 to 6.11: what real-time tasks may have of a CPU.

In every period (1 s, of all CPUs at the same time) real-time tasks have 950 ms of each CPU; those
that want more wait for its end, even if the CPU would idle. What a CPU lacks it borrows from the
others before (RT_RUNTIME_SHARE): of each, in the order of their numbers, its n-th part of what that
has not used, up to a whole period, and keeps it. So on a machine with several CPUs a spinner alone
is not throttled.

The shares of the others are theirs: who lacks something asks them by message, one after the other.

Source: kernel/sched_rt.c of 2.6.34 (sched_rt_runtime_exceeded, do_balance_runtime,
do_sched_rt_period_timer).
Deviation: each CPU has its own timer of the common period, and an answer comes when messages come.
"""

from typing import TYPE_CHECKING, Final

from kernel.sched.rt_rq import RtBandwidth, RtRq
from kernel.sched.sched_class import RT_RANK

if TYPE_CHECKING:
    from kernel.sched.rq import Rq

# keys of its timers
PERIOD: Final = 2
LOOK: Final = 3
# what a CPU tells another
LEND: Final = 1  # who asks, and how much it could use
LENT: Final = 2  # how much it gets
SLICE: Final = 3  # the quantum of SCHED_RR in ticks, from now on


def account(rq: "Rq", rt: RtRq, delta_ns: int) -> None:
    """Real-time tasks have run for so long on ``rq``.

    Source: kernel/sched_rt.c:update_curr_rt(), sched_rt_runtime_exceeded().
    """
    band = rt.bandwidth
    band.time_ns += delta_ns
    if band.time_ns <= band.runtime_ns:
        return
    if band.throttled:
        rq.need_resched = True
    elif band.runtime_ns < band.period_ns and band.asking < 0:
        _ask_next(rq, band)


def start_period(rq: "Rq", rt: RtRq) -> None:
    """A real-time task has come: see to the end of the period.

    Source: kernel/sched_rt.c:start_rt_bandwidth().
    """
    band = rt.bandwidth
    if not band.timer:
        at_ns = (rq.clock_ns // band.period_ns + 1) * band.period_ns
        band.timer = rq.timers.arm(at_ns, RT_RANK, PERIOD)


def look_later(rq: "Rq", rt: RtRq) -> None:
    """Real-time tasks run from now on: look at the first tick that can find them over their bound.

    That tick may not come: a task that runs alone takes none.
    """
    band = rt.bandwidth
    if band.look or band.throttled or band.runtime_ns >= band.period_ns:
        return
    over_ns = rq.clock_ns + max(band.runtime_ns - band.time_ns, 0)
    band.look = rq.timers.arm((over_ns // band.tick_ns + 1) * band.tick_ns, RT_RANK, LOOK)


def end_period(rq: "Rq", rt: RtRq) -> None:
    """The period is over. Source: kernel/sched_rt.c:do_sched_rt_period_timer()."""
    band = rt.bandwidth
    band.timer = 0
    band.time_ns -= min(band.time_ns, band.runtime_ns)
    if band.throttled and band.time_ns < band.runtime_ns:
        band.throttled = False
        if rt.nr_running:
            rq.need_resched = True
    if band.time_ns or rt.nr_running:
        start_period(rq, rt)


def told(rq: "Rq", rt: RtRq, key: int, data: tuple[int, ...]) -> None:
    """Another CPU asks for some of this one's share, or gives some of its.

    Source: kernel/sched_rt.c:do_balance_runtime().
    """
    band = rt.bandwidth
    if key == LEND:
        who, need_ns = data
        lent_ns = min(max(band.runtime_ns - band.time_ns, 0) // band.cpus, need_ns)
        band.runtime_ns -= lent_ns
        rq.mail.append((who, RT_RANK, LENT, (lent_ns,)))
        return
    band.runtime_ns += data[0]
    _ask_next(rq, band)


def _ask_next(rq: "Rq", band: RtBandwidth) -> None:
    """Ask the next CPU for what is lacking to a whole period; after the last one see if it does."""
    asked = band.asking + 1
    if asked == rq.cpu:
        asked += 1
    if asked < band.cpus and band.runtime_ns < band.period_ns:
        band.asking = asked
        need_ns = band.period_ns - band.runtime_ns
        rq.mail.append((asked, RT_RANK, LEND, (rq.cpu, need_ns)))
        return
    band.asking = -1
    if band.time_ns > band.runtime_ns and band.runtime_ns < band.period_ns:
        band.throttled = True
        rq.need_resched = True
