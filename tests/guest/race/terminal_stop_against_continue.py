"""A stop from the terminal asks whether its group is an orphan, while its parent continues it."""

import os
import signal

children = []
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.kill(os.getpid(), signal.SIGTSTP)
        os._exit(0)
    children.append(pid)
statuses = []
for pid in children:
    done = 0
    while not done:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
        done, status = os.waitpid(pid, os.WNOHANG)
    statuses.append(status)
print(statuses)
