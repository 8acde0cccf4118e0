"""exec changes the name to that of the file, 15 bytes of it, and leaves one thread."""

import os
import sys
import threading
import time

base = f"/tmp/name-{time.time_ns()}/"


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 10000)
    os.close(fd)
    return data


def idle(fd):
    os.read(fd, 1)


def comm(argv0, path, script):
    ready, gate = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        for _ in range(2):
            threading.Thread(target=idle, args=(gate[0],)).start()
        os.dup2(gate[0], 0)
        before = len(os.listdir("/proc/self/task"))
        os.write(ready[1], b"%d" % before)
        os.execv(path, [argv0, script] if script else [argv0])
    print("threads", os.read(ready[0], 5))
    os.close(ready[1])
    os.read(ready[0], 1)  # the end: exec has closed it, but not yet laid out the new program
    while len(os.listdir(f"/proc/{pid}/task")) > 1:
        os.sched_yield()
    while not read_file(f"/proc/{pid}/cmdline"):
        os.sched_yield()
    found = read_file(f"/proc/{pid}/comm")
    line = read_file(f"/proc/{pid}/cmdline").replace(base.encode(), b"")
    os.write(gate[1], b"xxx")
    os.close(gate[1])
    os.close(gate[0])
    print(found, line, os.waitpid(pid, 0)[1])


os.mkdir(base)
for name in ("short", "a-name-of-fifteen", "fifteen-letters"):
    fd = os.open(base + name, os.O_CREAT | os.O_WRONLY, 0o755)
    os.write(fd, b"#!/bin/cat -\n")
    os.close(fd)
comm("given", "/bin/cat", "")
comm("given", base + "short", "")
comm("given", base + "a-name-of-fifteen", "")
comm("given", base + "fifteen-letters", "-")
print(len(sys.argv))
