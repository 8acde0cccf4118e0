"""A set of semaphores and a queue are removed while several sleep on them: all are told."""

import os
import time

from workloads import guest


def sleeper(what, call, *args):
    pid = os.fork()
    if pid == 0:
        try:
            call(*args)
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    return pid


sem = guest.semget(guest.IPC_PRIVATE, 2, 0o600)
waits = [
    sleeper("take", guest.semop, sem, [(0, -1, 0)]),
    sleeper("both", guest.semop, sem, [(0, -1, guest.SEM_UNDO), (1, -1, 0)]),
    sleeper("later", guest.semop, sem, [(1, -2, 0)]),
]
time.sleep(0.05)
print(guest.semctl(sem, 0, guest.GETNCNT), guest.semctl(sem, 1, guest.GETNCNT))
guest.semctl(sem, 0, guest.IPC_RMID)
for pid in waits:
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
try:
    guest.semop(sem, [(0, 1, 0)])
except OSError as error:
    print(error.errno)
