"""Threads hand a lock to each other: nobody sleeps on after it was given back."""

import threading

ROUNDS = 2

lock = threading.Lock()
seen = []


def work():
    for _ in range(ROUNDS):
        with lock:
            seen.append(1)


thread = threading.Thread(target=work)
thread.start()
work()
thread.join()
print("took turns", len(seen))
