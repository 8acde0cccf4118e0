"""Stops and continues cross: after the last continue the process runs to its end."""

import os
import signal

pid = os.fork()
if pid == 0:
    total = 0
    for number in range(400):
        total += number
        os.getppid()
    os._exit(total % 100)
for _ in range(4):
    os.kill(pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGCONT)
while True:
    reaped, status = os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)
    if not os.WIFSTOPPED(status) and not os.WIFCONTINUED(status):
        break
print("ran on", reaped == pid, status == 0)
