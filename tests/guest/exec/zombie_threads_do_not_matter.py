"""A thread that has ended before exec, joined or not, changes nothing about it."""

import os
import threading

from workloads import guest


def nothing():
    pass


def leaves():
    guest.exit_thread(5)


for way in ("joined", "left", "many"):
    pid = os.fork()
    if pid == 0:
        count = 10 if way == "many" else 1
        for _ in range(count):
            thread = threading.Thread(target=leaves if way == "left" else nothing, daemon=True)
            thread.start()
            if way == "joined":
                thread.join()
        os.execv("/bin/sh", ["sh", "-c", f"exit {count}"])
    print(way, os.waitpid(pid, 0)[1] >> 8)
