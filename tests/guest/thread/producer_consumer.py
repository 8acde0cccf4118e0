"""A bounded buffer of a lock and two conditions: producers and consumers wait for one another."""

import threading

PLACES = 2
EACH = 6

lock = threading.Lock()
not_full = threading.Condition(lock)
not_empty = threading.Condition(lock)
buffer = []
taken = []
largest = [0]


def producer(number):
    for item in range(EACH):
        with not_full:
            not_full.wait_for(has_room)
            buffer.append(number * EACH + item)
            largest[0] = max(largest[0], len(buffer))
            not_empty.notify()


def has_room():
    return len(buffer) < PLACES


def consumer():
    for _ in range(EACH):
        with not_empty:
            while not buffer:
                not_empty.wait()
            taken.append(buffer.pop(0))
            not_full.notify()


threads = []
for number in range(3):
    threads.append(threading.Thread(target=producer, args=(number,)))
    threads.append(threading.Thread(target=consumer))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(taken) == list(range(3 * EACH)), largest[0] <= PLACES, buffer)
