"""Waiters are served in order of arrival, but one that cannot go on does not stop others."""

import os

from workloads import guest

sem = guest.semget(guest.IPC_PRIVATE, 2, guest.IPC_CREAT | 0o600)
r, w = os.pipe()


def start(name, operations, waiting):
    pid = os.fork()
    if pid == 0:
        guest.semop(sem, operations)
        os.write(w, name)
        os._exit(0)
    while guest.semctl(sem, 0, guest.GETNCNT) + guest.semctl(sem, 1, guest.GETNCNT) < waiting:
        os.sched_yield()


def add(index, change, count):
    guest.semop(sem, [(index, change, 0)])
    served = []
    for _ in range(count):
        served.append(os.read(r, 1))
    served.sort()
    print(served, guest.semctl(sem, 0, guest.GETVAL), guest.semctl(sem, 1, guest.GETVAL))


start(b"a", [(0, -3, 0)], 1)
start(b"b", [(0, -1, 0)], 2)
start(b"c", [(0, -1, 0)], 3)
start(b"d", [(0, -2, 0)], 4)
add(0, 1, 1)  # b
add(0, 3, 1)  # a
add(0, 2, 1)  # c, and d would need two
add(0, 1, 1)  # d

# while a list of two waits, all changes wait in one queue
start(b"e", [(0, -1, 0), (1, -1, 0)], 1)
start(b"f", [(1, -1, 0)], 2)
start(b"g", [(0, -1, 0)], 3)
add(1, 1, 1)  # f: e still needs the other one
add(0, 1, 1)  # g
add(1, 1, 0)
add(0, 1, 1)  # e

# one operation serves a chain: h's success lets i go on
start(b"h", [(0, -1, 0), (1, 1, 0)], 1)
start(b"i", [(1, -1, 0)], 2)
add(0, 1, 2)
for _ in range(9):
    os.wait()
guest.semctl(sem, 0, guest.IPC_RMID)
