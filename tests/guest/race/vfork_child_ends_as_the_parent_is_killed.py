"""A vfork parent is killed just when its child lets it go: it dies, and nobody wakes the dead."""

import os
import signal

from workloads import guest

read, write = os.pipe()
ends = []
for calls in (0, 0, 1, 1, 2, 3):
    pid = os.fork()
    if pid == 0:
        os.write(write, b"r")
        if guest.vfork() == 0:
            for _ in range(calls):
                os.getppid()
            os._exit(0)
        signal.pause()
    os.read(read, 1)
    for _ in range(2):
        os.getppid()
    os.kill(pid, signal.SIGKILL)
    ends.append(os.waitpid(pid, 0)[1])
print(ends)
