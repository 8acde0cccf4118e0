"""Threads that meet at a barrier and hand items through a condition lose nothing."""

import threading

THREADS = 3
ITEMS = 4

condition = threading.Condition()
barrier = threading.Barrier(THREADS)
full = []
got = []


def work(number):
    barrier.wait()
    for item in range(ITEMS):
        with condition:
            full.append((number, item))
            condition.notify()
        with condition:
            while not full:
                condition.wait()
            got.append(full.pop())
    barrier.wait()


threads = []
for number in range(THREADS):
    threads.append(threading.Thread(target=work, args=(number,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(set(got)) == THREADS * ITEMS, full, barrier.broken)
