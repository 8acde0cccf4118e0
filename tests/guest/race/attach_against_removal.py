"""A segment is attached, detached and removed at once: it is there or it is not."""

import errno
import os

from workloads import guest

shm = guest.shmget(guest.IPC_PRIVATE, 8192, guest.IPC_CREAT | 0o600)
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        try:
            for _ in range(2):
                here = guest.shmat(shm)
                here[4096 * (number % 2)] = number
                if number == 2:
                    guest.shmctl(shm, guest.IPC_RMID)
                guest.shmdt(here)
        except OSError as error:
            if error.errno not in (errno.EIDRM, errno.EINVAL):
                os._exit(1)
        os._exit(0)
    children.append(pid)
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses)
try:
    guest.shmctl(shm, guest.IPC_STAT)
except OSError as error:
    print(error.errno == errno.EINVAL)
