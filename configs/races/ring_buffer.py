"""A ring of one slot: the producer fills it once the consumer has emptied it, never before."""

import mmap
import os

from workloads import guest

FULL = 0
SLOT = 4

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
guest.WRITE_ONCE(memory, SLOT, 1)
guest.WRITE_ONCE(memory, FULL, 1)
pid = os.fork()
if pid == 0:
    taken = guest.READ_ONCE(memory, SLOT)
    guest.smp_mb()
    guest.WRITE_ONCE(memory, FULL, 0)
    os._exit(taken)
if guest.READ_ONCE(memory, FULL) == 0:
    guest.WRITE_ONCE(memory, SLOT, 2)
reaped, status = os.waitpid(pid, 0)
print("taken", os.waitstatus_to_exitcode(status))
