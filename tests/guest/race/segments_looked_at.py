"""Segments are looked at while others attach them, and come and go."""

import os

from workloads import guest

shm = guest.shmget(guest.IPC_PRIVATE, 4096, guest.IPC_CREAT | 0o600)
children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        if number < 2:
            m = guest.shmat(shm)
            m[number] = 1
            guest.shmdt(m)
        elif guest.shmctl(shm, guest.IPC_STAT)["nattch"] > 2:
            os._exit(1)
        other = guest.shmget(guest.IPC_PRIVATE, 4096, guest.IPC_CREAT | 0o600)
        guest.shmctl(other, guest.IPC_RMID)
        os._exit(0)
    children.append(pid)
guest.shmctl(shm, guest.IPC_STAT)
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
m = guest.shmat(shm)
print(statuses, m[0:3])
guest.shmctl(shm, guest.IPC_RMID)
