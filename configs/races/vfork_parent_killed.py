"""A process is killed while it waits for its vfork child, which lets it go at the same time."""

import os
import signal

from workloads import guest

told, tell = os.pipe()
pid = os.fork()
if pid == 0:
    child = guest.vfork()
    if child == 0:
        os.write(tell, b"!")
        os._exit(0)
    os._exit(0)
os.read(told, 1)
os.kill(pid, signal.SIGKILL)
reaped, status = os.waitpid(pid, 0)
print("killed or done", reaped == pid, os.waitstatus_to_exitcode(status) in (0, -9))
