"""The end of the main thread waits for threads, but not for daemons; daemons inherit that."""

import os
import threading
import time


def forever():
    while True:
        time.sleep(1)


def parent_of_daemon():
    child = threading.Thread(target=forever)
    flags.append(child.daemon)
    child.start()
    forever()


def last():
    time.sleep(0.005)
    print("the last one is done", flags)


flags = []
pid = os.fork()
if pid == 0:
    daemon = threading.Thread(target=parent_of_daemon, daemon=True)
    daemon.start()
    while not flags:
        time.sleep(0.001)
    print("daemon", daemon.daemon, flags)
    threading.Thread(target=last).start()
    print("main is done")
else:
    print("status", os.waitpid(pid, 0)[1])
