"""Philosophers who take both forks in one operation never starve one another to death."""

import os

from workloads import guest

SEATS = 5
MEALS = 3

forks = guest.semget(guest.IPC_PRIVATE, SEATS, guest.IPC_CREAT | 0o600)
for fork in range(SEATS):
    guest.semctl(forks, fork, guest.SETVAL, 1)
for seat in range(SEATS):
    if os.fork() == 0:
        left, right = seat, (seat + 1) % SEATS
        for _ in range(MEALS):
            guest.semop(forks, [(left, -1, guest.SEM_UNDO), (right, -1, guest.SEM_UNDO)])
            os.sched_yield()
            guest.semop(forks, [(right, 1, guest.SEM_UNDO), (left, 1, guest.SEM_UNDO)])
        os._exit(0)
for _ in range(SEATS):
    print(os.wait()[1])
print([guest.semctl(forks, 0, guest.GETVAL), guest.semctl(forks, 4, guest.GETVAL)])
guest.semctl(forks, 0, guest.IPC_RMID)
