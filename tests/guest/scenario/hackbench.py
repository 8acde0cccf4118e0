"""Groups of senders and receivers over pipes, as processes and as threads: everything arrives."""

import os
import threading

GROUPS, SENDERS, RECEIVERS, ROUNDS = 2, 4, 4, 5
MESSAGE = bytes(100)


def send(ends):
    for _ in range(ROUNDS):
        for end in ends:
            os.write(end, MESSAGE)


def receive(end, total):
    left = total
    while left:
        left -= len(os.read(end, min(left, 100)))


def group(threads):
    """Start one group; return what is to be waited for."""
    ends = [os.pipe(), os.pipe(), os.pipe(), os.pipe()]
    total = SENDERS * ROUNDS * len(MESSAGE)
    tasks = []
    for number in range(SENDERS + RECEIVERS):
        if threads:
            if number < RECEIVERS:
                thread = threading.Thread(target=receive, args=(ends[number][0], total))
            else:
                thread = threading.Thread(target=send, args=([end[1] for end in ends],))
            thread.start()
            tasks.append(thread)
        else:
            pid = os.fork()
            if pid == 0:
                if number < RECEIVERS:
                    receive(ends[number][0], total)
                else:
                    send([end[1] for end in ends])
                os._exit(0)
            tasks.append(pid)
    return tasks


tasks = []
for _ in range(GROUPS):
    tasks += group(False)
statuses = []
for pid in tasks:
    statuses.append(os.waitpid(pid, 0)[1])
print("processes", len(statuses), sum(statuses))
tasks = []
for _ in range(GROUPS):
    tasks += group(True)
for thread in tasks:
    thread.join()
print("threads", len(tasks))
