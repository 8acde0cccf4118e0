"""A process that takes from a semaphore of value 0 sleeps until another one adds to it."""

import os

from workloads.guest import GETVAL, IPC_CREAT, IPC_PRIVATE, IPC_RMID, semctl, semget, semop

sem = semget(IPC_PRIVATE, 1, IPC_CREAT | 0o600)
pid = os.fork()
if pid == 0:
    semop(sem, [(0, -2, 0)])
    print("child: taken, left", semctl(sem, 0, GETVAL))
    os._exit(0)
semop(sem, [(0, 1, 0)])
semop(sem, [(0, 2, 0)])
print(os.waitpid(pid, 0)[1], semctl(sem, 0, GETVAL))
print(semctl(sem, 0, IPC_RMID))
