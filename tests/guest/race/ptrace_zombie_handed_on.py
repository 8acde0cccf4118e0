"""A tracer reaps what is another's child while that parent waits, or dies: it is reaped once."""

import os

from workloads import guest

guest.set_child_subreaper()
read, write = os.pipe()
ready_read, ready_write = os.pipe()
parent = os.fork()
if parent == 0:
    os.close(write)
    child = os.fork()
    if child == 0:
        os.close(ready_read)
        os.read(read, 1)
        os._exit(3)
    os.close(read)
    os.write(ready_write, b"%d" % child)
    os.waitpid(-1, os.WNOHANG)
    os._exit(0)
child = int(os.read(ready_read, 20))
guest.ptrace(guest.PTRACE_SEIZE, child)
os.close(write)
found = sorted(os.wait()[1] for _ in range(2))
print([hex(status) for status in found])
try:
    print(hex(os.wait()[1]))
except ChildProcessError:
    print("no more")
