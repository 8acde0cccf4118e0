"""os._exit in a thread ends the whole process with its code; sys.exit ends only the thread."""

import os
import sys
import threading


def sleep_for_ever(fd):
    os.read(fd, 1)


def leave(way):
    if way == "group":
        os._exit(4)
    if way == "thread":
        sys.exit(5)
    if way == "error":
        raise ValueError("in a thread")


def process(way):
    gate = os.pipe()
    sleeper = threading.Thread(target=sleep_for_ever, args=(gate[0],), daemon=True)
    sleeper.start()
    thread = threading.Thread(target=leave, args=(way,))
    thread.start()
    thread.join()
    print("still here after", way)
    sys.exit(6)


for way in ("group", "thread", "error", "none"):
    pid = os.fork()
    if pid == 0:
        process(way)
    print(way, os.waitpid(pid, 0)[1] >> 8)
