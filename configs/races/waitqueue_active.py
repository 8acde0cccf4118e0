"""A waker looks without a lock whether anybody is on the queue, as wq_has_sleeper() does."""

import mmap
import os

from workloads import guest

READY = 0
QUEUED = 4

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.xchg(memory, QUEUED, 1)  # prepare_to_wait(): a lock and a full barrier
    if guest.READ_ONCE(memory, READY) == 0:
        try:
            guest.futex_wait(memory, QUEUED, 1)
        except BlockingIOError:
            os._exit(0)  # taken off meanwhile
    os._exit(0)
guest.WRITE_ONCE(memory, READY, 1)
guest.smp_mb()
if guest.READ_ONCE(memory, QUEUED):
    guest.xchg(memory, QUEUED, 0)
    guest.futex_wake(memory, QUEUED, 1)
reaped, status = os.waitpid(pid, 0)
print("polled", reaped == pid)
