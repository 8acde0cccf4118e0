"""Threads under one lock, some with a timeout: no wake-up is lost and no increment either."""

import threading

lock = threading.Lock()
total = [0]
late = [0]


def add(times):
    for _ in range(times):
        with lock:
            total[0] += 1


def try_to_add(times):
    for _ in range(times):
        if lock.acquire(True, 0.00002):
            total[0] += 1
            lock.release()
        else:
            late[0] += 1


threads = []
for number in range(4):
    thread = threading.Thread(target=try_to_add if number == 3 else add, args=(6,))
    threads.append(thread)
    thread.start()
for thread in threads:
    thread.join()
print("sum", total[0] + late[0], "free", not lock.locked())
