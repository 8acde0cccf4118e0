"""Waiters for a semaphore are killed while others are served: nobody has more than was given."""

import os
import signal

from workloads import guest

sem = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT | 0o600)
waiters = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        guest.semop(sem, [(0, -1, 0)])
        os._exit(0)
    waiters.append(pid)
giver = os.fork()
if giver == 0:
    for _ in range(2):
        guest.semop(sem, [(0, 1, 0)])
    os._exit(0)
for pid in waiters[:3]:
    os.kill(pid, signal.SIGTERM)
print(os.waitpid(giver, 0)[1])
served = sum(os.waitpid(pid, 0)[1] == 0 for pid in waiters[:3])
guest.semop(sem, [(0, 2, 0)])
served += os.waitpid(waiters[3], 0)[1] == 0
print(guest.semctl(sem, 0, guest.GETVAL) + served <= 4, guest.semctl(sem, 0, guest.GETNCNT))
guest.semctl(sem, 0, guest.IPC_RMID)
