"""An idle CPU stops polling and looks for work; who brings work looks whether it must call."""

import mmap
import os

from workloads import guest

POLLS_NO_MORE = 0
NEED_RESCHED = 4
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(memory, POLLS_NO_MORE, 1)
    guest.smp_mb()
    os._exit(guest.READ_ONCE(memory, NEED_RESCHED))
guest.WRITE_ONCE(memory, NEED_RESCHED, 1)
guest.smp_mb()
mine = guest.READ_ONCE(memory, POLLS_NO_MORE)
reaped, status = os.waitpid(pid, 0)
print("seen or called", mine + os.waitstatus_to_exitcode(status) > 0)
