"""A sleeper is served before it sleeps, and ends: its late waker brings no dead task back."""

import os

from workloads import guest

sems = guest.semget(guest.IPC_PRIVATE, 2, 0o600)
ends = []
for calls in (0, 0, 0, 1, 1, 1):
    sleeper = os.fork()
    if sleeper == 0:
        guest.semop(sems, [(0, -1, 0)])
        guest.semop(sems, [(1, -1, 0)])
        os._exit(3)
    waker = os.fork()
    if waker == 0:
        guest.semop(sems, [(0, -1, 0)])
        for _ in range(calls):
            os.getppid()
        guest.semop(sems, [(1, 1, 0)])
        guest.semop(sems, [(0, -1, 0)])
        os._exit(0)
    while guest.semctl(sems, 0, guest.GETNCNT) < 2:
        os.sched_yield()
    guest.semop(sems, [(0, 2, 0)])  # both go on at once
    ends.append(os.waitpid(sleeper, 0)[1])
    guest.semop(sems, [(0, 1, 0)])
    ends.append(os.waitpid(waker, 0)[1])
guest.semctl(sems, 0, guest.IPC_RMID)
print(ends)
