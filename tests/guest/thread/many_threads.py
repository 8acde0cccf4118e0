"""Forty threads exist at once, with ids of their own, and all of them run."""

import os
import threading

THREADS = 40

gate = threading.Semaphore(0)
arrived = threading.Semaphore(0)
ids = []


def work():
    ids.append(threading.get_native_id())
    arrived.release()
    gate.acquire()


threads = []
for _ in range(THREADS):
    thread = threading.Thread(target=work)
    threads.append(thread)
    thread.start()
for _ in range(THREADS):
    arrived.acquire()
print(len(set(ids)), os.getpid() in ids)
gate.release(THREADS)
for thread in threads:
    thread.join()
print("joined")
