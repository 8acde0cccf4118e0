"""A group gets another priority while one of its members forks."""

import os

group = os.getpid()
pid = os.fork()
if pid == 0:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    os._exit(0)
os.setpriority(os.PRIO_PGRP, 0, 5)
reaped, status = os.waitpid(pid, 0)
print("nicer", reaped == pid, os.getpriority(os.PRIO_PROCESS, 0))
