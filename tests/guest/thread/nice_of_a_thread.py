"""nice acts on one thread; a new thread and a child begin with the value of their maker."""

import os
import threading

from workloads import guest

log = []
tids = []
gate = os.pipe()


def mine():
    return os.getpriority(os.PRIO_PROCESS, 0)


def inner():
    log.append(("inner", mine()))


def worker():
    os.nice(5)
    log.append(("worker", mine()))
    thread = threading.Thread(target=inner)
    thread.start()
    thread.join()
    pid = os.fork()
    if pid == 0:
        os._exit(mine())
    log.append(("child", os.waitpid(pid, 0)[1] >> 8))
    tids.append(guest.gettid())
    os.read(gate[0], 1)
    log.append(("worker", mine()))


thread = threading.Thread(target=worker)
thread.start()
while not tids:
    os.sched_yield()
print("main", mine(), "the thread", os.getpriority(os.PRIO_PROCESS, tids[0]))
os.setpriority(os.PRIO_PROCESS, tids[0], 9)
os.setpriority(os.PRIO_PROCESS, os.getpid(), 3)
print("main", mine(), "the group", os.getpriority(os.PRIO_PGRP, 0))
os.write(gate[1], b"x")
thread.join()
print(log)
