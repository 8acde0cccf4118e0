"""Queues: bounded, joined, with timeouts, over a fork; last in first out; least first."""

import os
import queue
import threading


def worker(q, out):
    while True:
        item = q.get()
        if item is None:
            q.task_done()
            return
        out.append(item * item)
        q.task_done()


def main():
    q = queue.Queue(2)
    out = []
    t = threading.Thread(target=worker, args=(q, out))
    t.start()
    for n in range(5):
        q.put(n)
    q.join()
    q.put(None)
    t.join()
    print(out, q.empty(), q.qsize(), q.full(), q.maxsize, q.unfinished_tasks)
    for attempt in (
        lambda: q.get_nowait(),
        lambda: q.get(timeout=0.01),
        lambda: q.get(False),
        lambda: q.task_done(),
        lambda: q.get(True, -1),
    ):
        try:
            attempt()
        except queue.Empty as error:
            print("empty", repr(error), type(error).__name__)
        except ValueError as error:
            print(error)
    q.put("a")
    q.put(("b", 1), block=False)
    try:
        q.put_nowait("c")
    except queue.Full as error:
        print("full", repr(error))
    try:
        q.put(1, timeout=0.02)
    except queue.Full:
        print("still full", q.full())
    pid = os.fork()
    if pid == 0:
        print("child", q.get(), q.get(), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    print(q.qsize(), q.get())
    stack = queue.LifoQueue()
    least = queue.PriorityQueue(maxsize=10)
    for n in (5, 1, 4, 2, 3):
        stack.put(n)
        least.put((n, str(n)))
    print([stack.get() for _ in range(5)], [least.get() for _ in range(5)])
    d = {"a": 1}
    print(d.get("a"), d.get("b"), d.get("b", 2), {"x": 3}.get("x"))
    print(type(q).__name__, bool(q))
    try:
        len(q)
    except TypeError as error:
        print(error)


main()
