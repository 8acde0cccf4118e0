"""Of two hogs on one CPU the one with the lower nice value gets much more of it."""

import os
import signal
import time

from workloads.guest import compute


def hog(nice, policy):
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    if policy != os.SCHED_OTHER:
        os.sched_setscheduler(0, policy, os.sched_param(0))
    while True:
        compute(1_000_000)


def share(first, second, policy=os.SCHED_OTHER):
    """Return how much more CPU time the first of two hogs got, that fought for one CPU."""
    pids = []
    for nice, its_policy in ((first, os.SCHED_OTHER), (second, policy)):
        pid = os.fork()
        if pid == 0:
            os.sched_setaffinity(0, {0})
            hog(nice, its_policy)
        pids.append(pid)
    time.sleep(0.8)
    times = []
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        usage = os.wait4(pid, 0)[2]
        times.append(usage.ru_utime + usage.ru_stime)
    return times[0] / times[1]


print(1.5 < share(0, 5) < 6)
print(share(0, 19) > 5)
print(0.5 < share(0, 0) < 2)
print(share(0, 0, os.SCHED_IDLE) > 5)
