"""Semaphores are used, undone, set and removed at once: nobody sleeps for ever."""

import errno
import os

from workloads import guest

sem = guest.semget(guest.IPC_PRIVATE, 2, guest.IPC_CREAT | 0o600)


def user(number):
    try:
        for _ in range(3):
            if number == 0:
                guest.semop(sem, [(0, -1, guest.SEM_UNDO), (1, 1, 0)])
            elif number == 1:
                guest.semop(sem, [(0, 1, 0), (1, -1, guest.SEM_UNDO)])
            elif number == 2:
                guest.semop(sem, [(0, -1, 0)])
            else:
                guest.semop(sem, [(1, 0, 0)])
                guest.semctl(sem, 0, guest.SETVAL, 1)
    except OSError as error:
        if error.errno not in (errno.EIDRM, errno.EINVAL):
            os._exit(1)
    os._exit(0)


children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        user(number)
    children.append(pid)
guest.semop(sem, [(0, 1, 0)])
for _ in range(3):
    os.sched_yield()
guest.semctl(sem, 0, guest.IPC_RMID)
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses)
