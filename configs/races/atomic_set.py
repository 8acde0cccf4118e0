"""atomic_set() is a plain store: smp_mb__before_atomic() does nothing beside it, smp_mb() does."""

import mmap
import os

from workloads import guest

ALLOCATED = 0
WAITERS = 4
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(memory, ALLOCATED, 1)
    guest.smp_mb()
    os._exit(guest.READ_ONCE(memory, WAITERS))
guest.WRITE_ONCE(memory, WAITERS, 1)
guest.smp_mb()
mine = guest.READ_ONCE(memory, ALLOCATED)
reaped, status = os.waitpid(pid, 0)
print("freed for somebody or found free", mine + os.waitstatus_to_exitcode(status) > 0)
