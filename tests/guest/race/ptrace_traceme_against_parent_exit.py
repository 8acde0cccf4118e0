"""A child asks to be traced while its parent exits: it is never left with a tracer that is gone."""

import os

from workloads import guest

alive_read, alive_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(alive_read)
    if os.fork() == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.write(alive_write, b"g")
        os._exit(2)
    os._exit(1)
os.close(alive_write)
print(hex(os.waitpid(pid, 0)[1]))
print(os.read(alive_read, 1), os.read(alive_read, 1))
