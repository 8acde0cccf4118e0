"""The fair server: what the fair class gets of a CPU that higher classes keep busy (since 6.8).

It is a reservation of 50 ms in every second, put off as long as it can be: fair tasks that wait for
950 ms because others run, and have not had their 50 ms meanwhile, have the CPU until they have used
them up. Whatever they get without it counts. So a real-time spinner and a fair one on a CPU run 950
ms and 50 ms in turns.

Nothing is reckoned while nobody waits: where the server stands is found, when a higher class takes
the CPU, from how long it was free for the fair class. One timer wakes it up at its zero-laxity
time, if fair tasks wait by then; a tick ends its time, as in Linux.

Source: kernel/sched/deadline.c (dl_server_start, dl_server_timer, update_curr_dl_se), kernel/sched/
fair.c:fair_server_init().
Deviation: time in which the CPU idles counts as the fair class's own, and its first period begins
when it first has to wait. The server's time is not queued among deadline tasks: those go before it,
real-time ones wait.
"""

from typing import TYPE_CHECKING, Final

from kernel.sched.rt_rq import FairServer, RtRq
from kernel.sched.sched_class import FAIR_RANK, RT_RANK, ClassRq

if TYPE_CHECKING:
    from kernel.sched.rq import Rq

ZERO_LAXITY: Final = 1  # key of its timer
_MIN_RES_NS: Final = 1_000_000  # dl_server_min_res: it is not put off by less


def server_pause(rq: "Rq") -> None:
    """A higher class takes the CPU: see how far the server is, and to its timer if it is needed.

    Source: kernel/sched/deadline.c:update_curr_dl_se(), dl_server_start().
    """
    server = _server_of(rq)
    if server is None or not server.on:
        return
    now_ns = rq.clock_ns
    if server.since_ns >= 0:
        _settle(server, now_ns)
        server.since_ns = -1
    fair: ClassRq = rq.of[FAIR_RANK]
    if not fair.nr_running:
        server.serving = False
    elif not server.timer and not server.serving:
        _begin(rq, server)


def server_resume(rq: "Rq") -> None:
    """A higher class leaves the CPU, perhaps for the fair class."""
    server = _server_of(rq)
    if server is not None and server.deadline_ns:
        server.since_ns = rq.clock_ns


def server_tick(rq: "Rq") -> None:
    """The tick: is the time that the server has given over, or does a fair task wait unnoticed?

    Source: kernel/sched/deadline.c:update_curr_dl_se(), "throttle".
    """
    rt: RtRq = rq.of[RT_RANK]
    server = rt.server
    if server.serving:
        if server.since_ns < 0:
            return  # a deadline task has the CPU
        now_ns = rq.clock_ns
        server.left_ns -= now_ns - server.since_ns
        server.since_ns = now_ns
        if server.left_ns <= 0:
            server.serving = False
            _new_period(server, now_ns)
            if rt.nr_running:
                rq.need_resched = True
    elif server.on and server.since_ns < 0 and server.deadline_ns and not server.timer:
        fair: ClassRq = rq.of[FAIR_RANK]
        if fair.nr_running:
            _begin(rq, server)


def server_wanted(rq: "Rq") -> None:
    """A fair task has been queued, and ``rq.curr`` is of a higher class.

    Source: kernel/sched/deadline.c:dl_server_start(), update_dl_entity().
    """
    server = _server_of(rq)
    fair: ClassRq = rq.of[FAIR_RANK]
    if server is None or not server.on or server.serving or fair.nr_running != 1:
        return
    now_ns = rq.clock_ns
    laxity_ns = server.deadline_ns - now_ns
    if laxity_ns <= 0 or server.left_ns * server.period_ns > laxity_ns * server.runtime_ns:
        _new_period(server, now_ns)
    if not server.timer:
        _arm(rq, server)


def server_timer(rq: "Rq") -> None:
    """It can be put off no longer; or it can, for the fair class has had some time meanwhile.

    Source: kernel/sched/deadline.c:dl_server_timer().
    """
    rt: RtRq = rq.of[RT_RANK]
    server = rt.server
    server.timer = 0
    fair: ClassRq = rq.of[FAIR_RANK]
    if server.since_ns >= 0 or not fair.nr_running:
        return  # nobody waits: who takes the CPU from the fair class sees to it
    if rq.clock_ns < server.deadline_ns - server.left_ns - _MIN_RES_NS:
        _arm(rq, server)
        return
    server.serving = True
    rq.need_resched = True


def serves(rq: "Rq", rt: RtRq) -> bool:
    """Tell whether real-time tasks have to let the fair class run; it ends if that has no task."""
    if not rt.server.serving:
        return False
    fair: ClassRq = rq.of[FAIR_RANK]
    if fair.nr_running:
        return True
    rt.server.serving = False
    return False


def _server_of(rq: "Rq") -> FairServer | None:
    """None: the class of real-time tasks is one from outside."""
    rt = rq.of[RT_RANK]
    return rt.server if isinstance(rt, RtRq) else None


def _begin(rq: "Rq", server: FairServer) -> None:
    """Fair tasks wait from now on."""
    if server.deadline_ns <= rq.clock_ns:
        _new_period(server, rq.clock_ns)
    _arm(rq, server)


def _arm(rq: "Rq", server: FairServer) -> None:
    server.timer = rq.timers.arm(server.deadline_ns - server.left_ns, RT_RANK, ZERO_LAXITY)


def _new_period(server: FairServer, now_ns: int) -> None:
    """Source: kernel/sched/deadline.c:replenish_dl_new_period()."""
    server.deadline_ns = now_ns + server.period_ns
    server.left_ns = server.runtime_ns


def _settle(server: FairServer, now_ns: int) -> None:
    """The fair class has had the CPU until now: whenever its time is used up a new period begins.

    Source: kernel/sched/deadline.c:update_curr_dl_se(), "The fair server can consume its runtime
        while throttled".
    """
    used_ns = now_ns - server.since_ns
    if used_ns < server.left_ns or server.serving:
        server.left_ns -= used_ns
        return
    over_ns = (used_ns - server.left_ns) % server.runtime_ns
    _new_period(server, now_ns - over_ns)
    server.left_ns -= over_ns
