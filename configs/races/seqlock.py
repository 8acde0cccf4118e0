"""A writer counts before and after; whoever finds one even count twice has a whole snapshot."""

import mmap
import os

from workloads import guest

SEQ = 0
LOW = 4
HIGH = 8

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    begin = guest.READ_ONCE(memory, SEQ)
    guest.smp_rmb()
    low = guest.READ_ONCE(memory, LOW)
    high = guest.READ_ONCE(memory, HIGH)
    guest.smp_rmb()
    again = guest.READ_ONCE(memory, SEQ)
    os._exit(begin % 2 == 0 and begin == again and low != high)
guest.WRITE_ONCE(memory, SEQ, 1)
guest.smp_wmb()
guest.WRITE_ONCE(memory, LOW, 5)
guest.WRITE_ONCE(memory, HIGH, 5)
guest.smp_wmb()
guest.WRITE_ONCE(memory, SEQ, 2)
reaped, status = os.waitpid(pid, 0)
print("whole", os.waitstatus_to_exitcode(status) == 0)
