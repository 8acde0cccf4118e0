"""futex_wake() wakes as many as it is asked to, those who came first, and only of its own word."""

import mmap
import os
import time

from workloads import guest

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def sleeper(number, offset):
    pid = os.fork()
    if pid == 0:
        guest.futex_wait(m, offset, 0)
        guest.atomic_add(m, 100, 1)
        os._exit(number)
    return pid


def settle():
    time.sleep(0.03)


pids = []
for number in range(5):
    pids.append(sleeper(number, 0))
    settle()
other = sleeper(9, 4)
settle()
for count in (1, 2, 0, 5, 1):
    woken = guest.futex_wake(m, 0, count)
    ended = []
    for _ in range(woken):
        pid, status = os.wait()
        ended.append(os.waitstatus_to_exitcode(status))
    ended.sort()
    print(count, woken, ended)
print(
    "all of them",
    guest.READ_ONCE(m, 100),
    "other",
    guest.futex_wake(m, 4, 1),
    os.wait()[0] == other,
)
