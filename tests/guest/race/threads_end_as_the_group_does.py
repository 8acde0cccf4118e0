"""Threads come to their end just when another thread ends the whole process."""

import os
import threading


def nothing():
    pass


ends = []
for calls in (0, 1, 2, 4):
    pid = os.fork()
    if pid == 0:
        for _ in range(3):
            threading.Thread(target=nothing).start()
        for _ in range(calls):
            os.getppid()
        os._exit(calls)
    ends.append(os.waitpid(pid, 0)[1])
print(ends)
