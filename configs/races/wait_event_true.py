"""wait_event() orders nothing if its condition is true at once."""

import mmap
import os

from workloads import guest

X = 0
Y = 4
CONDITION = 8

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
guest.WRITE_ONCE(memory, CONDITION, 1)
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(memory, X, 1)
    guest.smp_mb()
    os._exit(guest.READ_ONCE(memory, Y))
guest.WRITE_ONCE(memory, Y, 1)
while guest.READ_ONCE(memory, CONDITION) == 0:
    guest.futex_wait(memory, CONDITION, 0)
guest.smp_mb()
mine = guest.READ_ONCE(memory, X)
reaped, status = os.waitpid(pid, 0)
print("one sees the other", mine + os.waitstatus_to_exitcode(status) > 0)
