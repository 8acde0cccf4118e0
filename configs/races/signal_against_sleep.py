"""A task waits for a signal while another one sends it."""

import os
import signal

pid = os.fork()
if pid == 0:
    signal.pause()
    os._exit(0)
os.kill(pid, signal.SIGTERM)
reaped, status = os.waitpid(pid, 0)
print("ended by", os.waitstatus_to_exitcode(status))
