"""Pids lie between 2 and the maximum, grow from fork to fork, and are not used again at once."""

import os

last = os.getpid()
rising = 0
seen = []
for turn in range(40):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    if pid > last:
        rising += 1
    last = pid
    seen.append(pid)
    if turn % 2:
        os.wait()
print(len(set(seen)) == 40, rising >= 39, min(seen) > 2, max(seen) < 4194304)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
