"""SIGKILL ends a process that sleeps, reads, waits or computes; SIGTERM too."""

import os
import signal
import time

from workloads import guest


def sleep_somehow(kind):
    if kind == "sleep":
        time.sleep(1000)
    elif kind == "read":
        os.read(os.pipe()[0], 1)
    elif kind == "wait":
        if os.fork() == 0:
            os.setpgid(0, 0)
            time.sleep(0.05)
            os._exit(0)
        os.wait()
    elif kind == "compute":
        while True:
            guest.compute(1000000)
    else:
        while True:
            kind = kind + ""
    os._exit(0)


for number in (signal.SIGKILL, signal.SIGTERM):
    for kind in ("sleep", "read", "wait", "compute", "spin"):
        pid = os.fork()
        if pid == 0:
            sleep_somehow(kind)
        time.sleep(0.01)
        os.kill(pid, number)
        print(kind, os.waitpid(pid, 0)[1])
