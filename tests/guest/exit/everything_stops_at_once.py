"""After exit_group of one of many threads has been seen by the parent, no thread counts on."""

import mmap
import os
import threading
import time

from workloads import guest

cells = mmap.mmap(-1, 4096)
THREADS = 4


def count(place):
    while True:
        cells[place] = cells[place] % 250 + 1
        guest.compute(100_000)


def end():
    time.sleep(0.05)
    os._exit(4)


pid = os.fork()
if pid == 0:
    for place in range(THREADS):
        threading.Thread(target=count, args=(place,)).start()
    threading.Thread(target=end).start()
    count(THREADS)
print(os.waitpid(pid, 0)[1] >> 8)
before = bytes(cells[:8])
time.sleep(0.05)
print(before == bytes(cells[:8]), [value > 0 for value in before[: THREADS + 1]])
