"""A shell and its job both put the job into a group of its own, as all shells do."""

import os

pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os._exit(0)
os.setpgid(pid, pid)
reaped, status = os.waitpid(pid, 0)
print("one group", reaped == pid, status)
