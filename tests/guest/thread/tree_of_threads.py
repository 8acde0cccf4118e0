"""Threads start threads, in a tree; every one of them runs once and is joined by its parent."""

import threading

DEPTH = 3
BREADTH = 3

lock = threading.Lock()
counts = {}
total = [0]


def node(depth, number):
    with lock:
        counts[depth] = counts.get(depth, 0) + 1
        total[0] += number
    if depth == DEPTH:
        return
    children = []
    for child in range(BREADTH):
        children.append(threading.Thread(target=node, args=(depth + 1, number * BREADTH + child)))
    for thread in children:
        thread.start()
    for thread in children:
        thread.join()


node(0, 0)
print([counts[depth] for depth in range(DEPTH + 1)], total[0])
