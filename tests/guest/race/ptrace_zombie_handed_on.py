"""A tracer reaps what is another's child while that parent waits, or dies.

Taken by the tracer, the zombie is its parent's again; if that dies without it, it comes to the
tracer a second time, as a child. So the tracer sees it once or twice, and never as another.
"""

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
    again = os.wait()[1]
except ChildProcessError:
    again = 0x300
print("no more, or the same again", hex(again))
try:
    os.wait()
except ChildProcessError:
    print("no more")
