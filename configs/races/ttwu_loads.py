"""A waker looks at two words that a task's CPU has set in the other order, each under its lock."""

import mmap
import os
import sys

from workloads import guest

ON_RQ = 0
ON_CPU = 4
STATE = 8
LOCK = 12

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
if sys.argv[1] == "on_cpu":  # switched to; then it goes to sleep
    then, before = ON_RQ, ON_CPU
    guest.WRITE_ONCE(memory, ON_RQ, 1)
    asleep = 0
else:  # woken; then it goes to sleep again
    then, before = STATE, ON_RQ
    asleep = 2
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(memory, before, 1)
    guest.xchg(memory, LOCK, 0)  # rq->lock is given back and taken again
    guest.WRITE_ONCE(memory, then, asleep)
    os._exit(0)
one = guest.READ_ONCE(memory, then)
guest.smp_rmb()
two = guest.READ_ONCE(memory, before)
os.waitpid(pid, 0)
print("seen in order", not (one == asleep and two == 0))
