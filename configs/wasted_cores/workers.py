"""Workers that one task wakes for each piece of their work, more than its node has CPUs.

All are bound to the first node until they have been made.
"""

import os

from workloads.guest import compute

WORKERS = 24
PIECES = 50
WORK_NS = 3_000_000

everywhere = os.sched_getaffinity(0)
os.sched_setaffinity(0, set(range(8)))
asks_reader, asks_writer = os.pipe()
writers = []
for number in range(WORKERS):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.sched_setaffinity(0, everywhere)
        for _ in range(PIECES):
            os.write(asks_writer, bytes([number]))
            os.read(reader, 1)
            compute(WORK_NS)
        os._exit(0)
    os.close(reader)
    writers.append(writer)
for _ in range(WORKERS * PIECES):
    number = os.read(asks_reader, 1)[0]
    os.write(writers[number], b"x")
for _ in range(WORKERS):
    os.wait()
