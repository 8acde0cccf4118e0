"""Semaphores are looked at, set and handed over while others use them and are interrupted."""

import os
import signal

from workloads import guest


def got(sig, frame):
    pass


sem = guest.semget(guest.IPC_PRIVATE, 2, guest.IPC_CREAT | 0o600)
guest.semctl(sem, 0, guest.SETVAL, 1)
signal.signal(signal.SIGUSR1, got)
children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        if number == 0:
            guest.semop(sem, [(0, -1, guest.SEM_UNDO)])
            guest.semop(sem, [(0, 1, guest.SEM_UNDO)])
        elif number == 1:
            for _ in range(2):
                if guest.semctl(sem, 0, guest.GETVAL) not in (0, 1):
                    os._exit(1)
            guest.semctl(sem, 0, guest.GETPID)
            guest.semctl(sem, 0, guest.GETNCNT)
        elif number == 2:
            guest.semctl(sem, 1, guest.SETVAL, 0)
            other = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT | 0o600)
            guest.semctl(other, 0, guest.IPC_RMID)
        else:
            try:
                guest.semop(sem, [(1, -1, 0)])
            except InterruptedError:
                os._exit(0)
            os._exit(1)
        os._exit(0)
    children.append(pid)
other = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT | 0o600)
guest.semctl(other, 0, guest.IPC_RMID)
for pid in children[:3]:
    if os.waitpid(pid, 0)[1]:
        print("failed")
done = 0
while not done:
    os.kill(children[3], signal.SIGUSR1)
    done, status = os.waitpid(children[3], os.WNOHANG)
print(status, guest.semctl(sem, 0, guest.GETVAL))
guest.semctl(sem, 0, guest.IPC_RMID)
