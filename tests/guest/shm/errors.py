"""Every errno of shmget, shmat, shmdt and shmctl."""

import os

from workloads import guest

KEY = 0x511C
CREAT = guest.IPC_CREAT


def get(what, key, size, flags):
    try:
        print(what, guest.shmget(key, size, flags) >= 0)
    except OSError as error:
        print(what, error.errno, error.strerror)


def attach(what, id):
    try:
        here = guest.shmat(id)
        print(what, len(here))
        guest.shmdt(here)
    except OSError as error:
        print(what, error.errno, error.strerror)


def control(what, id, command):
    try:
        print(what, guest.shmctl(id, command))
    except OSError as error:
        print(what, error.errno, error.strerror)


get("none", KEY, 100, 0)
get("size 0", KEY, 0, CREAT | 0o600)
get("private, size 0", guest.IPC_PRIVATE, 0, CREAT | 0o600)
get("far too large", KEY, -1, CREAT | 0o600)
get("made", KEY, 100, CREAT | 0o600)
get("again", KEY, 100, CREAT)
get("of any size", KEY, 0, 0)
get("within", KEY, 50, 0)
get("larger", KEY, 101, 0)
get("exclusive", KEY, 100, CREAT | guest.IPC_EXCL)
shm = guest.shmget(KEY, 0, 0)
attach("attached", shm)
attach("no such segment", 1234567)
attach("negative id", -1)
here = guest.shmat(shm)
guest.shmdt(here)
try:
    guest.shmdt(here)
except OSError as error:
    print("detached twice", error.errno)
control("no such segment", 1234567, guest.IPC_STAT)
control("negative id", -1, guest.IPC_RMID)
ids = []
for mode in (0o600, 0o604, 0o602, 0o606):
    ids.append(guest.shmget(guest.IPC_PRIVATE, 1, CREAT | mode))
pid = os.fork()
if pid == 0:
    os.setgid(1234)
    os.setuid(1234)
    for id in ids:
        attach("stranger", id)
        control("stranger, stat", id, guest.IPC_STAT)
        control("stranger, remove", id, guest.IPC_RMID)
    get("stranger, get", KEY, 0, 0)
    get("stranger, get for reading", KEY, 0, 0o400)
    os._exit(0)
os.waitpid(pid, 0)
ids.append(shm)
for id in ids:
    control("removed", id, guest.IPC_RMID)
attach("removed", shm)
