"""A futex keeps its sleepers by the priority with which they came: deadline, real-time, all others.

What they get while they sleep does not move them; several are woken in that order.
"""

import mmap
import os
import time

from workloads import guest

SCHED_DEADLINE = 6
MS = 1000000


def sleeper(number, priority):
    pid = os.fork()
    if pid == 0:
        if priority == 100:
            guest.sched_setattr(
                0, SCHED_DEADLINE, runtime_ns=5 * MS, deadline_ns=100 * MS, period_ns=100 * MS
            )
        elif priority:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        guest.futex_wait(m, 0, 0)
        os._exit(number)
    time.sleep(0.03)
    return pid


def ends(pids, at_once):
    """Wake ``at_once`` after the other; return who ended, in order, those of one wake sorted."""
    order = []
    while len(order) < len(pids):
        woken = guest.futex_wake(m, 0, at_once)
        ended = []
        for _ in range(woken):
            ended.append(os.waitstatus_to_exitcode(os.wait()[1]))
        order += sorted(ended)
    return order


m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pids = []
for number, priority in enumerate((0, 10, 20, 0, 100, 20)):
    pids.append(sleeper(number, priority))
print("by priority", ends(pids, 1))
pids = []
for number, priority in enumerate((0, 10, 20, 0)):
    pids.append(sleeper(number, priority))
os.sched_setscheduler(pids[0], os.SCHED_FIFO, os.sched_param(50))
os.sched_setscheduler(pids[1], os.SCHED_FIFO, os.sched_param(30))
os.sched_setscheduler(pids[2], os.SCHED_OTHER, os.sched_param(0))
print("changed while they slept", ends(pids, 1))
pids = []
for number, priority in enumerate((0, 10, 20, 0, 30)):
    pids.append(sleeper(number, priority))
print("two at once", ends(pids, 2))
pids = []
for number in range(4):
    pids.append(sleeper(number, 0))
    os.setpriority(os.PRIO_PROCESS, pids[-1], 10 - 3 * number)
print("nice values do not count", ends(pids, 1))
