"""A task leaves one CPU and goes on at another: what the first has put away is there by then."""

import mmap
import os

from workloads import guest

LEFT = 0  # on_cpu, turned round
CONTEXT = 4

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    left = guest.load_acquire(memory, LEFT)  # smp_cond_load_acquire() of try_to_wake_up()
    os._exit(left and guest.READ_ONCE(memory, CONTEXT) != 7)
guest.WRITE_ONCE(memory, CONTEXT, 7)
guest.store_release(memory, LEFT, 1)  # finish_task()
reaped, status = os.waitpid(pid, 0)
print("goes on with all of it", os.waitstatus_to_exitcode(status) == 0)
