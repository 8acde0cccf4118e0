"""A ring in shared memory, with two semaphores that count its full and its free places."""

import os

from workloads import guest

PLACES = 4
ITEMS = 20

shm = guest.shmget(guest.IPC_PRIVATE, PLACES, guest.IPC_CREAT | 0o600)
sem = guest.semget(guest.IPC_PRIVATE, 2, guest.IPC_CREAT | 0o600)
guest.semctl(sem, 1, guest.SETVAL, PLACES)
ring = guest.shmat(shm)
guest.shmctl(shm, guest.IPC_RMID)
pid = os.fork()
if pid == 0:
    for number in range(ITEMS):
        guest.semop(sem, [(1, -1, 0)])
        ring[number % PLACES] = 100 + number
        guest.semop(sem, [(0, 1, 0)])
    os._exit(0)
got = []
for number in range(ITEMS):
    guest.semop(sem, [(0, -1, 0)])
    got.append(ring[number % PLACES])
    ring[number % PLACES] = 0
    guest.semop(sem, [(1, 1, 0)])
print(got == list(range(100, 100 + ITEMS)), os.waitpid(pid, 0)[1])
print(guest.semctl(sem, 0, guest.GETVAL), guest.semctl(sem, 1, guest.GETVAL))
guest.semctl(sem, 0, guest.IPC_RMID)
