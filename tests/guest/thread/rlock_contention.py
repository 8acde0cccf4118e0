"""Threads that take an RLock in nested calls never meet inside."""

import threading
import time

THREADS = 4
ROUNDS = 6

lock = threading.RLock()
inside = [0]
worst = [0]
total = [0]


def inner(number):
    with lock:
        inside[0] += 1
        worst[0] = max(worst[0], inside[0])
        value = total[0]
        time.sleep(0.0001)
        total[0] = value + 1
        inside[0] -= 1


def outer(number):
    for _ in range(ROUNDS):
        with lock:
            inner(number)


threads = []
for number in range(THREADS):
    threads.append(threading.Thread(target=outer, args=(number,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(worst[0], total[0] == THREADS * ROUNDS)
