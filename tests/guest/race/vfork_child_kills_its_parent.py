"""A vfork child kills the parent that waits for it, and ends at once: each lets the other go."""

import os
import signal

from workloads import guest

ends = []
for calls in (0, 0, 1, 2):
    pid = os.fork()
    if pid == 0:
        if guest.vfork() == 0:
            os.kill(os.getppid(), signal.SIGKILL)
            for _ in range(calls):
                os.getppid()
            os._exit(0)
        signal.pause()
    ends.append(os.waitpid(pid, 0)[1])
print(ends)
