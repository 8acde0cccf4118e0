"""A fatal signal to a process ends all its threads, whichever of them sent it."""

import os
import signal
import threading


def sleep_for_ever(fd):
    os.read(fd, 1)


def kill_us():
    os.kill(os.getpid(), signal.SIGTERM)


def process(by_thread):
    gate = os.pipe()
    for _ in range(4):
        threading.Thread(target=sleep_for_ever, args=(gate[0],)).start()
    os.write(ready_write, b"u")
    if by_thread:
        threading.Thread(target=kill_us).start()
    os.read(gate[0], 1)


ready_read, ready_write = os.pipe()
for by_thread in (False, True):
    pid = os.fork()
    if pid == 0:
        process(by_thread)
    os.read(ready_read, 1)
    if not by_thread:
        os.kill(pid, signal.SIGKILL)
    print(os.waitpid(pid, 0)[1])
