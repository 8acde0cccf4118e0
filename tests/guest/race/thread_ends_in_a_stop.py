"""Threads end while their process is stopped and its parent dies: the stop is told all the same."""

import os
import signal
import threading

from workloads import guest


def some_calls(count):
    for _ in range(count):
        os.getppid()


guest.set_child_subreaper()
read, write = os.pipe()
parent = os.fork()
if parent == 0:
    child = os.fork()
    if child == 0:
        for count in (2, 4, 6):
            threading.Thread(target=some_calls, args=(count,)).start()
        os.write(write, b"%d" % os.getpid())
        while True:
            os.getppid()
    os.waitpid(child, os.WUNTRACED)
    os._exit(0)
child = int(os.read(read, 20))
os.kill(child, signal.SIGSTOP)
print(os.waitpid(parent, 0)[1])
os.kill(child, signal.SIGCONT)
os.kill(child, signal.SIGKILL)
while True:
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        break
print(status)
