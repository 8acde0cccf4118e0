"""An access to a detached segment is a segmentation fault; unrelated memory stays."""

import os

from workloads import guest

shm = guest.shmget(guest.IPC_PRIVATE, 8192, guest.IPC_CREAT | 0o600)
for write in (False, True):
    pid = os.fork()
    if pid == 0:
        here = guest.shmat(shm)
        here[4096] = 3
        guest.shmdt(here)
        if write:
            here[0] = 1
        else:
            print("read", here[4096])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(guest.shmctl(shm, guest.IPC_STAT), guest.shmctl(shm, guest.IPC_RMID))
