"""Periodic tasks, some real-time and some not, on CPUs that are full of others.

Each task has to finish its work within its period; what ends later is *missed*. The real-time ones
have SCHED_FIFO, the shorter the period the higher the priority. Writes ``done`` and the number of
periods, ``late`` and how many the normal tasks missed, ``late_rt`` and how many the others missed.
"""

import os
import time

from workloads import guest

PERIODS_NS = (5_000_000, 10_000_000, 20_000_000)
SHARE = 8  # a task works for an eighth of its period
SPINNERS = 6
LENGTH_NS = 300_000_000


def periodic(period_ns, writer):
    missed = 0
    at_ns = time.monotonic_ns()
    end_ns = at_ns + LENGTH_NS
    while at_ns < end_ns:
        guest.compute(period_ns // SHARE)
        at_ns += period_ns
        wait_ns = at_ns - time.monotonic_ns()
        if wait_ns > 0:
            time.sleep(wait_ns / 1e9)
        else:
            missed += 1
    os.write(writer, bytes([missed]))


def spin():
    end_ns = time.monotonic_ns() + LENGTH_NS
    while time.monotonic_ns() < end_ns:
        guest.compute(1_000_000)


results = []
for priority in (0, 1):
    reader, writer = os.pipe()
    results.append(reader)
    for place, period_ns in enumerate(PERIODS_NS):
        if os.fork() == 0:
            if priority:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50 - place))
            periodic(period_ns, writer)
            os._exit(0)
for _ in range(SPINNERS):
    if os.fork() == 0:
        spin()
        os._exit(0)
for _ in range(2 * len(PERIODS_NS) + SPINNERS):
    os.wait()
missed = []
for reader in results:
    missed.append(0)
    for _ in PERIODS_NS:
        missed[-1] += os.read(reader, 1)[0]
print("done", 2 * sum([LENGTH_NS // period_ns for period_ns in PERIODS_NS]))
print("late", missed[0])
print("late_rt", missed[1])
