"""Sleepers on a futex are killed while others are woken: nobody sleeps for ever."""

import mmap
import os
import signal

from workloads import guest

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
sleepers = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        try:
            guest.futex_wait(m, 0, 0)
        except BlockingIOError:
            pass
        os._exit(0)
    sleepers.append(pid)
killer = os.fork()
if killer == 0:
    os.kill(sleepers[0], signal.SIGKILL)
    os.kill(sleepers[1], signal.SIGKILL)
    os._exit(0)
guest.futex_wake(m, 0, 1)
os.waitpid(killer, 0)
m[0] = 1
guest.futex_wake(m, 0, 10)
print(all(os.waitpid(pid, 0)[1] in (0, signal.SIGKILL) for pid in sleepers))
