"""A hog that shares its CPU is switched out involuntarily; one that sleeps, voluntarily."""

import os
import time

from workloads.guest import compute


def switches(work):
    """Return (voluntary, involuntary) switches of two children that share a CPU."""
    pids = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            os.sched_setaffinity(0, {0})
            if work == "spin":
                for _ in range(200):
                    compute(1_000_000)
            elif work == "sleep":
                for _ in range(50):
                    time.sleep(0.002)
            else:
                for _ in range(50):
                    os.sched_yield()
            os._exit(0)
        pids.append(pid)
    voluntary = involuntary = 0
    for pid in pids:
        usage = os.wait4(pid, 0)[2]
        voluntary += usage.ru_nvcsw
        involuntary += usage.ru_nivcsw
    return voluntary, involuntary


voluntary, involuntary = switches("spin")
print(involuntary > 10, voluntary < 20)
voluntary, involuntary = switches("sleep")
print(voluntary >= 100, involuntary < 50)
voluntary, involuntary = switches("yield")
print(voluntary < 20)
