"""Workers that fork a child, which ends at once, and wait for it: each on a CPU of its own.

Usage: ``python3 contention.py [workers=1]``

Writes ``done`` and how many children there were, ``lifecycle`` and the mean time of one in ns.
"""

import os
import sys
import time

from workloads import guest

DEFAULTS = {"workers": "1"}
KINDS = {"workers": "whole 1"}
CHILDREN = 30

workers = int(sys.argv[1].partition("=")[2]) if len(sys.argv) > 1 else 1
reader, writer = os.pipe()
begun = time.monotonic_ns()
for cpu in range(workers):
    if os.fork() == 0:
        os.sched_setaffinity(0, {cpu})
        at = time.monotonic_ns()
        for _ in range(CHILDREN):
            pid = guest.vfork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
        os.write(writer, f"{time.monotonic_ns() - at:016d}".encode())
        os._exit(0)
whole = 0
for _ in range(workers):
    whole += int(os.read(reader, 16).decode())
for _ in range(workers):
    os.wait()
print("done", workers * CHILDREN)
print("lifecycle", whole // (workers * CHILDREN))
