"""Threads stop their process and end while its parent dies: each stop is told or taken back."""

import os
import signal
import threading

from workloads import guest


def stop_and_end():
    os.kill(os.getpid(), signal.SIGSTOP)


guest.set_child_subreaper()
read, write = os.pipe()
tells, told = os.pipe()
parent = os.fork()
if parent == 0:
    child = os.fork()
    if child == 0:
        os.read(read, 1)
        threads = [threading.Thread(target=stop_and_end) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os._exit(0)
    os.write(told, b"%d" % child)
    os.write(write, b"g")
    for _ in range(9):
        os.getppid()
    os._exit(0)
child = int(os.read(tells, 20))
print(os.waitpid(parent, 0)[1])
status = 0x7F
while os.WIFSTOPPED(status):
    os.kill(child, signal.SIGCONT)
    status = os.waitpid(child, os.WUNTRACED)[1]
print(status)
