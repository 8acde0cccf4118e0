"""What is made at its first use is looked for without the lock first (double-checked locking)."""

import mmap
import os

from workloads import guest

LOCK = 0
MADE = 4
DATA = 8

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def use():
    if not guest.load_acquire(memory, MADE):
        while guest.cmpxchg(memory, LOCK, 0, 1):
            os.sched_yield()
        if not guest.READ_ONCE(memory, MADE):
            guest.WRITE_ONCE(memory, DATA, 7)
            guest.store_release(memory, MADE, 1)
        guest.xchg(memory, LOCK, 0)
    return guest.READ_ONCE(memory, DATA)


pid = os.fork()
if pid == 0:
    os._exit(use())
mine = use()
reaped, status = os.waitpid(pid, 0)
print("made", mine, os.waitstatus_to_exitcode(status))
