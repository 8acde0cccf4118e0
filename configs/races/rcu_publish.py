"""A structure is made, then published; who finds it finds it whole (rcu_assign_pointer())."""

import mmap
import os

from workloads import guest

POINTER = 0
FIELD = 64

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    # the machine cannot see that one address comes from the other: no rcu_dereference()
    where = guest.load_acquire(memory, POINTER)
    os._exit(where != 0 and guest.READ_ONCE(memory, where) != 7)
guest.WRITE_ONCE(memory, FIELD, 7)
guest.store_release(memory, POINTER, FIELD)
reaped, status = os.waitpid(pid, 0)
print("whole", os.waitstatus_to_exitcode(status) == 0)
