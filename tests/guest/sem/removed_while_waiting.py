"""Removal of a set wakes all who wait, for an increase and for zero, with EIDRM."""

import errno
import os

from workloads.guest import (
    GETNCNT,
    GETZCNT,
    IPC_CREAT,
    IPC_PRIVATE,
    IPC_RMID,
    semctl,
    semget,
    semop,
)

sem = semget(IPC_PRIVATE, 2, IPC_CREAT | 0o600)
semop(sem, [(1, 1, 0)])
children = []
for operations in ([(0, -1, 0)], [(1, 0, 0)], [(0, -2, 0), (1, -1, 0)], [(1, 0, 0), (0, 1, 0)]):
    pid = os.fork()
    if pid == 0:
        try:
            semop(sem, operations)
            os._exit(99)
        except OSError as error:
            os._exit(error.errno == errno.EIDRM)
    children.append(pid)
while semctl(sem, 0, GETNCNT) + semctl(sem, 1, GETZCNT) < 4:
    os.sched_yield()
print(
    semctl(sem, 0, GETNCNT),
    semctl(sem, 0, GETZCNT),
    semctl(sem, 1, GETNCNT),
    semctl(sem, 1, GETZCNT),
)
semctl(sem, 0, IPC_RMID)
for pid in children:
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
