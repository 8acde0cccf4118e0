"""Two hundred operation lists of random shape, by processes that come and go: values and errnos."""

import os
import sys

from workloads import guest

SEMS = 4
state = [int(sys.argv[1]) if len(sys.argv) > 1 else 20240607]


def rnd(n):
    state[0] = (state[0] * 1103515245 + 12345) % (1 << 31)
    return (state[0] >> 8) % n


def operations():
    made = []
    for _ in range(1 + rnd(4)):
        flags = guest.IPC_NOWAIT
        if rnd(3) == 0:
            flags |= guest.SEM_UNDO
        change = (0, 1, 2, -1, -2, 3, -3, 32767, -32767)[rnd(9)]
        made.append((rnd(SEMS + 1) if rnd(20) == 0 else rnd(SEMS), change, flags))
    return made


def values(sem):
    found = []
    for index in range(SEMS):
        found.append(guest.semctl(sem, index, guest.GETVAL))
    return found


def step(sem):
    what = rnd(8)
    if what == 0:
        index, value = rnd(SEMS), rnd(40000) - 100
        try:
            guest.semctl(sem, index, guest.SETVAL, value)
            return 0
        except OSError as error:
            return error.errno
    try:
        guest.semop(sem, operations())
        return 0
    except OSError as error:
        return error.errno


sem = guest.semget(guest.IPC_PRIVATE, SEMS, guest.IPC_CREAT | 0o600)
for round in range(20):
    seed = rnd(1 << 30)
    pid = os.fork()
    if pid == 0:
        state[0] = seed
        results = []
        for _ in range(10):
            results.append(step(sem))
        print(round, results, values(sem))
        os._exit(0)
    os.waitpid(pid, 0)
    print(round, values(sem))
guest.semctl(sem, 0, guest.IPC_RMID)
