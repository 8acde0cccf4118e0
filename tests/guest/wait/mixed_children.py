"""Children that end at once, compute, sleep or fork themselves: each is reaped once, with 3."""

import os
import time

from workloads import guest


def act(kind):
    if kind == 1:
        guest.compute(2000000)
    elif kind == 2:
        time.sleep(0.005)
    elif kind == 3:
        for _ in range(10):
            pid = os.fork()
            if pid == 0:
                os._exit(1)
            assert os.waitpid(pid, 0)[1] == 256
    os._exit(3)


pids = set()
for number in range(12):
    pid = os.fork()
    if pid == 0:
        act(number % 4)
    pids.add(pid)
while pids:
    pid, status = os.wait()
    pids.remove(pid)
    assert status == 3 << 8
print("all reaped")
