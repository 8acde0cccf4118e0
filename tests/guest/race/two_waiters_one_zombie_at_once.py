"""Threads that wait for any child while children die: every child is reaped once."""

import os
import threading

COUNT = 4
reaped = []
lock = threading.Lock()


def wait_for_any():
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return
        with lock:
            reaped.append((pid, status >> 8))


pids = {}
for number in range(COUNT):
    pid = os.fork()
    if pid == 0:
        os._exit(number)
    pids[pid] = number
threads = []
for _ in range(3):
    thread = threading.Thread(target=wait_for_any)
    threads.append(thread)
    thread.start()
for thread in threads:
    thread.join()
print("each once", sorted(reaped) == sorted(pids.items()))
