"""A child that computes for ever is killed at once, forty times in a row (xv6 killstatus)."""

import os
import signal
import time

from workloads import guest

wrong = 0
for turn in range(40):
    pid = os.fork()
    if pid == 0:
        while True:
            guest.compute(1_000_000)
    if turn % 2:
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    if os.waitpid(pid, 0)[1] != signal.SIGKILL:
        wrong += 1
print("wrong", wrong)
