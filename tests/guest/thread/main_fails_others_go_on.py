"""When the main program ends by an exception its threads run to their ends; the status is 1."""

import os
import sys
import threading
import time


def work():
    time.sleep(0.05)
    print("thread done")


def fails_too():
    time.sleep(0.02)
    raise KeyError("thread")


def leaves():
    sys.exit(9)


for way in ("error", "exit", "exit in a thread"):
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        threading.Thread(target=work).start()
        if way == "exit in a thread":
            threading.Thread(target=leaves).start()
        else:
            threading.Thread(target=fails_too).start()
        if way == "exit":
            sys.exit(7)
        raise ValueError("main")
    print(way, os.waitpid(pid, 0)[1] >> 8)
