"""The child of a fork in a thread ends with 0 when that thread's function returns."""

import os
import sys
import threading
import time

statuses = []


def work(way):
    pid = os.fork()
    if pid:
        statuses.append((way, os.waitpid(pid, 0)[1]))
        return
    os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
    if way == "exits":
        sys.exit(5)
    if way == "fails":
        raise ValueError("in the child")
    if way == "leaves":
        os._exit(6)
    if way == "starts another":
        threading.Thread(target=later).start()
    if way == "deeper":
        work("returns")


def later():
    time.sleep(0.05)
    print("the other thread of the child")
    os._exit(7)


for way in ("returns", "exits", "fails", "leaves", "starts another", "deeper"):
    thread = threading.Thread(target=work, args=(way,))
    thread.start()
    thread.join()
for line in statuses:
    print(line)
