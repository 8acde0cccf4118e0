"""Processes that sleep: how many page frames the structures take that the kernel keeps of them.

Usage: ``python3 slab.py [tasks=100]``

Writes, of all caches of /proc/slabinfo: ``taken`` and the frames that came with the processes,
``objects`` and the structures, ``bytes`` and their size; ``left`` and the frames that are still
there, more than at first, after all processes have ended.
"""

import os
import sys

DEFAULTS = {"tasks": "100"}
KINDS = {"tasks": "whole 1"}


def slabs():
    frames = 0
    objects = 0
    size = 0
    with open("/proc/slabinfo") as file:
        lines = file.read().splitlines()
    for line in lines[2:]:
        words = line.split()
        slab_count = int(words[14])
        frames += slab_count * int(words[5])
        objects += int(words[1])
        size += int(words[1]) * int(words[3])
    return frames, objects, size


tasks = int(sys.argv[1].partition("=")[2]) if len(sys.argv) > 1 else 100
reader, writer = os.pipe()
before = slabs()
for _ in range(tasks):
    if os.fork() == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
during = slabs()
os.close(writer)
for _ in range(tasks):
    os.wait()
after = slabs()
print("taken", during[0] - before[0])
print("objects", during[1] - before[1])
print("bytes", during[2] - before[2])
print("left", after[0] - before[0])
