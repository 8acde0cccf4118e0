"""Ids are index and sequence number: a removed id names nothing, its place is used again later."""

from workloads import guest

# the namespace may have sets already: only differences are printed
first = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT)
second = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT)
guest.semctl(first, 0, guest.IPC_RMID)
third = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT)
print(second - first, third - first)
guest.semctl(second, 0, guest.IPC_RMID)
guest.semctl(third, 0, guest.IPC_RMID)
seen = []
for _ in range(70):
    id = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT)
    seen.append(id)
    guest.semctl(id, 0, guest.IPC_RMID)
wraps = [i for i in range(1, 70) if seen[i] % 32768 < seen[i - 1] % 32768]
print(len(set(seen)), len(wraps), seen[69] - seen[69 - 64] == 32768)
try:
    guest.semctl(seen[0], 0, guest.GETVAL)
except OSError as error:
    print(error.errno)
