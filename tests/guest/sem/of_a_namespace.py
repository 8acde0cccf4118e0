"""A new IPC namespace has no objects; leaving the old one carries out what was to be undone."""

import os

from workloads import guest

KEY = 0x5E3A


def get(what, flags):
    try:
        print(what, guest.semget(KEY, 1, flags) >= 0)
    except OSError as error:
        print(what, error.errno)


sem = guest.semget(KEY, 1, guest.IPC_CREAT | 0o600)
guest.semop(sem, [(0, 3, 0)])
pid = os.fork()
if pid == 0:
    guest.semop(sem, [(0, -2, guest.SEM_UNDO)])
    print("taken", guest.semctl(sem, 0, guest.GETVAL))
    r, w = os.pipe()
    guest.unshare(guest.CLONE_NEWIPC)
    get("in the new namespace", 0)
    try:
        guest.semop(sem, [(0, 1, 0)])
    except OSError as error:
        print("by id", error.errno)
    get("its own", guest.IPC_CREAT | guest.IPC_EXCL | 0o600)
    shm = guest.shmget(KEY, 4096, guest.IPC_CREAT | 0o600)
    here = guest.shmat(shm)
    here[0] = 5
    guest.msgsnd(guest.msgget(KEY, guest.IPC_CREAT), 1, b"nobody takes it")
    if os.fork() == 0:
        get("a child is in it, too", 0)
        os._exit(0)
    os.wait()
    os._exit(0)
os.waitpid(pid, 0)
print("undone", guest.semctl(sem, 0, guest.GETVAL))
get("in the old namespace", 0)
try:
    guest.clone(guest.CLONE_NEWIPC | guest.CLONE_SYSVSEM | 17)
except OSError as error:
    print("both flags", error.errno)
pid = guest.clone(guest.CLONE_NEWIPC | 17)
if pid == 0:
    get("cloned", 0)
    os._exit(0)
os.waitpid(pid, 0)
guest.semop(sem, [(0, 1, guest.SEM_UNDO)])
guest.unshare(guest.CLONE_SYSVSEM)
print("unshared the list only", guest.semctl(sem, 0, guest.GETVAL))
guest.semctl(sem, 0, guest.IPC_RMID)
