"""A group stop of several threads meets SIGCONT and SIGKILL: the process dies of the signal."""

import os
import signal
import threading


def spin(gate):
    while True:
        os.getppid()


gate_read, gate_write = os.pipe()
pid = os.fork()
if pid == 0:
    for _ in range(2):
        threading.Thread(target=spin, args=(gate_read,)).start()
    os.write(gate_write, b"r")
    spin(gate_read)
os.read(gate_read, 1)
os.kill(pid, signal.SIGSTOP)
os.kill(pid, signal.SIGCONT)
os.kill(pid, signal.SIGSTOP)
os.kill(pid, signal.SIGKILL)
while True:
    reaped, status = os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)
    if not os.WIFSTOPPED(status) and not os.WIFCONTINUED(status):
        break
print("killed", reaped == pid, status == signal.SIGKILL)
