"""Children stop and go on while their parent handles SIGCHLD: it sees each stop, and each end."""

import os
import signal

told = []


def on_child(signum, frame):
    told.append(signum)


signal.signal(signal.SIGCHLD, on_child)
children = []
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(5)
    children.append(pid)
seen = []
for pid in children:
    seen.append(os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1]))
    os.kill(pid, signal.SIGCONT)
for pid in children:
    seen.append(os.waitpid(pid, 0)[1] >> 8)
print(seen, len(told) > 0)
