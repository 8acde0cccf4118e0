"""A segment that nobody has attached is removed while others look at it and attach it."""

import os

from workloads import guest

KEY = 0x51AB
segment = guest.shmget(KEY, 4096, guest.IPC_CREAT | 0o600)
children = []
for number in range(5):
    pid = os.fork()
    if pid == 0:
        try:
            if number == 0:
                guest.shmctl(segment, guest.IPC_RMID)
            elif number < 3:
                guest.shmctl(segment, guest.IPC_STAT)
            elif number == 3:
                guest.shmat(segment)
            else:
                guest.shmget(KEY, 4096, 0)
        except OSError:
            pass
        os._exit(0)
    children.append(pid)
print([os.waitpid(pid, 0)[1] for pid in children])
try:
    guest.shmget(KEY, 4096, 0)
except FileNotFoundError:
    print("gone")
