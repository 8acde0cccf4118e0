"""One process makes others, or threads, and waits for each: what one costs.

Usage: ``python3 threads.py [kind=thread] [pages=16]``

Writes ``create`` and the mean time in ns until the maker goes on, ``whole`` and that until the new
one has ended and has been waited for.
"""

import mmap
import os
import sys
import threading
import time

from workloads import guest

DEFAULTS = {"kind": "thread", "pages": "16"}
KINDS = {"kind": "one of thread process", "pages": "whole 1"}
ROUNDS = 50

settings = dict(DEFAULTS)
for argument in sys.argv[1:]:
    name, _, value = argument.partition("=")
    settings[name] = value
pages = int(settings["pages"])


def nothing():
    pass


memory = mmap.mmap(-1, pages * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guest.touch(memory, 0, pages)
create = 0
begun = time.monotonic_ns()
for _ in range(ROUNDS):
    at = time.monotonic_ns()
    if settings["kind"] == "thread":
        thread = threading.Thread(target=nothing)
        thread.start()
        create += time.monotonic_ns() - at
        thread.join()
    else:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        create += time.monotonic_ns() - at
        os.waitpid(pid, 0)
print("create", create // ROUNDS)
print("whole", (time.monotonic_ns() - begun) // ROUNDS)
