"""A pidfd becomes readable when the whole process has ended, not when its leader has."""

import os
import select
import threading
import time

from workloads import guest

ready, gate = os.pipe(), os.pipe()


def stays():
    os.write(ready[1], b"t")
    os.read(gate[0], 1)
    guest.exit_thread(4)


def executes():
    os.execv("/bin/sleep", ["sleep", "1000"])


def polled(fd, timeout):
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return [event for _, event in poller.poll(timeout)]


pid = os.fork()
if pid == 0:
    threading.Thread(target=stays).start()
    guest.exit_thread(3)
fd = os.pidfd_open(pid)
os.read(ready[0], 1)
time.sleep(0.05)
print("leader gone", polled(fd, 0))
os.write(gate[1], b"x")
print("all gone", polled(fd, None))
print("zombie", polled(fd, 0), os.waitpid(pid, 0)[1] >> 8)
print("reaped", len(polled(fd, 0)))
os.close(fd)
pid = os.fork()
if pid == 0:
    threading.Thread(target=executes).start()
    time.sleep(1000)
fd = os.pidfd_open(pid)
print("exec of a thread", polled(fd, 100))
os.kill(pid, 9)
print("killed", polled(fd, None), os.waitpid(pid, 0)[1])
