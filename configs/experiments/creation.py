"""What a process costs that runs /bin/true, made by a parent that has written many pages.

Usage: ``python3 creation.py [method=fork] [pages=16]``

Writes ``create`` and the mean time in ns until the parent goes on after making the child, ``whole``
and that until the child has been waited for.
"""

import mmap
import os
import sys
import time

from workloads import guest

DEFAULTS = {"method": "fork", "pages": "16"}
KINDS = {"method": "one of fork vfork posix_spawn", "pages": "whole 1"}
CHILDREN = 10

settings = dict(DEFAULTS)
for argument in sys.argv[1:]:
    name, _, value = argument.partition("=")
    settings[name] = value
pages = int(settings["pages"])
method = settings["method"]


def child():
    os.execv("/bin/true", ["true"])


memory = mmap.mmap(-1, pages * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guest.touch(memory, 0, pages)
create = 0
begun = time.monotonic_ns()
for _ in range(CHILDREN):
    at = time.monotonic_ns()
    if method == "posix_spawn":
        pid = os.posix_spawn("/bin/true", ["true"], os.environ)
    elif method == "vfork":
        pid = guest.vfork()
        if pid == 0:
            child()
    else:
        pid = os.fork()
        if pid == 0:
            child()
    create += time.monotonic_ns() - at
    os.waitpid(pid, 0)
print("create", create // CHILDREN)
print("whole", (time.monotonic_ns() - begun) // CHILDREN)
