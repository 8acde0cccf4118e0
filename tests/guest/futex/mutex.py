"""A lock of one futex word, as Drepper's paper has it, excludes processes and threads."""

import mmap
import os
import threading

from workloads import guest

PROCESSES = 3
THREADS = 2
ROUNDS = 5

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def lock():
    state = guest.cmpxchg(m, 0, 0, 1)
    if state:
        if state != 2:
            state = guest.xchg(m, 0, 2)
        while state:
            try:
                guest.futex_wait(m, 0, 2)
            except BlockingIOError:
                pass
            state = guest.xchg(m, 0, 2)


def unlock():
    if guest.atomic_add(m, 0, -1) != 1:
        guest.store_release(m, 0, 0)
        guest.futex_wake(m, 0, 1)


def work():
    for _ in range(ROUNDS):
        lock()
        value = m[8]
        os.sched_yield()
        m[8] = value + 1
        unlock()


for _ in range(PROCESSES):
    if os.fork() == 0:
        threads = []
        for _ in range(THREADS):
            threads.append(threading.Thread(target=work))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os._exit(0)
for _ in range(PROCESSES):
    print(os.wait()[1])
print(m[8] == PROCESSES * THREADS * ROUNDS, guest.READ_ONCE(m, 0))
