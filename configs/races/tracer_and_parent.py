"""A tracer reaps a zombie on the way to its parent, who waits for it, too."""

import os

from workloads import guest

WALL = 0x40000000

go, start = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(go, 1)
    os._exit(3)
tracer = os.fork()
if tracer == 0:
    guest.ptrace(guest.PTRACE_SEIZE, pid)
    os.write(start, b"!")
    os.waitpid(pid, WALL)
    os._exit(0)
reaped, status = os.waitpid(pid, 0)
os.waitpid(tracer, 0)
print("reaped", reaped == pid, os.waitstatus_to_exitcode(status))
