"""Two processes fork at the same time: every child has a number of its own."""

import os

pid = os.fork()
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
if pid == 0:
    os._exit(0)
reaped, status = os.waitpid(pid, 0)
print("all reaped", reaped == pid, status, child != pid)
