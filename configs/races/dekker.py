"""Two tasks say that they want in, then look at each other: one of them sees the other."""

import mmap
import os

from workloads import guest

WANTS_0 = 0
WANTS_1 = 4
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(memory, WANTS_0, 1)
    guest.smp_mb()
    os._exit(guest.READ_ONCE(memory, WANTS_1))
guest.WRITE_ONCE(memory, WANTS_1, 1)
guest.smp_mb()
mine = guest.READ_ONCE(memory, WANTS_0)
reaped, status = os.waitpid(pid, 0)
print("at most one is in", mine + os.waitstatus_to_exitcode(status) > 0)
