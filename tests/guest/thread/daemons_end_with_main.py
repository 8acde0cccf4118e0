"""Daemon threads end with the main program wherever they are; others are waited for first."""

import os
import threading
import time

from workloads import guest


def compute():
    while True:
        guest.compute(1_000_000)


def read(fd):
    os.read(fd, 1)


def sleep():
    time.sleep(1000)


def late():
    time.sleep(0.1)
    print("not a daemon")


read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(read_end)
    inner = os.pipe()
    threading.Thread(target=compute, daemon=True).start()
    threading.Thread(target=read, args=(inner[0],), daemon=True).start()
    threading.Thread(target=sleep, daemon=True).start()
    threading.Thread(target=late).start()
    print("main is done")
else:
    os.close(write_end)
    print("end of file", os.read(read_end, 1))
    print(os.waitpid(pid, 0)[1])
