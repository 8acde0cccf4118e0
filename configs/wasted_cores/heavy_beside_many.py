"""One task of high weight, and more light ones than the other nodes have CPUs."""

import os

from workloads.guest import compute

LIGHT = 60
WORK_NS = 250_000_000

if os.fork() == 0:
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    compute(WORK_NS)
    os._exit(0)
for _ in range(LIGHT):
    if os.fork() == 0:
        compute(WORK_NS)
        os._exit(0)
for _ in range(1 + LIGHT):
    os.wait()
