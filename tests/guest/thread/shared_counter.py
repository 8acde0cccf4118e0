"""Threads share memory, and a lock makes an addition of several steps whole."""

import threading
import time

counter = 0
lock = threading.Lock()
order = []


def add(times):
    global counter
    for _ in range(times):
        with lock:
            value = counter
            time.sleep(0)
            counter = value + 1
    order.append(times)


threads = []
for times in (50, 100, 150):
    thread = threading.Thread(target=add, args=(times,))
    threads.append(thread)
    thread.start()
for thread in threads:
    thread.join()
    print("alive", thread.is_alive())
print(counter, sorted(order), lock.locked())
