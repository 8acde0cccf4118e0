"""A group is killed while it forks: nobody escapes, nobody else is hit."""

import os
import signal

alive_read, alive_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.close(alive_read)
    os.write(alive_write, b"r")
    for _ in range(6):
        os.fork()
    while True:
        os.getppid()
os.close(alive_write)
os.read(alive_read, 1)
os.killpg(pid, signal.SIGKILL)
reaped, status = os.waitpid(pid, 0)
print("killed", reaped == pid, status == signal.SIGKILL)
print("all of them", os.read(alive_read, 1))
