"""Threads that wait for different children each get their own; __WNOTHREAD hides the others'."""

import os
import threading
import time

WNOTHREAD = 0x20000000
results = {}


def wait_for(pid, options, key):
    try:
        results[key] = os.waitpid(pid, options)[1] >> 8
    except ChildProcessError:
        results[key] = "ECHILD"


def own_child(key):
    pid = os.fork()
    if pid == 0:
        time.sleep(0.03)
        os._exit(key)
    results[key] = os.waitpid(-1, WNOTHREAD)[1] >> 8


children = []
for code in range(4):
    pid = os.fork()
    if pid == 0:
        time.sleep(0.05 + 0.02 * (3 - code))
        os._exit(code)
    children.append(pid)
threads = []
for code, pid in enumerate(children):
    threads.append(threading.Thread(target=wait_for, args=(pid, 0, code)))
threads.append(threading.Thread(target=wait_for, args=(children[0], WNOTHREAD, "other's")))
threads.append(threading.Thread(target=wait_for, args=(-1, WNOTHREAD, "none of its own")))
threads.append(threading.Thread(target=own_child, args=(20,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print([results[code] for code in range(4)], results["other's"], results["none of its own"])
print(results[20])
wait_for(-1, 0, "all are gone")
print(results["all are gone"])
