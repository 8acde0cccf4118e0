"""Sleepers that are killed, or exec, are not counted by a later wake-up."""

import mmap
import os
import signal
import time

from workloads import guest

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pids = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        guest.futex_wait(m, 0, 0)
        os._exit(7)
    pids.append(pid)
    time.sleep(0.02)
os.kill(pids[0], signal.SIGKILL)
print(os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]))
os.kill(pids[2], signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(pids[2], 0)[1]))
print(guest.futex_wake(m, 0, 10), os.waitstatus_to_exitcode(os.waitpid(pids[1], 0)[1]))
print(guest.futex_wake(m, 0, 10))
