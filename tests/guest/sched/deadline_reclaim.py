"""A deadline task that reclaims uses what no other one has; one that does not has its budget."""

import os
import time

from workloads.guest import compute, sched_setattr

SCHED_DEADLINE = 6
RECLAIM = 2
MS = 1000000


def share(flags, runtime, period, length):
    """Spin for a while; return what of it was CPU time, in percent."""
    sched_setattr(
        0,
        SCHED_DEADLINE,
        runtime_ns=runtime,
        deadline_ns=period,
        period_ns=period,
        flags=flags,
    )
    begin = time.monotonic_ns()
    used = time.process_time_ns()
    while time.monotonic_ns() < begin + length:
        compute(MS)
    part = (time.process_time_ns() - used) * 100 // (time.monotonic_ns() - begin)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return part


def child(name, flags, runtime, least, most):
    if os.fork() == 0:
        part = share(flags, runtime, 100 * MS, 800 * MS)
        print(name, least <= part <= most or part, flush=True)
        os._exit(0)
    os.wait()


child("10 ms of 100", 0, 10 * MS, 5, 18)
child("and reclaims", RECLAIM, 10 * MS, 85, 97)
child("20 ms of 100 and reclaims", RECLAIM, 20 * MS, 85, 97)
