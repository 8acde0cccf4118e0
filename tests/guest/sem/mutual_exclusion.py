"""A semaphore of value 1 lets one of many processes into the critical section at a time."""

import mmap
import os

from workloads import guest

PROCESSES = 4
ROUNDS = 10

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
sem = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT | 0o600)
guest.semctl(sem, 0, guest.SETVAL, 1)
for _ in range(PROCESSES):
    if os.fork() == 0:
        for _ in range(ROUNDS):
            guest.semop(sem, [(0, -1, guest.SEM_UNDO)])
            inside = m[4]
            m[4] = inside + 1
            if inside:
                os._exit(1)
            value = m[0]
            os.sched_yield()
            m[0] = value + 1
            m[4] = 0
            guest.semop(sem, [(0, 1, guest.SEM_UNDO)])
        os._exit(0)
statuses = []
for _ in range(PROCESSES):
    statuses.append(os.wait()[1])
print(statuses, m[0], guest.semctl(sem, 0, guest.GETVAL))
guest.semctl(sem, 0, guest.IPC_RMID)
