"""A segment stays attached when its attacher leaves the IPC namespace, but has no id there."""

import os

from workloads import guest

shm = guest.shmget(guest.IPC_PRIVATE, 4096, guest.IPC_CREAT | 0o600)
here = guest.shmat(shm)
here[0] = 1
pid = os.fork()
if pid == 0:
    guest.unshare(guest.CLONE_NEWIPC)
    here[1] = 2
    try:
        guest.shmctl(shm, guest.IPC_STAT)
    except OSError as error:
        print("no id", error.errno)
    guest.shmdt(here)
    os._exit(0)
os.waitpid(pid, 0)
print(here[0:3], guest.shmctl(shm, guest.IPC_STAT))
guest.shmctl(shm, guest.IPC_RMID)

# a namespace dies before the memory that was made in it
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    if os.fork() == 0:
        guest.unshare(guest.CLONE_NEWIPC)
        inner = guest.shmat(guest.shmget(guest.IPC_PRIVATE, 4096, guest.IPC_CREAT | 0o600))
        inner[7] = 7
        guest.unshare(guest.CLONE_NEWIPC)
        os.write(w, inner[7:8])
        os._exit(0)
    os.wait()
    os._exit(0)
os.waitpid(pid, 0)
print(os.read(r, 1))
