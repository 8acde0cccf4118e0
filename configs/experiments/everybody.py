"""One process asks for all others while N of them sleep: kill(-1), which walks the task list.

Usage: ``python3 everybody.py [tasks=100]``

Writes ``walk`` and the mean time in ns of a signal to everybody, ``one`` and that of one to a pid.
"""

import os
import signal
import sys
import time

DEFAULTS = {"tasks": "100"}
KINDS = {"tasks": "whole 1"}
WALKS = 20

tasks = int(sys.argv[1].partition("=")[2]) if len(sys.argv) > 1 else 100
reader, writer = os.pipe()
there, told = os.pipe()
for _ in range(tasks):
    if os.fork() == 0:
        os.close(writer)
        os.write(told, b"x")
        os.read(reader, 1)
        os._exit(0)
for _ in range(tasks):
    os.read(there, 1)
begun = time.monotonic_ns()
for _ in range(WALKS):
    os.kill(-1, signal.SIGWINCH)
walk = (time.monotonic_ns() - begun) // WALKS
begun = time.monotonic_ns()
for _ in range(WALKS):
    os.kill(os.getpid(), 0)
one = (time.monotonic_ns() - begun) // WALKS
os.close(writer)
for _ in range(tasks):
    os.wait()
print("walk", walk)
print("one", one)
