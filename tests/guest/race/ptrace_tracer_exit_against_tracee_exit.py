"""Tracer and tracee end at the same time: the parent reaps the tracee once, with its own status."""

import os

from workloads import guest

go_read, go_write = os.pipe()
ready_read, ready_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(go_write)
    os.read(go_read, 1)
    os._exit(5)
tracer = os.fork()
if tracer == 0:
    os.close(go_write)
    guest.ptrace(guest.PTRACE_SEIZE, pid)
    os.write(ready_write, b"r")
    os.read(go_read, 1)
    os._exit(6)
os.read(ready_read, 1)
os.close(go_write)
print(hex(os.waitpid(pid, 0)[1]))
print(hex(os.waitpid(tracer, 0)[1]))
try:
    os.wait()
except ChildProcessError:
    print("nobody is left")
