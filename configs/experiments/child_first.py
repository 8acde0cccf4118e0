"""A parent forks a child that executes at once, and goes on writing its own memory.

Usage: ``python3 child_first.py [pages=64]``

Writes ``whole`` and the mean time in ns from a fork until the parent has written its pages and the
child has been waited for.
"""

import mmap
import os
import sys
import time

from workloads import guest

DEFAULTS = {"pages": "64"}
KINDS = {"pages": "whole 1"}
CHILDREN = 20

pages = int(sys.argv[1].partition("=")[2]) if len(sys.argv) > 1 else 64
memory = mmap.mmap(-1, pages * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guest.touch(memory, 0, pages)
begun = time.monotonic_ns()
for _ in range(CHILDREN):
    pid = os.fork()
    if pid == 0:
        os.execv("/bin/true", ["true"])
    guest.touch(memory, 0, pages)
    os.waitpid(pid, 0)
print("whole", (time.monotonic_ns() - begun) // CHILDREN)
