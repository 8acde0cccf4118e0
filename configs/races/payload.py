"""Data, then the event that announces them; who sees the event sees the data."""

import mmap
import os

from workloads import guest

DATA = 0
EVENT = 4

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    event = guest.READ_ONCE(memory, EVENT)
    guest.smp_rmb()
    os._exit(event and not guest.READ_ONCE(memory, DATA))
guest.WRITE_ONCE(memory, DATA, 1)
guest.smp_wmb()
guest.WRITE_ONCE(memory, EVENT, 1)
reaped, status = os.waitpid(pid, 0)
print("announced and there", os.waitstatus_to_exitcode(status) == 0)
