"""The end of the main program joins all threads but daemons, and loses no output."""

import os
import threading
import time


def late():
    time.sleep(0.02)
    print("late thread")


def never():
    time.sleep(100)
    print("daemon thread: never seen")


def process():
    threading.Thread(target=never, daemon=True).start()
    threading.Thread(target=late).start()
    print("end of the main thread")


if os.fork() == 0:
    process()
else:
    print("status", os.wait()[1])
