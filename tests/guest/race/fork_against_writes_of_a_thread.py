"""A thread writes while another forks: the child sees the pages of one moment."""

import mmap
import os
import threading

PAGES = 4
memory = mmap.mmap(-1, PAGES * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def look():
    values = []
    for page in range(PAGES):
        values.append(memory[page * mmap.PAGESIZE])
    return values


def write():
    for value in range(1, 4):
        for page in range(PAGES):
            memory[page * mmap.PAGESIZE] = value


thread = threading.Thread(target=write)
thread.start()
statuses = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        first = look()
        os._exit(0 if first == look() and first == sorted(first, reverse=True) else 1)
    statuses.append(os.waitpid(pid, 0)[1])
thread.join()
print(statuses, look())
