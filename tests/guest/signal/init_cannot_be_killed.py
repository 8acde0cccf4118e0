"""SIGKILL and SIGSTOP sent to init from inside are taken and do nothing."""

import os
import signal

for number in (0, signal.SIGKILL, signal.SIGSTOP):
    os.kill(1, number)
os.kill(1, 0)
pid = os.fork()
if pid == 0:
    os._exit(3)
print("it lives", os.waitpid(pid, 0)[1])
