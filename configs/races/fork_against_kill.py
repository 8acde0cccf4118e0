"""A process is killed while it forks: no child, or one that is killed, too."""

import os
import signal

pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.fork()
    os._exit(0)
os.kill(pid, signal.SIGKILL)
reaped, status = os.waitpid(pid, 0)
print("gone", reaped == pid, os.waitstatus_to_exitcode(status) in (0, -9))
