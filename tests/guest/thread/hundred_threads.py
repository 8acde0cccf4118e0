"""A hundred threads run, all at once and one after the other, each with an id of its own."""

import os
import threading

from workloads import guest

tids = []
lock = threading.Lock()
gate = os.pipe()


def work(wait):
    with lock:
        tids.append(guest.gettid())
    if wait:
        os.read(gate[0], 1)


threads = [threading.Thread(target=work, args=(True,)) for _ in range(100)]
for thread in threads:
    thread.start()
while len(tids) < 100:
    os.sched_yield()
print(len(set(tids)), os.getpid() in tids)
os.write(gate[1], bytes(100))
for thread in threads:
    thread.join()
tids.clear()
for _ in range(100):
    thread = threading.Thread(target=work, args=(False,))
    thread.start()
    thread.join()
print(len(tids), len(set(tids)))
