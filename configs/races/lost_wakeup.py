"""A sleeper says that it sleeps and looks for work; a waker makes work and looks for a sleeper.

Each needs a full barrier between its store and its look (``smp_mb()``), or both may look too early.
"""

import mmap
import os

from workloads import guest

WORK = 0
SLEEPS = 4

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(memory, SLEEPS, 1)
    guest.smp_mb()
    if guest.READ_ONCE(memory, WORK) == 0:
        try:
            guest.futex_wait(memory, SLEEPS, 1)
        except BlockingIOError:
            os._exit(0)  # there is work by now
    os._exit(0)
guest.WRITE_ONCE(memory, WORK, 1)
guest.smp_mb()
if guest.READ_ONCE(memory, SLEEPS) == 1:
    guest.WRITE_ONCE(memory, SLEEPS, 0)
    guest.futex_wake(memory, SLEEPS, 1)
reaped, status = os.waitpid(pid, 0)
print("woken", reaped == pid)
