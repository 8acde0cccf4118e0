"""Who sees what was stored under a lock that is still held sees the lock taken."""

import mmap
import os

from workloads import guest

LOCK = 0
X = 4

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    x = guest.load_acquire(memory, X)
    os._exit(x and not guest.READ_ONCE(memory, LOCK))  # spin_is_locked()
guest.xchg(memory, LOCK, 1)
guest.WRITE_ONCE(memory, X, 1)
reaped, status = os.waitpid(pid, 0)
print("seen locked", os.waitstatus_to_exitcode(status) == 0)
