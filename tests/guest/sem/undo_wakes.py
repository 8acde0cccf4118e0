"""The undo of a dying process wakes those who wait, after its memory and before its files."""

import os

from workloads.guest import (
    GETNCNT,
    GETVAL,
    IPC_CREAT,
    IPC_PRIVATE,
    IPC_RMID,
    SEM_UNDO,
    semctl,
    semget,
    semop,
)

sem = semget(IPC_PRIVATE, 1, IPC_CREAT | 0o600)
semop(sem, [(0, 1, 0)])
r, w = os.pipe()
holder = os.fork()
if holder == 0:
    os.close(r)
    semop(sem, [(0, -1, SEM_UNDO)])
    os.write(w, b"x")
    while semctl(sem, 0, GETNCNT) == 0:
        os.sched_yield()
    os._exit(7)
os.close(w)
os.read(r, 1)
waiter = os.fork()
if waiter == 0:
    os.close(r)
    semop(sem, [(0, -1, SEM_UNDO)])
    os._exit(semctl(sem, 0, GETVAL))
# the end of file shows that the holder has closed its files: the undo was before that
print("end of file", os.read(r, 1))
print("waiter", os.waitpid(waiter, 0)[1])
print("holder", os.waitstatus_to_exitcode(os.waitpid(holder, 0)[1]))
print("left", semctl(sem, 0, GETVAL))
semctl(sem, 0, IPC_RMID)
