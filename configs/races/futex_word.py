"""A task sleeps on a word of memory until it is no longer 0; another one changes it and wakes."""

import mmap
import os

from workloads import guest

WORD = 0

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    while guest.READ_ONCE(memory, WORD) == 0:
        try:
            guest.futex_wait(memory, WORD, 0)
        except BlockingIOError:
            break  # changed meanwhile
    os._exit(0)
guest.WRITE_ONCE(memory, WORD, 1)
guest.futex_wake(memory, WORD, 1)
reaped, status = os.waitpid(pid, 0)
print("woken", reaped == pid)
