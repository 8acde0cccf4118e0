"""A vfork parent is killed while its child lets go of it: it ends by the signal or by itself."""

import os
import signal

from workloads import guest

alive_read, alive_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(alive_read)
    if guest.vfork() == 0:
        os.write(alive_write, b"r")
        os._exit(3)
    os._exit(4)
os.close(alive_write)
os.read(alive_read, 1)
os.kill(pid, signal.SIGKILL)
reaped, status = os.waitpid(pid, 0)
print("one end", reaped == pid, status in (9, 4 << 8))
print("nobody is left", os.read(alive_read, 1))
