"""Three spinning processes leave time for a writer, and all of them can be killed (xv6 preempt)."""

import os
import signal

pids = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        while True:
            pass
    pids.append(pid)
read_end, write_end = os.pipe()
writer = os.fork()
if writer == 0:
    os.write(write_end, b"x")
    while True:
        pass
print(os.read(read_end, 1))
for pid in pids + [writer]:
    os.kill(pid, signal.SIGKILL)
for pid in pids + [writer]:
    print(os.waitpid(pid, 0)[1])
