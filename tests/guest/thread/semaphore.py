"""A Semaphore lets as many in as its value says; a bounded one refuses to grow beyond it."""

import threading
import time

inside = [0]
worst = [0]
gate = threading.Semaphore(2)
bounded = threading.BoundedSemaphore(2)


def visitor():
    with gate:
        inside[0] += 1
        worst[0] = max(worst[0], inside[0])
        time.sleep(0.002)
        inside[0] -= 1


def attempt(what, number):
    try:
        if number == 0:
            threading.Semaphore(-1)
        elif number == 1:
            gate.release(0)
        elif number == 2:
            bounded.release()
        elif number == 3:
            bounded.release(n=2)
        elif number == 4:
            gate.acquire(False, 1)
        print(what, "done")
    except ValueError as error:
        print(what, error)


threads = []
for _ in range(5):
    threads.append(threading.Thread(target=visitor))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("at once", worst[0])
for number in range(5):
    attempt("attempt", number)
print(
    gate.acquire(), gate.acquire(blocking=False), gate.acquire(False), gate.acquire(timeout=0.001)
)
gate.release(2)
print(gate.acquire(), gate.acquire(), gate.acquire(False))
print(bounded.acquire(), bounded.acquire())
attempt("three", 2)
attempt("too many", 3)
attempt("four", 2)
attempt("full", 2)
with bounded:
    print("with", bounded.acquire(False), bounded.acquire(False))
    attempt("inside", 2)
default = threading.Semaphore()
print(default.acquire(False), default.acquire(False))
