"""Parents that fork, whose children compute a little and end; each writes its pages after a fork.

Writes ``done`` and the number of children.
"""

import mmap
import os

from workloads import guest

PARENTS = 8
CHILDREN = 40
PAGES = 16


def parent():
    memory = mmap.mmap(-1, PAGES * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    guest.touch(memory, 0, PAGES)
    for _ in range(CHILDREN):
        pid = os.fork()
        if not pid:
            guest.compute(200_000)
            os._exit(0)
        guest.touch(memory, 0, PAGES)
        os.waitpid(pid, 0)


for _ in range(PARENTS):
    if os.fork() == 0:
        parent()
        os._exit(0)
for _ in range(PARENTS):
    os.wait()
print("done", PARENTS * CHILDREN)
