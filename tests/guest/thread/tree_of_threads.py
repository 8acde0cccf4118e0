"""A tree of threads, three branches and four deep: all are joined, and the sum is right."""

import threading

counts = []
lock = threading.Lock()


def node(depth):
    threads = []
    if depth:
        for _ in range(3):
            thread = threading.Thread(target=node, args=(depth - 1,))
            thread.start()
            threads.append(thread)
    for thread in threads:
        thread.join()
    with lock:
        counts.append(depth)


node(3)
print(len(counts), counts.count(0), counts.count(1), counts.count(2), counts.count(3), counts[-1])
