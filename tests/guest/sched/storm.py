"""Real-time and fair tasks that sleep, compute, move and change class at random all end."""

import os
import time

from workloads.guest import compute

TASKS = 8
STEPS = 12


def task(seed):
    """Do ``STEPS`` random things."""
    state = seed
    for _ in range(STEPS):
        state = (state * 1103515245 + 12345) % (1 << 31)
        what = (state >> 8) % 7
        amount = (state >> 12) % 400 + 1
        if what == 0:
            time.sleep(amount / 1_000_000)
        elif what == 1:
            compute(amount * 1000)
        elif what == 2:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(amount % 20 + 1))
        elif what == 3:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(amount % 20 + 1))
        elif what == 4:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        elif what == 5:
            os.sched_setaffinity(0, {everything[amount % len(everything)]})
        else:
            os.sched_setaffinity(0, everything)
        if state >> 24 & 7 == 0:
            os.sched_yield()
        elif state >> 24 & 7 == 1:
            pid = os.fork()
            if pid == 0:
                compute(amount * 100)
                os._exit(0)
            os.waitpid(pid, 0)
    os._exit(seed % 100)


everything = sorted(os.sched_getaffinity(0))
pids = []
for number in range(TASKS):
    pid = os.fork()
    if pid == 0:
        task(number * 7 + 1)
    pids.append(pid)
state = 99
for _ in range(30):
    state = (state * 1103515245 + 12345) % (1 << 31)
    pid = pids[(state >> 8) % TASKS]
    if state >> 16 & 1:
        os.sched_setaffinity(pid, {everything[(state >> 18) % len(everything)]})
    else:
        priority = (state >> 18) % 3
        policy = (os.SCHED_OTHER, os.SCHED_FIFO, os.SCHED_RR)[priority]
        os.sched_setscheduler(pid, policy, os.sched_param(priority * 5))
    compute(20_000)
for pid in pids:
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
