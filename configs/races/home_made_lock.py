"""A lock of one's own: taken by cmpxchg(), given back by smp_store_release()."""

import mmap
import os

from workloads import guest

LOCK = 0
COUNT = 4

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def add():
    while guest.cmpxchg(memory, LOCK, 0, 1):
        os.sched_yield()
    guest.WRITE_ONCE(memory, COUNT, guest.READ_ONCE(memory, COUNT) + 1)
    guest.store_release(memory, LOCK, 0)


pid = os.fork()
add()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
print("counted", guest.READ_ONCE(memory, COUNT))
