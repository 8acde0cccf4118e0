"""Two threads count in memory, each time under a lock: what one has stored the next one loads."""

import mmap
import threading

from workloads import guest

COUNT = 0
TURNS = 3
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
lock = threading.Lock()


def count():
    for _ in range(TURNS):
        with lock:
            guest.WRITE_ONCE(memory, COUNT, guest.READ_ONCE(memory, COUNT) + 1)


thread = threading.Thread(target=count)
thread.start()
count()
thread.join()
print("counted", guest.READ_ONCE(memory, COUNT) == 2 * TURNS)
