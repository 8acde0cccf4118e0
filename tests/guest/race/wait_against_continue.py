"""A parent takes note of stops while somebody lets the child go on: each report comes once."""

import os
import signal

pid = os.fork()
if pid == 0:
    while True:
        os.getppid()
other = os.fork()
if other == 0:
    for _ in range(3):
        os.kill(pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGCONT)
    os.kill(pid, signal.SIGKILL)
    os._exit(0)
while True:
    status = os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)[1]
    if not os.WIFSTOPPED(status) and not os.WIFCONTINUED(status):
        break
print(status, os.waitpid(other, 0)[1])
