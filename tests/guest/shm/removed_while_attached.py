"""A removed segment lives until its last detach: its id works, its key is free for another."""

import os

from workloads import guest

KEY = 0x511B

shm = guest.shmget(KEY, 4096, guest.IPC_CREAT | 0o600)
here = guest.shmat(shm)
here[0] = 9
print(guest.shmctl(shm, guest.IPC_RMID))
print(guest.shmctl(shm, guest.IPC_STAT))
try:
    guest.shmget(KEY, 4096, 0)
except FileNotFoundError as error:
    print("by key", error.errno)
other = guest.shmget(KEY, 8192, guest.IPC_CREAT | guest.IPC_EXCL | 0o600)
print("another one", other != shm)
again = guest.shmat(shm)
print("by id", again[0], guest.shmctl(shm, guest.IPC_STAT))
print("removed twice", guest.shmctl(shm, guest.IPC_RMID))
guest.shmdt(here)
pid = os.fork()
guest.shmdt(again)
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
try:
    guest.shmat(shm)
except OSError as error:
    print("after the last detach", error.errno)
try:
    guest.shmctl(shm, guest.IPC_STAT)
except OSError as error:
    print("after the last detach", error.errno)
print(guest.shmctl(other, guest.IPC_RMID))
try:
    guest.shmctl(other, guest.IPC_RMID)
except OSError as error:
    print("never attached", error.errno)
