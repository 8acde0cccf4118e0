"""Waits for zero end when the value is zero for a moment, before anybody who adds goes on."""

import os

from workloads import guest

sem = guest.semget(guest.IPC_PRIVATE, 2, guest.IPC_CREAT | 0o600)
guest.semop(sem, [(0, 0, 0)])
print("zero at once")
guest.semop(sem, [(0, 2, 0), (1, 1, 0)])
children = []
for number, operations in enumerate(([(0, 0, 0)], [(0, 0, 0), (0, 1, 0)], [(0, 0, 0), (1, 0, 0)])):
    pid = os.fork()
    if pid == 0:
        guest.semop(sem, operations)
        os._exit(number)
    children.append(pid)
    while guest.semctl(sem, 0, guest.GETZCNT) < number + 1:
        os.sched_yield()
print("waiting", guest.semctl(sem, 0, guest.GETZCNT), guest.semctl(sem, 1, guest.GETZCNT))
guest.semop(sem, [(0, -1, 0)])
print("one left", guest.semctl(sem, 0, guest.GETZCNT))
guest.semop(sem, [(0, -1, 0)])
for pid in children[:2]:
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print("value", guest.semctl(sem, 0, guest.GETVAL))
guest.semop(sem, [(1, -1, 0)])
print("waits for the first one", guest.semctl(sem, 0, guest.GETZCNT))
guest.semctl(sem, 0, guest.SETVAL, 0)
print(os.waitstatus_to_exitcode(os.waitpid(children[2], 0)[1]))
guest.semctl(sem, 0, guest.IPC_RMID)
