"""A wake-up takes the sleeper of the highest real-time priority, and among equals the first."""

import mmap
import os
import time

from workloads import guest

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pids = []
for number, priority in enumerate((0, 10, 0, 30, 10)):
    pid = os.fork()
    if pid == 0:
        if priority:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        guest.futex_wait(m, 0, 0)
        os._exit(number)
    pids.append(pid)
    time.sleep(0.02)
order = []
for _ in pids:
    guest.futex_wake(m, 0, 1)
    order.append(os.waitstatus_to_exitcode(os.wait()[1]))
print(order)
