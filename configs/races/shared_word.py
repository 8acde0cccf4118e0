"""Two flags in one word, each changed by a task of its own."""

import mmap
import os

from workloads import guest

WORD = 0

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.atomic_add(memory, WORD, 1)
    os._exit(0)
guest.atomic_add(memory, WORD, 256)
os.waitpid(pid, 0)
print("both flags", guest.READ_ONCE(memory, WORD) == 257)
