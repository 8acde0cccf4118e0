"""An atomic operation orders even if nobody else sees its word: one sees the other's flag."""

import mmap
import os

from workloads import guest

WANTS_0 = 0
WANTS_1 = 4
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
own = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(memory, WANTS_0, 1)
    guest.atomic_add(own, 0, 1)
    os._exit(guest.READ_ONCE(memory, WANTS_1))
guest.WRITE_ONCE(memory, WANTS_1, 1)
guest.atomic_add(own, 0, 1)
mine = guest.READ_ONCE(memory, WANTS_0)
reaped, status = os.waitpid(pid, 0)
print("one sees the other", mine + os.waitstatus_to_exitcode(status) > 0)
