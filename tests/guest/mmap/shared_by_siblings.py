"""Siblings that write different pages of a shared mapping; the parent reads all of them."""

import mmap
import os

CHILDREN = 6
shared = mmap.mmap(-1, CHILDREN * mmap.PAGESIZE, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
for index in range(CHILDREN):
    if os.fork() == 0:
        for offset in range(3):
            shared[index * mmap.PAGESIZE + offset] = index * 10 + offset
        os._exit(0)
for _ in range(CHILDREN):
    assert os.wait()[1] == 0
for index in range(CHILDREN):
    start = index * mmap.PAGESIZE
    print(index, list(shared[start : start + 4]))
